"""WSGI entry of the web process; what the first request would wait for is loaded before the process serves."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from treasury.whole_body import whole_bodies

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "treasury.settings.local")
application = whole_bodies(get_wsgi_application())
for urls in (settings.ROOT_URLCONF, settings.PUBLIC_SCHEMA_URLCONF):
    _ = get_resolver(
        urls
    ).reverse_dict  # imports the views, compiles every pattern: two seconds of processor time

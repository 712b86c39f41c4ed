"""Addresses below ``/hooks/<organisation>/``: a token in hex and the kind of callback."""

from django.urls import re_path

from apps.integrations.api import views

urlpatterns = [
    re_path(
        r"^(?P<token>[0-9a-f]{16,64})/(?P<kind>[a-z][a-z0-9-]{0,31})$",
        views.receive,
        name="provider-callback",
    ),
]

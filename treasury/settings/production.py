"""The cloud: TLS in front, secure cookies, nothing that only a developer needs."""

from treasury.settings.api import *
from treasury.settings.base import *
from treasury.settings.celery import *
from treasury.settings.database import *
from treasury.settings.observability import *
from treasury.settings.security import *
from treasury.settings.storage import *
from treasury.settings.unfold import *

if TREASURY["FAULT_PATH"]:
    raise env.SettingMissing("TREASURY_FAULT_PATH is for tests and is refused in production.")
if not ALLOWED_HOSTS:
    raise env.SettingMissing("TREASURY_ALLOWED_HOSTS names the hosts that production serves.")

SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
LANGUAGE_COOKIE_SECURE = True
SECURE_SSL_REDIRECT = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000
STORAGES["staticfiles"] = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
WHITENOISE_USE_FINDERS = False

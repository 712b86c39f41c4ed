"""The cloud: TLS in front, secure cookies, nothing that only a developer needs, and no start with unsafe settings."""

from treasury.settings import unsafe

unsafe.refuse()  # before any other module stops at the first variable that is missing

from treasury.settings.api import *
from treasury.settings.base import *
from treasury.settings.celery import *
from treasury.settings.database import *
from treasury.settings.observability import *
from treasury.settings.security import *
from treasury.settings.storage import *
from treasury.settings.unfold import *

SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
LANGUAGE_COOKIE_SECURE = True
SECURE_SSL_REDIRECT = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SILENCED_SYSTEM_CHECKS = ["security.W021"]  # HSTS preload binds a whole domain for years: its owner decides
STORAGES["staticfiles"] = {"BACKEND": COLLECTED}
WHITENOISE_USE_FINDERS = False

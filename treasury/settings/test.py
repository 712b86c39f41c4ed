"""The tests: real PostgreSQL and Valkey, fast password hashing."""

from treasury.settings.local import *

ALLOWED_HOSTS = [*ALLOWED_HOSTS, ".testserver", "testserver"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DATABASES["default"]["OPTIONS"] = {}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
CELERY_BROKER_URL = "memory://"
LOGGING["root"]["level"] = "WARNING"
MIDDLEWARE = [
    name for name in MIDDLEWARE if "whitenoise" not in name
]  # it reads all static files for each new client

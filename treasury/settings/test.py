"""The tests: real PostgreSQL and Valkey, fast password hashing."""

from treasury.settings.local import *

ALLOWED_HOSTS = [*ALLOWED_HOSTS, ".testserver", "testserver"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DATABASES["default"]["OPTIONS"] = {"prepare_threshold": PREPARED}  # no pool: each test has a connection
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
TREASURY["RATE_LIMIT_URL"] = ""  # buckets of this process: each test starts with full ones
TREASURY["RATE_LIMITS"] = dict.fromkeys(TREASURY["RATE_LIMITS"], 0)  # what is tested sets its own
CELERY_BROKER_URL = "memory://"
LOGGING["root"]["level"] = "WARNING"
MIDDLEWARE = [
    name for name in MIDDLEWARE if "whitenoise" not in name
]  # it reads all static files for each new client

"""Static files from this process, documents in a folder or in object storage."""

from pathlib import Path
from typing import Any

from treasury.settings import env

STATIC_URL = "/static/"
STATIC_ROOT: Path | None = env.BASE_DIR / "staticfiles"
COLLECTED = "treasury.static.CollectedStatic"
STATICFILES_DIRS = [env.BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = [
    "gif",
    "jpg",
    "png",
    "webp",
    "woff",
    "woff2",
    "map",
]  # maps: debuggers ask only
STORAGES: dict[str, Any] = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": env.text("TREASURY_STORAGE_PATH"), "base_url": None},
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

"""Static files from this process, documents in a folder or in object storage."""

from pathlib import Path
from typing import Any

from treasury.settings import env

STATIC_URL = "/static/"
STATIC_ROOT: Path | None = env.BASE_DIR / "staticfiles"
COLLECTED = "whitenoise.storage.CompressedManifestStaticFilesStorage"  # each under the name of its checksum
STATICFILES_DIRS = [env.BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
STORAGES: dict[str, Any] = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": env.text("TREASURY_STORAGE_PATH"), "base_url": None},
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

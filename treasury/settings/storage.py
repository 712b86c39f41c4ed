"""Static files from this process, documents and results in a folder or in a bucket."""

from pathlib import Path
from typing import Any

from treasury.settings import env, files

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
    **files.places(),
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

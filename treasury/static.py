"""Static files as production serves them: each under the name of its checksum, and compressed beforehand."""

from typing import Any

from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage


class CollectedStatic(CompressedManifestStaticFilesStorage):
    """Compresses with gzip alone: Brotli takes a minute of each build, for files that browsers keep for years."""

    def create_compressor(self, **options: Any) -> Compressor:
        return Compressor(use_brotli=False, **options)

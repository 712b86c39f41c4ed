"""Files in a folder of this machine: for development, tests, and a single machine with a disk that is backed up."""

from typing import ClassVar

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage

from apps.kit import ids
from apps.kit.storage import Stored

PROBE = "check"


class FolderStorage(FileSystemStorage):
    """A folder: nothing is locked, and no links are given."""

    outages: ClassVar = (OSError,)

    def erase(self, folder: str) -> int:
        names = self.names(folder)
        for name in names:
            self.delete(f"{folder}/{name}")
        return len(names)

    def names(self, folder: str) -> list[str]:
        try:
            return sorted(self.listdir(folder)[1])
        except FileNotFoundError:
            return []

    def link(self, key: str, stored: Stored, *, name: str, content_type: str) -> str:  # noqa: ARG002 (see Place)
        return ""

    def problems(self) -> list[str]:
        folder = f"{PROBE}/{ids.token(8)}"
        try:
            self.save(f"{folder}/{PROBE}", ContentFile(b"check"))
            self.erase(folder)
            self.delete(folder)
        except OSError as error:
            return [f"The folder {self.location} cannot be written: {error.strerror}."]
        return []

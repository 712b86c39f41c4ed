"""Files of any size in the storage, by folder and checksum; whoever puts one there keeps its key."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.core.files.base import File
from django.core.files.storage import default_storage

from apps.kit import errors

GONE = "The stored file is gone. Tell the operators; it can be restored from the backup."
CHANGED = "The stored file was changed since it was made. Tell the operators; it is not shown."


class FileDamaged(errors.DomainError):
    """The stored bytes are missing or are not those that were stored."""

    code = "file_damaged"
    title = "File damaged"
    status = 500
    category = "internal"


@dataclass(frozen=True, slots=True)
class Stored:
    """Where the bytes lie; ``sha256`` is hex over its ``size`` bytes."""

    key: str
    sha256: str
    size: int


def upload(*, path: Path, folder: str) -> Stored:
    """Bring a file into the storage, in pieces. Call it outside a transaction; see ``discard`` for what nobody keeps."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    with path.open("rb") as file:
        key = default_storage.save(f"{folder}/{digest[:16]}", File(file))
    return Stored(key, digest, path.stat().st_size)


def stream(*, key: str, sha256: str) -> Iterator[bytes]:
    """
    Return the bytes in pieces; raise FileDamaged at once when they are gone or their checksum is another.

    The file is read twice, so that nobody gets the first half of a file that was changed.
    """
    digest = hashlib.sha256()
    for piece in _pieces(key):
        digest.update(piece)
    if digest.hexdigest() != sha256:
        raise FileDamaged(CHANGED)
    return _pieces(key)


def discard(*, folder: str) -> int:
    """Delete all files of a folder and return how many there were; safe to repeat."""
    try:
        _, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return 0
    for name in names:
        default_storage.delete(f"{folder}/{name}")
    return len(names)


def _pieces(key: str) -> Iterator[bytes]:
    try:
        with default_storage.open(key) as file:
            yield from file.chunks()
    except FileNotFoundError:
        raise FileDamaged(GONE) from None

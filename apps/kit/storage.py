"""
Files of any size in the storage, by folder and checksum; whoever puts one there keeps its key.

There are two places: DOCUMENTS, which are kept and locked where the storage can lock, and RESULTS, which are discarded
after their time. Every key begins with the folder of the present organisation; no other key is written, read or deleted.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, cast

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import storages
from django.utils.module_loading import import_string

from apps.kit import errors, logs

DOCUMENTS, RESULTS = "documents", "results"
KEY = re.compile(r"[0-9a-f]{32}(?:/[A-Za-z0-9_-]+)+")
GONE = "The stored file is gone. Tell the operators; it can be restored from the backup."
CHANGED = "The stored file was changed since it was made. Tell the operators; it is not shown."
UNAVAILABLE = "The storage of files does not answer. Nothing is lost: try again in a few minutes."

log = logs.get(__name__)


class FileDamaged(errors.DomainError):
    """The stored bytes are missing or are not those that were stored."""

    code = "file_damaged"
    title = "File damaged"
    status = 500
    category = "internal"


class StorageUnavailable(errors.DomainError):
    """The storage of files did not answer or refused us; nothing was recorded."""

    code = "storage_unavailable"
    title = "Storage not available"
    status = 503
    category = "internal"
    retryable = True


class KeyRefused(ValueError):
    """The key is not one of the present organisation's, so nothing was looked for: a defect, or a row that was tampered with."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Where the bytes lie; ``sha256`` is hex over its ``size`` bytes."""

    key: str
    sha256: str
    size: int


class Content(File):
    """What is written, with what the storage keeps beside it; ``stored_at`` where it may be locked."""

    def __init__(
        self, file: Any, *, sha256: str, content_type: str, stored_at: datetime | None = None
    ) -> None:
        super().__init__(file)
        self.sha256, self.content_type, self.stored_at = sha256, content_type, stored_at


class Place(Protocol):
    """A storage of Django that can do a little more: ``folder_storage`` and ``bucket_storage``."""

    outages: tuple[type[Exception], ...]
    """What its methods raise when it cannot be reached or refuses us; FileNotFoundError means what it says."""

    def save(self, name: str, content: File) -> str:
        """Write under this name, or under another where there is a file already; return the name."""

    def open(self, name: str) -> File: ...

    def erase(self, folder: str) -> int:
        """Delete all files of a folder with every version of them; return how many there were."""

    def names(self, folder: str) -> list[str]:
        """Return the names of all files of a folder, in order."""

    def link(self, key: str, stored: Stored, *, name: str, content_type: str) -> str:
        """Return an address that gives out this very file for a short time; "" where such are not given."""

    def problems(self) -> list[str]:
        """Say in sentences what keeps files from being written, read, kept or deleted here."""


def put(*, name: str, content: bytes, content_type: str, now: datetime) -> Stored:
    """
    Bring a document into the storage, for good. Call it outside a transaction, and record the key afterwards.

    Safe to repeat: the key is made of the content, and whole bytes that lie there already are taken over. What a
    process that died in the middle left there is not trusted; the file then gets another key. A document that nobody
    records stays, harmless: no key leads to it.
    """
    digest = hashlib.sha256(content).hexdigest()
    key = _within(f"{root()}/{name}-{digest[:16]}")
    file = Content(ContentFile(content), sha256=digest, content_type=content_type, stored_at=now)
    with _reached(DOCUMENTS) as place:
        if not _holds(place, key, digest):
            key = place.save(key, file)
    return Stored(key, digest, len(content))


def read(*, key: str, sha256: str) -> bytes:
    """Return the bytes of a document; raise FileDamaged when they are gone or their checksum is another."""
    with _reached(DOCUMENTS) as place, place.open(_within(key)) as file:
        content: bytes = file.read()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise FileDamaged(CHANGED)
    return content


def names(*, folder: str) -> list[str]:
    """Return the names of all documents of a folder, in order; also of those that somebody has hidden by deleting them."""
    with _reached(DOCUMENTS) as place:
        return place.names(_within(f"{root()}/{folder}"))


def named(*, folder: str, name: str) -> bytes:
    """Return the document of this name as it is; raise FileDamaged when it is gone."""
    with _reached(DOCUMENTS) as place, place.open(_within(f"{root()}/{folder}/{name}")) as file:
        content: bytes = file.read()
    return content


def upload(*, path: Path, folder: str, content_type: str) -> Stored:
    """Bring a result into the storage, in pieces. Call it outside a transaction; see ``discard`` for what nobody keeps."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    key = _within(f"{root()}/{folder}/{digest[:16]}")
    with _reached(RESULTS) as place, path.open("rb") as file:
        content = Content(file, sha256=digest, content_type=content_type)
        key = place.save(key, content)
    return Stored(key, digest, path.stat().st_size)


def hand_out(stored: Stored, *, name: str, content_type: str) -> str | Iterator[bytes]:
    """
    Return a result in pieces, or the address that gives it out where it is long and the storage gives out links.

    Raises FileDamaged at once when the bytes are gone or are not those that were stored. Ask only after the caller's
    right to the file is known: whoever has the address has the file, for a minute.
    """
    key = _within(stored.key)
    with _reached(RESULTS) as place:
        address = place.link(key, stored, name=name, content_type=content_type)
        return address or _checked(place.open(key), stored.sha256)


def pieces(stored: Stored) -> Iterator[bytes]:
    """Return a result in pieces, however long it is; raise FileDamaged at once, as ``hand_out``."""
    with _reached(RESULTS) as place:
        return _checked(place.open(_within(stored.key)), stored.sha256)


def discard(*, folder: str) -> int:
    """Delete all results of a folder and return how many there were; safe to repeat."""
    whole = _within(f"{root()}/{folder}")
    with _reached(RESULTS) as place:
        return place.erase(whole)


def problems() -> list[str]:
    """Say in sentences what is wrong with the storage; for operators, before the product is started."""
    found = [sentence for alias in (DOCUMENTS, RESULTS) for sentence in _place(alias).problems()]
    return list(dict.fromkeys(found))


def root() -> str:
    """Return the folder of the present organisation."""
    own: str = import_string(settings.TREASURY["STORAGE_ROOT"])()
    return own


def _within(key: str) -> str:
    if not KEY.fullmatch(key) or not key.startswith(f"{root()}/"):
        raise KeyRefused(f"{key!r} is no key of {root()}")
    return key


def _place(alias: str) -> Place:
    return cast(Place, storages[alias])


@contextmanager
def _reached(alias: str) -> Iterator[Place]:
    """Give the place, and say in our words what it could not do."""
    place = _place(alias)
    try:
        yield place
    except FileNotFoundError:
        raise FileDamaged(GONE) from None
    except place.outages as error:
        log.warning("storage_failed", place=alias, reason=str(error))
        raise StorageUnavailable(UNAVAILABLE) from error


def _holds(place: Place, key: str, digest: str) -> bool:
    try:
        with place.open(key) as file:
            return hashlib.sha256(file.read()).hexdigest() == digest
    except FileNotFoundError:
        return False


def _checked(file: File, sha256: str) -> Iterator[bytes]:
    """Return the pieces of a file that was read to the end once, so that nobody gets the first half of a changed one."""
    digest = hashlib.sha256()
    for piece in file.chunks():
        digest.update(piece)
    if digest.hexdigest() != sha256:
        file.close()
        raise FileDamaged(CHANGED)
    return _pieces(file)


def _pieces(file: File) -> Iterator[bytes]:
    with file:
        yield from file.chunks()

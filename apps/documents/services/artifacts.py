"""Store a file once, and give it back only as it was stored."""

import hashlib
from datetime import datetime
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from apps.documents.contracts import ArtifactKind, StoredFile
from apps.documents.models import Artifact
from apps.kit import storage
from apps.tenancy.selectors import organisations


def store(
    *, kind: ArtifactKind, content: bytes, content_type: str, source_type: str, source_id: UUID, now: datetime
) -> tuple[StoredFile, bool]:
    """
    Store the file of ``kind`` of a source and return it with True; the first one wins and is returned with False.

    Safe to repeat and to run twice at once: the storage key is made of the content, the row is unique per source.
    What a process that died in the middle left under that key is not trusted; the file then gets another one.
    """
    existing = Artifact.objects.filter(source_type=source_type, source_id=source_id, kind=kind).first()
    if existing is not None:
        return existing.as_file(), False
    digest = hashlib.sha256(content).hexdigest()
    key = f"{organisations.current().id.hex}/{source_type}/{source_id.hex}/{kind.lower()}-{digest[:16]}"
    if not _holds(key, digest):
        key = default_storage.save(key, ContentFile(content))
    artifact, is_new = Artifact.objects.get_or_create(
        source_type=source_type,
        source_id=source_id,
        kind=kind,
        defaults={
            "storage_key": key,
            "sha256": digest,
            "size": len(content),
            "content_type": content_type,
            "created_at": now,
        },
    )
    return artifact.as_file(), is_new


def read(*, file_id: UUID) -> bytes:
    """Return the bytes of a file; raise storage.FileDamaged when they are gone or their checksum is another."""
    artifact = Artifact.objects.get(id=file_id)
    content = _bytes(artifact.storage_key)
    if content is None:
        raise storage.FileDamaged(storage.GONE)
    if hashlib.sha256(content).hexdigest() != artifact.sha256:
        raise storage.FileDamaged(storage.CHANGED)
    return content


def _holds(key: str, digest: str) -> bool:
    content = _bytes(key)
    return content is not None and hashlib.sha256(content).hexdigest() == digest


def _bytes(key: str) -> bytes | None:
    try:
        with default_storage.open(key) as file:
            return file.read()
    except FileNotFoundError:
        return None

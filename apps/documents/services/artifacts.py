"""Store a file once, and give it back only as it was stored."""

from datetime import datetime
from uuid import UUID

from apps.documents.contracts import ArtifactKind, NewFile, StoredFile
from apps.documents.models import Artifact
from apps.kit import storage


def upload(
    *, kind: ArtifactKind, content: bytes, content_type: str, source_type: str, source_id: UUID, now: datetime
) -> NewFile:
    """
    Bring the bytes of a file into the storage. Call it outside a transaction; ``record`` makes the file known.

    Safe to repeat. Bytes that nobody records are harmless: no row leads to them. Raises storage.StorageUnavailable.
    """
    name = f"{source_type}/{source_id.hex}/{kind.lower()}"
    stored = storage.put(name=name, content=content, content_type=content_type, now=now)
    return NewFile(kind, source_type, source_id, content_type, stored)


def record(*, file: NewFile, now: datetime) -> tuple[StoredFile, bool]:
    """
    Make a file known and return it with True; the first one of its kind and source wins and is returned with False.

    Safe to repeat and to run twice at once: the row is unique per source and kind.
    """
    artifact, is_new = Artifact.objects.get_or_create(
        source_type=file.source_type,
        source_id=file.source_id,
        kind=file.kind,
        defaults={
            "storage_key": file.stored.key,
            "sha256": file.stored.sha256,
            "size": file.stored.size,
            "content_type": file.content_type,
            "created_at": now,
        },
    )
    return artifact.as_file(), is_new


def read(*, file_id: UUID) -> bytes:
    """
    Return the bytes of a file; raise storage.FileDamaged when they are gone or their checksum is another, and
    storage.StorageUnavailable while the storage does not answer.
    """
    artifact = Artifact.objects.get(id=file_id)
    return storage.read(key=artifact.storage_key, sha256=artifact.sha256)

"""What crosses the border of documents."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from apps.kit.storage import Stored


class ArtifactKind(StrEnum):
    """What a file is of its source; one of each kind a source."""

    RECEIPT_PDF = "RECEIPT_PDF"
    VOUCHER = "VOUCHER"
    LOGO = "LOGO"
    EVIDENCE = "EVIDENCE"


PDF = "application/pdf"
PNG = "image/png"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is stored: ``sha256`` is hex over its ``size`` bytes."""

    id: UUID
    source_id: UUID
    sha256: str
    size: int
    content_type: str


@dataclass(frozen=True, slots=True)
class NewFile:
    """Bytes that lie in the storage and are not recorded yet."""

    kind: ArtifactKind
    source_type: str
    source_id: UUID
    content_type: str
    stored: Stored

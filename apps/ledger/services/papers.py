"""Papers: the scan that a voucher stands on, kept beside it as it came."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.approvals.selectors import requests as asked
from apps.audit.services import records
from apps.documents.contracts import ArtifactKind, StoredFile
from apps.documents.selectors import artifacts as stored
from apps.documents.services import artifacts
from apps.kit import errors
from apps.kit.actors import Actor
from apps.ledger.services import adjustments

BYTES_MAX = 10_000_000
SIGNS = {
    b"%PDF-": "application/pdf",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
}
"""How the files begin that are taken, and what they are."""


class PaperInvalid(errors.Invalid):
    """The file is none that is kept as the paper of a voucher."""

    code = "ledger_paper_invalid"
    title = "File not valid"


class PaperKept(errors.DomainError):
    """The voucher has another paper already; what was kept stays."""

    code = "ledger_paper_kept"
    title = "Paper kept already"


def attach(*, voucher: str, content: bytes, actor: Actor, now: datetime) -> StoredFile:
    """
    Keep the paper of a journal that was asked for, once, with its checksum; call it outside a transaction.

    A PDF, PNG or JPEG of at most 10 MB, told by how it begins and not by its name. The same bytes again return the file
    that is kept. Raises NotFound, PaperInvalid, PaperKept and storage.StorageUnavailable.
    """
    subject = adjustments.subject_of(voucher)
    if not asked.about([subject]).exists():
        raise errors.NotFound("There is no journal with this voucher number.")
    content_type = _content_type(content)
    file = artifacts.upload(
        kind=ArtifactKind.VOUCHER,
        content=content,
        content_type=content_type,
        source_type=adjustments.SOURCE,
        source_id=subject,
        now=now,
    )
    with transaction.atomic():
        kept, is_new = artifacts.record(file=file, now=now)
        if kept.sha256 != file.stored.sha256:
            raise PaperKept("This voucher has another paper already. Attach yours to a voucher of its own.")
        if is_new:
            records.write(
                action="journal.paper_kept",
                object_type="ledger_journal",
                object_id=voucher,
                actor=actor,
                now=now,
                changes={"sha256": [None, kept.sha256], "size": [None, str(kept.size)]},
            )
    return kept


def of_voucher(voucher: str) -> StoredFile | None:
    """Return the paper of a voucher, or None where none was attached. The caller's scope is not asked."""
    return stored.of_source(adjustments.SOURCE, adjustments.subject_of(voucher), ArtifactKind.VOUCHER)


def read(file_id: UUID) -> bytes:
    """Return the bytes of a paper as they were attached; raises FileDamaged and StorageUnavailable."""
    return artifacts.read(file_id=file_id)


def _content_type(content: bytes) -> str:
    found = next((kind for sign, kind in SIGNS.items() if content.startswith(sign)), None)
    if not content or len(content) > BYTES_MAX or found is None:
        message = f"Attach a PDF, PNG or JPEG of at most {BYTES_MAX // 1_000_000} MB."
        raise PaperInvalid(message, errors=[errors.FieldError("/file", PaperInvalid.code, message)])
    return found

"""Papers: the scans that a voucher stands on, kept beside it as they came."""

import hashlib
from datetime import datetime
from uuid import UUID, uuid5

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
PAPERS_MAX = 10
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


class TooManyPapers(errors.DomainError):
    """The voucher has as many papers as one can have; what was kept stays."""

    code = "ledger_papers_too_many"
    title = "Too many papers"


def attach(*, voucher: str, content: bytes, actor: Actor, now: datetime) -> StoredFile:
    """
    Keep a paper of a journal that was asked for, with its checksum; call it outside a transaction.

    A PDF, PNG or JPEG of at most 10 MB, told by how it begins and not by its name; 10 of them at most. The same bytes
    again return the file that is kept. Raises NotFound, PaperInvalid, TooManyPapers and storage.StorageUnavailable.
    """
    subject = adjustments.subject_of(voucher)
    if not asked.about([subject]).exists():
        raise errors.NotFound("There is no journal with this voucher number.")
    content_type = require_paper(content)
    known = {kept.sha256: kept for kept in of_voucher(voucher)}
    if (digest := hashlib.sha256(content).hexdigest()) in known:
        return known[digest]
    for place in _places(subject)[len(known) :]:
        file = artifacts.upload(
            kind=ArtifactKind.VOUCHER,
            content=content,
            content_type=content_type,
            source_type=adjustments.SOURCE,
            source_id=place,
            now=now,
        )
        with transaction.atomic():
            kept, is_new = artifacts.record(file=file, now=now)
            if is_new:
                _record(voucher, kept, actor=actor, now=now)
        if kept.sha256 == digest:
            return kept
    raise TooManyPapers(f"This voucher has {PAPERS_MAX} papers, and can have no more.")


def of_voucher(voucher: str) -> list[StoredFile]:
    """Return the papers of a voucher in the order in which they came. The caller's scope is not asked."""
    places = _places(adjustments.subject_of(voucher))
    kept = stored.of_sources(adjustments.SOURCE, places, ArtifactKind.VOUCHER)
    return [kept[place] for place in places if place in kept]


def read(file_id: UUID) -> bytes:
    """Return the bytes of a paper as they were attached; raises FileDamaged and StorageUnavailable."""
    return artifacts.read(file_id=file_id)


def require_paper(content: bytes) -> str:
    """Return what kind of file a paper is; raise PaperInvalid for what is none."""
    found = next((kind for sign, kind in SIGNS.items() if content.startswith(sign)), None)
    if not content or len(content) > BYTES_MAX or found is None:
        message = f"Attach a PDF, PNG or JPEG of at most {BYTES_MAX // 1_000_000} MB."
        raise PaperInvalid(message, errors=[errors.FieldError("/file", PaperInvalid.code, message)])
    return found


def _places(subject: UUID) -> list[UUID]:
    """Return the sources of a voucher's papers: its own id for the first one, and what follows from it for the others."""
    return [subject, *(uuid5(subject, str(number)) for number in range(1, PAPERS_MAX))]


def _record(voucher: str, kept: StoredFile, *, actor: Actor, now: datetime) -> None:
    records.write(
        action="journal.paper_kept",
        object_type="ledger_journal",
        object_id=voucher,
        actor=actor,
        now=now,
        changes={"sha256": [None, kept.sha256], "size": [None, str(kept.size)]},
    )

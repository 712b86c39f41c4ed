"""Evidence: the texts and files that are drafted for a dispute, until they are submitted, and again where it may be appealed."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import PurePath
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.audit.services import records
from apps.documents.contracts import ArtifactKind
from apps.documents.services import artifacts
from apps.integrations.ports import Evidence, EvidenceFile
from apps.kit import errors, ids
from apps.kit.actors import Actor
from apps.payments.contracts import EvidencePurpose
from apps.payments.events import disputes as events
from apps.payments.models import Dispute, DisputeFile
from apps.payments.models.dispute_file import NAME_LENGTH
from apps.payments.selectors.disputes import WORDS
from apps.payments.services import disputes
from apps.payments.services.attempts import InvalidState

TEXT_MAX = 10_000
DATES = ("service_date", "shipping_date")
FILE_MAX = 2_000_000
FILES_MAX = 4_500_000
"""Of all files of one dispute together, in bytes: what Stripe takes."""
KINDS = (
    ("application/pdf", b"%PDF-", b"%%EOF"),
    ("image/png", b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"),
    ("image/jpeg", b"\xff\xd8\xff", b"\xff\xd9"),
)
"""What files are taken: how they begin, and what stands near their end."""
TAIL = 1_024
SOURCE_TYPE = "dispute_file"


class EvidenceInvalid(errors.Invalid):
    """What was written or attached is no evidence that a provider takes."""

    code = "evidence_invalid"
    title = "Evidence not valid"


@transaction.atomic
def write(
    *, dispute_id: UUID, texts: Mapping[str, str | date | None], actor: Actor, now: datetime
) -> Dispute:
    """
    Put these texts and dates into the draft in place of those that it has; one that is empty or None is taken out of it.

    Raises NotFound, InvalidState once the dispute waits for no answer, and EvidenceInvalid for a name that is not known, or a
    text over 10,000 characters.
    """
    dispute = disputes.locked(dispute_id)
    require_open(dispute)
    given = {name: _checked(name, value) for name, value in texts.items()}
    dispute.evidence = {name: text for name, text in {**dispute.evidence, **given}.items() if text}
    dispute.save(update_fields=["evidence"])
    _audit("dispute.evidence_written", dispute, actor=actor, now=now, what=", ".join(sorted(given)))
    return dispute


def _checked(name: str, value: str | date | None) -> str:
    if name not in WORDS:
        raise _invalid(f"/{name}", "There is no such evidence.")
    text = value.isoformat() if isinstance(value, date) else (value or "").replace("\x00", "").strip()
    if len(text) > TEXT_MAX:
        raise _invalid(f"/{name}", f"Write {TEXT_MAX:,} characters at most.")
    return text


def attach(
    *, dispute_id: UUID, purpose: EvidencePurpose, name: str, content: bytes, actor: Actor, now: datetime
) -> DisputeFile:
    """
    Attach a PDF, PNG or JPEG to the draft, in place of the file that had this purpose.

    Call it outside a transaction: the file goes into the storage first. Raises NotFound, InvalidState once the dispute waits for no
    answer, EvidenceInvalid for another kind of file, one of over 2 MB or all together of over 4.5 MB, and
    storage.StorageUnavailable.
    """
    media_type = _media_type(content)
    row_id = ids.new()
    stored = artifacts.upload(
        kind=ArtifactKind.EVIDENCE,
        content=content,
        content_type=media_type,
        source_type=SOURCE_TYPE,
        source_id=row_id,
        now=now,
    )
    with transaction.atomic():
        dispute = disputes.locked(dispute_id)
        require_open(dispute)
        others = list(dispute.files.kept().exclude(purpose=purpose))
        if sum(file.size for file in others) + len(content) > FILES_MAX:
            raise _invalid("/content", "All files of a dispute have 4.5 MB at most.")
        dispute.files.kept().filter(purpose=purpose).update(removed_at=now)
        kept, _ = artifacts.record(file=stored, now=now)
        _audit("dispute.evidence_attached", dispute, actor=actor, now=now, what=purpose.lower())
        return DisputeFile.objects.create(
            id=row_id,
            dispute=dispute,
            purpose=purpose,
            name=_name(name),
            media_type=media_type,
            size=len(content),
            file_id=kept.id,
            created_by=str(actor),
            created_at=now,
        )


@transaction.atomic
def detach(*, dispute_id: UUID, purpose: EvidencePurpose, actor: Actor, now: datetime) -> None:
    """Take the file of a purpose out of the draft; a second time changes nothing. Raises as ``write`` does."""
    dispute = disputes.locked(dispute_id)
    require_open(dispute)
    if dispute.files.kept().filter(purpose=purpose).update(removed_at=now):
        _audit("dispute.evidence_detached", dispute, actor=actor, now=now, what=purpose.lower())


def read(file: DisputeFile) -> bytes:
    """Return the bytes of a file; raise storage.FileDamaged and storage.StorageUnavailable."""
    return artifacts.read(file_id=file.file_id)


def require_open(dispute: Dispute) -> None:
    """Raise InvalidState for a dispute that waits for no answer, and may not be appealed."""
    if not dispute.is_answerable:
        raise closed(dispute)


def closed(dispute: Dispute) -> InvalidState:
    """Return the refusal of what is said to a dispute that does not wait for it."""
    state = dispute.status.lower().replace("_", " ")
    return InvalidState(f"This dispute is {state}: nothing more can be said to it.")


def of(dispute: Dispute) -> Evidence:
    """
    Return what the provider is told, files and all: the same each time, for one that compares a repeated answer with the first.

    Reads the storage. Raises storage.FileDamaged and storage.StorageUnavailable.
    """
    said: dict[str, Any] = {
        name: date.fromisoformat(text) if name in DATES else text for name, text in dispute.evidence.items()
    }
    files = tuple(
        EvidenceFile(file.purpose.lower(), file.name, file.media_type, read(file))
        for file in dispute.files.kept().order_by("id")
    )
    return replace(Evidence(**said), files=files)


def _media_type(content: bytes) -> str:
    if len(content) > FILE_MAX:
        raise _invalid("/content", "A file has 2 MB at most.")
    for media_type, begin, end in KINDS:
        if content.startswith(begin) and end in content[-TAIL:]:
            return media_type
    raise _invalid("/content", "Attach a whole PDF, PNG or JPEG.")


def _name(name: str) -> str:
    """Return the name of a file without the folders that it lay in, and with nothing in it that no page shows."""
    shown = "".join(char for char in PurePath(name.replace("\\", "/")).name if char.isprintable())
    return shown[-NAME_LENGTH:] or "evidence"


def _invalid(pointer: str, message: str) -> EvidenceInvalid:
    return EvidenceInvalid(message, errors=[errors.FieldError(pointer, EvidenceInvalid.code, message)])


def _audit(action: str, dispute: Dispute, *, actor: Actor, now: datetime, what: str) -> None:
    records.write(
        action=action,
        object_type=events.AGGREGATE,
        object_id=ids.encode("dp", dispute.id),
        actor=actor,
        now=now,
        changes={"evidence": [None, what]},
        branch=dispute.branch_id,
    )

"""The audit trail as a file that stands by itself: every sealed record of some days, and a manifest that holds it to the chain."""

import hashlib
import json
import zipfile
from collections.abc import Generator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from apps.access.selectors import branches, memberships, scope
from apps.audit.contracts import SealedLine
from apps.audit.selectors import links
from apps.audit.services import chain
from apps.jobs.contracts import NewAuditExport, NewJob, Progress, ResultFile, Work
from apps.jobs.models import Job
from apps.jobs.services import exports, jobs
from apps.kit import errors
from apps.kit.actors import Actor
from apps.tenancy.selectors import organisations

KIND = "audit_export"
PERMISSION = "audit.view"
TYPE = "treasury.audit-export/1"
RECORDS, MANIFEST = "records.ndjson", "manifest.json"
ZIP = "application/zip"


class AuditExportForbidden(errors.Forbidden):
    """The caller may not take the whole trail away."""

    code = "audit_export_forbidden"
    title = "Audit export not allowed"


class AuditExportEmpty(errors.DomainError):
    """Nothing was written in these days, or nothing of it could be sealed."""

    code = "audit_export_empty"
    title = "No audit records"


class AuditExportBroken(errors.DomainError):
    """A record is gone from the chain."""

    code = "audit_export_broken"
    title = "Audit trail broken"
    status = 500
    category = "internal"


@transaction.atomic
def start(*, request: NewAuditExport, caller: scope.Person, actor: Actor, now: datetime) -> Job:
    """
    Start the export of what was recorded in these days; the file is the result of the job.

    Raises AuditExportForbidden for who may not read the trail and export, or sees some branches only.
    """
    needed = {PERMISSION, exports.PERMISSION}
    if not needed <= (memberships.permissions_of(caller) or frozenset()):
        raise AuditExportForbidden("Your role may not take the audit log away.")
    if scope.own_branch_ids(caller) is not None:
        raise AuditExportForbidden("The audit log is exported as a whole, and you see some branches only.")
    membership = memberships.of(caller)
    days = [day.isoformat() if day else "" for day in (request.from_date, request.to_date)]
    return jobs.start(
        request=NewJob(
            kind=KIND,
            title=_("Audit log"),
            branch_id=branches.head_office().id,
            application_id=scope.application_id(caller),
            branch_ids=None,
            application_ids=None,
            permission=PERMISSION,
            scope="",
            actor=actor,
            starter_id=None if membership is None else membership.id,
            parameters={
                "from_date": days[0],
                "to_date": days[1],
                "made_by": str(caller),
                "asked_for": [[_("From"), days[0] or _("the first record")], [_("To"), days[1] or _("now")]],
            },
        ),
        now=now,
    )


def run(work: Work) -> Generator[Progress, None, ResultFile | None]:
    """Seal what waits, write the records of these days, and pack them with their manifest."""
    chain.seal()
    zone = ZoneInfo(organisations.current().time_zone)
    since, until = _instant(work.parameters["from_date"], zone), _instant(work.parameters["to_date"], zone)
    found = links.span(since=since, until=until + timedelta(days=1) if until else None)
    if found is None:
        raise AuditExportEmpty("Nothing was recorded in these days.")
    first, last = found
    total = last - first + 1
    yield Progress(done=0, total=total)
    digest, done = hashlib.sha256(), 0
    before = after = b""
    path = work.folder / RECORDS
    with path.open("wb") as file:
        for page in links.pages(first, last):
            for line in page:
                text = _text(line)
                digest.update(text)
                file.write(text)
            if page:
                before, after = before or page[0].prev_hash, page[-1].hash
            done += len(page)
            yield Progress(done=done, total=total)
    if done != total:
        raise AuditExportBroken(f"{total - done} records of {first} to {last} are gone. Verify the trail.")
    manifest = {
        "type": TYPE,
        "organisation": organisations.current().slug,
        "chain": str(organisations.current().id),
        "from_date": work.parameters["from_date"],
        "to_date": work.parameters["to_date"],
        "time_zone": str(zone),
        "made_at": work.taken_up_at.isoformat(),
        "made_by": work.parameters["made_by"],
        "file": RECORDS,
        "sha256": digest.hexdigest(),
        "count": total,
        "first_seq": first,
        "last_seq": last,
        "prev_hash": before.hex(),
        "head_hash": after.hex(),
    }
    name = f"audit-{organisations.current().slug}-{first}-{last}.zip"
    _pack(work.folder / name, path, manifest)
    return ResultFile(work.folder / name, name, ZIP, total)


def _text(line: SealedLine) -> bytes:
    row = {"document": line.document, "prev_hash": line.prev_hash.hex(), "hash": line.hash.hex()}
    return json.dumps(row, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _pack(target: Path, records: Path, manifest: dict[str, Any]) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
        packed.write(records, RECORDS)


def _instant(text: str, zone: ZoneInfo) -> datetime | None:
    return datetime.combine(date.fromisoformat(text), time.min, tzinfo=zone) if text else None

"""The chain of an organisation's audit trail."""

from dataclasses import replace
from datetime import datetime

from apps.accounts.services import trail_checks, trails
from apps.audit.models import COLUMNS, AuditLink, AuditRecord, WaitingAuditRecord
from apps.audit.services import heads
from apps.tenancy.selectors import organisations


def present() -> trails.Trail:
    """Return the trail of the organisation that was entered."""
    organisation = organisations.current()
    return trails.Trail(
        name=str(organisation.id),
        schema=organisation.schema_name,
        is_live=not organisation.is_test,
        records=AuditRecord,
        links=AuditLink,
        waiting=WaitingAuditRecord,
        store="audit_store_links",
        columns=COLUMNS,
    )


def seal() -> int:
    """Seal what waits in the present organisation; return how many records."""
    return trails.run(present())


def check(*, now: datetime) -> None:
    """
    Seal what waits, compare the chain with the heads that were kept outside the database, and keep its own there.

    Raises trails.LinksMissing if something older than an hour is left, heads.HeadsDiffer if the chain is another one, and
    storage.StorageUnavailable. Call it outside a transaction.
    """
    trails.check(present(), now=now)
    heads.keep(present(), now=now)


def verify(*, now: datetime, since: int = 1, kept: trails.Head | None = None) -> trail_checks.Verdict:
    """Recompute the chain of the present organisation, and compare it with all heads that were kept outside."""
    verdict = trail_checks.verify(present(), since=since, kept=kept)
    return replace(verdict, findings=(*verdict.findings, *heads.findings(present(), now=now)))

"""Sealing an audit trail: its records become links of a chain, minutes after they were written and beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from apps.accounts.contracts import Head
from apps.kit import errors, locks, logs, trail

LINKS_MAX = 5_000
BATCHES = 20
OVERDUE = timedelta(hours=1)

log = logs.get(__name__)


class LinksMissing(errors.DomainError):
    """A record of the audit trail is older than an hour and could not be sealed."""

    code = "audit_links_missing"
    title = "Audit records not sealed"
    status = 500
    category = "internal"


@dataclass(frozen=True, slots=True)
class Trail:
    """
    One audit trail: whose it is, in which schema, its tables, and the columns that each form covers.

    ``name`` is hashed with every record: that of another trail is no proof here. Of a ``is_live`` one no record may say
    that it happened long before it was written; the clock of tests and of the demonstration is set.
    """

    name: str
    schema: str
    is_live: bool
    records: type[trail.TrailRecord]
    links: Any
    waiting: Any
    store: str
    columns: Mapping[int, tuple[str, ...]]


def head(of: Trail) -> Head:
    last = of.links.objects.order_by("-seq").first()
    return Head(last.seq, bytes(last.hash)) if last else Head(0, trail.NOTHING_BEFORE)


def run(of: Trail, *, batches: int = BATCHES) -> int:
    """
    Seal what waits, up to ``batches`` times 5,000 records, each batch in a transaction of its own; return how many.

    Safe to run at any time and twice at once: a second sealer finds the first at work and seals nothing. Takes no lock
    that the writer of a record waits for.
    """
    sealed = 0
    for _ in range(batches):
        count = _seal(of)
        sealed += count
        if count < LINKS_MAX:
            break
    return sealed


def check(of: Trail, *, now: datetime) -> None:
    """Seal what waits; raise LinksMissing if something older than an hour is left."""
    run(of)
    left = of.waiting.objects.filter(record__recorded_at__lte=now - OVERDUE).order_by("number").first()
    if left:
        raise LinksMissing(f"Audit record {left.record_id} is older than an hour and is in no link.")


@transaction.atomic
def _seal(of: Trail) -> int:
    if not locks.try_advisory(f"trail.{of.store}"):
        return 0
    names = [f"record__{name}" for name in of.columns[trail.FORM]]
    rows = list(of.waiting.objects.order_by("number").values_list(*names)[:LINKS_MAX])
    if not rows:
        return 0
    last = head(of)
    hashes: list[bytes] = []
    ids = []
    for seq, row in enumerate(rows, start=last.seq + 1):
        columns = dict(zip(of.columns[trail.FORM], row, strict=True))
        given = trail.document(form=trail.FORM, chain=of.name, seq=seq, columns=columns)
        hashes.append(trail.link_hash(prev_hash=hashes[-1] if hashes else last.hash, given=given))
        ids.append(columns["id"])
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {of.store}(%s, %s, %s::uuid[], %s::bytea[], %s::smallint)",
            [last.seq + 1, last.hash, ids, hashes, trail.FORM],
        )
    log.info("audit_trail_sealed", trail=of.name, seq=last.seq + len(ids), hash=hashes[-1].hex())
    return len(ids)

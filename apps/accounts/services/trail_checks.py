"""Checking an audit trail: every record against its link, every link against the one before, the end against what was kept apart."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Any
from uuid import UUID

from django.db import connection

from apps.accounts.models import TrailHead
from apps.accounts.services.trails import Head, Trail
from apps.kit import trail
from apps.kit.patience import long_statements

FINDINGS_MAX = 20
PAGE = 1_000
LATE = timedelta(hours=1)
"""So long a transaction may take, from the deed until it is written and until it commits."""

UNCHAINED = """
    SELECT r.id, r.recorded_at FROM {records} r
    LEFT JOIN {links} l ON l.record_id = r.id LEFT JOIN {waiting} w ON w.record_id = r.id
    WHERE l.seq IS NULL AND w.number IS NULL ORDER BY r.recorded_at, r.id LIMIT %s"""
LOST = """
    SELECT w.record_id FROM {waiting} w LEFT JOIN {records} r ON r.id = w.record_id
    WHERE r.id IS NULL ORDER BY w.number LIMIT %s"""
GUARDS = """
    SELECT c.relname, t.tgname, t.tgenabled FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = %s AND c.relname = ANY (%s) AND NOT t.tgisinternal"""
GUARDS_OF_RECORDS, GUARDS_OF_LINKS = 3, 1


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with one record or link; ``seq`` is its number in the chain, 0 for what is in none."""

    seq: int
    record_id: UUID | None
    problem: str

    def __str__(self) -> str:
        number = f"number {self.seq}" if self.seq else "no number"
        return f"{number}{f', record {self.record_id}' if self.record_id else ''}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check saw: how many records, how many of them wait for their link, the last link, and the first findings."""

    records: int
    waiting: int
    head: Head
    findings: tuple[Finding, ...]

    @property
    def is_whole(self) -> bool:
        return not self.findings


@dataclass(slots=True)
class _Walk:
    """How far the chain was followed."""

    of: Trail
    seq: int
    hash: bytes
    latest: datetime | None = None
    heads: dict[int, bytes] = field(default_factory=dict)


@long_statements("6h")
def verify(of: Trail, *, since: int = 1, kept: Head | None = None) -> Verdict:
    """
    Recompute the chain from link ``since`` on; the first finding is the first record that is broken. Takes no lock.

    ``kept`` is a link whose hash somebody else has kept, as of an export. Links before ``since`` are believed.
    """
    known = TrailHead.objects.filter(chain=of.name).order_by("-seq").first()
    before = of.links.objects.filter(seq=since - 1).first()
    walk = _Walk(of, since - 1, bytes(before.hash) if before else trail.NOTHING_BEFORE)
    searches = chain(_links(walk), _end(walk, known, kept), _unchained(of), _guards(of))
    findings = tuple(islice(searches, FINDINGS_MAX))
    waiting = of.waiting.objects.count()
    return Verdict(of.records.objects.count(), waiting, Head(walk.seq, walk.hash), findings)


def _links(walk: _Walk) -> Iterator[Finding]:
    columns = sorted({name for names in walk.of.columns.values() for name in names})
    names = ["seq", "record_id", "form", "prev_hash", "hash", *(f"record__{name}" for name in columns)]
    while page := list(_page(walk, names)):
        ahead = TrailHead.objects.filter(chain=walk.of.name, seq__gt=walk.seq, seq__lte=page[-1]["seq"])
        walk.heads = {seq: bytes(kept) for seq, kept in ahead.values_list("seq", "hash")}
        for row in page:
            yield from (Finding(row["seq"], row["record_id"], problem) for problem in _problems(walk, row))
            walk.seq, walk.hash = row["seq"], bytes(row["hash"])


def _page(walk: _Walk, names: list[str]) -> list[dict[str, Any]]:
    """Return the next links, also those whose record is gone."""
    links = walk.of.links.objects.filter(seq__gt=walk.seq).order_by("seq")[:PAGE]
    bare = list(links.values(*names[:5]))
    found = {
        row["seq"]: row
        for row in walk.of.links.objects.filter(seq__in=[row["seq"] for row in bare]).values(*names)
    }
    return [found.get(row["seq"], row) for row in bare]


def _problems(walk: _Walk, row: Mapping[str, Any]) -> Iterator[str]:
    seq = row["seq"]
    if seq != walk.seq + 1:
        yield f"number {walk.seq + 1} is missing before it"
    elif bytes(row["prev_hash"]) != walk.hash:
        yield "does not follow from the link before"
    if walk.heads.get(seq, bytes(row["hash"])) != bytes(row["hash"]):
        yield "has another hash than was kept apart when it was sealed"
    if "record__id" not in row:
        yield "was sealed and is gone"
        return
    if row["form"] not in walk.of.columns:
        yield "was sealed in a form that there is not"
        return
    columns = {name: row[f"record__{name}"] for name in walk.of.columns[row["form"]]}
    given = trail.document(form=row["form"], chain=walk.of.name, seq=seq, columns=columns)
    if trail.link_hash(prev_hash=bytes(row["prev_hash"]), given=given) != bytes(row["hash"]):
        yield "is not what was sealed"
        return
    yield from _times(walk, row["record__recorded_at"], row["record__occurred_at"])


def _times(walk: _Walk, recorded: datetime, occurred: datetime) -> Iterator[str]:
    if walk.latest and recorded < walk.latest - LATE:
        yield f"says that it was written at {recorded}, and stands behind one of {walk.latest}"
    walk.latest = max(recorded, walk.latest or recorded)
    if walk.of.is_live and abs(recorded - occurred) > LATE:
        yield f"says that it happened at {occurred}, and was written at {recorded}"


def _end(walk: _Walk, known: TrailHead | None, kept: Head | None) -> Iterator[Finding]:
    if known and known.seq > walk.seq:
        problem = (
            f"is missing: the chain ends at {walk.seq}, and had come to {known.seq} at {known.sealed_at}"
        )
        yield Finding(walk.seq + 1, None, problem)
    elif walk.seq and not TrailHead.objects.filter(chain=walk.of.name, seq__gte=walk.seq).exists():
        yield Finding(walk.seq, None, "is the end of the chain, and was not kept apart when it was sealed")
    if kept is not None:
        yield from against(walk.of, kept, "was given")


def against(of: Trail, kept: Head, how: str) -> Iterator[Finding]:
    """Yield what a link that somebody kept says against the chain."""
    link = of.links.objects.filter(seq=kept.seq).first()
    if link is None or bytes(link.hash) != kept.hash:
        problem = f"has another hash than the one that {how}" if link else f"is missing, and {how}"
        yield Finding(kept.seq, None, problem)


def _unchained(of: Trail) -> Iterator[Finding]:
    """Yield what stands outside the chain and does not wait for it: every record is taken in as it is written."""
    names = {part: _table(getattr(of, part)) for part in ("records", "links", "waiting")}
    with connection.cursor() as cursor:
        cursor.execute(UNCHAINED.format(**names), [FINDINGS_MAX])
        for record_id, recorded in cursor.fetchall():
            yield Finding(0, record_id, f"says that it was written at {recorded}, and was slipped in")
        cursor.execute(LOST.format(**names), [FINDINGS_MAX])
        for (record_id,) in cursor.fetchall():
            yield Finding(0, record_id, "waited for its link and is gone")


def _guards(of: Trail) -> Iterator[Finding]:
    """Yield what keeps rows from being changed and is missing or switched off."""
    records, links = _table(of.records), _table(of.links)
    with connection.cursor() as cursor:
        cursor.execute(GUARDS, [of.schema, [records, links]])
        rows = cursor.fetchall()
    for table, name, enabled in rows:
        if enabled not in {"O", "A"}:
            yield Finding(0, None, f"trigger {name} of {table} is switched off")
    for table, expected in ((records, GUARDS_OF_RECORDS), (links, GUARDS_OF_LINKS)):
        if sum(row[0] == table for row in rows) < expected:
            yield Finding(0, None, f"a trigger of {table} is missing")


def _table(model: Any) -> str:
    return str(model._meta.db_table)

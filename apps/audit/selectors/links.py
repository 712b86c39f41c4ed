"""Reading the chain: a record's place in it, and what lies between two instants."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Max, Min

from apps.audit.contracts import Seal, SealedLine
from apps.audit.models import COLUMNS, AuditLink
from apps.kit import trail
from apps.tenancy.selectors import organisations

PAGE = 1_000


def of(record_id: UUID) -> Seal | None:
    """Return the place of a record in the chain, its hash recomputed; None while it is not sealed."""
    link = AuditLink.objects.filter(record_id=record_id).select_related("record").first()
    if link is None:
        return None
    columns = {name: getattr(link.record, name) for name in COLUMNS[link.form]}
    line = _line(link.seq, link.form, bytes(link.prev_hash), bytes(link.hash), columns)
    recomputed = trail.link_hash(prev_hash=line.prev_hash, given=line.document)
    return Seal(link.seq, line.hash, link.sealed_at, is_intact=recomputed == line.hash)


def numbers(record_ids: list[UUID]) -> dict[UUID, int]:
    """Return the numbers of those of the records that are sealed."""
    return dict(AuditLink.objects.filter(record_id__in=record_ids).values_list("record_id", "seq"))


def span(*, since: datetime | None, until: datetime | None) -> tuple[int, int] | None:
    """Return the first and the last number of what was written from ``since`` on and before ``until``, None for nothing."""
    links = AuditLink.objects.all()
    if since:
        links = links.filter(record__recorded_at__gte=since)
    if until:
        links = links.filter(record__recorded_at__lt=until)
    found = links.aggregate(first=Min("seq"), last=Max("seq"))
    return None if found["first"] is None else (found["first"], found["last"])


def pages(first: int, last: int) -> Iterator[list[SealedLine]]:
    """Produce the links from one number to another with their records, a thousand at a time; one whose record is gone is left out."""
    names = sorted({name for columns in COLUMNS.values() for name in columns})
    for start in range(first, last + 1, PAGE):
        rows = AuditLink.objects.filter(seq__gte=start, seq__lt=min(start + PAGE, last + 1)).order_by("seq")
        found = rows.values("seq", "form", "prev_hash", "hash", *(f"record__{name}" for name in names))
        yield [_of_row(row) for row in found]


def _of_row(row: dict[str, Any]) -> SealedLine:
    columns = {name: row[f"record__{name}"] for name in COLUMNS[row["form"]]}
    return _line(row["seq"], row["form"], bytes(row["prev_hash"]), bytes(row["hash"]), columns)


def _line(seq: int, form: int, prev_hash: bytes, own_hash: bytes, columns: dict[str, Any]) -> SealedLine:
    chain = str(organisations.current().id)
    given = trail.document(form=form, chain=chain, seq=seq, columns=columns)
    return SealedLine(seq, given, prev_hash, own_hash)

"""Numbers of documents, one series for each type, branch and local year."""

import zoneinfo
from datetime import datetime
from uuid import UUID

from apps.invoicing.contracts import DocumentType
from apps.invoicing.models import NumberSeries
from apps.kit.compiled import Compiled, Saved
from apps.tenancy.selectors import organisations

_SERIES = Compiled(
    lambda document_type, branch_id, year: NumberSeries.objects.locked().filter(
        document_type=document_type, branch_id=branch_id, year=year
    ),
    str,
    UUID,
    int,
)
_TAKEN = Saved[NumberSeries]("last_number")


def locked(*, document_type: DocumentType, branch_id: UUID, now: datetime) -> NumberSeries:
    """
    Return the series that ``now`` falls in, under its lock; the first call of a year opens it.

    Call it inside a transaction and before looking whether the document exists: two that issue the same one at
    once then wait for each other, and the second finds the first.
    """
    year = now.astimezone(zoneinfo.ZoneInfo(organisations.current().time_zone)).year
    found = _SERIES.first(document_type.value, branch_id, year)
    if found is None:
        NumberSeries.objects.get_or_create(document_type=document_type, branch_id=branch_id, year=year)
        found = _SERIES.one(document_type.value, branch_id, year)
    return found


def save(series: NumberSeries) -> None:
    """Write down the number that was taken; the caller holds the series."""
    _TAKEN.save(series)

"""Numbers of documents, one series for each type, branch and local year."""

import zoneinfo
from datetime import datetime
from uuid import UUID

from apps.invoicing.contracts import DocumentType
from apps.invoicing.models import NumberSeries
from apps.tenancy.selectors import organisations


def locked(*, document_type: DocumentType, branch_id: UUID, now: datetime) -> NumberSeries:
    """
    Return the series that ``now`` falls in, under its lock; the first call of a year opens it.

    Call it inside a transaction and before looking whether the document exists: two that issue the same one at
    once then wait for each other, and the second finds the first.
    """
    year = now.astimezone(zoneinfo.ZoneInfo(organisations.current().time_zone)).year
    series = NumberSeries.objects.filter(document_type=document_type, branch_id=branch_id, year=year)
    found = series.locked().first()
    if found is None:
        NumberSeries.objects.get_or_create(document_type=document_type, branch_id=branch_id, year=year)
        found = series.locked().get()
    return found

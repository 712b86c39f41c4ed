"""Reading what rows of settings became, and who did it."""

from collections.abc import Collection, Iterable

from django.db.models import Q, QuerySet

from apps.audit.models import AuditRecord, ConfigurationHistory
from apps.kit.history import RowHistory


def of(*, table: str, row_id: str) -> QuerySet[ConfigurationHistory]:
    """Return what became of a row and of its parts, newest first."""
    return ConfigurationHistory.objects.filter(
        Q(table_name=table, row_id=row_id) | Q(owner_id=row_id)
    ).order_by("-number")


def of_tables(tables: Collection[str]) -> QuerySet[ConfigurationHistory]:
    """Return what became of all rows of some tables, newest first."""
    return ConfigurationHistory.objects.filter(table_name__in=tables).order_by("-number")


def deeds(changes: Iterable[RowHistory]) -> dict[int, AuditRecord]:
    """
    Return the audit record of each change by its number: one that the same transaction wrote, about that very row if
    there is one. A change without any was not made by a service of ours.
    """
    shown = list(changes)
    found = AuditRecord.objects.filter(transaction__in={change.transaction for change in shown})
    by_transaction: dict[str, list[AuditRecord]] = {}
    for record in found.order_by("id"):
        by_transaction.setdefault(record.transaction, []).append(record)
    return {
        change.number: _nearest(change, by_transaction[change.transaction])
        for change in shown
        if change.transaction in by_transaction
    }


def _nearest(change: RowHistory, records: list[AuditRecord]) -> AuditRecord:
    rows = {change.row_id, change.owner_id}
    return next((record for record in records if record.object_id in rows), records[0])

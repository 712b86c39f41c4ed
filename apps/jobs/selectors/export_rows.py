"""The rows of an export: what a request asks for, and one snapshot of it with its control totals."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import QuerySet, Sum

from apps.jobs.contracts import Reach, Source
from apps.kit.money import Money

CURSOR = "export_rows"
CHUNK = 1000

type Totals = dict[tuple[int, str], Money]
"""Sums by the place of a money column among the totalled ones and by currency."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Rows as they were at one instant: how many, what they sum up to, and the names of what a row holds."""

    count: int
    totals: Totals
    fields: tuple[str, ...]

    def chunks(self) -> Iterator[list[tuple[Any, ...]]]:
        """Produce the rows, a thousand at a time."""
        while True:
            with connection.cursor() as cursor:
                cursor.execute(f"FETCH FORWARD {CHUNK} FROM {CURSOR}")
                rows = cursor.fetchall()
            if not rows:
                return
            yield rows


def asked_for(
    source: Source, parameters: Mapping[str, Any], reach: Reach, zone: ZoneInfo, now: datetime
) -> QuerySet[Any]:
    """Return the rows within a reach that the parameters of an export's job name, in the order of the file."""
    rows = source.rows(reach)
    if parameters["branch_id"]:
        rows = rows.filter(**{source.branch_field: UUID(parameters["branch_id"])})
    for name, lookup, shift in (("from_date", "gte", 0), ("to_date", "lt", 1)):
        if parameters[name]:
            day = date.fromisoformat(parameters[name]) + timedelta(days=shift)
            edge = datetime.combine(day, time(), tzinfo=zone) if source.is_day_an_instant else day
            rows = rows.filter(**{f"{source.day_field}__{lookup}": edge})
    for choice in source.choices:
        values = tuple(parameters["choices"].get(choice.name, ()))
        if choice.narrow is not None:
            rows = choice.narrow(rows, values, now)
        elif values:
            rows = rows.filter(**{f"{choice.field}__in": values})
    if parameters["search"] and source.search is not None:
        rows = source.search(rows, parameters["search"])
    return rows


@contextmanager
def snapshot(source: Source, rows: QuerySet[Any]) -> Iterator[Snapshot]:
    """
    Freeze the rows: count, totals and the rows themselves are read in one repeatable-read transaction.

    The rows are then held by the database for this connection, without a transaction that would stay open: what
    changes afterwards is not in the file. Call it outside a transaction.
    """
    fields = tuple(
        dict.fromkeys(name for column in source.columns for name in (column.field, column.currency) if name)
    )
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        frozen = Snapshot(rows.order_by().count(), _totals(source, rows), fields)
        sql, parameters = rows.values_list(*fields).query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(f"DECLARE {CURSOR} NO SCROLL CURSOR WITH HOLD FOR {sql}", parameters)
    try:
        yield frozen
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"CLOSE {CURSOR}")


def _totals(source: Source, rows: QuerySet[Any]) -> Totals:
    totals: Totals = {}
    for place, column in enumerate(source.totalled):
        for currency, minor in (
            rows.order_by().values_list(column.currency).annotate(total_minor=Sum(column.field))
        ):
            if minor is not None:
                totals[place, currency] = Money(int(minor), currency)
    return totals

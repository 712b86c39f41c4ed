"""What the sweep of every app does with rows that are due: a job for each of them, so that one that fails stops no other."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from apps.kit import jobs
from apps.kit.polled import PolledQuerySet

JOB_GRACE = timedelta(seconds=30)
"""For how long a job that was started is left alone before another one is started for its row."""
BATCH = 500
"""So many rows of each kind one sweep takes up at most."""
PROVIDERS, DEFAULT = "providers", "default"
"""The queue of what asks providers, and that of deeds."""


@dataclass(frozen=True, slots=True)
class Due:
    """The rows that a deed is due for, and the deed to one of them."""

    rows: Callable[[datetime], QuerySet[Any]]
    act: Callable[[UUID, datetime], None]


def start_queries(asked: Iterable[tuple[str, str, PolledQuerySet]], *, now: datetime) -> None:
    """
    Start one job per question that is due, and leave it some time before another one is started.

    ``asked`` names the task, its argument for the row's id, and the rows.
    """
    for task, argument, rows in asked:
        due = rows.due_for_query(now=now).without_query_job(since=now - JOB_GRACE)
        _start_each(task, argument, due, by="next_query_at", mark="query_started_at", now=now)


def resend(lost: Iterable[tuple[str, str, QuerySet[Any]]], *, now: datetime) -> None:
    """Start the sending of rows anew and move its due time, so that the next sweeps leave the job some time; see ``start_queries``."""
    for task, argument, waiting in lost:
        _start_each(task, argument, waiting, by="next_request_at", mark="next_request_at", now=now)


def start_deeds(task: str, deeds: Mapping[str, Due], *, now: datetime) -> None:
    """Start one job, which calls ``do``, for each row that a deed is due for."""
    for deed, due in deeds.items():
        for row_id in due.rows(now).values_list("id", flat=True)[:BATCH]:
            jobs.enqueue(task, deed=deed, row_id=row_id)


def do(due: Due, *, row_id: UUID, now: datetime) -> None:
    """Do a deed to one row, unless it is no longer due."""
    if due.rows(now).filter(id=row_id).exists():
        due.act(row_id, now)


def _start_each(task: str, argument: str, due: QuerySet[Any], *, by: str, mark: str, now: datetime) -> None:
    """Start a job for each of these rows, first that which is due longest, but for those that another sweep has marked meanwhile."""
    for row_id in list(due.order_by(by).values_list("id", flat=True)[:BATCH]):
        if due.filter(id=row_id).update(**{mark: now}):
            named: dict[str, Any] = {argument: row_id}
            jobs.enqueue(task, **named)

"""The plan by which a provider is asked about what has not been answered: the same for attempts and for refunds."""

from datetime import datetime, timedelta
from typing import Protocol

from django.conf import settings

PAUSE = timedelta(seconds=30)
"""How long a question that our own gate kept back waits at least."""
ASKED_AT_LEAST_EVERY = timedelta(hours=6)
"""How long two questions lie apart at most of what a payer, or we, may take days for."""
AFTER_SUCCESS = tuple(timedelta(days=days) for days in (1, 3, 7, 14, 30))
"""When after its success a refund is asked after whose money may come back: the message that says so may be lost."""
HELD_AT_MOST = timedelta(days=1)
"""How long after sending, or after a person asked, our gate may hold questions back before the row is given up without one."""


class Polled(Protocol):
    """A row that a provider is asked about."""

    initiated_at: datetime | None
    asked_at: datetime | None
    next_query_at: datetime | None
    query_started_at: datetime | None


def next_query(*, initiated_at: datetime, now: datetime) -> datetime | None:
    """
    Return the next instant at which to query, or None when the plan is used up.

    The plan is TREASURY["POLL_PLAN"] in seconds after sending; a last query follows at twice its last step.
    """
    plan = settings.TREASURY["POLL_PLAN"]
    times = [initiated_at + timedelta(seconds=seconds) for seconds in plan]
    return next((at for at in [*times, _last_query(initiated_at)] if at > now), None)


def next_patient(*, initiated_at: datetime, now: datetime) -> datetime:
    """
    Return the next instant at which to query what stays open until the provider says otherwise: those of the plan, and then
    at ever longer distances, every six hours in the end.
    """
    planned = next_query(initiated_at=initiated_at, now=now)
    return planned or now + min((now - initiated_at) / 2, ASKED_AT_LEAST_EVERY)


def next_after_success(*, succeeded_at: datetime, now: datetime) -> datetime | None:
    """Return when to ask next whether what succeeded still stands; None where that has been asked long enough."""
    return next((succeeded_at + each for each in AFTER_SUCCESS if succeeded_at + each > now), None)


def next_repeat(*, since: datetime, known_until: datetime, now: datetime) -> datetime | None:
    """
    Return when to send again what was sent at ``since`` and not answered: at ever longer distances, as long as the provider
    knows it by its code.
    """
    due = now + max(PAUSE, now - since)
    return due if due < known_until else None


def is_due(row: Polled, *, now: datetime) -> bool:
    """Say whether the row has been sent and its next query is not still to come."""
    return row.initiated_at is not None and (row.next_query_at is None or row.next_query_at <= now)


def is_used_up(row: Polled) -> bool:
    """Say whether the last query has been taken: what is due next lies behind the plan's end."""
    if row.initiated_at is None or row.next_query_at is None:
        return False
    return row.next_query_at > _last_query(row.initiated_at)


def advance(row: Polled, *, may_be_lost: bool, now: datetime) -> None:
    """
    Take the query that is due and plan the next one.

    After the last one SENDING_TIMEOUT is left to record its answer, where the row can still be given up.
    """
    if row.initiated_at is None:
        raise ValueError("nothing has been sent")
    row.next_query_at = next_query(initiated_at=row.initiated_at, now=now)
    if row.next_query_at is None and may_be_lost:
        row.next_query_at = now + timedelta(seconds=settings.TREASURY["SENDING_TIMEOUT"])
    row.query_started_at = None


def bring_forward(row: Polled, *, now: datetime) -> None:
    """Make the row's query due; behind the plan's end it counts as the last one, so that it is asked and not given up."""
    if row.initiated_at is None:
        raise ValueError("nothing has been sent")
    row.next_query_at = min(now, _last_query(row.initiated_at))
    row.asked_at = now


def put_off(row: Polled, *, pause: timedelta, may_be_lost: bool, now: datetime) -> None:
    """
    Have a query that was taken and not asked due again after a while, as the last one where the plan is used up by then.

    A day after sending, or after a person asked, the plan is used up all the same: a gate that stays shut leaves nothing open
    without end. What cannot be given up then is not asked any more. No sweep starts a job for it within JOB_GRACE.
    """
    if row.initiated_at is None:
        raise ValueError("nothing has been sent")
    due = now + max(pause, PAUSE)
    if not is_held_too_long(row, now=now):
        row.next_query_at = min(due, _last_query(row.initiated_at))
    else:
        row.next_query_at = due if may_be_lost else None
    row.query_started_at = now


def is_held_too_long(row: Polled, *, now: datetime) -> bool:
    """Say whether our own gate has held questions about a row back for a day since it was sent or a person asked."""
    since = [at for at in (row.initiated_at, row.asked_at) if at is not None]
    return not since or now >= max(since) + HELD_AT_MOST


def _last_query(initiated_at: datetime) -> datetime:
    return initiated_at + timedelta(seconds=2 * settings.TREASURY["POLL_PLAN"][-1])

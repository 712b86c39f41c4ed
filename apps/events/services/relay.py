"""The relay: takes events from the outbox to their handlers, in order for each aggregate and handler."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.module_loading import import_string

from apps.events.contracts import Event
from apps.events.services import deliveries
from apps.kit import faults, jobs, logs

GIVES_WAY_TO = {"documents": "events"}
"""Which queue comes first, for each that can wait: a PDF that nobody has asked for takes the time that money is booked in."""
GIVES_WAY_AT_MOST = timedelta(minutes=10)
LATE = timedelta(seconds=1)

log = logs.get(__name__)


def gives_way(*, queue: str, now: datetime) -> bool:
    """Say whether a queue leaves the processor to another one, in which something has been due for a second."""
    before = GIVES_WAY_TO.get(queue)
    if before is None or deliveries.is_due(queue=queue, since=now - GIVES_WAY_AT_MOST):
        return False
    return deliveries.is_due(queue=before, since=now - LATE)


def run_due(*, queue: str, now: datetime) -> int:
    """
    Run the handlers of a queue that are due next, a few at most, and record how each went; return how many were taken up.

    A handler that fails, or does not exist, is recorded and tried again later: it stops neither the relay nor other
    handlers nor other aggregates. Call it outside a transaction.
    """
    claims = deliveries.claim(queue=queue, now=now)
    for group in _groups(claims):
        try:
            _run(group, now)
        except Exception as failure:
            # Everything is caught: whatever a handler raises is that handler's failure. It is logged, kept
            # with the delivery, retried and in the end shown as a dead letter; it may not stop the others.
            log.warning(
                "event_handler_failed",
                handler=group[0].row.handler,
                event_ids=[str(claim.event.id) for claim in group],
                exc_info=True,
            )
            for claim in group:
                deliveries.fail(claim, error=f"{type(failure).__name__}: {failure}", now=now)
    return len(claims)


def _groups(claims: Sequence[deliveries.Claim]) -> Iterable[list[deliveries.Claim]]:
    """Return what is run together: all of one handler that takes several events, each other one alone."""
    groups = defaultdict[str, list[deliveries.Claim]](list)
    for claim in claims:
        is_batch = claim.row.handler in deliveries.of_batches()
        groups[claim.row.handler if is_batch else str(claim.row.id)].append(claim)
    return groups.values()


def _run(group: Sequence[deliveries.Claim], now: datetime) -> None:
    row = group[0].row
    handler: Callable[[Event | list[Event]], None] = import_string(row.handler)
    faults.reach("events.before_handler")
    if not row.is_atomic:
        jobs.send_gathered()
        handler(group[0].event)
        faults.reach("events.after_handler")
    with transaction.atomic():
        # First of all: the mark is the lock, and what all payments share is locked last.
        events = [claim.event for claim in group if deliveries.finish(claim, now=now)]
        if events and row.is_atomic:
            handler(events if row.handler in deliveries.of_batches() else events[0])
            faults.reach("events.after_handler")

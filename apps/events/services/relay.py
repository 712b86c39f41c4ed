"""The relay: takes events from the outbox to their handlers, in order for each aggregate and handler."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.module_loading import import_string

from apps.events.contracts import Event
from apps.events.services import deliveries
from apps.kit import faults, logs

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
    Run the handlers of a queue that are due next, four at most, and record how each went; return how many were taken up.

    A handler that fails, or does not exist, is recorded and tried again later: it stops neither the relay nor other
    handlers nor other aggregates. Call it outside a transaction.
    """
    claims = deliveries.claim(queue=queue, now=now)
    for claim in claims:
        try:
            _run(claim, now)
        except Exception as failure:
            # Everything is caught: whatever a handler raises is that handler's failure. It is logged, kept
            # with the delivery, retried and in the end shown as a dead letter; it may not stop the others.
            log.warning(
                "event_handler_failed",
                handler=claim.row.handler,
                event_id=str(claim.event.id),
                exc_info=True,
            )
            deliveries.fail(claim, error=f"{type(failure).__name__}: {failure}", now=now)
    return len(claims)


def _run(claim: deliveries.Claim, now: datetime) -> None:
    handler: Callable[[Event], None] = import_string(claim.row.handler)
    faults.reach("events.before_handler")
    if not claim.row.is_atomic:
        handler(claim.event)
        faults.reach("events.after_handler")
    with transaction.atomic():
        # First of all: the mark is the lock, and what all payments share is locked last.
        if deliveries.finish(claim, now=now) and claim.row.is_atomic:
            handler(claim.event)
            faults.reach("events.after_handler")

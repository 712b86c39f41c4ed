"""Background work of the events app: relays, webhook senders and the sweep behind them."""

from datetime import datetime, timedelta
from uuid import UUID

from celery import shared_task

from apps.events.services import outbox, sweeps, webhook_attempts, webhook_deliveries
from apps.events.services import relay as relays
from apps.kit import clock, jobs
from apps.tenancy.services import fan_out

TURN = timedelta(seconds=2)
"""For how long a job goes on: the sweeps, which share its worker, wait no longer for their turn than their own interval."""
GATHERING = timedelta(seconds=0.25)
"""
How long after it sent something a sender looks again, and how long a relay keeps what wakes others: what gathers meanwhile goes
together, at little more than the cost of one.
"""


@shared_task(name="events.relay")
def relay(*, lane: str, place: int | None = None, **_: object) -> None:
    """
    Run what is due in one queue; sent to the worker queue of that name. After two seconds other jobs go on together: no
    organisation keeps a worker for long, and a worker that is to stop does so within seconds. A queue that gives way
    to another one leaves the next look to a sweep, which comes within seconds.
    """
    if relays.gives_way(queue=lane, now=clock.now()):
        return
    jobs.began("events.relay", lane=lane, **({} if place is None else {"place": place}))
    ends_at = clock.now() + TURN
    while clock.now() < ends_at:
        with jobs.gathering("events.relay", lane=lane):
            is_done = _relayed(lane, until=min(clock.now() + GATHERING, ends_at))
        if is_done:
            return
    outbox.wake_together(lane)


def _relayed(lane: str, *, until: datetime) -> bool:
    """Run what is due in one queue for a while; say whether nothing is due any more."""
    while clock.now() < until:
        if not relays.run_due(queue=lane, now=clock.now()):
            return True
    return False


@shared_task(name="events.send_webhooks")
def send_webhooks(*, endpoint_id: str, **_: object) -> None:
    """
    Send what is due to one endpoint. After two seconds another job goes on, as for relays: an endpoint that answers
    slowly keeps a worker for one attempt at a time. Once all of it was sent, one more job looks a moment later, and
    until it begins what is published sends for none.
    """
    jobs.began("events.send_webhooks", endpoint_id=endpoint_id)
    ends_at = clock.now() + TURN
    while clock.now() < ends_at:
        made = webhook_attempts.make(endpoint_id=UUID(endpoint_id), now=clock.now())
        if not made:
            return
        if made < webhook_attempts.SENT_AT_ONCE:
            webhook_deliveries.wake([UUID(endpoint_id)], after=GATHERING)
            return
    webhook_deliveries.wake([UUID(endpoint_id)])


@shared_task(name="events.sweep", scope="public")
def sweep(**_: object) -> None:
    """Have every organisation look for what is due."""
    fan_out.each_working("events.sweep_organisation")


@shared_task(name="events.sweep_organisation")
def sweep_organisation(**_: object) -> None:
    """Start what is due in this organisation and was not started by its wake-up."""
    sweeps.wake_due(now=clock.now())

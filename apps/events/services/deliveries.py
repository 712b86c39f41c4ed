"""Deliveries of events to handlers: taken up a few at a time, finished, failed, and put right by a person."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import takewhile
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from apps.audit.services import records
from apps.events.contracts import Event, HandlerMap
from apps.events.models import DeliveryStatus, EventDelivery
from apps.events.services import outbox
from apps.kit import errors, logs
from apps.kit.actors import Actor
from apps.kit.compiled import Compiled, Read, Saved

REASON_LENGTH_MIN = 5
TAKEN_AT_ONCE = 4
"""So many handlers that go well end within the grace that an atomic claim has."""
BATCH = 20
"""So many events one that takes several is given at most."""
KILLED = "The process that ran the handler ended before it could say how it went, too many times."

log = logs.get(__name__)


class DeliveryUnknown(errors.NotFound):
    """There is no such delivery."""


class DeliveryNotDead(errors.DomainError):
    """Only a dead delivery can be requeued or skipped: the others still move by themselves."""

    code = "delivery_not_dead"
    title = "Delivery not dead"


class ReasonRequired(errors.Invalid):
    """Skipping an event for good needs a reason."""

    code = "reason_required"
    title = "Reason required"


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to run one handler once; the row's number of attempts is the fence by which ``finish`` tells that it holds."""

    row: EventDelivery
    event: Event


_DUE = Compiled(
    lambda now, queue: (
        EventDelivery.objects.due(now)
        .filter(queue=queue)
        .order_by("available_at", "seq")
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("event")[:TAKEN_AT_ONCE]
    ),
    datetime,
    str,
)
_ALIKE = Compiled(
    lambda now, queue, handler: (
        EventDelivery.objects.due(now)
        .filter(queue=queue, handler=handler)
        .order_by("available_at", "seq")
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("event")[:BATCH]
    ),
    datetime,
    str,
    str,
)
_SOME = Read(
    lambda since, queue: EventDelivery.objects.due(since).filter(queue=queue).values_list("id")[:1],
    datetime,
    str,
)
_OWNED = Compiled(
    lambda delivery_id, attempt: EventDelivery.objects.locked().filter(
        id=delivery_id, attempts=attempt, status=DeliveryStatus.PENDING
    ),
    UUID,
    int,
)
_CLAIMED = Saved[EventDelivery]("attempts", "locked_until")
_FINISHED = Saved[EventDelivery](
    "status", "finished_at", "locked_until", "last_error", held=("attempts", "status")
)


@transaction.atomic
def claim(*, queue: str, now: datetime) -> list[Claim]:
    """
    Take up the deliveries of a queue that have been due for longest; none when nothing is due.

    Four at most, of as many aggregates, or 20 to one handler that takes several: two relays never hold the same delivery, nor two
    deliveries of one aggregate to one handler. One that was tried before, or whose handler takes its time, is taken up alone, so that it spoils or delays no other.
    What a killed process held comes back when its lease ends; a delivery that has killed its process too often is dead.
    """
    rows = _together(_DUE.all(now, queue))
    if rows and rows[0].handler in of_batches():
        rows = _together(_ALIKE.all(now, queue, rows[0].handler))
    if rows and rows[0].is_exhausted:
        _fail(rows[0], KILLED, now)
        return claim(queue=queue, now=now)
    for row in rows:
        row.claim(at=now)
    _CLAIMED.save(*rows)
    return [Claim(row, row.event.as_event()) for row in rows]


def _together(due: list[EventDelivery]) -> list[EventDelivery]:
    fresh = list(takewhile(lambda row: row.is_atomic and not row.attempts, due))
    return fresh or due[:1]


def of_batches() -> frozenset[str]:
    """Return the handlers that take several events at once."""
    return _of_batches(settings.EVENT_WIRING)


@cache
def _of_batches(wiring: str) -> frozenset[str]:
    wired: HandlerMap = import_string(wiring)
    return frozenset(one.path for handlers in wired.values() for one in handlers if one.batch)


def is_due(*, queue: str, since: datetime) -> bool:
    """Say whether something of a queue was due at an instant and has not been taken up."""
    return _SOME.is_any(since, queue)


def finish(held: Claim, *, now: datetime) -> bool:
    """
    Mark a delivery as done in the caller's transaction, and lock it, while the claim still holds; say whether it did.

    It does not when its lease ended and somebody took over: then nothing of the handler's may stay.
    """
    held.row.finish(at=now)
    return _FINISHED.save_held(held.row, held.row.attempts, DeliveryStatus.PENDING.value)


@transaction.atomic
def fail(held: Claim, *, error: str, now: datetime) -> None:
    """Record that the handler failed; it is tried again after a growing wait, and dead after 20 attempts."""
    row = _OWNED.first(held.row.id, held.row.attempts)
    if row is not None:
        _fail(row, error, now)


def _fail(row: EventDelivery, error: str, now: datetime) -> None:
    row.fail(error=error, at=now)
    row.save(update_fields=["status", "last_error", "locked_until", "available_at"])
    if row.status == DeliveryStatus.DEAD:
        log.error("event_delivery_dead", delivery=str(row.id), handler=row.handler, error=row.last_error)


@transaction.atomic
def requeue(*, delivery_id: UUID, actor: Actor, now: datetime, reason: str = "") -> EventDelivery:
    """Try a dead delivery again, 20 more times. Raises DeliveryUnknown, DeliveryNotDead."""
    row = _dead(delivery_id)
    row.requeue(at=now)
    row.save(update_fields=["status", "attempt_limit", "available_at", "locked_until"])
    _record("event_delivery.requeued", row, actor, now, reason)
    outbox.wake([row.queue])
    return row


@transaction.atomic
def skip(*, delivery_id: UUID, reason: str, actor: Actor, now: datetime) -> EventDelivery:
    """
    Give up a dead delivery for good, so that the later events of its aggregate go on to the handler.

    Raises DeliveryUnknown, DeliveryNotDead, and ReasonRequired for a reason of less than 5 characters.
    """
    if len(reason.strip()) < REASON_LENGTH_MIN:
        raise ReasonRequired("Say in at least 5 characters why this event may be skipped.")
    row = _dead(delivery_id)
    row.skip(at=now)
    row.save(update_fields=["status", "finished_at"])
    _record("event_delivery.skipped", row, actor, now, reason=reason.strip())
    outbox.wake([row.queue])
    return row


def _dead(delivery_id: UUID) -> EventDelivery:
    row = EventDelivery.objects.locked().filter(id=delivery_id).first()
    if row is None:
        raise DeliveryUnknown("There is no such delivery.")
    if row.status != DeliveryStatus.DEAD:
        raise DeliveryNotDead(f"This delivery is {row.status.lower()}, not dead.")
    return row


def _record(action: str, row: EventDelivery, actor: Actor, now: datetime, reason: str = "") -> None:
    records.write(
        action=action,
        object_type="event_delivery",
        object_id=str(row.id),
        actor=actor,
        now=now,
        changes={"status": [DeliveryStatus.DEAD.value, row.status]},
        reason=reason,
    )

"""Deliveries of events to handlers: taken up one at a time, finished, failed, and put right by a person."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.audit.services import records
from apps.events.contracts import Event
from apps.events.models import DeliveryStatus, EventDelivery
from apps.events.services import outbox
from apps.kit import errors, logs
from apps.kit.actors import Actor
from apps.kit.compiled import Compiled, Read, Saved

REASON_LENGTH_MIN = 5
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
    """The right to run one handler once; ``attempt`` is the fence that ``owned`` compares."""

    delivery_id: UUID
    attempt: int
    handler: str
    is_atomic: bool
    event: Event


_DUE = Compiled(
    lambda now, queue: (
        EventDelivery.objects.due(now)
        .filter(queue=queue)
        .order_by("available_at", "seq")
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("event")[:1]
    ),
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
_SOME = Read(
    lambda since, queue: EventDelivery.objects.due(since).filter(queue=queue).values_list("id")[:1],
    datetime,
    str,
)
_CLAIMED = Saved[EventDelivery]("attempts", "locked_until")
_FINISHED = Saved[EventDelivery]("status", "finished_at", "locked_until", "last_error")


@transaction.atomic
def claim(*, queue: str, now: datetime) -> Claim | None:
    """
    Take up the delivery of a queue that has been due for longest, or return None when nothing is due.

    Two relays never hold the same delivery, nor two deliveries of one aggregate to one handler. What a killed process
    held comes back when its lease ends; a delivery that has killed its process too often is dead.
    """
    row = _DUE.first(now, queue)
    if row is None:
        return None
    if row.is_exhausted:
        _fail(row, KILLED, now)
        return claim(queue=queue, now=now)
    row.claim(at=now)
    _CLAIMED.save(row)
    return Claim(row.id, row.attempts, row.handler, row.is_atomic, row.event.as_event())


def is_due(*, queue: str, since: datetime) -> bool:
    """Say whether something of a queue was due at an instant and has not been taken up."""
    return _SOME.is_any(since, queue)


def owned(held: Claim) -> EventDelivery | None:
    """Lock the delivery and return it while the claim still holds, or None when its lease ended and somebody took over."""
    return _OWNED.first(held.delivery_id, held.attempt)


def finish(row: EventDelivery, *, now: datetime) -> None:
    """Mark an owned delivery as done, in the caller's transaction."""
    row.finish(at=now)
    _FINISHED.save(row)


@transaction.atomic
def fail(held: Claim, *, error: str, now: datetime) -> None:
    """Record that the handler failed; it is tried again after a growing wait, and dead after 20 attempts."""
    row = owned(held)
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

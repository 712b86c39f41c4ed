"""Orders to a provider: how one is sent, what its answer changes, and what is done where none came; for transfers and reversals alike."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.disbursements.contracts import TransferStatus
from apps.integrations.ports import (
    ProviderDeclined,
    ProviderError,
    ProviderHeldBack,
    ProviderUnavailable,
    ProviderUncertain,
    TransferReport,
)
from apps.integrations.services import providers
from apps.kit import crypto, faults, jobs, logs
from apps.kit.money import Money
from apps.payments.services import polling

RETRY_AFTER = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1800, 7200, 21600))
TRIES_MAX = len(RETRY_AFTER) + 1
WAKE_UP_MAX = timedelta(minutes=2)
CLOCK_SLACK = timedelta(seconds=1)
FORGOTTEN_AFTER = timedelta(hours=1)
"""How long after the provider forgot a code what it stood for is looked for: nothing can come of it any more then."""
NOT_MADE = "The provider has no such movement and no longer knows the request: nothing was moved."

logger = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Kind:
    """
    What transfers and reversals differ in. ``noun`` is in the names of jobs and crash points.

    ``locked`` locks a row and all that it counts in; ``send`` and ``find`` are one call of the provider each, outside any
    transaction; ``succeeded``, ``failed`` and ``lost`` do what else follows, under the lock, and book last. ``hindrance``
    says why one must not be sent any more, or nothing. ``takes`` says whether the sum that the provider tells can be booked, and
    sets it on the row where it is not the one that was asked for; ``is_asked_on`` whether the provider is asked again about one that
    cannot.
    """

    noun: str
    locked: Callable[[UUID], Any]
    hindrance: Callable[[Any], ProviderDeclined | None]
    send: Callable[[Any, datetime], TransferReport]
    find: Callable[[Any, datetime], TransferReport | None]
    succeeded: Callable[[Any, datetime], None]
    failed: Callable[[Any, datetime], None]
    lost: Callable[[Any, datetime], None]
    takes: Callable[[Any, Money], bool]
    is_asked_on: bool


def start(kind: Kind, order: Any, *, after: timedelta = timedelta()) -> None:
    """Have a worker send an order, after the commit."""
    arguments: dict[str, Any] = {f"{kind.noun}_id": order.id}
    jobs.enqueue(f"disbursements.send_{kind.noun}", countdown=after.total_seconds() or None, **arguments)


def send(kind: Kind, *, order_id: UUID, now: datetime) -> None:
    """
    Tell the provider: commit that an order is being sent, send, commit the answer.

    Safe to repeat: nothing is sent while nobody knows what became of it. Raises crypto.Unreadable for credentials that cannot be
    opened: nothing has left then, and the order is put off.
    """
    order = _begun(kind, order_id, now=now)
    if order is None:
        return
    faults.reach(f"disbursements.before_{kind.noun}")
    try:
        report = kind.send(order, now)
    except crypto.Unreadable:
        refusal = ProviderUnavailable("configuration", "The account's credentials cannot be opened.")
        _put_off(kind, order_id, refusal, now=now)
        raise
    except ProviderDeclined as refusal:
        _decline(kind, order_id, refusal, now=now)
    except ProviderUnavailable as refusal:
        _put_off(kind, order_id, refusal, now=now)
    except ProviderUncertain as refusal:
        _log(f"{kind.noun}_uncertain", order, refusal)
        lose(kind, order_id=order_id, now=now)
    else:
        faults.reach(f"disbursements.after_{kind.noun}")
        record(kind, order_id=order_id, report=report, now=now)


@transaction.atomic
def _begun(kind: Kind, order_id: UUID, *, now: datetime) -> Any:
    """Commit that an order is being sent, before anything is; None where that is not due, or must not be any more."""
    order = kind.locked(order_id)
    if order.next_request_at is None or order.next_request_at > now + CLOCK_SLACK:
        return None
    hindrance = kind.hindrance(order)
    if hindrance is not None:
        _close(kind, order, hindrance, now=now)
        return None
    order.begin(at=now)
    order.save_progress()
    return order


@transaction.atomic
def record(kind: Kind, *, order_id: UUID, report: TransferReport, now: datetime) -> None:
    """
    Record that the provider has moved the money, once.

    A sum that cannot be of this order is booked by nobody: the order stays, or becomes, UNKNOWN. People look at a transfer then; about
    a reversal the provider is asked again.
    """
    order = kind.locked(order_id)
    if not order.is_open:
        return
    if report.money != order.money:
        logger.error("order_contradicted", order_id=str(order.id), ticket=report.ticket)
    if not kind.takes(order, report.money):
        next_query_at = _next_look(order, now=now) if kind.is_asked_on else None
        _lose(kind, order, next_query_at=next_query_at, now=now)
        return
    order.succeed(ticket=report.ticket, at=now, next_query_at=None)
    order.save_progress()
    kind.succeeded(order, now)


@transaction.atomic
def _decline(kind: Kind, order_id: UUID, refusal: ProviderDeclined, *, now: datetime) -> None:
    """
    Close an order that the provider refused. Once it was sent again under its code, only the first answer given again is
    believed (``is_replayed``): the other sending may have been carried out.
    """
    order = kind.locked(order_id)
    if order.is_open and (order.repeated_at is None or refusal.is_replayed):
        _close(kind, order, refusal, now=now)


def _close(kind: Kind, order: Any, refusal: ProviderError, *, now: datetime) -> None:
    order.fail(code=refusal.code, message=refusal.message, provider_code=refusal.provider_code, at=now)
    order.save_progress()
    kind.failed(order, now)


@transaction.atomic
def _put_off(kind: Kind, order_id: UUID, refusal: ProviderUnavailable, *, now: datetime) -> None:
    """
    Try an order that never left again: soon at first, then over hours; it fails after the eighth try.

    What our own gate kept back is no try, and waits for the gate.
    """
    order = kind.locked(order_id)
    if order.repeated_at is not None or not order.is_open:
        return
    is_try = not isinstance(refusal, ProviderHeldBack)
    if order.status == TransferStatus.UNKNOWN or (is_try and order.tries >= TRIES_MAX):
        # UNKNOWN: the sweep gave it up while its worker still waited; now we know.
        _close(kind, order, refusal, now=now)
        return
    delay = _delay(order, refusal)
    order.put_off(at=now, after=delay, is_try=is_try)
    order.save_progress()
    if delay <= WAKE_UP_MAX:
        start(kind, order, after=delay)


def _delay(order: Any, refusal: ProviderUnavailable) -> timedelta:
    if isinstance(refusal, ProviderHeldBack):
        return max(refusal.pause, polling.PAUSE)
    return refusal.retry_after or RETRY_AFTER[order.tries - 1]


@transaction.atomic
def lose(kind: Kind, *, order_id: UUID, now: datetime) -> None:
    """Say plainly that nobody knows what became of an order: the money may have moved. It is asked after."""
    order = kind.locked(order_id)
    if order.status == TransferStatus.SENDING:
        _lose(kind, order, next_query_at=_next_look(order, now=now), now=now)


def _lose(kind: Kind, order: Any, *, next_query_at: datetime | None, now: datetime) -> None:
    if order.status == TransferStatus.SENDING:
        order.lose(at=now, next_query_at=next_query_at)
        kind.lost(order, now)
    order.next_query_at = next_query_at
    order.save_progress()


def follow(kind: Kind, *, order_id: UUID, now: datetime) -> None:
    """
    Ask after an order of which nobody knows, where that is due: send it again under its code while the provider knows that, and
    gives its first answer again; look for it among what was made afterwards. Safe to repeat.
    """
    order = _claimed(kind, order_id, now=now)
    if order is None:
        return
    try:
        if now < _known_until(order):
            record(kind, order_id=order.id, report=kind.send(order, now), now=now)
        else:
            _found(kind, order, kind.find(order, now), now=now)
    except ProviderHeldBack as refusal:
        _ask_later(kind, order.id, refusal, now=now)
    except ProviderDeclined as refusal:
        _log(f"{kind.noun}_repetition_declined", order, refusal)
        _decline(kind, order.id, refusal, now=now)
    except ProviderError as refusal:
        _log(f"{kind.noun}_unanswered", order, refusal)


@transaction.atomic
def _claimed(kind: Kind, order_id: UUID, *, now: datetime) -> Any:
    order = kind.locked(order_id)
    if order.status != TransferStatus.UNKNOWN or order.next_query_at is None or order.next_query_at > now:
        return None
    order.next_query_at = _next_look(order, now=now)
    order.query_started_at = None
    if now < _known_until(order):
        order.repeated_at = order.repeated_at or now
    order.save_progress()
    return order


def _found(kind: Kind, order: Any, report: TransferReport | None, *, now: datetime) -> None:
    if report is not None:
        record(kind, order_id=order.id, report=report, now=now)
    else:
        _decline(kind, order.id, ProviderDeclined("not_found", NOT_MADE, is_replayed=True), now=now)


@transaction.atomic
def _ask_later(kind: Kind, order_id: UUID, refusal: ProviderHeldBack, *, now: datetime) -> None:
    order = kind.locked(order_id)
    if order.status == TransferStatus.UNKNOWN:
        order.next_query_at = now + max(refusal.pause, polling.PAUSE)
        order.save_progress()


def _next_look(order: Any, *, now: datetime) -> datetime:
    """Return when to ask next: at ever longer distances while the provider knows the code, then when it is surely forgotten."""
    known_until = _known_until(order)
    due = polling.next_repeat(since=order.sent_at or now, known_until=known_until, now=now)
    return due or max(known_until + FORGOTTEN_AFTER, now + polling.ASKED_AT_LEAST_EVERY / 6)


def _known_until(order: Any) -> datetime:
    since: datetime = order.sent_at or order.created_at
    return since + providers.transfer_known_for(order.provider)


def _log(event: str, order: Any, refusal: ProviderError) -> None:
    """Log that a provider did not answer as asked; codes only, no party."""
    logger.warning(event, order_id=str(order.id), code=refusal.code, provider_code=refusal.provider_code)

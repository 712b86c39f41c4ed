"""Holds: money promised on the pending layer, captured in parts, released or expired."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.kit import errors, faults
from apps.kit.actors import SYSTEM, Actor
from apps.kit.money import Money
from apps.ledger.contracts import (
    AccountRef,
    Booked,
    Direction,
    Draft,
    HoldState,
    Layer,
    Leg,
    TransactionKind,
)
from apps.ledger.models import Entry, Hold
from apps.ledger.models.hold import OPEN_STATES
from apps.ledger.services import calls, journals

EXPIRE_AT_ONCE = 100
BUSY_MAX = 3


class HoldEnded(errors.DomainError):
    """Nothing is held any more: it was captured whole, released, or is expired."""

    code = "ledger_hold_ended"
    title = "Hold has ended"


class HoldExpired(HoldEnded):
    """The hold's time is over, whether or not that has been booked yet."""

    code = "ledger_hold_expired"
    title = "Hold expired"


class HoldExceeded(errors.DomainError):
    """More was to be captured than is still held."""

    code = "ledger_hold_exceeded"
    title = "More than is held"
    status = 422


class CaptureInvalid(errors.DomainError):
    """The sum to capture is not positive, or in another currency than the hold's."""

    code = "ledger_capture_invalid"
    title = "Capture not valid"
    status = 422


class ExpiryFailed(errors.DomainError):
    """Holds whose time is over could not be given back."""

    code = "ledger_expiry_failed"
    title = "Holds not expired"
    status = 500
    category = "internal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What is to be held, until ``expires_at`` if it is said. ``key`` is the key of its booking, used once for ever."""

    key: str
    description: str
    source_type: str
    source_id: UUID
    payer: AccountRef
    payee: AccountRef
    money: Money
    expires_at: datetime | None = None
    reference: str = ""


@calls.whole
def place(*, promise: Promise, actor: Actor, now: datetime) -> Booked:
    """
    Hold ``money`` so that ``payer`` (debited) will pay ``payee`` (credited); limits count it from now on.

    The same promise again returns the first one. Raises HoldExpired for an expiry that is past, and what
    ``journals.post`` raises, LimitExceeded above all. It locks both balances until the transaction ends.
    """
    draft = Draft(
        key=promise.key,
        description=promise.description,
        source_type=promise.source_type,
        source_id=promise.source_id,
        legs=_legs(promise.payer, promise.payee, promise.money, Layer.PENDING),
        kind=TransactionKind.HOLD,
        reference=promise.reference,
    )
    booked = journals.post(draft=draft, actor=actor, now=now)
    if booked.is_replay:
        held = Hold.objects.get(transaction_id=booked.number)
        if held.expires_at != promise.expires_at:
            raise journals.KeyReused("The key was used for a hold with another expiry.")
        return booked
    if promise.expires_at is not None and promise.expires_at <= now:
        raise HoldExpired("The hold would be expired from the start.")
    sides = dict(Entry.objects.filter(transaction_id=booked.number).values_list("direction", "account_id"))
    Hold.objects.create(
        transaction_id=booked.number,
        debit_account_id=sides[Direction.DEBIT],
        credit_account_id=sides[Direction.CREDIT],
        currency=promise.money.currency,
        amount=promise.money.minor,
        captured=0,
        released=0,
        expires_at=promise.expires_at,
        state=HoldState.ACTIVE.value,
    )
    return booked


@calls.whole
def capture(*, hold_id: UUID, money: Money, key: str, actor: Actor, now: datetime) -> Booked:
    """
    Book a part of what is held, or all of it; the rest stays held and may be captured later.

    ``key`` names this capture: the same one again returns its booking. Raises NotFound, HoldEnded, HoldExpired (also
    before the expiry was booked), HoldExceeded, CaptureInvalid, DraftInvalid, KeyReused. The hold's row is locked first, then its balances.
    """
    journals.check_storable(key=key)
    held = _locked(hold_id)
    if money.currency != held.currency or money.minor <= 0:
        raise CaptureInvalid(f"A capture of this hold is a positive sum in {held.currency}.")
    draft = _capture_draft(held, money, key)
    if not held.transaction.steps.filter(idem_key=key).exists():
        _require_open(held, now)
        if money.minor > held.remaining.minor:
            raise HoldExceeded(f"{held.remaining} is still held.")
    booked = journals.post(draft=draft, actor=actor, now=now)
    if not booked.is_replay:
        if money == held.remaining:
            held.capture_rest()
        else:
            held.capture_part(money.minor)
        held.save(update_fields=["captured", "state"])
    return booked


@calls.whole
def release(*, hold_id: UUID, reason: str, actor: Actor, now: datetime) -> Booked:
    """
    Give back what is still held. Once released, the same request returns that booking.

    Raises NotFound and HoldEnded (captured whole, or expired). The hold's row is locked first, then its balances.
    """
    held = _locked(hold_id)
    if held.state not in {*OPEN_STATES, HoldState.RELEASED}:
        raise HoldEnded(f"The hold is {held.state.lower()}.")
    return _end(held, TransactionKind.RELEASE, reason=reason, actor=actor, now=now)


def expire_due(*, now: datetime) -> list[UUID]:
    """
    Book the expiry of up to 100 holds whose time is over; return their ids. Holds that others lock are left for later.

    Where the ledger refuses one, the next ones are expired all the same; at the end ExpiryFailed names those that were refused.
    A ledger that is busy three times is left alone until the next time.
    """
    expired: list[UUID] = []
    refused: list[str] = []
    busy = 0
    due = Hold.objects.filter(state__in=OPEN_STATES, expires_at__lte=now).order_by(
        "expires_at", "transaction_id"
    )
    for held in due.select_related("transaction"):
        try:
            booked = _expire(number=held.transaction_id, now=now)
        except errors.DomainError as refusal:
            refused.append(f"{held.transaction}: {refusal}")
            busy += refusal.retryable
        else:
            expired += [held.transaction.uid] if booked else []
        if EXPIRE_AT_ONCE in {len(expired), len(refused)} or busy == BUSY_MAX:
            break
    if refused:
        raise ExpiryFailed(f"{len(refused)} holds past their time are still held. {' '.join(refused)}")
    return expired


@calls.whole
def _expire(*, number: int, now: datetime) -> Booked | None:
    held = (
        Hold.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("transaction", "debit_account", "credit_account")
        .filter(transaction_id=number, state__in=OPEN_STATES)
        .first()
    )
    if held is None:
        return None
    return _end(held, TransactionKind.EXPIRY, reason="", actor=SYSTEM, now=now)


def _end(held: Hold, kind: TransactionKind, *, reason: str, actor: Actor, now: datetime) -> Booked:
    rest = -(held.remaining if held.state in OPEN_STATES else Money(int(held.released), held.currency))
    draft = Draft(
        key=f"ledger:hold:{held.transaction.uid}:end",
        description=f"{kind.capitalize()} of {held.transaction.number}",
        source_type=held.transaction.source_type,
        source_id=held.transaction.source_id,
        legs=_legs(held.debit_account.ref, held.credit_account.ref, rest, Layer.PENDING),
        kind=kind,
        reason=reason,
        hold=held.transaction_id,
    )
    booked = journals.post(draft=draft, actor=actor, now=now)
    if not booked.is_replay:
        if kind == TransactionKind.EXPIRY:
            held.expire()
        else:
            held.release()
        held.save(update_fields=["released", "state"])
    return booked


def _capture_draft(held: Hold, money: Money, key: str) -> Draft:
    payer, payee = held.debit_account.ref, held.credit_account.ref
    return Draft(
        key=key,
        description=held.transaction.description,
        source_type=held.transaction.source_type,
        source_id=held.transaction.source_id,
        legs=(
            *_legs(payer, payee, -money, Layer.PENDING),
            *_legs(payer, payee, money, Layer.POSTED),
        ),
        kind=TransactionKind.CAPTURE,
        reference=held.transaction.reference,
        hold=held.transaction_id,
    )


def _legs(payer: AccountRef, payee: AccountRef, money: Money, layer: Layer) -> tuple[Leg, Leg]:
    return Leg(payer, debit=money, layer=layer), Leg(payee, credit=money, layer=layer)


def _locked(hold_id: UUID) -> Hold:
    held = (
        Hold.objects.locked()
        .select_related("transaction", "debit_account", "credit_account")
        .filter(transaction__uid=hold_id)
        .first()
    )
    if held is None:
        raise errors.NotFound("There is no such hold.")
    faults.reach("ledger.hold_locked")
    return held


def _require_open(held: Hold, now: datetime) -> None:
    if held.state not in OPEN_STATES:
        raise HoldEnded(f"The hold is {held.state.lower()}.")
    if held.is_expired(now):
        raise HoldExpired("The hold's time is over.")

"""Journals: the one way in which anything is booked."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import UTC, datetime

from django.db import connection, transaction

from apps.kit import errors
from apps.kit.actors import Actor, are_written
from apps.kit.models import is_storable
from apps.ledger.contracts import (
    AHEAD_MAX,
    FIRST_DAY,
    LEG_MAX,
    Booked,
    Direction,
    Draft,
    Layer,
    Leg,
    TransactionKind,
)
from apps.ledger.services import accounts, calls
from apps.ledger.services.refusals import (
    AccountClosed,
    AccountFrozen,
    AccountUnknown,
    BookMissing,
    ClockSkewed,
    DraftInvalid,
    ExponentChanged,
    KeyReused,
    LedgerBusy,
    LedgerMisused,
    LimitExceeded,
    PeriodClosed,
    Unbalanced,
    translated,
)
from apps.tenancy.selectors import organisations

__all__ = [
    "AccountClosed",
    "AccountFrozen",
    "AccountUnknown",
    "BookMissing",
    "ClockSkewed",
    "DraftInvalid",
    "ExponentChanged",
    "KeyReused",
    "LedgerBusy",
    "LedgerMisused",
    "LimitExceeded",
    "PeriodClosed",
    "Unbalanced",
    "post",
    "post_batch",
]

LEGS_MAX = 10_000
FIRST_INSTANT = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, tzinfo=UTC)
BATCH_MAX = 1_000
OF_HOLDS = {TransactionKind.HOLD, TransactionKind.CAPTURE, TransactionKind.RELEASE, TransactionKind.EXPIRY}


def post(*, draft: Draft, actor: Actor, now: datetime, force: bool = False) -> Booked:
    """
    Book a draft, all of it or nothing, as a part of the caller's transaction if there is one.

    The same draft again returns the first booking (``is_replay``). Missing accounts are opened. Balance rows stay locked
    until the caller's transaction ends: make this its last step. A refusal leaves the caller's transaction usable.
    ``force`` passes over limits; the caller checks who may. Raises DraftInvalid, Unbalanced, KeyReused, LimitExceeded,
    AccountFrozen, AccountClosed, PeriodClosed, ClockSkewed, and LedgerBusy when locks cannot be had; in a transaction of
    its own it has then tried 3 times. Outside an organisation's schema it raises NoOrganisation. What only the commit
    finds (a second reversal, a step that does not match its hold) comes out untyped where the transaction is the caller's.
    """
    (booked,) = post_batch(drafts=[draft], actor=actor, now=now, force=force)
    return booked


def post_batch(*, drafts: Sequence[Draft], actor: Actor, now: datetime, force: bool = False) -> list[Booked]:
    """
    Book up to 1,000 drafts with 10,000 legs in one step, all of them or none; return the bookings in their order.

    Each balance is locked and moved once, which is what makes bulk work cheap. One refusal refuses all; see ``post``.
    """
    organisations.current()
    _check_size(drafts)
    for draft in drafts:
        check(draft, now)
    return calls.tried(lambda: _book(drafts, actor=actor, now=now, force=force))


def _book(drafts: Sequence[Draft], *, actor: Actor, now: datetime, force: bool) -> list[Booked]:
    call = (
        calls.transfer(drafts[0], actor=actor, now=now)
        if len(drafts) == 1 and drafts[0].is_plain and not force
        else calls.post(drafts, actor=actor, now=now, force=force)
    )
    try:
        return _called(call)
    except (AccountUnknown, BookMissing):  # the first account opens the book
        with transaction.atomic():
            accounts.resolve(refs={leg.account for draft in drafts for leg in draft.legs}, now=now)
            return _called(call)


def _called(call: calls.Call) -> list[Booked]:
    # One statement is a transaction by itself; in the caller's it gets a block, so that a refusal does not spoil that.
    block = transaction.atomic() if connection.in_atomic_block else nullcontext()
    with translated(accounts.name_of), block:
        rows = calls.rows(call)
    return [Booked(uid, number, booked_on, is_replay) for number, uid, booked_on, is_replay in rows]


def _check_size(drafts: Sequence[Draft]) -> None:
    if not 1 <= len(drafts) <= BATCH_MAX:
        raise DraftInvalid(f"A batch has 1 to {BATCH_MAX} postings.")
    if sum(len(draft.legs) for draft in drafts) > LEGS_MAX:
        raise DraftInvalid(f"A posting, and a batch, has at most {LEGS_MAX} legs.")


def check(draft: Draft, now: datetime) -> None:
    """Raise DraftInvalid, with the field as far as one is to blame, or Unbalanced for what no booking can be."""
    check_texts(draft)
    _check_days(draft, now)
    if draft.kind not in OF_HOLDS and any(leg.layer == Layer.PENDING for leg in draft.legs):
        raise DraftInvalid("Only a hold and its steps are pending.")
    if len(draft.legs) < len(Direction):
        raise DraftInvalid("A posting has a debit and a credit at least.")
    sums: defaultdict[tuple[str, Layer], int] = defaultdict(int)
    for place, leg in enumerate(draft.legs):
        _check_leg(leg, place)
        sums[leg.money.currency, leg.layer] += leg.direction * leg.money.minor
    for (currency, _), difference in sums.items():
        if difference:
            raise Unbalanced(f"Debits and credits in {currency} differ by {abs(difference)} minor units.")
    debited = {(leg.account, leg.layer) for leg in draft.legs if leg.debit is not None}
    for place, leg in enumerate(draft.legs):
        if leg.credit is not None and (leg.account, leg.layer) in debited:
            raise _invalid(f"legs/{place}", "An account is debited and credited in one posting.")


def check_texts(draft: Draft) -> None:
    """Raise DraftInvalid, which names the field, for a text that the database does not keep or that says nobody."""
    if not draft.key or not draft.source_type:
        raise DraftInvalid("A posting has a key and a source.")
    dimensions = (
        "".join(text for pair in draft.dimensions.items() for text in pair) if draft.dimensions else ""
    )
    check_storable(
        key=draft.key,
        source_type=draft.source_type,
        reference=draft.reference,
        description=draft.description,
        reason=draft.reason,
        cost_centre=draft.cost_centre,
        dimensions=dimensions,
    )
    if not are_written(draft.approved_by):
        raise _invalid("approved_by", "Who agreed is an actor, as user and id.")


def check_storable(**texts: str) -> None:
    """Raise DraftInvalid for the first of the named fields that the database does not keep."""
    if is_storable("".join(texts.values())):
        return
    for field, text in texts.items():
        if not is_storable(text):
            raise _invalid(field, "A text holds a NUL or half a surrogate pair.")


def _invalid(field: str, message: str) -> DraftInvalid:
    return DraftInvalid(message, errors=[errors.FieldError(f"/{field}", DraftInvalid.code, message)])


def _check_days(draft: Draft, now: datetime) -> None:
    if draft.effective_date is draft.event_at is None:
        return
    last = now + AHEAD_MAX
    if draft.effective_date and not FIRST_DAY <= draft.effective_date <= last.date():
        raise _invalid("effective_date", f"The effective date lies from {FIRST_DAY} to {last:%Y-%m-%d}.")
    if draft.event_at and not FIRST_INSTANT <= draft.event_at <= last:
        raise _invalid("event_at", f"The instant of the event lies from {FIRST_DAY} to {last:%Y-%m-%d}.")


def _check_leg(leg: Leg, place: int) -> None:
    if (leg.debit is None) == (leg.credit is None):
        raise _invalid(f"legs/{place}", "A leg is either a debit or a credit.")
    money = leg.money
    if money.minor == 0 or (leg.layer == Layer.POSTED and money.minor < 0):
        raise _invalid(f"legs/{place}/amount", "The sum of a leg is positive.")
    if abs(money.minor) > LEG_MAX:
        raise _invalid(f"legs/{place}/amount", "The sum of a leg is at most 35 digits of minor units long.")
    if money.currency != leg.account.currency:
        raise _invalid(
            f"legs/{place}/amount",
            f"A leg in {money.currency} cannot be posted to an account in {leg.account.currency}.",
        )

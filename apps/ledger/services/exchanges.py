"""Exchanges: one currency for another at a recorded rate, in one transaction that keeps rate, fee and gain apart."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from apps.access.selectors import limits
from apps.audit.services import records
from apps.kit import errors, locks
from apps.kit.actors import Actor
from apps.kit.money import Money
from apps.ledger.contracts import AccountRef, AccountRole, Booked, Draft, Leg, TransactionKind, credit, debit
from apps.ledger.models import Transaction
from apps.ledger.selectors import positions
from apps.ledger.selectors import rates as stored
from apps.ledger.selectors.rates import Rate
from apps.ledger.services import accounts, calls, journals

SOURCE = "fx_exchange"
KEY_MAX = 150


class ExchangeInvalid(errors.Invalid):
    """The exchange that was asked for cannot be."""

    code = "fx_exchange_invalid"
    title = "Exchange not valid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """
    Give ``give`` out of one account and take what it is worth into another, whose currency says into which.

    Both are the house's own money (a bank balance each), or both are owed to one customer (a deposit each). ``fee`` is in
    the currency that is received: it goes off what arrives, onto ``fee_account``. ``key`` is used once.
    """

    key: str
    give: Money
    source: AccountRef
    target: AccountRef
    fee: Money | None = None
    fee_account: AccountRef | None = None
    effective_date: date | None = None
    reference: str = ""

    @property
    def id(self) -> UUID:
        """What the order is known by: the same for the same order, another one for any other."""
        accounts_ = [
            [ref.role, ref.currency, ref.branch_id, ref.owner_id] if ref else []
            for ref in (self.source, self.target, self.fee_account)
        ]
        said = [self.key, self.give, self.fee, self.effective_date, self.reference, *accounts_]
        return uuid5(NAMESPACE_URL, json.dumps(said, default=str))


@calls.whole
def exchange(*, order: Order, actor: Actor, now: datetime) -> Booked:
    """
    Book an exchange at the rate of now (of ``effective_date``, where one is given), all of it or nothing.

    Each currency passes through its position, and balances by itself. What arrives is rounded down to the minor unit and
    what that leaves goes to ROUNDING. What closes a position gives its gain or loss against the average cost. The same
    order again returns the first booking at whatever rate (``is_replay``); another one under its key raises KeyReused.
    Raises ExchangeInvalid, which names the field, RateMissing, RateStale, LimitExceeded, and as ``journals.post``. Locks the positions
    of the branch until the transaction ends.
    """
    _check(order)
    key = f"ledger:exchange:{order.key}"
    locks.advisory(key)
    before = Transaction.objects.filter(idem_key=key).first()
    if before is not None:
        if before.source_id != order.id:
            raise journals.KeyReused(f"{order.key} was used for another exchange.")
        return Booked(before.uid, before.id, before.effective_date, is_replay=True)
    limits.require_may_ask(actor=actor, money=order.give, field="/give")
    at = now if order.effective_date is None else min(stored.end_of(order.effective_date), now)
    rate = stored.latest(order.give.currency, order.target.currency, at=at, now=now)
    draft = Draft(
        key=key,
        description=f"Exchange of {order.give} to {rate.quote} at {rate.text}",
        source_type=SOURCE,
        source_id=order.id,
        legs=_legs(order, rate, at=at, now=now),
        kind=TransactionKind.EXCHANGE,
        effective_date=order.effective_date,
        reference=order.reference,
        dimensions=rate.dimensions(),
    )
    booked = journals.post(draft=draft, actor=actor, now=now)
    records.write(
        action="ledger.exchanged",
        object_type="ledger_transaction",
        object_id=str(booked.id),
        actor=actor,
        now=now,
        changes={"exchange": [None, draft.description]},
    )
    return booked


def carried(*, given: Money, got: Money, branch_id: UUID, now: datetime) -> tuple[Leg, ...]:
    """
    Return the legs that carry a sum out of one currency into another, which somebody else has exchanged at a rate of his own.

    They balance what the caller books himself: ``given`` as a credit, ``got`` as a debit. Each foreign currency passes through its
    position, with cost and gain as in ``exchange``. Raises RateMissing or RateStale where neither is the functional currency and
    no rate says what the sum is worth in it. Locks the positions of the branch until the transaction ends: it is one of the last
    steps, and the legs are booked in the same transaction.
    """
    functional = stored.functional_currency()
    if functional in (given.currency, got.currency):
        value = given if given.currency == functional else got
    else:
        value = stored.latest(given.currency, functional, at=now, now=now).nearest(given)
    foreign = [(money, came) for money, came in ((given, -1), (got, 1)) if money.currency != functional]
    lock_positions((branch_id, money.currency) for money, _ in foreign)
    moves: Counter[AccountRef] = Counter()
    for money, came in foreign:
        _pass(moves, money, came, value, branch_id=branch_id)
    return tuple(_leg(ref, signed) for ref, signed in moves.items() if signed)


def lock_positions(named: Iterable[tuple[UUID, str]]) -> None:
    """Let nobody else move the positions of these branches and currencies until the transaction ends; one order for all."""
    for branch_id, currency in sorted(set(named)):
        locks.advisory(f"ledger:fx_position:{branch_id}:{currency}")


def _legs(order: Order, rate: Rate, *, at: datetime, now: datetime) -> tuple[Leg, ...]:
    side = _side(order, now=now)
    worth = rate.nearest(order.give)
    arrives = rate.below(order.give)
    fee = order.fee or Money.zero(rate.quote)
    if not fee < arrives:
        raise _invalid("/give", f"{order.give} is worth {arrives}: nothing would arrive.")
    moves: Counter[AccountRef] = Counter()
    moves[order.source] += side * order.give.minor
    moves[order.target] -= side * (arrives - fee).minor
    if order.fee_account is not None:
        moves[order.fee_account] -= side * fee.minor
    rounding = AccountRef(AccountRole.ROUNDING, rate.quote, order.target.branch_id)
    moves[rounding] -= side * (worth - arrives).minor
    functional = stored.functional_currency()
    value = stored.latest(order.give.currency, functional, at=at, now=now).nearest(order.give)
    foreign = [
        (money, came) for money, came in ((order.give, side), (worth, -side)) if money.currency != functional
    ]
    lock_positions((order.source.branch_id, money.currency) for money, _ in foreign)
    for money, came in foreign:
        _pass(moves, money, came, value, branch_id=order.source.branch_id)
    return tuple(_leg(ref, signed) for ref, signed in moves.items() if signed)


def _pass(moves: Counter[AccountRef], money: Money, came: int, value: Money, *, branch_id: UUID) -> None:
    """Let a sum come into the position of its currency (``came`` 1), or go out of it (-1), with cost and gain."""
    functional = value.currency
    before = positions.of(money.currency, functional=functional, branch_id=branch_id)
    after, gain = before.moved(came * money.minor, value.minor)
    moves[positions.account(money.currency, branch_id=branch_id)] -= came * money.minor
    counter = positions.counter_account(money.currency, functional=functional, branch_id=branch_id)
    moves[counter] += after.cost - before.cost
    role = AccountRole.FX_REALISED_GAIN if gain > 0 else AccountRole.FX_REALISED_LOSS
    moves[AccountRef(role, functional, branch_id)] -= gain


def _side(order: Order, *, now: datetime) -> int:
    """Return 1 where giving is a debit, as of what is owed to somebody, and -1 where it is a credit, as of our own."""
    found = accounts.resolve(refs=[order.source, order.target], now=now)
    normal = found[order.source].normal
    if found[order.target].normal != normal:
        raise _invalid("/target", "Both accounts are the house's own, or both are owed to somebody.")
    return -normal


def _leg(ref: AccountRef, signed: int) -> Leg:
    money = Money(abs(signed), ref.currency)
    return debit(ref, money) if signed > 0 else credit(ref, money)


def _check(order: Order) -> None:
    if not 0 < len(order.key) <= KEY_MAX or not order.key.isprintable():
        raise _invalid("/key", f"A key has 1 to {KEY_MAX} printable characters.")
    if not order.give.is_positive:
        raise _invalid("/give", "Give something.")
    if order.source.currency != order.give.currency:
        raise _invalid(
            "/source", f"{order.give.currency} does not come from an account in {order.source.currency}."
        )
    if order.target.currency == order.give.currency:
        raise _invalid("/target", "An exchange is of two currencies.")
    if order.target.branch_id != order.source.branch_id:
        raise _invalid("/target", "Both accounts are of one branch.")
    if (order.fee is None) != (order.fee_account is None):
        raise _invalid("/fee", "A fee and its account go together.")
    if order.fee is not None and order.fee_account is not None:
        _check_fee(order.fee, order.fee_account, order)


def _check_fee(fee: Money, account: AccountRef, order: Order) -> None:
    if fee.currency != order.target.currency or not fee.is_positive:
        raise _invalid("/fee", f"A fee is a sum in {order.target.currency}, which it goes off.")
    if account.currency != fee.currency or account in {order.source, order.target}:
        raise _invalid("/fee_account", f"A fee goes onto an account of its own in {fee.currency}.")


def _invalid(pointer: str, message: str) -> ExchangeInvalid:
    return ExchangeInvalid(message, errors=[errors.FieldError(pointer, ExchangeInvalid.code, message)])

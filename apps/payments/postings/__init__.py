"""The only place where collections and refunds become debits and credits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from apps.kit.money import Money
from apps.ledger.contracts import AccountRef, AccountRole, Direction, Draft, Leg, credit, debit
from apps.payments.models import InboundReceipt, PaymentAttempt, Refund

SOURCE = "payment_intent"
INBOUND_SOURCE = "inbound_receipt"

type Change = tuple[AccountRef, Money]
"""What is done to an account: a debit above zero, else a credit."""


@dataclass(frozen=True, slots=True)
class Inflow:
    """What a collection brought as it is known at a moment: what came, what the provider credited for it, and its fee."""

    received: Money
    credited: Money
    fee: Money

    @classmethod
    def of(cls, attempt: PaymentAttempt) -> Self:
        """Return what is known of an attempt that is booked."""
        received, credited, fee = attempt.received, attempt.credited, attempt.fee
        if received is None or credited is None or fee is None:
            raise ValueError(f"attempt {attempt.id} has no money to book")
        return cls(received, credited, fee)

    @property
    def is_converted(self) -> bool:
        return self.credited.currency != self.received.currency


def collection(attempt: PaymentAttempt, *, carried: Sequence[Leg] = ()) -> Draft:
    """
    Book the money of an attempt, once per attempt.

    Dr provider balance (net), Dr provider fees (the provider's own, else by the account's tariff), Cr unapplied collections,
    or suspense when the money does not fit the intent (gross). A fee above what came takes from the provider balance. Where the provider converted, balance and fee are in the currency
    that it settled in, and ``carried`` are the legs of that exchange.
    """
    inflow = Inflow.of(attempt)
    role = AccountRole.SUSPENSE if attempt.is_in_suspense else AccountRole.UNAPPLIED_COLLECTIONS
    legs = [
        _signed(_provider_balance(attempt), inflow.credited - inflow.fee),
        debit(_fees(attempt), inflow.fee),
        credit(_holding(attempt, role), inflow.received),
        *carried,
    ]
    return Draft(
        key=f"collection:{attempt.id}",
        description=f"Collection {attempt.code}",
        source_type=SOURCE,
        source_id=attempt.intent_id,
        legs=tuple(leg for leg in legs if not leg.money.is_zero),
        event_at=attempt.occurred_at,
        reference=attempt.provider_receipt,
        dimensions=_rate(attempt) if inflow.is_converted else None,
    )


def correction(attempt: PaymentAttempt, *, assumed: Inflow, told: Inflow) -> Draft:
    """
    Bring a collection whose sum had been assumed to the sum that the provider reported later, once per attempt.

    What was credited stays credited, for it has been announced; the difference waits in suspense, on the debit side
    when less arrived than was assumed.
    """
    currency = told.received.currency
    changes = [
        (_provider_balance(attempt, currency), (told.credited - told.fee) - (assumed.credited - assumed.fee)),
        (_fees(attempt, currency), told.fee - assumed.fee),
        (_holding(attempt, AccountRole.SUSPENSE), assumed.received - told.received),
    ]
    return _told_later(attempt, "correction", f"Correction of collection {attempt.code}", changes)


def completion(attempt: PaymentAttempt, *, assumed: Inflow, carried: Sequence[Leg] = ()) -> Draft | None:
    """
    Book the provider's own fee in place of that of the tariff, once per attempt; None where it is the same.

    Where the provider tells only now that it converted, what had been booked as its balance is turned into the currency
    that it settled in; ``carried`` are the legs of that exchange.
    """
    told = Inflow.of(attempt)
    if told == assumed:
        return None
    if not told.is_converted:
        difference = told.fee - assumed.fee
        changes = [(_fees(attempt), difference), (_provider_balance(attempt), -difference)]
        return _told_later(attempt, "completion", f"Fee of collection {attempt.code}", changes)
    before = attempt.received_currency
    changes = [
        (_provider_balance(attempt, before), -(assumed.credited - assumed.fee)),
        (_fees(attempt, before), -assumed.fee),
        (_provider_balance(attempt), told.credited - told.fee),
        (_fees(attempt), told.fee),
    ]
    return _told_later(attempt, "completion", f"Conversion of collection {attempt.code}", changes, carried)


def _told_later(
    attempt: PaymentAttempt,
    what: str,
    description: str,
    changes: Sequence[Change],
    carried: Sequence[Leg] = (),
) -> Draft:
    """Return the draft of signed changes, debits above zero, once per attempt and ``what``."""
    return Draft(
        key=f"collection-{what}:{attempt.id}",
        description=description,
        source_type=SOURCE,
        source_id=attempt.intent_id,
        legs=(*_legs(changes), *carried),
        event_at=attempt.occurred_at,
        reference=attempt.provider_receipt,
        dimensions=_rate(attempt) if carried else None,
    )


def _opposite(changes: list[Change]) -> list[Change]:
    return [(account, -change) for account, change in changes]


def _legs(changes: Sequence[Change]) -> tuple[Leg, ...]:
    """Return signed changes as legs, those of one account as one, without those of nothing."""
    sums: dict[AccountRef, Money] = {}
    for account, change in changes:
        sums[account] = sums[account] + change if account in sums else change
    return tuple(_signed(account, change) for account, change in sums.items() if not change.is_zero)


def _signed(account: AccountRef, change: Money) -> Leg:
    """Return a change as a leg: a debit above zero, else a credit."""
    return debit(account, change) if change.is_positive else credit(account, -change)


def _rate(attempt: PaymentAttempt) -> dict[str, str]:
    """Return what a booking says of the rate at which the provider converted."""
    told = "" if attempt.rate is None else f"{attempt.rate.normalize():f}"
    return {"rate": told, "rate_source": attempt.provider}


def inbound(receipt: InboundReceipt) -> Draft:
    """
    Book money that no payment explains, once per receipt.

    Dr provider balance (net), Dr provider fees (by the account's tariff), Cr suspense of the account's branch (gross).
    """
    what = f"Unexplained money {receipt.receipt}"
    return _of_receipt(receipt, "inbound-receipt", what, _brought(receipt))


def retraction(receipt: InboundReceipt) -> Draft:
    """Take back what was booked of money that its payment had booked before, once per receipt: the opposite of ``inbound``."""
    what = f"Booked twice: {receipt.receipt}"
    return _of_receipt(receipt, "inbound-receipt-retraction", what, _opposite(_brought(receipt)))


def _brought(receipt: InboundReceipt) -> list[Change]:
    """Return what ``inbound`` books."""
    return [
        (_balance_of(receipt), receipt.money - receipt.fee),
        (_own(receipt, AccountRole.PROVIDER_FEES), receipt.fee),
        (_own(receipt, AccountRole.SUSPENSE), -receipt.money),
    ]


def explanation(receipt: InboundReceipt, attempt: PaymentAttempt) -> Draft | None:
    """
    Move money whose payment is known at last out of suspense, once per attempt, in place of ``collection``.

    Dr suspense of the account's branch, Cr unapplied collections of the payment's; None where it stays where it is, for
    it does not fit the payment. Where one account of a store was told of what another one of it has, provider balance and
    fee are moved to that one.
    """
    role = AccountRole.SUSPENSE if attempt.is_in_suspense else AccountRole.UNAPPLIED_COLLECTIONS
    changes = [
        (_own(receipt, AccountRole.SUSPENSE), receipt.money),
        (_holding(attempt, role), -receipt.money),
    ]
    if receipt.provider_account_id != attempt.provider_account_id:
        changes += _carried_over(receipt, attempt)
    legs = _legs(changes)
    if not legs:
        return None
    return Draft(
        key=f"collection:{attempt.id}",
        description=f"Collection {attempt.code}, from suspense",
        source_type=SOURCE,
        source_id=attempt.intent_id,
        legs=legs,
        event_at=attempt.occurred_at,
        reference=attempt.provider_receipt,
    )


def _carried_over(receipt: InboundReceipt, attempt: PaymentAttempt) -> list[Change]:
    """Move what was booked as held at the receipt's account, and its fee, to the account of the payment."""
    net, fee = receipt.money - receipt.fee, receipt.fee
    return [
        (_provider_balance(attempt, receipt.currency), net),
        (_balance_of(receipt), -net),
        (_fees(attempt, receipt.currency), fee),
        (_own(receipt, AccountRole.PROVIDER_FEES), -fee),
    ]


def acceptance(attempt: PaymentAttempt) -> Draft:
    """Move money of a payment in review out of suspense, for a person says that it pays: Dr suspense, Cr unapplied collections."""
    received = Inflow.of(attempt).received
    there = _holding(attempt, AccountRole.UNAPPLIED_COLLECTIONS)
    legs = (debit(_holding(attempt, AccountRole.SUSPENSE), received), credit(there, received))
    key = f"collection-acceptance:{attempt.id}"
    return _of_attempt(attempt, key, f"Collection {attempt.code}, accepted", legs)


def surrender(
    receipt: InboundReceipt, attempt: PaymentAttempt, *, after: Refund | None = None
) -> Draft | None:
    """
    Move money that a person took from its payment into suspense of the branch of its receipt's account, once per attempt, and
    again after each refund whose money came back: Dr suspense of the payment's branch, Cr suspense of the account's; None where
    that is the same. Where another account of a store was told of the money than the one that has it, provider balance and fee
    are moved to that one.
    """
    key = f"collection-surrender-again:{after.id}" if after else f"collection-surrender:{attempt.id}"
    legs = _legs(_given_up(receipt, attempt))
    return _of_attempt(attempt, key, f"Collection {attempt.code}, given up", legs) if legs else None


def return_of_surrender(receipt: InboundReceipt, refund: Refund) -> Draft | None:
    """Move money that a person took from its payment back there, for this refund has taken it: the opposite of ``surrender``."""
    attempt, key = refund.attempt, f"collection-surrender-return:{refund.id}"
    legs = _legs(_opposite(_given_up(receipt, attempt)))
    return _of_attempt(attempt, key, f"Collection {attempt.code}, gone back", legs) if legs else None


def _given_up(receipt: InboundReceipt, attempt: PaymentAttempt) -> list[Change]:
    """
    Return what ``surrender`` changes. What a provider converted stays in the balance that it was settled in; what else its
    account has by the attempt, the account of the receipt has by the receipt.
    """
    inflow, there = Inflow.of(attempt), (_holding(attempt, AccountRole.SUSPENSE), receipt.money)
    if receipt.provider_account_id == attempt.provider_account_id or inflow.is_converted:
        return [there, (_own(receipt, AccountRole.SUSPENSE), -receipt.money)]
    kept = (_provider_balance(attempt), inflow.fee - inflow.credited)
    return [there, *_brought(receipt), kept, (_fees(attempt), -inflow.fee)]


def refund_key(refund: Refund) -> str:
    return f"refund:{refund.id}"


def refund(refund: Refund, *, taken: Money, carried: Sequence[Leg] = ()) -> Draft:
    """
    Book a collection, or a part of it, that went back, once per refund; its attempt counts it already.

    Dr unapplied collections as long as something that was credited there is left, which is nothing for money in suspense,
    Dr suspense with the rest, Cr provider balance with ``taken``, what left it; and Dr provider fees with what the provider took
    beside it, where it told that at once. Its fee for the collection stays paid. ``carried`` are the legs of the exchange where
    ``taken`` is in another currency.
    """
    attempt = refund.attempt
    charge = refund.charge or Money.zero(refund.currency)
    applied = _applied(refund)
    rest = refund.money - applied
    suspense = _holding(attempt, AccountRole.SUSPENSE)
    legs = [
        debit(_holding(attempt, AccountRole.UNAPPLIED_COLLECTIONS), applied),
        debit(suspense, rest) if rest.is_positive else credit(suspense, -rest),
        debit(_fees(attempt, charge.currency), charge),
        credit(_provider_balance(attempt), taken),
        credit(_provider_balance(attempt, charge.currency), charge),
        *carried,
    ]
    return Draft(
        key=refund_key(refund),
        description=f"Refund of collection {attempt.code}",
        source_type=SOURCE,
        source_id=refund.intent_id,
        legs=_joined(legs),
        event_at=refund.occurred_at,
        reference=refund.provider_receipt,
        dimensions=_rate(attempt) if carried else None,
    )


def _applied(refund: Refund) -> Money:
    """Return what of a refund was credited to unapplied collections: the last one takes all that is left there."""
    attempt = refund.attempt
    if attempt.is_in_suspense:
        return Money.zero(refund.currency)
    applied = attempt.applied.minor
    left = applied - min(attempt.refunded_minor - refund.amount_minor, applied)
    is_last = attempt.refunded_minor == attempt.received_minor
    return Money(left if is_last else min(left, refund.amount_minor), refund.currency)


def refund_charge(refund: Refund) -> Draft:
    """Book a charge that was told after the refund was booked, once per refund: Dr provider fees, Cr provider balance."""
    charge = refund.charge
    if charge is None:
        raise ValueError(f"refund {refund.id} has no charge to book")
    attempt = refund.attempt
    return Draft(
        key=f"refund-charge:{refund.id}",
        description=f"Charge for the refund of collection {attempt.code}",
        source_type=SOURCE,
        source_id=refund.intent_id,
        legs=(
            debit(_fees(attempt, charge.currency), charge),
            credit(_provider_balance(attempt, charge.currency), charge),
        ),
        event_at=refund.occurred_at,
        reference=refund.provider_receipt,
    )


def _provider_balance(attempt: PaymentAttempt, currency: str = "") -> AccountRef:
    """
    Return what the provider holds for us: one account per provider account, in that account's branch, of the currency credited
    unless told.
    """
    account = attempt.provider_account
    return AccountRef(
        AccountRole.PROVIDER_BALANCE,
        currency or _credited_in(attempt),
        account.branch_id,
        owner_id=account.id,
        name=account.label,
    )


def _credited_in(attempt: PaymentAttempt) -> str:
    return attempt.settled_currency or attempt.received_currency


def _balance_of(receipt: InboundReceipt) -> AccountRef:
    account = receipt.provider_account
    return AccountRef(
        AccountRole.PROVIDER_BALANCE,
        receipt.currency,
        account.branch_id,
        owner_id=account.id,
        name=account.label,
    )


def _own(receipt: InboundReceipt, role: AccountRole) -> AccountRef:
    return AccountRef(role, receipt.currency, receipt.branch_id)


def _of_receipt(receipt: InboundReceipt, key: str, description: str, changes: list[Change]) -> Draft:
    return Draft(
        key=f"{key}:{receipt.id}",
        description=description,
        source_type=INBOUND_SOURCE,
        source_id=receipt.id,
        legs=_legs(changes),
        event_at=receipt.occurred_at,
        reference=receipt.receipt,
    )


def _of_attempt(attempt: PaymentAttempt, key: str, description: str, legs: tuple[Leg, ...]) -> Draft:
    return Draft(
        key=key,
        description=description,
        source_type=SOURCE,
        source_id=attempt.intent_id,
        legs=legs,
        reference=attempt.provider_receipt,
    )


def _fees(attempt: PaymentAttempt, currency: str = "") -> AccountRef:
    return AccountRef(AccountRole.PROVIDER_FEES, currency or _credited_in(attempt), attempt.branch_id)


def _holding(attempt: PaymentAttempt, role: AccountRole) -> AccountRef:
    return AccountRef(role, attempt.received_currency, attempt.branch_id)


def _joined(legs: list[Leg]) -> tuple[Leg, ...]:
    """Return the legs with those of one account and side as one, without those of nothing."""
    sums: dict[tuple[AccountRef, Direction], Money] = {}
    for leg in legs:
        place = (leg.account, leg.direction)
        sums[place] = sums[place] + leg.money if place in sums else leg.money
    return tuple(
        debit(account, money) if side == Direction.DEBIT else credit(account, money)
        for (account, side), money in sums.items()
        if not money.is_zero
    )

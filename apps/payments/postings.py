"""The only place where collections and refunds become debits and credits."""

from apps.kit.money import Money
from apps.ledger.contracts import AccountRef, AccountRole, Draft, Leg, credit, debit
from apps.payments.models import InboundReceipt, PaymentAttempt, Refund

SOURCE = "payment_intent"
INBOUND_SOURCE = "inbound_receipt"


def collection(attempt: PaymentAttempt) -> Draft:
    """
    Book the money of an attempt, once per attempt.

    Dr provider balance (net), Dr provider fees (by the account's tariff), Cr unapplied collections, or suspense when
    the money does not fit the intent (gross).
    """
    received, fee = _booked(attempt)
    legs = [debit(_provider_balance(attempt), received - fee), debit(_fees(attempt), fee)]
    role = AccountRole.SUSPENSE if attempt.is_in_suspense else AccountRole.UNAPPLIED_COLLECTIONS
    legs.append(credit(_holding(attempt, role), received))
    return Draft(
        key=f"collection:{attempt.id}",
        description=f"Collection {attempt.code}",
        source_type=SOURCE,
        source_id=attempt.intent_id,
        legs=_without_zero(legs),
        event_at=attempt.occurred_at,
        reference=attempt.provider_receipt,
    )


def correction(attempt: PaymentAttempt, *, assumed: Money, assumed_fee: Money) -> Draft:
    """
    Bring a collection whose sum had been assumed to the sum that the provider reported later, once per attempt.

    What was credited stays credited, for it has been announced; the difference waits in suspense, on the debit side
    when less arrived than was assumed.
    """
    received, fee = _booked(attempt)
    changes = [
        (_provider_balance(attempt), (received - fee) - (assumed - assumed_fee)),
        (_fees(attempt), fee - assumed_fee),
        (_holding(attempt, AccountRole.SUSPENSE), assumed - received),
    ]
    legs = [
        debit(account, change) if change.is_positive else credit(account, -change)
        for account, change in changes
        if not change.is_zero
    ]
    return Draft(
        key=f"collection-correction:{attempt.id}",
        description=f"Correction of collection {attempt.code}",
        source_type=SOURCE,
        source_id=attempt.intent_id,
        legs=tuple(legs),
        event_at=attempt.occurred_at,
        reference=attempt.provider_receipt,
    )


def inbound(receipt: InboundReceipt) -> Draft:
    """
    Book money that no payment explains, once per receipt.

    Dr provider balance (net), Dr provider fees (by the account's tariff), Cr suspense of the account's branch (gross).
    """
    legs = [
        debit(_balance_of(receipt), receipt.money - receipt.fee),
        debit(_own(receipt, AccountRole.PROVIDER_FEES), receipt.fee),
        credit(_own(receipt, AccountRole.SUSPENSE), receipt.money),
    ]
    return _of_receipt(receipt, "inbound-receipt", f"Unexplained money {receipt.receipt}", legs)


def retraction(receipt: InboundReceipt) -> Draft:
    """Take back what was booked of money that its payment had booked before, once per receipt: the opposite of ``inbound``."""
    legs = [
        debit(_own(receipt, AccountRole.SUSPENSE), receipt.money),
        credit(_own(receipt, AccountRole.PROVIDER_FEES), receipt.fee),
        credit(_balance_of(receipt), receipt.money - receipt.fee),
    ]
    return _of_receipt(receipt, "inbound-receipt-retraction", f"Booked twice: {receipt.receipt}", legs)


def explanation(receipt: InboundReceipt, attempt: PaymentAttempt) -> Draft | None:
    """
    Move money whose payment is known at last out of suspense, once per attempt, in place of ``collection``.

    Dr suspense of the account's branch, Cr unapplied collections of the payment's; None where it stays where it is, for
    it does not fit the payment.
    """
    role = AccountRole.SUSPENSE if attempt.is_in_suspense else AccountRole.UNAPPLIED_COLLECTIONS
    here, there = _own(receipt, AccountRole.SUSPENSE), _holding(attempt, role)
    if here == there:
        return None
    return Draft(
        key=f"collection:{attempt.id}",
        description=f"Collection {attempt.code}, from suspense",
        source_type=SOURCE,
        source_id=attempt.intent_id,
        legs=(debit(here, receipt.money), credit(there, receipt.money)),
        event_at=attempt.occurred_at,
        reference=attempt.provider_receipt,
    )


def acceptance(attempt: PaymentAttempt) -> Draft:
    """Move money of a payment in review out of suspense, for a person says that it pays: Dr suspense, Cr unapplied collections."""
    received, _ = _booked(attempt)
    there = _holding(attempt, AccountRole.UNAPPLIED_COLLECTIONS)
    legs = (debit(_holding(attempt, AccountRole.SUSPENSE), received), credit(there, received))
    return _of_attempt(attempt, "collection-acceptance", f"Collection {attempt.code}, accepted", legs)


def surrender(receipt: InboundReceipt, attempt: PaymentAttempt) -> Draft | None:
    """
    Move money that a person took from its payment into suspense of its account's branch, once per attempt.

    Dr suspense of the payment's branch, Cr suspense of the account's; None where that is the same.
    """
    here, there = _holding(attempt, AccountRole.SUSPENSE), _own(receipt, AccountRole.SUSPENSE)
    if here == there:
        return None
    legs = (debit(here, receipt.money), credit(there, receipt.money))
    return _of_attempt(attempt, "collection-surrender", f"Collection {attempt.code}, given up", legs)


def return_of_surrender(receipt: InboundReceipt, attempt: PaymentAttempt) -> Draft | None:
    """Move money that a person took from its payment back there, for its refund has taken it: the opposite of ``surrender``."""
    here, there = _own(receipt, AccountRole.SUSPENSE), _holding(attempt, AccountRole.SUSPENSE)
    if here == there:
        return None
    legs = (debit(here, receipt.money), credit(there, receipt.money))
    return _of_attempt(attempt, "collection-surrender-return", f"Collection {attempt.code}, gone back", legs)


def refund(refund: Refund) -> Draft:
    """
    Book a collection that went back whole, once per refund.

    Dr unapplied collections with what was credited there, which is nothing for money in suspense, Dr suspense with the
    rest, Cr provider balance; and Dr provider fees with what the provider took beside it, where it told that at once. Its
    fee for the collection stays paid.
    """
    attempt = refund.attempt
    charge = refund.charge or Money.zero(refund.currency)
    applied = Money.zero(refund.currency) if attempt.is_in_suspense else attempt.money
    rest = refund.money - applied
    suspense = _holding(attempt, AccountRole.SUSPENSE)
    legs = [
        debit(_holding(attempt, AccountRole.UNAPPLIED_COLLECTIONS), applied),
        debit(suspense, rest) if rest.is_positive else credit(suspense, -rest),
        debit(_fees(attempt), charge),
        credit(_provider_balance(attempt), refund.money + charge),
    ]
    return Draft(
        key=f"refund:{refund.id}",
        description=f"Refund of collection {attempt.code}",
        source_type=SOURCE,
        source_id=refund.intent_id,
        legs=_without_zero(legs),
        event_at=refund.occurred_at,
        reference=refund.provider_receipt,
    )


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
        legs=(debit(_fees(attempt), charge), credit(_provider_balance(attempt), charge)),
        event_at=refund.occurred_at,
        reference=refund.provider_receipt,
    )


def _booked(attempt: PaymentAttempt) -> tuple[Money, Money]:
    received, fee = attempt.received, attempt.fee
    if received is None or fee is None:
        raise ValueError(f"attempt {attempt.id} has no money to book")
    return received, fee


def _provider_balance(attempt: PaymentAttempt) -> AccountRef:
    """Return what the provider holds for us: one account per provider account, in that account's branch."""
    account = attempt.provider_account
    return AccountRef(
        AccountRole.PROVIDER_BALANCE,
        attempt.received_currency,
        account.branch_id,
        owner_id=account.id,
        name=account.label,
    )


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


def _of_receipt(receipt: InboundReceipt, key: str, description: str, legs: list[Leg]) -> Draft:
    return Draft(
        key=f"{key}:{receipt.id}",
        description=description,
        source_type=INBOUND_SOURCE,
        source_id=receipt.id,
        legs=_without_zero(legs),
        event_at=receipt.occurred_at,
        reference=receipt.receipt,
    )


def _of_attempt(attempt: PaymentAttempt, key: str, description: str, legs: tuple[Leg, ...]) -> Draft:
    return Draft(
        key=f"{key}:{attempt.id}",
        description=description,
        source_type=SOURCE,
        source_id=attempt.intent_id,
        legs=legs,
        reference=attempt.provider_receipt,
    )


def _fees(attempt: PaymentAttempt) -> AccountRef:
    return AccountRef(AccountRole.PROVIDER_FEES, attempt.received_currency, attempt.branch_id)


def _holding(attempt: PaymentAttempt, role: AccountRole) -> AccountRef:
    return AccountRef(role, attempt.received_currency, attempt.branch_id)


def _without_zero(legs: list[Leg]) -> tuple[Leg, ...]:
    return tuple(leg for leg in legs if not leg.money.is_zero)

"""The only place where collections become debits and credits."""

from apps.kit.money import Money
from apps.ledger.contracts import AccountRef, AccountRole, Draft, Leg, credit, debit
from apps.payments.models import PaymentAttempt

SOURCE = "payment_intent"


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


def _fees(attempt: PaymentAttempt) -> AccountRef:
    return AccountRef(AccountRole.PROVIDER_FEES, attempt.received_currency, attempt.branch_id)


def _holding(attempt: PaymentAttempt, role: AccountRole) -> AccountRef:
    return AccountRef(role, attempt.received_currency, attempt.branch_id)


def _without_zero(legs: list[Leg]) -> tuple[Leg, ...]:
    return tuple(leg for leg in legs if not leg.money.is_zero)

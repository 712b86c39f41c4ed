"""Closing: what a year earned and spent goes into retained earnings, one transaction per currency and branch."""

from collections import defaultdict
from datetime import datetime
from uuid import UUID

from apps.kit.actors import Actor
from apps.kit.money import Money
from apps.ledger.contracts import AccountRef, AccountRole, AccountType, Draft, TransactionKind, credit, debit
from apps.ledger.models import Account, Closing, Period
from apps.ledger.selectors import periods as stored
from apps.ledger.services import journals

YEARLY_TYPES = [AccountType.INCOME.value, AccountType.EXPENSE.value]


def post(*, period: Period, actor: Actor, now: datetime) -> list[Closing]:
    """
    Book the closing of the year that ends with this period, dated its last day, and return a row for each transaction.

    Afterwards every income and expense account stands at zero on that day and the balance sheet's totals are what they
    were. Neither limits nor states of accounts stand in its way: one that was closed since had earned or spent in the year all
    the same. The caller holds the fence of the book, so nothing is booked meanwhile. Raises as journals.post.
    """
    yearly = stored.standing(period).filter(type__in=YEARLY_TYPES).order_by("currency", "branch_id", "id")
    books: dict[tuple[str, UUID], list[tuple[Account, int]]] = defaultdict(list)
    for account in yearly:
        books[account.currency, account.branch_id].append((account, account.standing))
    closings = []
    for (currency, branch_id), nets in books.items():
        draft = _draft(period, currency, branch_id, nets)
        booked = journals.post(draft=draft, actor=actor, now=now, force=True)
        closings.append(
            Closing.objects.create(period=period, revision=period.revision, transaction_id=booked.number)
        )
    return closings


def _draft(period: Period, currency: str, branch_id: UUID, nets: list[tuple[Account, int]]) -> Draft:
    legs = [(credit if net > 0 else debit)(account.ref, Money(abs(net), currency)) for account, net in nets]
    loss = sum(net for _, net in nets)
    if loss:
        earnings = AccountRef(AccountRole.RETAINED_EARNINGS, currency, branch_id)
        legs.append((debit if loss > 0 else credit)(earnings, Money(abs(loss), currency)))
    return Draft(
        key=f"ledger:closing:{period.uid}:{period.revision}:{currency}:{branch_id}",
        description=f"Closing of the year to {period.end_date}",
        source_type="ledger_period",
        source_id=period.uid,
        legs=tuple(legs),
        kind=TransactionKind.CLOSING,
        effective_date=period.end_date,
    )

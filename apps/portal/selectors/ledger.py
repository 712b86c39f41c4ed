"""The ledger explorer: sections of the chart, one account's month, one transaction."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.access.selectors import scope
from apps.access.selectors.scope import Principal
from apps.kit.money import Money
from apps.ledger.contracts import AccountType
from apps.ledger.selectors import accounts, transactions
from apps.ledger.selectors.accounts import AccountBalance
from apps.ledger.selectors.transactions import BookedLeg, BookedTransaction
from apps.portal.contracts import AccountSection, Booking, EntryLine, Footing, Proof

SECTIONS = {
    AccountType.ASSET: (_("Assets"), _("debit balances")),
    AccountType.LIABILITY: (_("Liabilities"), _("credit balances")),
    AccountType.EQUITY: (_("Equity"), _("credit balances")),
    AccountType.INCOME: (_("Income"), _("credit balances")),
    AccountType.EXPENSE: (_("Expenses"), _("debit balances")),
    AccountType.MEMO: (_("Memo"), _("outside the balance")),
}


def sections(books: Sequence[AccountBalance]) -> tuple[AccountSection, ...]:
    """Return the accounts by type in the order of the chart, each type with its totals."""
    found: dict[AccountType, list[AccountBalance]] = defaultdict(list)
    for account in books:
        found[account.type].append(account)
    return tuple(
        AccountSection(title, side, tuple(found[kind]), _totals(account.balance for account in found[kind]))
        for kind, (title, side) in SECTIONS.items()
        if found[kind]
    )


def proof(books: Sequence[AccountBalance], caller: Principal) -> tuple[Proof, ...]:
    """
    Return debit balances against credit balances for each currency.

    Nothing for a reader of some branches: a transaction may have its other side in a branch that he does not see.
    """
    if scope.branch_ids(caller) is not None:
        return ()
    sides: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for account in books:
        sides[account.currency][account.net.minor < 0] += abs(account.net.minor)
    return tuple(
        Proof(Money(debits, currency), Money(credited, currency))
        for currency, (debits, credited) in sorted(sides.items())
    )


def month(account: AccountBalance, *, now: datetime) -> Footing:
    """
    Return how the account's balance came about this month, on its usual side: opening, debits, credits, balance.

    For a liability the balance grows with credits; ``money_in`` is always the debits and ``money_out`` the credits.
    """
    moved = accounts.movement(account, since=timezone.localdate(now).replace(day=1))
    opening = moved.opening if account.is_debit_normal else -moved.opening
    return Footing(opening, moved.debits, moved.credits, account.balance)


def booking(transaction: BookedTransaction, caller: Principal) -> Booking:
    """Return a transaction with its entries; accounts of other branches than the caller's are named, not linked."""
    return _booking(transaction, scope.branch_ids(caller))


def of_source(source_type: str, source_id: UUID, caller: Principal) -> tuple[Booking, ...]:
    """Return what a business row caused in the books, oldest first."""
    visible = scope.branch_ids(caller)
    return tuple(
        _booking(transaction, visible)
        for transaction in transactions.of_source(source_type, source_id, caller)
    )


def _booking(transaction: BookedTransaction, visible: set[UUID] | None) -> Booking:
    totals = transaction.totals
    return Booking(
        uid=transaction.uid,
        number=transaction.number,
        description=transaction.description,
        posted_at=transaction.posted_at,
        entries=tuple(
            EntryLine(
                account_uid=leg.account_uid if visible is None or leg.branch_id in visible else None,
                account=_named(leg),
                debit=leg.debit,
                credit=leg.credit,
            )
            for leg in transaction.legs
        ),
        total=totals[0] if len(totals) == 1 else None,
    )


def _named(leg: BookedLeg) -> str:
    """Name the account, and say where the money is held only."""
    name = f"{leg.account_code} {leg.account_name}"
    return gettext("%(account)s, held") % {"account": name} if leg.is_pending else name


def _totals(balances: Iterable[Money]) -> tuple[Money, ...]:
    sums: dict[str, Money] = {}
    for balance in balances:
        sums[balance.currency] = sums.get(balance.currency, Money.zero(balance.currency)) + balance
    return tuple(sums[currency] for currency in sorted(sums))

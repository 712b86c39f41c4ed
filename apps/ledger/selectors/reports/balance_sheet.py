"""Balance sheet: assets against liabilities, equity and the result that no closing has carried to equity yet."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from apps.access.selectors.scope import Principal
from apps.kit.money import Money
from apps.ledger.contracts import AccountType
from apps.ledger.selectors.reports import basis
from apps.ledger.selectors.reports.basis import Basis, Row

RESULT = (AccountType.INCOME, AccountType.EXPENSE)


@dataclass(frozen=True, slots=True)
class SheetTotal:
    """
    One currency: assets = liabilities + equity + result + elsewhere.

    ``elsewhere`` is what the accounts of other branches, or memo accounts, were booked against; zero for a whole
    organisation without them.
    """

    assets: Money
    liabilities: Money
    equity: Money
    result: Money

    @property
    def elsewhere(self) -> Money:
        return self.assets - self.liabilities - self.equity - self.result


@dataclass(frozen=True, slots=True)
class BalanceSheet:
    """The rows of assets, liabilities and equity in the order of the chart, and the equation of each currency."""

    basis: Basis
    assets: tuple[Row, ...]
    liabilities: tuple[Row, ...]
    equity: tuple[Row, ...]
    totals: tuple[SheetTotal, ...]


def read(
    *,
    as_of: date,
    known_at: datetime,
    branch_id: UUID | None = None,
    within: frozenset[UUID] | None = None,
    caller: Principal | None = None,
) -> BalanceSheet:
    """Return the balance sheet at the end of ``as_of``, as known at ``known_at``, of what the caller sees: one statement."""
    asked = Basis(as_of=as_of, known_at=known_at, branch_id=branch_id, within=within)
    found = basis.rows(asked, caller)
    assets, liabilities, equity = (
        tuple(row for row in found if row.type == kind)
        for kind in (AccountType.ASSET, AccountType.LIABILITY, AccountType.EQUITY)
    )
    result = [row for row in found if row.type in RESULT]
    shown = [*assets, *liabilities, *equity, *result]
    totals = tuple(
        SheetTotal(
            assets=basis.net(assets, currency),
            liabilities=-basis.net(liabilities, currency),
            equity=-basis.net(equity, currency),
            result=-basis.net(result, currency),
        )
        for currency in basis.currencies(shown)
    )
    return BalanceSheet(asked, assets, liabilities, equity, totals)

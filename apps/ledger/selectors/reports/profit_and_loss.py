"""Profit and loss: income less expenses of a range of days, by branch, whether or not a year end has closed it."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from apps.access.selectors.scope import Principal
from apps.kit.money import Money
from apps.ledger.contracts import AccountType
from apps.ledger.selectors.reports import basis
from apps.ledger.selectors.reports.basis import Basis, Row


@dataclass(frozen=True, slots=True)
class Result:
    """Income less expenses in one currency, of one branch or of all (``branch_id`` None)."""

    branch_id: UUID | None
    branch_name: str
    income: Money
    expenses: Money

    @property
    def profit(self) -> Money:
        return self.income - self.expenses


@dataclass(frozen=True, slots=True)
class ProfitAndLoss:
    """
    The rows of income and expenses in the order of the chart; ``totals`` has one result per currency, ``branches`` one
    per branch and currency.
    """

    basis: Basis
    income: tuple[Row, ...]
    expenses: tuple[Row, ...]
    totals: tuple[Result, ...]
    branches: tuple[Result, ...]


def read(
    *,
    since: date,
    as_of: date,
    known_at: datetime,
    branch_id: UUID | None = None,
    within: frozenset[UUID] | None = None,
    caller: Principal | None = None,
) -> ProfitAndLoss:
    """
    Return what was earned and spent from ``since`` to ``as_of``, as known at ``known_at``: one statement.

    The closing transactions of a year end and the reversals of closings are left out, both together: they carry a result
    to equity and earn nothing. Raises DatesInvalid.
    """
    asked = Basis(as_of=as_of, known_at=known_at, since=since, branch_id=branch_id, within=within)
    found = basis.rows(
        asked, caller, types=(AccountType.INCOME, AccountType.EXPENSE), is_without_closings=True
    )
    by_branch = sorted({(row.branch_name, row.branch_id) for row in found}, key=str)
    return ProfitAndLoss(
        basis=asked,
        income=tuple(row for row in found if row.type == AccountType.INCOME),
        expenses=tuple(row for row in found if row.type == AccountType.EXPENSE),
        totals=tuple(_result(found, currency) for currency in basis.currencies(found)),
        branches=tuple(
            _result(own, currency, branch_id=branch, branch_name=name)
            for name, branch in by_branch
            for own in [[row for row in found if row.branch_id == branch]]
            for currency in basis.currencies(own)
        ),
    )


def _result(
    found: list[Row], currency: str, *, branch_id: UUID | None = None, branch_name: str = ""
) -> Result:
    income = [row for row in found if row.type == AccountType.INCOME]
    expenses = [row for row in found if row.type == AccountType.EXPENSE]
    return Result(branch_id, branch_name, -basis.net(income, currency), basis.net(expenses, currency))

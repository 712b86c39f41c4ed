"""Trial balance: every account's balance at a date, debits beside credits, equal in sum per currency."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from apps.access.selectors.scope import Principal
from apps.kit.money import Money
from apps.ledger.selectors.reports import basis
from apps.ledger.selectors.reports.basis import Basis, Row


@dataclass(frozen=True, slots=True)
class CurrencyTotal:
    """The sums of one currency; a whole organisation's are equal, a branch's need not be."""

    debits: Money
    credits: Money

    @property
    def difference(self) -> Money:
        return self.debits - self.credits


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """The rows in the order of the chart, and a total per currency."""

    basis: Basis
    rows: tuple[Row, ...]
    totals: tuple[CurrencyTotal, ...]

    @property
    def is_balanced(self) -> bool:
        return all(total.difference.is_zero for total in self.totals)


def read(
    *,
    as_of: date,
    known_at: datetime,
    branch_id: UUID | None = None,
    within: frozenset[UUID] | None = None,
    caller: Principal | None = None,
) -> TrialBalance:
    """Return the trial balance at the end of ``as_of``, as known at ``known_at``, of what the caller sees: one statement."""
    asked = Basis(as_of=as_of, known_at=known_at, branch_id=branch_id, within=within)
    rows = basis.rows(asked, caller)
    totals = []
    for currency in basis.currencies(rows):
        nets = [row.net_minor for row in rows if row.currency == currency]
        debits = sum(net for net in nets if net > 0)
        totals.append(CurrencyTotal(Money(debits, currency), Money(debits - sum(nets), currency)))
    return TrialBalance(asked, tuple(rows), tuple(totals))

"""What the pages about balances draw."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from apps.integrations.contracts import Holding
from apps.kit.money import Money
from apps.ledger.selectors.accounts import AccountBalance


@dataclass(frozen=True, slots=True)
class DayFlow:
    """What moved on one local day in one currency, and the balance at its end."""

    day: date
    money_in: Money
    money_out: Money
    closing: Money


@dataclass(frozen=True, slots=True)
class Footing:
    """A balance that shows how it foots: opening + in - out = balance. ``accounts`` is how many it sums."""

    opening: Money
    money_in: Money
    money_out: Money
    balance: Money
    accounts: int = 1

    def __add__(self, other: "Footing") -> "Footing":
        return Footing(
            self.opening + other.opening,
            self.money_in + other.money_in,
            self.money_out + other.money_out,
            self.balance + other.balance,
            self.accounts + other.accounts,
        )


@dataclass(frozen=True, slots=True)
class BalanceLine:
    """One account that holds money."""

    account: AccountBalance
    today: Footing


@dataclass(frozen=True, slots=True)
class HeldLine:
    """One provider account: what the provider says that it holds, beside the books."""

    label: str
    url: str
    holding: Holding


@dataclass(frozen=True, slots=True)
class Waiting:
    """Payments in one group of states: how many, how much in each currency, since when."""

    count: int = 0
    sums: tuple[Money, ...] = ()
    oldest_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """What one role of accounts adds to the balance (provider fees take away)."""

    name: str
    amount: Money
    account_uid: UUID | None


@dataclass(frozen=True, slots=True)
class CashPosition:
    """
    Everything on the first page, read at ``as_of``; ``currency`` is the one that strip, chart and parts are in.

    ``parts`` is empty when they do not add up to the balance: a reader of some branches sees only one side of them.
    """

    as_of: datetime
    currency: str
    lines: tuple[BalanceLine, ...]
    totals: tuple[Footing, ...]
    expected: Waiting
    unknown: Waiting
    in_review: Waiting
    suspense: tuple[Money, ...]
    parts: tuple[Part, ...]
    days: tuple[DayFlow, ...]

    @property
    def total(self) -> Footing | None:
        return next((total for total in self.totals if total.balance.currency == self.currency), None)


@dataclass(frozen=True, slots=True)
class Proof:
    """All debit balances and all credit balances of one currency: equal, or the books are broken."""

    debits: Money
    credits: Money

    @property
    def difference(self) -> Money:
        return self.debits - self.credits

"""What crosses the ledger's border: account references, legs, drafts and receipts of bookings, and the chart of roles."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum, StrEnum
from types import MappingProxyType
from uuid import UUID

from apps.kit.money import Money


class AccountType(StrEnum):
    ASSET = "ASSET"
    LIABILITY = "LIABILITY"
    EQUITY = "EQUITY"
    INCOME = "INCOME"
    EXPENSE = "EXPENSE"
    MEMO = "MEMO"


class AccountStatus(StrEnum):
    """FROZEN takes no postings until it is opened again; CLOSED is empty and stays so."""

    OPEN = "OPEN"
    FROZEN = "FROZEN"
    CLOSED = "CLOSED"


class AccountRole(StrEnum):
    """What an account is for. Code asks for a role and an owner, never for an account's number."""

    PROVIDER_BALANCE = "PROVIDER_BALANCE"
    PROVIDER_FEES = "PROVIDER_FEES"
    UNAPPLIED_COLLECTIONS = "UNAPPLIED_COLLECTIONS"
    SUSPENSE = "SUSPENSE"


class TransactionKind(StrEnum):
    POSTING = "POSTING"


class Direction(IntEnum):
    DEBIT = 1
    CREDIT = -1


class Layer(IntEnum):
    POSTED = 0
    PENDING = 1


@dataclass(frozen=True, slots=True)
class ChartLine:
    """
    Where the accounts of one role stand in the chart.

    The first account of the role gets ``code``, the next ones the numbers after it; when the ``width`` numbers of the
    block are used up the codes go on as ``<code>.<n>``. ``shards`` is the number of balance rows of a new account.
    """

    code: int
    width: int
    type: AccountType
    name: str
    shards: int = 1


CHART: Mapping[AccountRole, ChartLine] = MappingProxyType(
    {
        AccountRole.PROVIDER_BALANCE: ChartLine(1010, 90, AccountType.ASSET, "Provider balance"),
        AccountRole.UNAPPLIED_COLLECTIONS: ChartLine(
            2110, 40, AccountType.LIABILITY, "Unapplied collections"
        ),
        AccountRole.SUSPENSE: ChartLine(2150, 40, AccountType.LIABILITY, "Suspense"),
        AccountRole.PROVIDER_FEES: ChartLine(5210, 90, AccountType.EXPENSE, "Provider fees"),
    }
)


@dataclass(frozen=True, slots=True)
class AccountRef:
    """
    Names one account by what it is for; the account is opened when something is first posted to it.

    ``owner_id`` is the thing that the account belongs to, as far as the role has one: for PROVIDER_BALANCE the
    provider account. ``name`` is what the account will be called if it has to be opened ("M-Pesa Westlands"); it is no
    part of the reference's identity and changes no account that exists.
    """

    role: AccountRole
    currency: str
    branch_id: UUID
    owner_id: UUID | None = None
    name: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Leg:
    """One side of a posting: exactly one of ``debit`` and ``credit``, positive, in the account's currency."""

    account: AccountRef
    debit: Money | None = None
    credit: Money | None = None

    @property
    def direction(self) -> Direction:
        return Direction.CREDIT if self.debit is None else Direction.DEBIT

    @property
    def money(self) -> Money:
        money = self.credit if self.debit is None else self.debit
        if money is None:
            raise ValueError("a leg has a debit or a credit")
        return money


def debit(account: AccountRef, money: Money) -> Leg:
    """Return the leg that debits ``account``."""
    return Leg(account, debit=money)


def credit(account: AccountRef, money: Money) -> Leg:
    """Return the leg that credits ``account``."""
    return Leg(account, credit=money)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """
    A transaction that somebody wants booked.

    ``key`` names the business fact ("payments:collection:<attempt id>") and is used once in the life of the ledger:
    the same draft again returns the first booking, another draft under the same key is refused. ``effective_date`` None
    is the local date of ``now`` in the book's zone. ``event_at`` is the provider's time, ``reference`` the text that
    people search by (a provider's receipt).
    """

    key: str
    description: str
    source_type: str
    source_id: UUID
    legs: tuple[Leg, ...]
    kind: TransactionKind = TransactionKind.POSTING
    effective_date: date | None = None
    event_at: datetime | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Booked:
    """A booked transaction: its public id, its number in the ledger, and whether it had been booked before."""

    id: UUID
    number: int
    is_replay: bool

"""What crosses the ledger's border: account references, legs, drafts and receipts of bookings, and the chart of roles."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import IntEnum, StrEnum
from types import MappingProxyType
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.approvals.contracts import declare_kind
from apps.kit.money import Money

JOURNAL = declare_kind(
    name="journal", title=_("Journal"), permission="ledger.adjust", page="portal-journal", has_sum=True
)
"""An adjustment or opening balances that somebody books by hand."""
REVERSAL = declare_kind(
    name="reversal", title=_("Reversal"), permission="ledger.adjust", page="portal-transaction", has_sum=True
)
"""The opposite of a transaction that somebody wants booked."""
FX_RATE = declare_kind(name="fx_rate", title=_("Exchange rate"), permission="ledger.rates")
"""Taking over a rate that is far from the last one, as approval rules call it."""
PERIOD_REOPEN = declare_kind(
    name="period_reopen",
    title=_("Reopening of a period"),
    permission="ledger.close",
    page="portal-period",
)
PERIOD_CLOSE_JOB = "ledger_close"
"""The kind of job that closes a period."""


LEG_MAX = 10**35 - 1
"""The largest sum of a leg, in minor units: room for a token of 18 decimals, and a thousand such legs in a balance of 38 digits."""
DIMENSIONS_MAX = 20
DIMENSION_NAME_MAX = 40
DIMENSION_VALUE_MAX = 100
"""What cuts reports: so many names with their values on a transaction, and so many characters of each."""
FIRST_DAY = date(1970, 1, 1)
AHEAD_MAX = timedelta(days=3652)
"""What a posting is dated within: from FIRST_DAY to ten years from now."""


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


class OwnerType(StrEnum):
    """Whose money stands on an account; ``owner_id`` says which one of them, as far as the role has several."""

    PLATFORM = "PLATFORM"
    MERCHANT = "MERCHANT"
    RIDER = "RIDER"
    CUSTOMER = "CUSTOMER"
    BRANCH = "BRANCH"


class AccountRole(StrEnum):
    """What an account is for. Code asks for a role and an owner, never for an account's number."""

    PROVIDER_BALANCE = "PROVIDER_BALANCE"
    BANK_BALANCE = "BANK_BALANCE"
    CASH = "CASH"
    RECEIVABLE = "RECEIVABLE"
    TAX_RECEIVABLE = "TAX_RECEIVABLE"
    TAX_WITHHELD = "TAX_WITHHELD"
    TAX_RELIEF = "TAX_RELIEF"
    DISPUTED_PAYMENTS = "DISPUTED_PAYMENTS"
    FX_POSITION = "FX_POSITION"
    FX_REVALUATION = "FX_REVALUATION"
    PAYABLE = "PAYABLE"
    UNAPPLIED_COLLECTIONS = "UNAPPLIED_COLLECTIONS"
    SUSPENSE = "SUSPENSE"
    CUSTOMER_CREDIT = "CUSTOMER_CREDIT"
    CUSTOMER_DEPOSIT = "CUSTOMER_DEPOSIT"
    MERCHANT_PAYABLE = "MERCHANT_PAYABLE"
    RIDER_PAYABLE = "RIDER_PAYABLE"
    BRANCH_PAYABLE = "BRANCH_PAYABLE"
    RESERVE = "RESERVE"
    PAYOUTS_IN_TRANSIT = "PAYOUTS_IN_TRANSIT"
    RETURNED_PAYOUTS = "RETURNED_PAYOUTS"
    TAX_PAYABLE = "TAX_PAYABLE"
    RETAINED_EARNINGS = "RETAINED_EARNINGS"
    OPENING_BALANCES = "OPENING_BALANCES"
    REVENUE = "REVENUE"
    SALES_ALLOWANCE = "SALES_ALLOWANCE"
    LATE_FEE_INCOME = "LATE_FEE_INCOME"
    FX_REALISED_GAIN = "FX_REALISED_GAIN"
    FX_UNREALISED_GAIN = "FX_UNREALISED_GAIN"
    PURCHASES = "PURCHASES"
    PROVIDER_FEES = "PROVIDER_FEES"
    DISPUTE_FEES = "DISPUTE_FEES"
    CHARGEBACK_LOSS = "CHARGEBACK_LOSS"
    BAD_DEBT = "BAD_DEBT"
    FX_REALISED_LOSS = "FX_REALISED_LOSS"
    FX_UNREALISED_LOSS = "FX_UNREALISED_LOSS"
    ROUNDING = "ROUNDING"
    GENERAL = "GENERAL"
    """An account that finance opened in the chart for itself; its owner is its line of the chart."""


class TransactionKind(StrEnum):
    POSTING = "POSTING"
    HOLD = "HOLD"
    CAPTURE = "CAPTURE"
    RELEASE = "RELEASE"
    EXPIRY = "EXPIRY"
    REVERSAL = "REVERSAL"
    ADJUSTMENT = "ADJUSTMENT"
    EXCHANGE = "EXCHANGE"
    REVALUATION = "REVALUATION"
    CLOSING = "CLOSING"
    OPENING = "OPENING"


class HoldState(StrEnum):
    """An open hold is ACTIVE or PARTIALLY_CAPTURED; the others are final."""

    ACTIVE = "ACTIVE"
    PARTIALLY_CAPTURED = "PARTIALLY_CAPTURED"
    CAPTURED = "CAPTURED"
    RELEASED = "RELEASED"
    EXPIRED = "EXPIRED"


class PeriodState(StrEnum):
    OPEN = "OPEN"
    SOFT_CLOSED = "SOFT_CLOSED"
    CLOSED = "CLOSED"


class LateItems(StrEnum):
    """What becomes of a posting dated into a closed period: refused, or dated to the first open day."""

    REJECT = "REJECT"
    NEXT_OPEN = "NEXT_OPEN"


class Direction(IntEnum):
    DEBIT = 1
    CREDIT = -1


class Layer(IntEnum):
    POSTED = 0
    PENDING = 1


@dataclass(frozen=True, slots=True)
class SignOffKind:
    """
    Something that an app or a person vouches for before a period is closed.

    ``is_always``: no close without it. The others answer a precondition that the books themselves raise.
    ``is_personal``: a judgement that somebody answers for; no API key signs it.
    """

    name: str
    title: str | Promise
    is_always: bool = False
    is_personal: bool = False


SIGN_OFFS: dict[str, SignOffKind] = {}


def declare_sign_off(
    *, name: str, title: str | Promise, is_always: bool = False, is_personal: bool = False
) -> SignOffKind:
    """Enter a kind of sign-off and return it; call it at import of the ``contracts`` module of the app that vouches."""
    kind = SignOffKind(name, title, is_always, is_personal)
    if SIGN_OFFS.setdefault(name, kind) != kind:
        raise SignOffDeclaredTwice(f"{name} is declared twice")
    return kind


class SignOffDeclaredTwice(ValueError):
    """Two modules declare a kind of sign-off of the same name in different ways."""


SUSPENSE_ACKNOWLEDGED = declare_sign_off(name="suspense", title=_("Suspense acknowledged"), is_personal=True)
REVALUATION_DONE = declare_sign_off(name="revaluation", title=_("Revaluation done"))
CASH_RECONCILED = declare_sign_off(name="reconciliation", title=_("Cash accounts reconciled"))


@dataclass(frozen=True, slots=True)
class Precondition:
    """One thing that must be so before a period is closed: whether it is, how many rows say otherwise, and a sentence."""

    name: str
    title: str | Promise
    is_met: bool
    sentence: str
    count: int = 0


@dataclass(frozen=True, slots=True)
class RoleLine:
    """
    Where the accounts of one role stand in the chart, unless the organisation's own chart says otherwise.

    The first account of the role gets ``code``, the next ones the numbers after it; when the ``width`` numbers of the
    block are used up the codes go on as ``<code>.<n>``. ``shards`` is the number of balance rows of a new account.
    """

    code: int
    width: int
    type: AccountType
    name: str
    shards: int = 1
    owner: OwnerType = OwnerType.PLATFORM


_ASSET, _LIABILITY, _EQUITY = AccountType.ASSET, AccountType.LIABILITY, AccountType.EQUITY
_INCOME, _EXPENSE = AccountType.INCOME, AccountType.EXPENSE

CHART: Mapping[AccountRole, RoleLine] = MappingProxyType(
    {
        AccountRole.PROVIDER_BALANCE: RoleLine(1010, 90, _ASSET, "Provider balance"),
        AccountRole.BANK_BALANCE: RoleLine(1110, 80, _ASSET, "Bank balance"),
        AccountRole.CASH: RoleLine(1210, 40, _ASSET, "Cash", owner=OwnerType.BRANCH),
        AccountRole.RECEIVABLE: RoleLine(1310, 40, _ASSET, "Receivables"),
        AccountRole.TAX_RECEIVABLE: RoleLine(1410, 20, _ASSET, "Input VAT"),
        AccountRole.TAX_WITHHELD: RoleLine(1430, 20, _ASSET, "Tax withheld by customers"),
        AccountRole.TAX_RELIEF: RoleLine(1450, 20, _ASSET, "VAT relief on bad debts"),
        AccountRole.DISPUTED_PAYMENTS: RoleLine(1510, 40, _ASSET, "Disputed payments"),
        AccountRole.FX_POSITION: RoleLine(1910, 40, _ASSET, "Foreign exchange position"),
        AccountRole.FX_REVALUATION: RoleLine(1950, 40, _ASSET, "Foreign exchange revaluation"),
        AccountRole.PAYABLE: RoleLine(2010, 40, _LIABILITY, "Payables"),
        AccountRole.UNAPPLIED_COLLECTIONS: RoleLine(2110, 40, _LIABILITY, "Unapplied collections"),
        AccountRole.SUSPENSE: RoleLine(2150, 40, _LIABILITY, "Suspense"),
        AccountRole.CUSTOMER_CREDIT: RoleLine(
            2210, 40, _LIABILITY, "Customer credit", owner=OwnerType.CUSTOMER
        ),
        AccountRole.CUSTOMER_DEPOSIT: RoleLine(
            2250, 40, _LIABILITY, "Customer deposits", owner=OwnerType.CUSTOMER
        ),
        AccountRole.MERCHANT_PAYABLE: RoleLine(
            2310, 40, _LIABILITY, "Merchant payables", owner=OwnerType.MERCHANT
        ),
        AccountRole.RIDER_PAYABLE: RoleLine(2350, 40, _LIABILITY, "Rider payables", owner=OwnerType.RIDER),
        AccountRole.BRANCH_PAYABLE: RoleLine(2390, 10, _LIABILITY, "Branch payables", owner=OwnerType.BRANCH),
        AccountRole.RESERVE: RoleLine(2410, 40, _LIABILITY, "Reserves", owner=OwnerType.MERCHANT),
        AccountRole.PAYOUTS_IN_TRANSIT: RoleLine(2450, 40, _LIABILITY, "Payouts in transit"),
        AccountRole.RETURNED_PAYOUTS: RoleLine(2490, 10, _LIABILITY, "Returned payouts"),
        AccountRole.TAX_PAYABLE: RoleLine(2510, 40, _LIABILITY, "Output VAT"),
        AccountRole.RETAINED_EARNINGS: RoleLine(3110, 40, _EQUITY, "Retained earnings"),
        AccountRole.OPENING_BALANCES: RoleLine(3910, 40, _EQUITY, "Opening balances"),
        AccountRole.REVENUE: RoleLine(4010, 90, _INCOME, "Sales"),
        AccountRole.SALES_ALLOWANCE: RoleLine(4110, 40, _INCOME, "Sales allowances"),
        AccountRole.LATE_FEE_INCOME: RoleLine(4210, 40, _INCOME, "Late fees"),
        AccountRole.FX_REALISED_GAIN: RoleLine(4310, 40, _INCOME, "Realised exchange gains"),
        AccountRole.FX_UNREALISED_GAIN: RoleLine(4350, 40, _INCOME, "Unrealised exchange gains"),
        AccountRole.PURCHASES: RoleLine(5010, 90, _EXPENSE, "Purchases"),
        AccountRole.PROVIDER_FEES: RoleLine(5210, 90, _EXPENSE, "Provider fees"),
        AccountRole.DISPUTE_FEES: RoleLine(5310, 40, _EXPENSE, "Dispute fees"),
        AccountRole.CHARGEBACK_LOSS: RoleLine(5350, 40, _EXPENSE, "Chargeback losses"),
        AccountRole.BAD_DEBT: RoleLine(5410, 40, _EXPENSE, "Bad debts"),
        AccountRole.FX_REALISED_LOSS: RoleLine(5510, 40, _EXPENSE, "Realised exchange losses"),
        AccountRole.FX_UNREALISED_LOSS: RoleLine(5550, 40, _EXPENSE, "Unrealised exchange losses"),
        AccountRole.ROUNDING: RoleLine(5610, 40, _EXPENSE, "Rounding differences"),
    }
)
"""Every role but GENERAL, whose lines are the organisation's own."""


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
    """
    One side of a posting: exactly one of ``debit`` and ``credit``, in the account's currency.

    It is positive on the posted layer; on the pending one a negative sum takes back what was held.
    """

    account: AccountRef
    debit: Money | None = None
    credit: Money | None = None
    layer: Layer = Layer.POSTED

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
    people search by (a provider's receipt). ``approved_by`` and ``reason`` say who agreed and why a person wrote it.
    ``cost_centre`` and ``dimensions`` cut reports. ``reverses`` and ``hold`` are numbers of transactions, set by the
    services of reversals and holds alone.
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
    approved_by: str = ""
    reason: str = ""
    reverses: int | None = None
    hold: int | None = None
    cost_centre: str = ""
    dimensions: Mapping[str, str] | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it is a posted transfer between two accounts in one currency, which has a faster way."""
        return (
            len(self.legs) == len(Direction)
            and self.legs[0].direction != self.legs[1].direction
            and self.legs[0].layer == self.legs[1].layer == Layer.POSTED
            and not (self.approved_by or self.reason or self.reverses or self.hold)
            and not (self.cost_centre or self.dimensions)
        )


@dataclass(frozen=True, slots=True)
class Booked:
    """
    A booked transaction: its public id, its number in the ledger, and whether it had been booked before.

    ``effective_date`` is later than the draft's where that lay in a closed period and the book moves late items.
    """

    id: UUID
    number: int
    effective_date: date
    is_replay: bool

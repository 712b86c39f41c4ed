"""What finance has booked, as it should stand in the ledger: kept in plain numbers beside it, by none of its code."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from uuid import UUID

from apps.ledger.contracts import AccountRef, Booked, HoldState, LateItems
from apps.ledger.models import Account, Balance, Hold
from apps.ledger.selectors import balances

OPEN = (HoldState.ACTIVE, HoldState.PARTIALLY_CAPTURED)


@dataclass
class Promised:
    """A hold as it should be."""

    id: UUID
    number: int
    amount: int
    expires_at: datetime | None
    captured: int = 0
    state: HoldState = HoldState.ACTIVE

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def remaining(self) -> int:
        return self.amount - self.captured if self.is_open else 0

    def is_over(self, now: datetime) -> bool:
        return self.is_open and self.expires_at is not None and self.expires_at <= now

    def capture(self, minor: int) -> None:
        self.captured += minor
        self.state = HoldState.CAPTURED if self.captured == self.amount else HoldState.PARTIALLY_CAPTURED


@dataclass(frozen=True)
class Moved:
    """What one booking moved: account, day and minor units, a debit positive."""

    account: AccountRef
    on: date
    minor: int


@dataclass
class Books:
    """The accounts that finance moves in a world, and everything that it has done with them."""

    wallet: AccountRef
    transit: AccountRef
    shillings: AccountRef
    dollars: AccountRef
    position: AccountRef
    roundings: dict[str, AccountRef]
    purchases: AccountRef
    earnings: AccountRef
    rate: Fraction = Fraction(0)
    rated_at: datetime | None = None
    moved: list[Moved] = field(default_factory=list)
    promised: list[Promised] = field(default_factory=list)
    exchanged: dict[UUID, list[Moved]] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    deeds: list[tuple[Booked, Callable[[], Booked]]] = field(default_factory=list)
    closed_through: date | None = None
    late_items: LateItems = LateItems.REJECT

    def move(self, *moved: Moved) -> None:
        self.moved += moved

    def net(self, account: AccountRef, through: date = date.max) -> int:
        return sum(one.minor for one in self.moved if one.account == account and one.on <= through)

    @property
    def held(self) -> int:
        return sum(hold.remaining for hold in self.promised)

    @property
    def free(self) -> int:
        """What the customer may still spend: his deposit is owed to him, so it stands below zero."""
        return -self.net(self.wallet) - self.held


def differences(books: Books, now: datetime) -> Iterator[str]:
    """Yield a sentence for each thing that the ledger knows otherwise."""
    yield from _holds(books, now)
    yield from _balances(books)


def _holds(books: Books, now: datetime) -> Iterator[str]:
    stored = {hold.transaction_id: hold for hold in Hold.objects.all()}
    for promised in books.promised:
        hold = stored.pop(promised.number, None)
        ours = (promised.state, promised.captured, promised.remaining)
        theirs = (hold.state, hold.captured, hold.remaining.minor) if hold else None
        if ours != theirs:
            yield f"hold {promised.number} should be {ours}, and is {theirs}"
        if promised.is_over(now):
            yield f"hold {promised.number} is held past its time"
    yield from (f"hold {number} is there, and nobody placed it" for number in stored)
    wallet = Balance.objects.get(account__owner_id=books.wallet.owner_id)
    if wallet.pending_debits != books.held:
        yield f"{wallet.pending_debits} are held of the deposit, not {books.held}"


def _balances(books: Books) -> Iterator[str]:
    accounts = sorted({one.account for one in books.moved}, key=str)
    found = {account.ref: account for account in Account.objects.matching(accounts).with_net()}
    through = books.closed_through or date.min
    kept = balances.at(accounts, as_of=through)
    for account in accounts:
        name, ours = f"{account.role} {account.currency}", found.get(account)
        if ours is None:
            yield f"{name} was moved and is not there"
            continue
        if ours.net != books.net(account):
            yield f"{name} stands at {ours.net}, not at {books.net(account)}"
        was = kept[account].minor * ours.normal
        if was != books.net(account, through):
            yield f"{name} stood at {was} on {through}, not at {books.net(account, through)}"


def moves(counts: Counter[AccountRef], on: date) -> list[Moved]:
    """Return what a booking of a day moved."""
    return [Moved(account, on, minor) for account, minor in counts.items() if minor]

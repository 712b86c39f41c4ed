"""What the portal's selectors hand to its pages: facts ready to be drawn, no rows of other apps."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from django.utils.functional import Promise

from apps.integrations.contracts import Holding
from apps.kit.money import Money
from apps.ledger.selectors.accounts import AccountBalance


class Tone(StrEnum):
    """Colours of meaning; violet (UNKNOWN) is kept for what may have happened."""

    DONE = "done"
    PENDING = "pending"
    HELD = "held"
    FAILED = "failed"
    UNKNOWN = "unknown"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Badge:
    """A state: colour, icon (a Material Symbols name) and word, always together."""

    tone: Tone
    icon: str
    word: str | Promise


@dataclass(frozen=True, slots=True)
class Raw:
    """Something as it went over the wire, redacted, to be opened on demand."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Target:
    """What a page can link to: the kind of thing and its id."""

    kind: str
    id: UUID
    label: str


@dataclass(frozen=True, slots=True)
class Fact:
    """An identifier with its name, to be copied."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """
    One line of a timeline. ``is_gap``: from here on nobody knew, until the next line.

    Neighbours with the same ``fold`` become one line: repeated questions, events told to one endpoint. ``rank`` orders
    what happened at the same instant.
    """

    at: datetime
    tone: Tone
    icon: str
    title: str
    text: str = ""
    raws: tuple[Raw, ...] = ()
    targets: tuple[Target, ...] = ()
    is_gap: bool = False
    fold: str = ""
    rank: int = 0


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One side of a ledger transaction; ``account_uid`` is None for an account that the reader may not open."""

    account_uid: UUID | None
    account: str
    debit: Money | None
    credit: Money | None


@dataclass(frozen=True, slots=True)
class Booking:
    """A ledger transaction with its entries; ``total`` where all entries are of one currency."""

    uid: UUID
    number: str
    description: str
    posted_at: datetime
    entries: tuple[EntryLine, ...]
    total: Money | None


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


@dataclass(frozen=True, slots=True)
class PaymentFacts:
    """The head of a payment's page."""

    id: UUID
    title: str
    status: str
    badge: Badge
    money: Money
    received: Money | None
    fee: Money | None
    when: datetime
    took: str
    payer_name: str
    phone: str
    reference: str
    description: str
    rail: str
    rail_account: str
    branch: str
    application: str
    is_open: bool
    notice: str = ""
    refunded: Money | None = None
    refund_badge: Badge | None = None

    @property
    def refunded_out(self) -> Money | None:
        return None if self.refunded is None else -self.refunded

    @property
    def net(self) -> Money | None:
        return None if self.received is None or self.fee is None else self.received - self.fee

    @property
    def fee_out(self) -> Money | None:
        return None if self.fee is None else -self.fee


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """One thing that waits for evidence; ``payment_id`` is None for money that is of no payment."""

    at: datetime
    name: str
    text: str
    money: Money
    badge: Badge
    payment_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class EvidenceQueue:
    """Payments and refunds of which nobody knows what became, and movements that nobody has explained."""

    payments: tuple[EvidenceLine, ...]
    refunds: tuple[EvidenceLine, ...]
    movements: tuple[EvidenceLine, ...]


@dataclass(frozen=True, slots=True)
class ReceiptFacts:
    """The receipt of a payment; ``sha256`` is empty until the PDF is stored."""

    id: UUID
    number: str
    issued_at: datetime
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class EventLine:
    """One published event and how far our own handlers are with it."""

    name: str
    occurred_at: datetime
    is_internal: bool
    badge: Badge
    note: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    """One event on its way to one webhook endpoint."""

    id: UUID
    event: str
    subject: str
    url: str
    host: str
    status: str
    badge: Badge
    attempts: int
    answer: str
    created_at: datetime
    next_attempt_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class PaymentTimeline:
    """A payment with everything that happened because of it, as far as the reader may see it."""

    payment: PaymentFacts
    steps: tuple[Step, ...]
    bookings: tuple[Booking, ...]
    receipt: ReceiptFacts | None
    events: tuple[EventLine, ...]
    deliveries: tuple[DeliveryLine, ...]
    identifiers: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class DeliveryDetail:
    """A webhook delivery with its attempts and the bytes that are signed and sent."""

    line: DeliveryLine
    attempts: tuple[Step, ...]
    payload: str
    about: Target | None
    identifiers: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class InboxLine:
    """A sandbox inbox and its address."""

    id: UUID
    label: str
    url: str
    created_at: datetime
    failing: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request that an inbox received; ``signature`` is valid, invalid or unchecked."""

    id: UUID
    title: str
    received_at: datetime
    signature: str
    badge: Badge
    note: str
    webhook_id: str
    answered: int
    raws: tuple[Raw, ...]


@dataclass(frozen=True, slots=True)
class JobResult:
    """The file of a job, as far as it is shown: ``totals`` are its control totals by column."""

    name: str
    size: str
    sha256: str
    rows: int | None
    totals: tuple[tuple[str, Money], ...]
    expires_at: datetime
    is_expired: bool


@dataclass(frozen=True, slots=True)
class JobPage:
    """One job: ``share`` is done in per cent, None while nobody knows; ``poll_seconds`` is when to ask again."""

    id: UUID
    public_id: str
    title: str
    badge: Badge
    is_live: bool
    is_queued: bool
    done: int
    failed: int
    total: int | None
    share: int | None
    error: str
    started_by: str
    created_at: datetime
    finished_at: datetime | None
    took: str
    stopped_by: str
    poll_seconds: int
    may_stop: bool
    asked_for: tuple[Fact, ...]
    result: JobResult | None


@dataclass(frozen=True, slots=True)
class ViewWanted:
    """A list as somebody wants to see it."""

    model_label: str
    name: str
    query: str = ""
    columns: Sequence[str] = ()
    is_default: bool = False
    is_shared: bool = False
    branch_id: UUID | None = None

"""What the pages of payments draw, and of what is told about them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.kit.money import Money
from apps.portal.contracts.disputes import DisputeLine
from apps.portal.contracts.pieces import Badge, Booking, Fact, Raw, Step, Target


@dataclass(frozen=True, slots=True)
class PaymentFacts:
    """The head of a payment's page. ``credited`` and ``rate`` only where the provider converted what came."""

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
    other_rails: str
    card: str
    branch: str
    application: str
    is_open: bool
    notice: str = ""
    held: Money | None = None
    credited: Money | None = None
    rate: str = ""
    is_fee_reported: bool = False
    refunded: Money | None = None
    refund_badge: Badge | None = None
    due: Money | None = None
    parts: tuple["PartLine", ...] = ()

    @property
    def refunded_out(self) -> Money | None:
        return None if self.refunded is None else -self.refunded

    @property
    def net(self) -> Money | None:
        """What stays, in the currency that the provider credited."""
        credited = self.credited or self.received
        return None if credited is None or self.fee is None else credited - self.fee

    @property
    def fee_out(self) -> Money | None:
        return None if self.fee is None else -self.fee


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """
    One thing that waits for evidence; ``payment_id`` is None for money that is of no payment, ``movement_id`` names a listed
    movement.
    """

    at: datetime
    name: str
    text: str
    money: Money
    badge: Badge
    payment_id: UUID | None = None
    movement_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class EvidenceQueue:
    """Payments and refunds of which nobody knows what became, money that waits, and listed movements that are for people."""

    payments: tuple[EvidenceLine, ...]
    refunds: tuple[EvidenceLine, ...]
    movements: tuple[EvidenceLine, ...]
    listed: tuple[EvidenceLine, ...]


@dataclass(frozen=True, slots=True)
class ReceiptFacts:
    """The receipt of a payment, or of a part of it; ``sha256`` is empty until the PDF is stored."""

    id: UUID
    number: str
    issued_at: datetime
    sha256: str = ""
    stored_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PartLine:
    """A part of the sum that has come; ``refunded`` where some of it went back."""

    at: datetime
    receipt: str
    received: Money
    refunded: Money | None


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
    receipts: tuple[ReceiptFacts, ...]
    events: tuple[EventLine, ...]
    deliveries: tuple[DeliveryLine, ...]
    identifiers: tuple[Fact, ...]
    disputes: tuple[DisputeLine, ...] = ()


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

"""What the page of a dispute draws."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.kit.money import Money
from apps.portal.contracts.pieces import Badge, Booking, Fact, Step, Tone


@dataclass(frozen=True, slots=True)
class DisputeLine:
    """A dispute as the page of its payment names it."""

    id: UUID
    ticket: str
    money: Money
    badge: Badge


@dataclass(frozen=True, slots=True)
class Deadline:
    """When an answer is due: ``left`` is how long that is from now, empty once it is over."""

    at: datetime
    left: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class DisputeFacts:
    """
    The head of a dispute's page; ``payment_id`` is None for a payment that nobody here knows. ``is_appealable``: it is lost and an
    appeal is taken; ``is_appealing``: one is on its way.
    """

    id: UUID
    ticket: str
    badge: Badge
    money: Money
    reason: str
    provider: str
    provider_account: str
    branch: str
    owner: str
    payment_id: UUID | None
    payment: str
    flag: str
    refusal: str
    is_appeal_dropped: bool
    is_inquiry: bool
    is_appealable: bool
    is_appealing: bool
    is_waiting_for_approval: bool
    deadline: Deadline | None
    withdrawn: Money | None
    fee: Money | None
    reinstated: Money | None
    lost: Money | None


@dataclass(frozen=True, slots=True)
class FileLine:
    """A file of the evidence; ``size`` is in bytes."""

    id: UUID
    name: str
    what: str
    size: int
    attached_at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing that helps against the reason of a dispute, and whether the draft has it."""

    what: str
    is_there: bool


@dataclass(frozen=True, slots=True)
class DisputePage:
    """A dispute with its evidence and everything that happened because of it, as far as the reader may see it."""

    dispute: DisputeFacts
    wanted: tuple[Wanted, ...]
    texts: tuple[Fact, ...]
    files: tuple[FileLine, ...]
    steps: tuple[Step, ...]
    bookings: tuple[Booking, ...]
    identifiers: tuple[Fact, ...]

"""Pieces that several pages draw: states, steps of a timeline, entries of the books."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.utils.functional import Promise

from apps.kit.money import Money


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

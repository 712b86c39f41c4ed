"""Accounts that a provider keeps for others, connected to ours, and transfers to them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Protocol

from apps.integrations.ports.collections import Ticket
from apps.integrations.ports.movements import Window
from apps.kit.money import Money


class ConnectStatus(StrEnum):
    """PENDING: its owner has not told all that is asked; RESTRICTED: he had, and is asked more before it is paid to again."""

    PENDING = "PENDING"
    ENABLED = "ENABLED"
    RESTRICTED = "RESTRICTED"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class ConnectRequest:
    """
    Open an account for somebody, to be paid in ``currency``. ``code`` is ours, by which the provider knows a repeated request;
    ``country`` is the owner's, as ISO 3166 has it, ``email`` his, or empty.
    """

    code: str
    country: str
    currency: str
    email: str = ""


@dataclass(frozen=True, slots=True)
class ConnectLink:
    """Where the owner of an account tells the provider what it asks: good for one visit, and until ``expires_at`` where that is told."""

    url: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ConnectReport:
    """
    How an account stands: ``needs`` are the things that the provider still wants to know, in its own words, ``due_by`` until when.
    """

    ticket: str
    status: ConnectStatus
    needs: tuple[str, ...] = ()
    due_by: datetime | None = None


class ConnectPort(Protocol):
    """
    Open accounts for others at the provider, and follow how they stand. Errors are those of CollectionPort.

    ``begin`` is repeatable: for the time ``repeat_within`` the provider knows a request by its code and gives its first answer
    again. ``link`` changes nothing and may be asked for again and again; the owner comes back to ``return_url``, and to
    ``refresh_url`` where the link has expired. CLOSED is for good; an account that our key does not reach is RESTRICTED: it may come back.
    """

    repeat_within: ClassVar[timedelta]

    def begin(self, request: ConnectRequest) -> Ticket: ...

    def find(self, code: str, window: Window) -> Ticket | None:
        """
        Return the account that was opened under a code within a stretch of time; None where the provider's list has none, read
        to its end. Ask only when nothing can come of the request any more: none is the end of it then. Raises
        ProviderUncertain for a list that is longer than is read.
        """

    def link(self, ticket: str, *, return_url: str, refresh_url: str) -> ConnectLink: ...

    def read(self, ticket: str) -> ConnectReport: ...


@dataclass(frozen=True, slots=True)
class TransferRequest:
    """
    Move money of ours to a connected account, ``destination``. ``code`` is ours, by which the provider knows a repeated request;
    ``description`` is for the account's owner.
    """

    code: str
    money: Money
    destination: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class TransferReport:
    """What was moved, of a transfer or of a reversal: ``ticket`` is the provider's handle of that movement."""

    ticket: str
    money: Money


class TransferPort(Protocol):
    """
    Move money to connected accounts and take it back, on rails that do it at once. Errors are those of CollectionPort.

    ``send`` and ``reverse`` are repeatable: for the time ``repeat_within`` the provider knows a request by its code and gives its
    first answer again (a refusal then ``is_replayed``). ``reverse`` takes a part of the transfer ``ticket`` back, or all of it.
    """

    repeat_within: ClassVar[timedelta]

    def send(self, request: TransferRequest) -> TransferReport: ...

    def find(self, request: TransferRequest) -> TransferReport | None:
        """
        Return the transfer that was made for a request; None where the provider's list has none. Ask only when nothing can come
        of the request any more: none is the end of it then.
        """

    def reverse(self, ticket: str, money: Money, *, code: str) -> TransferReport: ...

    def find_reversal(self, ticket: str, *, code: str) -> TransferReport | None:
        """Return the reversal of a transfer that was made under a code; as ``find``."""

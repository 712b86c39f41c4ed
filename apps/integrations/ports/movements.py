"""Questions about money that has moved: the fate of one movement, the list of all."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from apps.integrations.ports.collections import CollectionReport, Ticket
from apps.integrations.ports.refunds import RefundReport
from apps.kit.money import Money


@dataclass(frozen=True, slots=True)
class StatusRequest:
    """
    Ask what became of a movement; the answer comes to ``callback_url``.

    Name the movement by its ``receipt``, or by the ``ticket`` that the provider gave for the request, or by both.
    """

    callback_url: str
    receipt: str = ""
    ticket: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time, both ends included."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class StatementRow:
    """
    One movement as the provider lists it.

    ``reference`` is what the payer typed or we asked for; ``payer`` and ``told_at`` are texts as they came: a number
    may be masked, a time may lie about its zone.
    """

    receipt: str
    money: Money
    reference: str
    payer: str
    told_at: str
    kind: str


@dataclass(frozen=True, slots=True)
class StatementPage:
    """
    Rows of a list of movements; ``next_offset`` is None on the last page.

    ``unreadable`` counts the rows that could not be read: they are somewhere in the record of the call.
    """

    rows: tuple[StatementRow, ...]
    next_offset: int | None = None
    unreadable: int = 0


class StatusPort(Protocol):
    """
    Ask for the fate of a movement; the answer is asynchronous (reading it is pure).

    ``read_result`` reads it as the fate of a collection, ``read_refund`` as that of a refund. A report is final only
    where the provider tells the movement's fate. A question that failed is PENDING with a ``reason_code``: it says
    nothing of the movement. Its ticket is that of the question, or of the refund where the answer names it.
    """

    def request_status(self, request: StatusRequest) -> Ticket: ...

    def read_result(self, payload: Mapping[str, object]) -> CollectionReport: ...

    def read_refund(self, payload: Mapping[str, object]) -> RefundReport: ...


class StatementPort(Protocol):
    """
    Read the movements that a provider knows: the evidence where nobody answered.

    Asking twice changes nothing, so every error but ProviderDeclined may be tried again. ``register`` opens the
    service once; to repeat it is harmless.
    """

    def register(self, *, number: str, callback_url: str) -> None: ...

    def fetch(self, window: Window, *, offset: int = 0) -> StatementPage: ...

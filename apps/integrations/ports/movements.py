"""Questions about money that has moved: the fate of one movement, the list of all."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

from apps.integrations.ports.collections import CollectionReport, Ticket
from apps.integrations.ports.refunds import RefundReport
from apps.integrations.ports.webhooks import Nudge
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
    may be masked, a time may lie about its zone. ``kind`` is the provider's word. Without a ``nudge`` the row is money that
    came, and the only word of it. With one, the provider can be asked: the nudge names the row for good and says what to ask
    after; PARTNER is a transfer to a connected account or what came back of one, NONE none of all these, of which alone ``money`` may be zero or less. Of a
    payment, ``money`` is what its payer paid and ``receipt`` its receipt; of a refund or a dispute ``receipt`` may be that
    of the payment. ``fee`` is what the provider kept, in the currency of our balance; None where it does not tell. ``at`` is an instant that can be relied on.
    ``is_in``: money of ours grew by the row, in the currency of ``money``.
    """

    receipt: str
    money: Money
    reference: str
    payer: str
    told_at: str
    kind: str
    nudge: Nudge | None = None
    fee: Money | None = None
    at: datetime | None = None
    is_in: bool = True


@dataclass(frozen=True, slots=True)
class StatementPage:
    """
    Rows of a list of movements; ``next_page`` is the provider's name of the page after it, empty on the last.

    ``unreadable`` counts the rows that could not be read: they are somewhere in the record of the call. ``complete_until``
    is up to when the list is whole, where the provider's lags behind; None where it does not.
    """

    rows: tuple[StatementRow, ...]
    next_page: str = ""
    unreadable: int = 0
    complete_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class StatementTerms:
    """
    What a provider promises of its list: how long it ``keeps`` a movement there, the longest ``span`` of one question, and
    the ``overlap`` in which a movement may still appear. ``is_opened``: only once ``register`` has opened the service.
    """

    keeps: timedelta
    span: timedelta
    overlap: timedelta
    is_opened: bool = False


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
    service once where the terms say so; to repeat it is harmless.
    """

    terms: ClassVar[StatementTerms]

    def register(self, *, number: str, callback_url: str) -> None: ...

    def fetch(self, window: Window, *, page: str = "") -> StatementPage: ...

"""What the product asks of a payment provider: one small port per capability, and three errors that say what to do next."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from apps.kit import http
from apps.kit.money import Money


class ProviderError(Exception):
    """A provider did not do what was asked; ``code`` is ours (``insufficient_funds``), ``provider_code`` theirs."""

    def __init__(self, code: str, message: str = "", *, provider_code: str = "") -> None:
        super().__init__(message or code)
        self.code = code
        self.message = message
        self.provider_code = provider_code


class ProviderDeclined(ProviderError):
    """The provider said no. Retrying the same request cannot help."""


class ProviderUnavailable(ProviderError):
    """The request did not reach the provider, or was refused before processing. Retrying is safe."""


class ProviderUncertain(ProviderError):
    """The request may have been carried out. Never retry it: query it."""


class Outcome(StrEnum):
    PENDING = "PENDING"
    COLLECTED = "COLLECTED"
    DECLINED = "DECLINED"


class NextActionKind(StrEnum):
    PROMPT = "PROMPT"
    REDIRECT = "REDIRECT"
    INSTRUCTIONS = "INSTRUCTIONS"


@dataclass(frozen=True, slots=True)
class NextAction:
    """What the payer does next; ``message`` is for the payer, ``url`` only for a redirect."""

    kind: NextActionKind
    message: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class CollectionRequest:
    """Ask one payer for one sum. ``code`` is what the payer sees (10 characters), ``phone`` is E.164."""

    money: Money
    phone: str
    code: str
    description: str
    callback_url: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """
    The provider accepted a request: its handle for queries, and what the payer does next. Not a payment.

    ``next_action`` is None where nobody has to do anything (a question about a movement).
    """

    value: str
    next_action: NextAction | None = None


@dataclass(frozen=True, slots=True)
class CollectionReport:
    """
    What a provider says of a collection.

    ``money`` is None where the provider does not tell the sum (an STK query); ``receipt`` is empty until known;
    ``ticket`` is the provider's handle as it stands in the report; ``reason_code`` is ours, ``provider_code`` theirs.
    """

    ticket: str
    outcome: Outcome
    money: Money | None = None
    receipt: str = ""
    payer_phone: str = ""
    occurred_at: datetime | None = None
    reason_code: str = ""
    provider_code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class StatusRequest:
    """
    Ask what became of a movement; the answer comes to ``callback_url``.

    Name the movement by its ``receipt``, or by the ``ticket`` that the provider gave for the request, or by both.
    """

    callback_url: str
    receipt: str = ""
    ticket: str = ""


class RefundOutcome(StrEnum):
    """ALREADY: the provider had given the money back before this request. LOST: nobody can say; ask."""

    PENDING = "PENDING"
    REFUNDED = "REFUNDED"
    ALREADY = "ALREADY"
    DECLINED = "DECLINED"
    LOST = "LOST"


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """
    Give a collection back to its payer. ``receipt`` is that of the collection; ``code`` is what a statement shows.

    ``timeout_url`` is where the provider says that it let the request wait too long.
    """

    money: Money
    receipt: str
    code: str
    callback_url: str
    timeout_url: str


@dataclass(frozen=True, slots=True)
class RefundReport:
    """
    What a provider says of a refund; what it does not tell is None or empty.

    ``receipt`` is that of the refund itself, ``payment_receipt`` that of the collection which it gives back,
    ``payer_phone`` who got the money; ``charge`` is what the provider took for it beside the sum.
    """

    ticket: str
    outcome: RefundOutcome
    money: Money | None = None
    receipt: str = ""
    payment_receipt: str = ""
    payer_phone: str = ""
    charge: Money | None = None
    occurred_at: datetime | None = None
    reason_code: str = ""
    provider_code: str = ""
    message: str = ""


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


class MalformedCallback(ValueError):
    """The body of a callback is not what the provider sends."""


class CollectionPort(Protocol):
    """
    Collect money from a payer.

    ``request`` and ``query`` raise ProviderDeclined, ProviderUnavailable or ProviderUncertain; what cannot be
    classified is ProviderUncertain. They talk to the world and refuse to do so inside a transaction.

    A ProviderDeclined of ``request`` is final: no money was asked for. One of ``query`` refuses the question and
    says nothing of the payment; only a report with Outcome.DECLINED does. ``read_callback`` is pure and raises
    MalformedCallback.
    """

    def request(self, request: CollectionRequest) -> Ticket: ...

    def query(self, ticket: str) -> CollectionReport: ...

    def read_callback(self, payload: Mapping[str, object]) -> CollectionReport: ...


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


class RefundPort(Protocol):
    """
    Give collected money back; the answer is asynchronous (``read_result`` and ``read_timeout`` are pure).

    Errors are those of CollectionPort. A request whose outcome is open is never sent again: there may be no key by
    which the provider would know it. ``read_timeout`` reads what comes to the request's ``timeout_url``: LOST, whatever the body says.
    """

    def request(self, request: RefundRequest) -> Ticket: ...

    def read_result(self, payload: Mapping[str, object]) -> RefundReport: ...

    def read_timeout(self, payload: Mapping[str, object]) -> RefundReport: ...


class StatementPort(Protocol):
    """
    Read the movements that a provider knows: the evidence where nobody answered.

    Asking twice changes nothing, so every error but ProviderDeclined may be tried again. ``register`` opens the
    service once; to repeat it is harmless.
    """

    def register(self, *, number: str, callback_url: str) -> None: ...

    def fetch(self, window: Window, *, offset: int = 0) -> StatementPage: ...


@dataclass(frozen=True, slots=True)
class RateRow:
    """One whole unit of ``base`` is ``rate`` units of ``quote``, as the source said at ``as_of``. Nobody has judged it yet."""

    base: str
    quote: str
    rate: Decimal
    as_of: datetime


@dataclass(frozen=True, slots=True)
class RateSheet:
    """What a source publishes at once; ``unreadable`` counts the rows that could not be read."""

    rows: tuple[RateRow, ...]
    unreadable: int = 0


class RatePort(Protocol):
    """
    Read the exchange rates that a source publishes.

    Asking changes nothing, so every error may be tried again: ProviderDeclined is a refusal, ProviderUnavailable that no
    sheet was to be had, or none that can be read.
    """

    def fetch(self) -> RateSheet: ...


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and for how many seconds its provider takes it."""

    value: str = field(repr=False)
    seconds: int


class TokenStore(Protocol):
    """Keeps the access token of one account, for all processes."""

    def get(self, fetch: Callable[[], Token]) -> str:
        """Return the kept token, or fetch one and keep it; of many callers one fetches. Errors of ``fetch`` pass."""

    def forget(self, token: str) -> None:
        """Drop this token; a newer one stays."""


class Transport(Protocol):
    """Sends one request; raises kit.http.NotSent or kit.http.NoAnswer. ``kind`` names the call for the record."""

    def send(
        self, *, kind: str, method: str, url: str, headers: Mapping[str, str], content: bytes
    ) -> http.Answer: ...

"""Money that is asked of a payer: requests, tickets, reports."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from apps.kit.money import Money


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
    ``ticket`` is the provider's handle as it stands in the report; ``payer`` is who paid as it came, where the number may
    be hidden (see ``InboundPort.read_payer``); ``reason_code`` is ours, ``provider_code`` theirs. ``may_fall_back``: a rule
    says of this refusal that another account may ask the payer; an adapter leaves it.
    """

    ticket: str
    outcome: Outcome
    money: Money | None = None
    receipt: str = ""
    payer_phone: str = ""
    payer: str = ""
    occurred_at: datetime | None = None
    reason_code: str = ""
    provider_code: str = ""
    message: str = ""
    may_fall_back: bool = False


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

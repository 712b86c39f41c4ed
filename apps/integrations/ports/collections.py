"""Money that is asked of a payer: requests, tickets, reports."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, Protocol

from apps.kit.money import Money


class Outcome(StrEnum):
    """AUTHORIZED: the payer has agreed and the sum is held back for us; nothing has moved."""

    PENDING = "PENDING"
    AUTHORIZED = "AUTHORIZED"
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
    """
    Ask one payer for one sum.

    ``code`` (10 characters) is what the payer sees, and the seed of every key by which a provider knows a repeated
    request. ``phone`` is E.164, empty where the rail needs none. ``return_url`` and ``cancel_url`` are where a page of
    the provider's sends the payer back. Where ``is_captured`` is False, the sum is only held back (see CapturePort).
    ``saved_method`` is the provider's token of a way to pay, charged without the payer, who is its ``customer`` there.
    """

    money: Money
    phone: str
    code: str
    description: str
    callback_url: str
    email: str = ""
    return_url: str = ""
    cancel_url: str = ""
    is_captured: bool = True
    saved_method: str = ""
    customer: str = ""


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

    An AUTHORIZED report's ``money`` is what is held back. ``fee`` is what the provider kept; None where it does
    not tell: then the account's tariff says it. Where it converted, ``settled`` is what it credited to our balance before
    its fee, which is in the same currency then, and ``rate`` how much of that currency is one of ``money``'s. A PENDING
    report may have a ``next_action`` for the payer. ``method_details`` are for people (``brand``, ``last4``).
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
    fee: Money | None = None
    settled: Money | None = None
    rate: Decimal | None = None
    next_action: NextAction | None = None
    method_details: Mapping[str, str] = field(default_factory=dict)


class CollectionPort(Protocol):
    """
    Collect money from a payer.

    ``request`` and ``query`` raise ProviderDeclined, ProviderUnavailable or ProviderUncertain; what cannot be
    classified is ProviderUncertain. They talk to the world and refuse to do so inside a transaction.

    A ProviderDeclined of ``request`` is final: no money was asked for. One of ``query`` refuses the question and
    says nothing of the payment; only a report with Outcome.DECLINED does. ``read_callback`` is pure and raises
    MalformedCallback: always, where the provider reports by signed messages alone (see WebhookPort).

    For the time ``repeat_within`` the provider knows a request by its code and gives its first answer again; zero where it
    knows none. Within it what was asked and not answered may be asked again under the same code. A refusal of what was asked
    again says nothing of the first asking, but where it ``is_replayed``. Of any other rail a request whose outcome is open
    is never sent again.
    """

    repeat_within: ClassVar[timedelta]

    def request(self, request: CollectionRequest) -> Ticket: ...

    def query(self, ticket: str) -> CollectionReport: ...

    def read_callback(self, payload: Mapping[str, object]) -> CollectionReport: ...

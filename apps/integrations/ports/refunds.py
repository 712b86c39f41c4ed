"""Collected money that goes back to its payer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Protocol

from apps.integrations.ports.collections import Ticket
from apps.kit.money import Money


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

    ``timeout_url`` is where the provider says that it let the request wait too long. ``ticket`` is the collection's;
    ``number`` counts the refunds of one collection from 1: with ``code`` it is how a provider knows a repeated request.
    """

    money: Money
    receipt: str
    code: str
    callback_url: str
    timeout_url: str
    ticket: str = ""
    number: int = 1


@dataclass(frozen=True, slots=True)
class RefundReport:
    """
    What a provider says of a refund; what it does not tell is None or empty.

    ``receipt`` is that of the refund itself, ``payment_receipt`` that of the collection which it gives back,
    ``payer_phone`` who got the money, and ``payer`` the same as it came, where the number may be hidden (see
    ``InboundPort.read_payer``); ``settled`` is what left our balance for the sum, where the provider had converted the
    collection; ``charge`` is what it took for the refund beside that, in the same currency.
    """

    ticket: str
    outcome: RefundOutcome
    money: Money | None = None
    receipt: str = ""
    payment_receipt: str = ""
    payer_phone: str = ""
    payer: str = ""
    charge: Money | None = None
    settled: Money | None = None
    occurred_at: datetime | None = None
    reason_code: str = ""
    provider_code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class RefundTerms:
    """
    What a rail promises of money that goes back: a part of a payment or the whole only, and whether its fee returns.

    For the time ``repeat_within`` the provider knows a repeated request by its code and number and gives its first
    answer again; zero where it knows none.
    """

    is_partial: bool = False
    is_fee_returned: bool = False
    repeat_within: timedelta = timedelta(0)


class RefundPort(Protocol):
    """
    Give collected money back; the answer is asynchronous (``read_result`` and ``read_timeout`` are pure).

    Errors are those of CollectionPort. A request whose outcome is open is never sent again, but within
    ``terms.repeat_within``: there may be no key by which the provider would know it. ``read_timeout`` reads what comes
    to the request's ``timeout_url``: LOST, whatever the body says. ``terms`` are what people are told before they ask.
    Where the provider reports by signed messages alone (see WebhookPort), both readings raise MalformedCallback, and
    ``RefundQueryPort`` tells what became of it.
    """

    terms: ClassVar[RefundTerms]

    def request(self, request: RefundRequest) -> Ticket: ...

    def read_result(self, payload: Mapping[str, object]) -> RefundReport: ...

    def read_timeout(self, payload: Mapping[str, object]) -> RefundReport: ...


class RefundQueryPort(Protocol):
    """
    Ask what became of a refund, of rails that answer at once; errors are those of ``CollectionPort.query``.

    ``ticket`` is what ``RefundPort.request`` returned. A refund that was REFUNDED may be DECLINED later: the money has
    come back to us then.
    """

    def query(self, ticket: str) -> RefundReport: ...


class RefundSearchPort(Protocol):
    """
    Find a refund again whose answer never came, on rails that list what went back of a payment; errors are those of
    ``CollectionPort.query``.
    """

    def find(self, request: RefundRequest) -> Ticket | None:
        """
        Return the handle of the refund that was made for a request; None where the provider's list has none. Ask only when
        nothing can come of the request any more: none is the end of it then.
        """

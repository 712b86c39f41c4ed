"""Ways to pay that a payer lets us keep: never a number of a card, only the provider's token for it."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar, Protocol

from apps.integrations.ports.collections import Ticket


class MethodStatus(StrEnum):
    PENDING = "PENDING"
    SAVED = "SAVED"
    DECLINED = "DECLINED"


@dataclass(frozen=True, slots=True)
class SetupRequest:
    """
    Ask a payer to let us keep a way to pay. ``code`` is ours, by which the provider knows a repeated request;
    ``customer`` is the provider's token of a payer whom it knows, else empty.
    """

    code: str
    return_url: str
    cancel_url: str
    currency: str
    customer: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class SavedMethodReport:
    """
    What a provider says of a way to pay: ``token`` and ``customer`` charge it, the rest is for people.

    ``last4`` and ``expires`` (year and month as ``2030-08``) are a card's; ``fingerprint`` is the same for the same card or wallet.
    """

    ticket: str
    status: MethodStatus
    token: str = ""
    customer: str = ""
    brand: str = ""
    last4: str = ""
    expires: str = ""
    fingerprint: str = ""
    reason_code: str = ""
    provider_code: str = ""
    message: str = ""


class MethodPort(Protocol):
    """
    Keep a way to pay at the provider. Errors are those of CollectionPort.

    ``begin`` sends the payer to the provider (its ticket has a redirect); no number and no code of a card ever comes
    here. For the time ``repeat_within`` the provider knows it by its code and gives its first answer again. ``forget`` lets the
    provider drop a token; one that it does not know any more is no error.
    """

    repeat_within: ClassVar[timedelta]

    def begin(self, request: SetupRequest) -> Ticket: ...

    def read(self, ticket: str) -> SavedMethodReport: ...

    def forget(self, token: str) -> None: ...

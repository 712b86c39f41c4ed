"""What a provider says that it holds for us."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from apps.integrations.ports.collections import Ticket
from apps.kit.money import Money


@dataclass(frozen=True, slots=True)
class NamedBalance:
    """One purse of an account under the provider's name for it; charges that are owed make it negative."""

    name: str
    current: Money
    available: Money


@dataclass(frozen=True, slots=True)
class BalanceReport:
    """
    The purses of an account at the time that the provider tells; none where the question failed, with a ``reason_code``.
    """

    ticket: str
    balances: tuple[NamedBalance, ...] = ()
    told_at: datetime | None = None
    reason_code: str = ""
    provider_code: str = ""
    message: str = ""


class BalancePort(Protocol):
    """
    Ask what the provider holds; the answer is asynchronous, and reading it is pure.

    Asking moves nothing, so every error but ProviderDeclined may be tried again. ``read_result`` raises MalformedCallback
    and reads what comes to either address.
    """

    def request(self, *, callback_url: str, timeout_url: str) -> Ticket: ...

    def read_result(self, payload: Mapping[str, object]) -> BalanceReport: ...

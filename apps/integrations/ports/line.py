"""What an adapter is handed: a way to send, and a place for its access token."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from apps.kit import http


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

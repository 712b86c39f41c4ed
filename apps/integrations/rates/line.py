"""The line to a source of rates: one request without credentials, and the verdict on its answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from apps.integrations.ports import ProviderDeclined, ProviderUnavailable
from apps.kit import http

UNREADABLE = "rates_unreadable"
UNREACHABLE = "rates_unreachable"
REFUSED = "rates_refused"
OK = 200
CLIENT_ERRORS = range(400, 500)
BUSY = frozenset({408, 425, 429})


class Sender(Protocol):
    """What sends a request, as ``http.Client`` does."""

    def send(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, content: bytes = b""
    ) -> http.Answer: ...


@dataclass(frozen=True, slots=True)
class Line:
    """One address where a source publishes, and what sends to it."""

    url: str
    client: Sender

    def get(self, *, accept: str) -> bytes:
        """Return what is published; raise ProviderDeclined for a refusal, ProviderUnavailable for everything else."""
        try:
            answer = self.client.send("GET", self.url, headers={"Accept": accept})
        except (http.NotSent, http.NoAnswer) as error:
            raise ProviderUnavailable(UNREACHABLE, str(error), provider_code=error.kind) from error
        if answer.status in CLIENT_ERRORS and answer.status not in BUSY:
            raise ProviderDeclined(REFUSED, f"HTTP {answer.status}", provider_code=str(answer.status))
        if answer.status != OK:
            raise ProviderUnavailable(UNREACHABLE, f"HTTP {answer.status}", provider_code=str(answer.status))
        return answer.body


def unreadable(why: str) -> ProviderUnavailable:
    """Return the error for an answer that is no sheet of rates."""
    return ProviderUnavailable(UNREADABLE, why)

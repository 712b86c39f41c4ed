"""The official SDK, whose requests leave by our own transport: recorded, gated, and never repeated by it."""

from collections.abc import Mapping
from dataclasses import replace

import stripe

from apps.integrations.ports import Transport
from apps.integrations.stripe import answers

stripe.enable_telemetry = False

SENT = ("Authorization", "Content-Type", "Idempotency-Key", "Stripe-Account", "Stripe-Version")
"""The headers of the SDK that leave; others tell of this machine."""
REPLAYED = "idempotent-replayed"
"""The header of an answer that a key got before: what is refused before keys are looked at bears none."""


class Carrier(stripe.HTTPClient):
    """Hands each request of the SDK to the transport of an account, as a call of one kind. Its errors pass through."""

    name = "treasury"

    def __init__(self, transport: Transport, kind: str) -> None:
        super().__init__()
        self.transport = transport
        self.kind = kind

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: str | bytes | None = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        answer = self.transport.send(
            kind=self.kind,
            method=method.upper(),
            url=url,
            headers={name: value for name, value in (headers or {}).items() if name in SENT}
            | {"Accept": "application/json"},
            content=post_data.encode() if isinstance(post_data, str) else post_data or b"",
        )
        return answers.of_stripe(answer).decode(), answer.status, answer.headers

    def close(self) -> None:
        """Do nothing: the transport keeps no connection."""


def client(*, api_key: str, api: str, files: str, transport: Transport, kind: str) -> stripe.StripeClient:
    """Return a client for one call of a kind; the SDK's own retries are off: our line decides."""
    return stripe.StripeClient(
        api_key,
        base_addresses={"api": api, "files": files},
        max_network_retries=0,
        http_client=Carrier(transport, kind),
    )


def refusal(error: stripe.StripeError) -> answers.Refusal:
    """Return what an error of the SDK tells."""
    body = error.json_body if isinstance(error.json_body, dict) else {}
    is_replayed = (error.headers or {}).get(REPLAYED) == "true"
    return replace(answers.refusal(error.http_status or 0, body), is_replayed=is_replayed)

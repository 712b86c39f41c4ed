"""One account's line to Stripe: a call of the SDK, and the verdict on what came back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.integrations.ports import ProviderUnavailable, ProviderUncertain, Transport
from apps.integrations.stripe import codes
from apps.kit import http

API_URL = "https://api.stripe.com"
FILES_URL = "https://files.stripe.com"


@dataclass(frozen=True, slots=True)
class StripeLine:
    """
    Calls of one account.

    ``call`` returns the object that came, as plain dictionaries, or raises ProviderDeclined, ProviderUnavailable
    (nothing was carried out) or ProviderUncertain. ``key`` names a request for good: Stripe gives its first answer to it
    again. Nothing is repeated here.
    """

    base_url: str
    api_key: str = field(repr=False)
    transport: Transport = field(repr=False)

    def call(self, kind: str, ask: Callable[[Any], Any]) -> Mapping[str, Any]:
        import stripe  # noqa: PLC0415 (a second and 40 MB, which only processes that call Stripe pay)

        from apps.integrations.stripe import sdk  # noqa: PLC0415

        client = sdk.client(
            api_key=self.api_key,
            api=self.base_url,
            files=FILES_URL if self.base_url == API_URL else self.base_url,
            transport=self.transport,
            kind=kind,
        )
        try:
            found = ask(client.v1)
        except http.NotSent as error:
            raise ProviderUnavailable("network_unreachable", str(error), provider_code=error.kind) from error
        except http.NoAnswer as error:
            raise ProviderUncertain(codes.OUTCOME_UNKNOWN, str(error), provider_code=error.kind) from error
        except stripe.StripeError as error:
            raise sdk.refusal(error).error() from error
        told: Mapping[str, Any] = found.to_dict()
        return told


def key(code: str, deed: str) -> dict[str, str]:
    """Return the option under which Stripe knows a repeated request: ours is the same for the same deed."""
    return {"idempotency_key": f"{code}:{deed}"}

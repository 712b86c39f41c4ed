"""The events of this app: a provider has called back. They say where the bytes lie, nothing of what they mean, and never the token that proves them."""

from apps.events.contracts import Audience, NewEvent, declare
from apps.integrations.contracts import WEBHOOK
from apps.integrations.models import ProviderCallback

SCHEMA = {
    "type": "object",
    "required": ["callback_id", "kind"],
    "properties": {
        "callback_id": {"type": "string", "format": "uuid"},
        "kind": {"type": "string"},
    },
    "additionalProperties": False,
}

PROVIDER_CALLBACK_RECEIVED = declare(
    "provider_callback_received",
    topic="treasury.provider.callback_received",
    audience=Audience.INTERNAL,
    summary="A provider's callback has been stored; nothing in it has been believed yet.",
    schema=SCHEMA,
)
PROVIDER_WEBHOOK_RECEIVED = declare(
    "provider_webhook_received",
    topic="treasury.provider.webhook_received",
    audience=Audience.INTERNAL,
    summary="A provider's signed message has been stored, or is to be read again; nothing in it has been believed yet.",
    schema=SCHEMA,
)


def received(callback: ProviderCallback) -> NewEvent:
    """Return the event of a stored callback. A signed message has its own: who reads it may have to ask its provider."""
    return NewEvent(
        type=PROVIDER_WEBHOOK_RECEIVED if callback.kind == WEBHOOK else PROVIDER_CALLBACK_RECEIVED,
        aggregate_type="provider_callback",
        aggregate_id=callback.id,
        data={"callback_id": str(callback.id), "kind": callback.kind},
    )

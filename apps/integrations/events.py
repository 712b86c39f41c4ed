"""The event of this app: a provider has called back. It says where the bytes lie, nothing of what they mean, and never the token that proves them."""

from apps.events.contracts import Audience, NewEvent, declare
from apps.integrations.models import ProviderCallback

PROVIDER_CALLBACK_RECEIVED = declare(
    "provider_callback_received",
    topic="treasury.provider.callback_received",
    audience=Audience.INTERNAL,
    summary="A provider's callback has been stored; nothing in it has been believed yet.",
    schema={
        "type": "object",
        "required": ["callback_id", "kind"],
        "properties": {
            "callback_id": {"type": "string", "format": "uuid"},
            "kind": {"type": "string"},
        },
        "additionalProperties": False,
    },
)


def received(callback: ProviderCallback) -> NewEvent:
    return NewEvent(
        type=PROVIDER_CALLBACK_RECEIVED,
        aggregate_type="provider_callback",
        aggregate_id=callback.id,
        data={"callback_id": str(callback.id), "kind": callback.kind},
    )

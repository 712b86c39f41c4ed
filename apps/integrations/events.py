"""The event of this app: a provider has called back. It says where the bytes lie, nothing of what they mean."""

from apps.events.contracts import Audience, NewEvent, declare
from apps.integrations.models import ProviderCallback

PROVIDER_CALLBACK_RECEIVED = declare(
    "provider_callback_received",
    topic="treasury.provider.callback_received",
    audience=Audience.INTERNAL,
    summary="A provider's callback has been stored, or is to be read again; nothing in it has been believed yet.",
    schema={
        "type": "object",
        "required": ["callback_id", "token", "kind"],
        "properties": {
            "callback_id": {"type": "string", "format": "uuid"},
            "token": {"type": "string", "pattern": "^[0-9a-f]+$"},
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
        data={"callback_id": str(callback.id), "token": callback.token, "kind": callback.kind},
    )

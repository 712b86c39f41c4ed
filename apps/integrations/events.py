"""The events of this app: a provider has called back. They say where the bytes lie, nothing of what they mean, and never the token that proves them."""

from apps.events.contracts import Audience, NewEvent, declare
from apps.integrations.contracts import WEBHOOK
from apps.integrations.models import ProviderAccount, ProviderCallback
from apps.integrations.ports import Nudge

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

PROVIDER_PARTNER_NUDGED = declare(
    "provider_partner_nudged",
    topic="treasury.provider.partner_nudged",
    audience=Audience.INTERNAL,
    summary="A proven message of a provider is about an account of somebody else there: it is to be asked after.",
    schema={
        "type": "object",
        "required": ["provider_account_id", "ticket", "code"],
        "properties": {
            "provider_account_id": {"type": "string", "format": "uuid"},
            "ticket": {"type": "string"},
            "code": {"type": "string"},
        },
        "additionalProperties": False,
    },
)


def partner_nudged(account: ProviderAccount, nudge: Nudge) -> NewEvent:
    """Return the event of a message about an account that the provider keeps for somebody else."""
    return NewEvent(
        type=PROVIDER_PARTNER_NUDGED,
        aggregate_type="provider_account",
        aggregate_id=account.id,
        data={"provider_account_id": str(account.id), "ticket": nudge.ticket, "code": nudge.code},
    )


def received(callback: ProviderCallback) -> NewEvent:
    """Return the event of a stored callback. A signed message has its own: who reads it may have to ask its provider."""
    return NewEvent(
        type=PROVIDER_WEBHOOK_RECEIVED if callback.kind == WEBHOOK else PROVIDER_CALLBACK_RECEIVED,
        aggregate_type="provider_callback",
        aggregate_id=callback.id,
        data={"callback_id": str(callback.id), "kind": callback.kind},
    )

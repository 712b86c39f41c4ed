"""Event types of this app itself."""

from apps.events.contracts import Audience, NewEvent, declare
from apps.events.models import WebhookEndpoint
from apps.kit import ids

WEBHOOK_ENDPOINT_DISABLED = declare(
    "webhook_endpoint_disabled",
    topic="treasury.webhook_endpoint.disabled",
    audience=Audience.INTERNAL,
    summary="A webhook endpoint said that it is gone, or failed for five days, and was switched off.",
    schema={
        "type": "object",
        "required": ["object"],
        "additionalProperties": False,
        "properties": {
            "object": {
                "type": "object",
                "required": ["id", "object", "url", "reason"],
                "additionalProperties": False,
                "properties": {
                    "id": {"type": "string", "pattern": "^whe_"},
                    "object": {"const": "webhook_endpoint"},
                    "url": {"type": "string"},
                    "reason": {"type": "string"},
                },
            }
        },
    },
)


def endpoint_disabled(endpoint: WebhookEndpoint) -> NewEvent:
    return NewEvent(
        type=WEBHOOK_ENDPOINT_DISABLED,
        aggregate_type="webhook_endpoint",
        aggregate_id=endpoint.id,
        branch_id=endpoint.branch_id,
        application_id=endpoint.application_id,
        data={
            "object": {
                "id": ids.encode("whe", endpoint.id),
                "object": "webhook_endpoint",
                "url": endpoint.url,
                "reason": endpoint.disabled_reason,
            }
        },
    )

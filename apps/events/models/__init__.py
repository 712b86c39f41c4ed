"""Tables of the events app."""

from apps.events.models.delivery import DeliveryStatus, EventDelivery
from apps.events.models.inbox import SandboxInbox, SandboxRequest
from apps.events.models.outbox import OutboxEvent
from apps.events.models.webhook import (
    AttemptError,
    EndpointStatus,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookStatus,
)

__all__ = [
    "AttemptError",
    "DeliveryStatus",
    "EndpointStatus",
    "EventDelivery",
    "OutboxEvent",
    "SandboxInbox",
    "SandboxRequest",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookStatus",
]

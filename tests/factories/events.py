"""Events and webhook endpoints for tests."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.events.contracts import Audience, Event, EventType, NewEvent
from apps.events.models import WebhookDelivery
from apps.events.services import outbox, webhook_endpoints
from apps.events.services.webhook_endpoints import IssuedEndpoint
from apps.kit import ids
from apps.kit.actors import SYSTEM

NOW = datetime(2026, 11, 24, 7, 41, 58, 120000, tzinfo=UTC)
BRANCH = UUID("01936000-0000-7000-8000-00000000000b")
APPLICATION = UUID("01936000-0000-7000-8000-00000000000a")

PARTNER_TYPE = EventType(
    name="order_placed",
    topic="treasury.order.placed",
    audience=Audience.PARTNER,
    version=1,
    schema={
        "type": "object",
        "required": ["object"],
        "properties": {"object": {"type": "object", "required": ["id"]}},
    },
)
INTERNAL_TYPE = EventType(
    name="stock_counted",
    topic="treasury.stock.counted",
    audience=Audience.INTERNAL,
    version=1,
    schema={
        "type": "object",
        "required": ["count"],
        "properties": {"count": {"type": "integer"}},
        "additionalProperties": False,
    },
)


def new_event(event_type: EventType = PARTNER_TYPE, **changes: Any) -> NewEvent:
    aggregate_id = changes.pop("aggregate_id", None) or ids.new()
    is_partner = event_type.audience == Audience.PARTNER
    facts = {
        "aggregate_type": "order",
        "data": {"object": {"id": ids.encode("ord", aggregate_id)}} if is_partner else {"count": 1},
        "branch_id": BRANCH,
        "application_id": APPLICATION,
        **changes,
    }
    return NewEvent(type=event_type, aggregate_id=aggregate_id, **facts)


def publish(event_type: EventType = PARTNER_TYPE, *, now: datetime = NOW, **changes: Any) -> Event:
    with transaction.atomic():
        return outbox.publish(new_event(event_type, **changes), now=now)[0]


def planned(event: Event) -> list[WebhookDelivery]:
    """Return the webhooks of an event in the order of their endpoints."""
    return list(WebhookDelivery.objects.filter(event_id=event.id).order_by("endpoint_id"))


def endpoint(url: str = "https://shop.example/hooks", **changes: Any) -> IssuedEndpoint:
    facts = {"application_id": APPLICATION, "actor": SYSTEM, "now": NOW, **changes}
    return webhook_endpoints.create(url=url, **facts)

"""An event as partners see it: a CloudEvents 1.0 envelope, which also is a Standard Webhooks payload; and its data for our own people."""

import json
from collections.abc import Mapping
from typing import Any

from apps.events.contracts import REGISTRY
from apps.events.models import OutboxEvent
from apps.kit import ids, redaction
from apps.kit.serializers import instant_text

ORGANISATION, EVENT, BRANCH = "ten", "evt", "br"


def envelope(event: OutboxEvent, *, organisation: Any) -> dict[str, Any]:
    """
    Return a partner event in structured CloudEvents form.

    It is built from the stored row alone, so every repetition is the same to the byte. ``subject`` is the public id of
    the object in ``data``; ``aggregateversion`` lets a receiver put the events of one object in order.
    """
    tenant = ids.encode(ORGANISATION, organisation.id)
    time = instant_text(event.occurred_at)
    return {
        "specversion": "1.0",
        "id": ids.encode(EVENT, event.id),
        "source": f"treasury/{tenant}",
        "type": event.type,
        "topic": REGISTRY[event.type].topic if event.type in REGISTRY else "",
        "subject": subject(event),
        "time": time,
        "timestamp": time,
        "datacontenttype": "application/json",
        "dataschema": f"urn:treasury:event:{event.type}:{event.version}",
        "tenantid": tenant,
        "branchid": ids.encode(BRANCH, event.branch_id) if event.branch_id else None,
        "mode": "test" if organisation.is_test else "live",
        "aggregateid": subject(event),
        "aggregateversion": event.aggregate_version,
        "data": event.data,
    }


def subject(event: OutboxEvent) -> str:
    """Return the public id of what the event is about."""
    shown = event.data.get("object")
    return str(shown.get("id", "")) if isinstance(shown, Mapping) else ""


def body(event: OutboxEvent, *, organisation: Any) -> bytes:
    """Return the envelope as the bytes that are signed and sent."""
    return json.dumps(
        envelope(event, organisation=organisation), separators=(",", ":"), ensure_ascii=False
    ).encode()


def readable(data: Mapping[str, Any]) -> str:
    """Return the data of an event for people: indented, telephone numbers masked."""
    return redaction.numbers(json.dumps(data, indent=2, ensure_ascii=False))

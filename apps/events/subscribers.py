"""What this app does because of events."""

from apps.events.contracts import Event
from apps.events.services import webhook_deliveries
from apps.kit import clock


def fan_out(event: Event) -> None:
    """Plan the webhooks of a partner event."""
    webhook_deliveries.plan(event_id=event.id, now=clock.now())

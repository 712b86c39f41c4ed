"""Reading how far events have come to our own handlers."""

from apps.events.models import DeliveryStatus, EventDelivery
from apps.events.models.delivery import EventDeliveryQuerySet


def with_status(status: str) -> EventDeliveryQuerySet:
    """Return the deliveries in a state, each with its event, the oldest first. ValueError for no state."""
    found = EventDelivery.objects.filter(status=DeliveryStatus(status))
    return found.select_related("event").order_by("seq", "id")

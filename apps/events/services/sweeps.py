"""The guarantee behind the wake-ups: what is due and was not started is started."""

from datetime import datetime

from apps.events.models import EventDelivery, WebhookEndpoint
from apps.events.services import outbox, webhook_deliveries


def wake_due(*, now: datetime) -> int:
    """Start the relay of each queue that has something due, and the sender of each endpoint with a due webhook; return how many jobs."""
    queues = set(EventDelivery.objects.due(now).order_by().values_list("queue", flat=True).distinct())
    outbox.wake(queues, is_sweep=True)
    endpoints = list(WebhookEndpoint.objects.waited_for(now).values_list("id", flat=True))
    webhook_deliveries.wake(endpoints, is_sweep=True)
    return len(queues) + len(endpoints)

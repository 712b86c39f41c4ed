"""The guarantee behind the wake-ups: what is due and was not started is started."""

from datetime import datetime

from apps.events.models import EventDelivery, WebhookDelivery
from apps.events.services import outbox
from apps.kit import jobs

WEBHOOKS_AT_ONCE = 100


def wake_due(*, now: datetime) -> int:
    """Start the relay of each queue that has something due, and the sending of due webhooks; return how many jobs."""
    queues = set(EventDelivery.objects.due(now).order_by().values_list("queue", flat=True).distinct())
    outbox.wake(queues, is_sweep=True)
    due = WebhookDelivery.objects.due(now).order_by("next_attempt_at").values_list("id", flat=True)
    webhooks = list(due[:WEBHOOKS_AT_ONCE])
    for delivery_id in webhooks:
        jobs.enqueue("events.send_webhook", delivery_id=delivery_id)
    return len(queues) + len(webhooks)

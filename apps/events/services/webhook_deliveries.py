"""Webhook deliveries: planned for each endpoint that listens, and replayed by a person."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.audit.services import records
from apps.events.contracts import Audience
from apps.events.models import EndpointStatus, OutboxEvent, WebhookDelivery, WebhookEndpoint
from apps.kit import errors, jobs
from apps.kit.actors import Actor
from apps.kit.compiled import Compiled, Inserted


class WebhookDeliveryUnknown(errors.NotFound):
    """There is no such webhook delivery."""


class EndpointOff(errors.DomainError):
    """Nothing is sent to an endpoint that is disabled or deleted."""

    code = "webhook_endpoint_disabled"
    title = "Webhook endpoint disabled"


class DeliveryRunning(errors.DomainError):
    """The delivery is being sent at this moment."""

    code = "webhook_delivery_running"
    title = "Webhook delivery being sent"
    retryable = True


_PLANNED = Inserted[WebhookDelivery]()
_LISTENING = Compiled(
    lambda application_id: (
        WebhookEndpoint.objects.enabled().filter(application_id=application_id).order_by("id")
    ),
    UUID,
)


def plan(events: Iterable[OutboxEvent], *, now: datetime) -> list[WebhookDelivery]:
    """
    Plan one delivery for each endpoint that listens to one of these events, and start sending after the commit.

    Call it once for an event, in the transaction that publishes it. An internal event never leaves: it is planned for nobody.
    """
    told = [event for event in events if event.audience == Audience.PARTNER]
    applications = {event.application_id for event in told if event.application_id is not None}
    endpoints = [one for application_id in sorted(applications) for one in _LISTENING.all(application_id)]
    rows = [
        WebhookDelivery(event=event, endpoint=endpoint, next_attempt_at=now, created_at=now)
        for event in told
        for endpoint in endpoints
        if endpoint.listens_to(event)
    ]
    _PLANNED.insert(*rows)
    wake(row.endpoint_id for row in rows)
    return rows


def wake(endpoint_ids: Iterable[UUID], *, after: timedelta = timedelta(), is_sweep: bool = False) -> None:
    """Start sending to each endpoint after the commit, where no sender waits to begin; a sweep does not trust that one waits."""
    countdown = after.total_seconds() or None
    for endpoint_id in sorted(set(endpoint_ids)):
        jobs.enqueue(
            "events.send_webhooks", countdown=countdown, is_shared=not is_sweep, endpoint_id=endpoint_id
        )


@transaction.atomic
def replay(*, delivery_id: UUID, actor: Actor, now: datetime, reason: str = "") -> WebhookDelivery:
    """
    Send once more, now, under the same webhook id; if it fails the whole retry ladder follows.

    Raises WebhookDeliveryUnknown, EndpointOff, and DeliveryRunning while an attempt is under way.
    """
    row = WebhookDelivery.objects.locked().select_related("endpoint", "event").filter(id=delivery_id).first()
    if row is None:
        raise WebhookDeliveryUnknown("There is no such webhook delivery.")
    if row.endpoint.status != EndpointStatus.ENABLED or row.endpoint.deleted_at is not None:
        raise EndpointOff("This endpoint is off. Enable it, then replay.")
    if row.locked_until is not None and row.locked_until > now:
        raise DeliveryRunning("An attempt is under way. Look again in a minute.")
    before = row.status
    row.replay(at=now)
    row.save(update_fields=["status", "step", "next_attempt_at", "finished_at", "locked_until"])
    records.write(
        action="webhook_delivery.replayed",
        object_type="webhook_delivery",
        object_id=str(row.id),
        actor=actor,
        now=now,
        changes={"status": [before, row.status]},
        reason=reason,
    )
    wake([row.endpoint_id])
    return row

"""Reading webhook endpoints and what was delivered to them."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import QuerySet

from apps.events.models import WebhookDelivery, WebhookEndpoint
from apps.events.models.webhook import WebhookStatus


def endpoints(
    *, application_id: UUID | None, branch_ids: Collection[UUID] | None
) -> QuerySet[WebhookEndpoint]:
    """
    Return the endpoints of one application, or (None, for people in the portal) of all.

    Who is bound to branches sees those of these branches only.
    """
    rows = WebhookEndpoint.objects.kept()
    if application_id is not None:
        rows = rows.filter(application_id=application_id)
    return rows if branch_ids is None else rows.filter(branch_id__in=branch_ids)


def deliveries(
    *, application_id: UUID | None, branch_ids: Collection[UUID] | None
) -> QuerySet[WebhookDelivery]:
    """Return the deliveries to those endpoints, with event, endpoint and attempts."""
    visible = endpoints(application_id=application_id, branch_ids=branch_ids)
    return (
        WebhookDelivery.objects.filter(endpoint__in=visible)
        .select_related("event", "endpoint")
        .prefetch_related("attempts")
    )


def detail(delivery_id: UUID) -> WebhookDelivery | None:
    """Return one delivery with its event, endpoint and attempts, for people in the portal."""
    return (
        WebhookDelivery.objects.select_related("event", "endpoint")
        .prefetch_related("attempts")
        .filter(id=delivery_id)
        .first()
    )


def with_status(status: str) -> QuerySet[WebhookDelivery]:
    """Return the deliveries in a state to endpoints that are kept, newest first. For internal use: no caller's scope is asked."""
    found = WebhookDelivery.objects.filter(status=WebhookStatus(status), endpoint__deleted_at__isnull=True)
    return found.select_related("event", "endpoint").order_by("-id")

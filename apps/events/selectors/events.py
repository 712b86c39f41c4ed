"""Reading events: those that an application may know, and those of some objects with all that became of them."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from apps.events.models import EventDelivery, OutboxEvent, WebhookDelivery


def for_partner(*, application_id: UUID, branch_ids: Collection[UUID] | None) -> QuerySet[OutboxEvent]:
    """Return the partner events of one application, of some branches or (None) of all."""
    rows = OutboxEvent.objects.for_partners().filter(application_id=application_id)
    return rows if branch_ids is None else rows.filter(branch_id__in=branch_ids)


def facts_of(aggregate_ids: Collection[UUID]) -> QuerySet[OutboxEvent]:
    """Return all events of these objects in their order, without what became of their deliveries."""
    return OutboxEvent.objects.filter(aggregate_id__in=aggregate_ids).order_by("seq")


def of_aggregates(aggregate_ids: Collection[UUID]) -> QuerySet[OutboxEvent]:
    """
    Return all events of these objects in their order, internal ones included, for people in the portal.

    ``deliveries`` (to our handlers) and ``webhook_deliveries`` (with ``endpoint`` and ``attempts``) are fetched along.
    """
    webhooks = WebhookDelivery.objects.select_related("endpoint").prefetch_related("attempts").order_by("id")
    return (
        OutboxEvent.objects.filter(aggregate_id__in=aggregate_ids)
        .prefetch_related(
            Prefetch("deliveries", queryset=EventDelivery.objects.order_by("id")),
            Prefetch("webhook_deliveries", queryset=webhooks),
        )
        .order_by("seq")
    )

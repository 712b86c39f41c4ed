"""Filters of the events API."""

from django.db.models import QuerySet
from django_filters import rest_framework as filters

from apps.events.models import OutboxEvent, WebhookDelivery, WebhookStatus
from apps.kit.filters import StrictFilterSet

DELIVERY_STATES = [value.lower() for value in WebhookStatus.values]


class EventFilter(StrictFilterSet):
    """``type``, exact."""

    type = filters.CharFilter(help_text="Only events of this type.")

    class Meta:
        model = OutboxEvent
        fields: list[str] = []


class WebhookDeliveryFilter(StrictFilterSet):
    """``status``, in lower case."""

    status = filters.ChoiceFilter(
        choices=[(state, state) for state in DELIVERY_STATES],
        method="by_status",
        help_text="Only deliveries in this state.",
    )

    class Meta:
        model = WebhookDelivery
        fields: list[str] = []

    def by_status(self, queryset: QuerySet[WebhookDelivery], _: str, value: str) -> QuerySet[WebhookDelivery]:
        return queryset.filter(status=value.upper())

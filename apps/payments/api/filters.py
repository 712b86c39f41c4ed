"""Filters of the list of payments; one that is not known is refused, for ignoring it would show too much."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters

from apps.kit import errors, ids
from apps.payments.contracts import IntentStatus
from apps.payments.models import PaymentIntent

PAGING = {"limit", "cursor"}
RANGES = ("gte", "gt", "lte", "lt")


class FilterUnknown(errors.DomainError):
    """The list has no such filter."""

    code = "filter_unknown"
    title = "Filter unknown"
    status = 400
    category = "request"


class FilterInvalid(errors.Invalid):
    """The filter's value is not of its kind."""

    code = "filter_invalid"
    title = "Filter invalid"


class StatusesFilter(filters.BaseInFilter, filters.ChoiceFilter):
    """One or more states, comma separated."""


class PaymentIntentFilter(filters.FilterSet):
    status = StatusesFilter(
        choices=[(state.lower(), state.lower()) for state in IntentStatus],
        method="by_status",
        help_text="One or more states, comma separated.",
    )
    reference = filters.CharFilter(help_text="Your own id, exact.")
    provider_receipt = filters.CharFilter(
        field_name="current_attempt__provider_receipt", help_text="The provider's receipt number, exact."
    )
    branch_id = filters.CharFilter(method="by_branch", help_text="Only this branch.")
    application_id = filters.CharFilter(method="by_application", help_text="Only this application.")

    class Meta:
        model = PaymentIntent
        fields: list[str] = []

    @classmethod
    def get_filters(cls) -> dict[str, Any]:
        ranges = {
            f"created_at[{lookup}]": filters.IsoDateTimeFilter(
                field_name="created_at", lookup_expr=lookup, help_text="RFC 3339, as 2026-11-24T07:41:58Z."
            )
            for lookup in RANGES
        }
        return {**super().get_filters(), **ranges}

    def filter_queryset(self, queryset: QuerySet[PaymentIntent]) -> QuerySet[PaymentIntent]:
        unknown = sorted(set(self.data) - set(self.filters) - PAGING)
        if unknown:
            raise FilterUnknown(f"This list has no filter {unknown[0]!r}.")
        return super().filter_queryset(queryset)

    def by_status(
        self, queryset: QuerySet[PaymentIntent], _: str, values: list[str]
    ) -> QuerySet[PaymentIntent]:
        return queryset.filter(status__in=[value.upper() for value in values])

    def by_branch(self, queryset: QuerySet[PaymentIntent], name: str, value: str) -> QuerySet[PaymentIntent]:
        return queryset.filter(branch_id=_decoded("br", name, value))

    def by_application(
        self, queryset: QuerySet[PaymentIntent], name: str, value: str
    ) -> QuerySet[PaymentIntent]:
        return queryset.filter(application_id=_decoded("app", name, value))


def _decoded(prefix: str, name: str, value: str) -> Any:
    try:
        return ids.decode(prefix, value)
    except ids.InvalidId as error:
        message = str(error)
        raise FilterInvalid(
            message, errors=[errors.FieldError(f"/{name}", FilterInvalid.code, message)]
        ) from None

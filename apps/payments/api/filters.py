"""Filters of the lists of payments, refunds and disputes; one that is not known is refused, for ignoring it would show too much."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters

from apps.kit.filters import ChoicesFilter, InstantFilter, StrictFilterSet, decoded
from apps.payments.contracts import DisputeStatus, InboundStatus, IntentStatus, RefundStatus
from apps.payments.contracts.bulks import BulkItemStatus
from apps.payments.contracts.saving import SavedMethodStatus
from apps.payments.models import (
    BulkItem,
    Dispute,
    InboundReceipt,
    PaymentAttempt,
    PaymentIntent,
    Refund,
    SavedMethod,
)
from apps.payments.models.bulk import BulkItemQuerySet
from apps.payments.models.inbound import reference_key

ITEM_STATES = [state.lower() for state in BulkItemStatus]
RANGES = ("gte", "gt", "lte", "lt")


def _ranges(field: str) -> dict[str, Any]:
    return {
        f"{field}[{lookup}]": InstantFilter(
            field_name=field, lookup_expr=lookup, help_text="RFC 3339, as 2026-11-24T07:41:58Z."
        )
        for lookup in RANGES
    }


class PaymentIntentFilter(StrictFilterSet):
    status = ChoicesFilter(
        choices=[(state.lower(), state.lower()) for state in IntentStatus],
        method="by_status",
        help_text="One or more states, comma separated.",
    )
    reference = filters.CharFilter(help_text="Your own id, exact.")
    provider_receipt = filters.CharFilter(
        method="by_receipt", help_text="The provider's receipt number, or that of one of its parts, exact."
    )
    branch_id = filters.CharFilter(method="by_branch", help_text="Only this branch.")
    application_id = filters.CharFilter(method="by_application", help_text="Only this application.")

    class Meta:
        model = PaymentIntent
        fields: list[str] = []

    @classmethod
    def get_filters(cls) -> dict[str, Any]:
        return {**super().get_filters(), **_ranges("created_at")}

    def by_status(
        self, queryset: QuerySet[PaymentIntent], _: str, values: list[str]
    ) -> QuerySet[PaymentIntent]:
        return queryset.filter(status__in=[value.upper() for value in values])

    def by_receipt(self, queryset: QuerySet[PaymentIntent], _: str, value: str) -> QuerySet[PaymentIntent]:
        bearing = PaymentAttempt.objects.filter(provider_receipt=value, surrendered_at=None)
        return queryset.filter(id__in=bearing.values("intent_id"))

    def by_branch(self, queryset: QuerySet[PaymentIntent], name: str, value: str) -> QuerySet[PaymentIntent]:
        return queryset.filter(branch_id=decoded("br", name, value))

    def by_application(
        self, queryset: QuerySet[PaymentIntent], name: str, value: str
    ) -> QuerySet[PaymentIntent]:
        return queryset.filter(application_id=decoded("app", name, value))


class InboundReceiptFilter(StrictFilterSet):
    status = ChoicesFilter(
        choices=[(state.lower(), state.lower()) for state in InboundStatus],
        method="by_status",
        help_text="One or more states, comma separated.",
    )
    provider_receipt = filters.CharFilter(field_name="receipt", help_text="The receipt number, exact.")
    reference = filters.CharFilter(
        method="by_reference", help_text="What was typed, whatever the blanks, dashes and small letters."
    )
    branch_id = filters.CharFilter(method="by_branch", help_text="Only accounts of this branch.")

    class Meta:
        model = InboundReceipt
        fields: list[str] = []

    @classmethod
    def get_filters(cls) -> dict[str, Any]:
        return {**super().get_filters(), **_ranges("received_at")}

    def by_status(
        self, queryset: QuerySet[InboundReceipt], _: str, values: list[str]
    ) -> QuerySet[InboundReceipt]:
        return queryset.filter(status__in=[value.upper() for value in values])

    def by_reference(
        self, queryset: QuerySet[InboundReceipt], _: str, value: str
    ) -> QuerySet[InboundReceipt]:
        return queryset.filter(reference_key=reference_key(value))

    def by_branch(
        self, queryset: QuerySet[InboundReceipt], name: str, value: str
    ) -> QuerySet[InboundReceipt]:
        return queryset.filter(branch_id=decoded("br", name, value))


class SavedMethodFilter(StrictFilterSet):
    status = ChoicesFilter(
        choices=[(state.lower(), state.lower()) for state in SavedMethodStatus],
        method="by_status",
        help_text="One or more states, comma separated.",
    )
    payer_reference = filters.CharFilter(help_text="Your own id of the payer, exact.")
    branch_id = filters.CharFilter(method="by_branch", help_text="Only this branch.")

    class Meta:
        model = SavedMethod
        fields: list[str] = []

    def by_status(self, queryset: QuerySet[SavedMethod], _: str, values: list[str]) -> QuerySet[SavedMethod]:
        return queryset.filter(status__in=[value.upper() for value in values])

    def by_branch(self, queryset: QuerySet[SavedMethod], name: str, value: str) -> QuerySet[SavedMethod]:
        return queryset.filter(branch_id=decoded("br", name, value))


class RefundFilter(StrictFilterSet):
    status = ChoicesFilter(
        choices=[(state.lower(), state.lower()) for state in RefundStatus],
        method="by_status",
        help_text="One or more states, comma separated.",
    )
    payment_id = filters.CharFilter(method="by_payment", help_text="Only refunds of this payment.")
    provider_receipt = filters.CharFilter(help_text="The refund's receipt number, exact.")
    branch_id = filters.CharFilter(method="by_branch", help_text="Only this branch.")

    class Meta:
        model = Refund
        fields: list[str] = []

    @classmethod
    def get_filters(cls) -> dict[str, Any]:
        return {**super().get_filters(), **_ranges("created_at")}

    def by_status(self, queryset: QuerySet[Refund], _: str, values: list[str]) -> QuerySet[Refund]:
        return queryset.filter(status__in=[value.upper() for value in values])

    def by_payment(self, queryset: QuerySet[Refund], name: str, value: str) -> QuerySet[Refund]:
        return queryset.filter(intent_id=decoded("pi", name, value))

    def by_branch(self, queryset: QuerySet[Refund], name: str, value: str) -> QuerySet[Refund]:
        return queryset.filter(branch_id=decoded("br", name, value))


class DisputeFilter(StrictFilterSet):
    status = ChoicesFilter(
        choices=[(state.lower(), state.lower()) for state in DisputeStatus],
        method="by_status",
        help_text="One or more states, comma separated.",
    )
    payment_id = filters.CharFilter(method="by_payment", help_text="Only disputes of this payment.")
    provider_dispute = filters.CharFilter(field_name="ticket", help_text="What the provider calls it, exact.")
    branch_id = filters.CharFilter(method="by_branch", help_text="Only this branch.")

    class Meta:
        model = Dispute
        fields: list[str] = []

    @classmethod
    def get_filters(cls) -> dict[str, Any]:
        return {**super().get_filters(), **_ranges("due_by")}

    def by_status(self, queryset: QuerySet[Dispute], _: str, values: list[str]) -> QuerySet[Dispute]:
        return queryset.filter(status__in=[value.upper() for value in values])

    def by_payment(self, queryset: QuerySet[Dispute], name: str, value: str) -> QuerySet[Dispute]:
        return queryset.filter(intent_id=decoded("pi", name, value))

    def by_branch(self, queryset: QuerySet[Dispute], name: str, value: str) -> QuerySet[Dispute]:
        return queryset.filter(branch_id=decoded("br", name, value))


class BulkItemFilter(StrictFilterSet):
    status = ChoicesFilter(
        choices=[(state, state) for state in ITEM_STATES],
        method="by_status",
        help_text="One or more states, comma separated.",
    )

    class Meta:
        model = BulkItem
        fields: list[str] = []

    def by_status(self, queryset: BulkItemQuerySet, _: str, values: list[str]) -> BulkItemQuerySet:
        return queryset.with_status([BulkItemStatus(value.upper()) for value in values])

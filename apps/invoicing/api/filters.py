"""Filters of the receipts list."""

from django.db.models import QuerySet
from django_filters import rest_framework as filters

from apps.invoicing.models import Document
from apps.kit.filters import StrictFilterSet, decoded


class ReceiptFilter(StrictFilterSet):
    """``payment_id`` and ``number``, both exact."""

    payment_id = filters.CharFilter(method="by_payment", help_text="Receipts of this payment.")
    number = filters.CharFilter(help_text="The printed number.")

    class Meta:
        model = Document
        fields: list[str] = []

    def by_payment(self, queryset: QuerySet[Document], name: str, value: str) -> QuerySet[Document]:
        return queryset.filter(intent_id=decoded("pi", name, value))

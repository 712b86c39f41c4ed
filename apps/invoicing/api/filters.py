"""Filters of the receipts list."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from rest_framework import serializers

from apps.invoicing.models import Document
from apps.kit import ids


class ReceiptFilter(filters.FilterSet):
    """``payment_id`` and ``number``, both exact."""

    payment_id = filters.CharFilter(method="by_payment", help_text="Receipts of this payment.")
    number = filters.CharFilter(help_text="The printed number.")

    class Meta:
        model = Document
        fields: list[str] = []

    def by_payment(self, queryset: QuerySet[Document], _: str, value: Any) -> QuerySet[Document]:
        try:
            return queryset.filter(intent_id=ids.decode("pi", value))
        except ids.InvalidId as error:
            raise serializers.ValidationError({"payment_id": [str(error)]}) from None

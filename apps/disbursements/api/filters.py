"""Filters of the lists of connected accounts and transfers; one that is not known is refused."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters

from apps.disbursements.contracts import ConnectedStatus, TransferStatus
from apps.disbursements.models import ConnectedAccount, Transfer
from apps.kit.filters import ChoicesFilter, StrictFilterSet, decoded


class ConnectedAccountFilter(StrictFilterSet):
    status = ChoicesFilter(
        choices=[(state.lower(), state.lower()) for state in ConnectedStatus],
        method="by_status",
        help_text="One or more states, comma separated.",
    )
    party_id = filters.CharFilter(method="by_party", help_text="Only those of this party.")

    class Meta:
        model = ConnectedAccount
        fields: list[str] = []

    def by_status(self, queryset: QuerySet[Any], _: str, values: list[str]) -> QuerySet[Any]:
        return queryset.filter(status__in=[value.upper() for value in values])

    def by_party(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return queryset.filter(party_id=decoded("pty", name, value))


class TransferFilter(StrictFilterSet):
    status = ChoicesFilter(
        choices=[(state.lower(), state.lower()) for state in TransferStatus],
        method="by_status",
        help_text="One or more states, comma separated.",
    )
    reference = filters.CharFilter(help_text="Your own reference, exact.")
    connected_account_id = filters.CharFilter(method="by_account", help_text="Only those to this account.")

    class Meta:
        model = Transfer
        fields: list[str] = []

    def by_status(self, queryset: QuerySet[Any], _: str, values: list[str]) -> QuerySet[Any]:
        return queryset.filter(status__in=[value.upper() for value in values])

    def by_account(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return queryset.filter(connected_account_id=decoded("ca", name, value))

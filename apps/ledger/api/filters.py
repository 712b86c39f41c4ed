"""Filters of the ledger's lists; one that is not known is refused, for ignoring it would show too much."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters

from apps.kit.filters import ChoicesFilter, StrictFilterSet, decoded
from apps.ledger.contracts import (
    AccountRole,
    AccountStatus,
    AccountType,
    HoldState,
    PeriodState,
    TransactionKind,
)
from apps.ledger.models import Account, Entry, FxRate, Hold, Period, Transaction

RANGES = ("gte", "gt", "lte", "lt")


class AccountFilter(StrictFilterSet):
    role = ChoicesFilter(
        choices=[(role.lower(), role.lower()) for role in AccountRole],
        method="by_choice",
        help_text="One or more roles, comma separated.",
    )
    type = ChoicesFilter(
        choices=[(kind.lower(), kind.lower()) for kind in AccountType],
        method="by_choice",
        help_text="One or more types, comma separated.",
    )
    status = ChoicesFilter(
        choices=[(status.lower(), status.lower()) for status in AccountStatus],
        method="by_choice",
        help_text="One or more states, comma separated.",
    )
    currency = filters.CharFilter(help_text="Only this currency, as KES.")
    code = filters.CharFilter(help_text="The account's number, exact.")
    branch_id = filters.CharFilter(method="by_branch", help_text="Only this branch.")

    class Meta:
        model = Account
        fields: list[str] = []

    def by_choice(self, queryset: QuerySet[Account], name: str, values: list[str]) -> QuerySet[Account]:
        return queryset.filter(**{f"{name}__in": [value.upper() for value in values]})

    def by_branch(self, queryset: QuerySet[Account], name: str, value: str) -> QuerySet[Account]:
        return queryset.filter(branch_id=decoded("br", name, value))


class TransactionFilter(StrictFilterSet):
    kind = ChoicesFilter(
        choices=[(kind.lower(), kind.lower()) for kind in TransactionKind],
        method="by_kind",
        help_text="One or more kinds, comma separated.",
    )
    reference = filters.CharFilter(help_text="Exact.")
    account_id = filters.CharFilter(method="by_account", help_text="Only what moved this account.")

    class Meta:
        model = Transaction
        fields: list[str] = []

    @classmethod
    def get_filters(cls) -> dict[str, Any]:
        days = {
            f"effective_date[{lookup}]": filters.DateFilter(
                field_name="effective_date", lookup_expr=lookup, help_text="A day, as 2026-11-24."
            )
            for lookup in RANGES
        }
        return {**super().get_filters(), **days}

    def by_kind(self, queryset: QuerySet[Transaction], _: str, values: list[str]) -> QuerySet[Transaction]:
        return queryset.filter(kind__in=[value.upper() for value in values])

    def by_account(self, queryset: QuerySet[Transaction], name: str, value: str) -> QuerySet[Transaction]:
        moved = Entry.objects.filter(account__uid=decoded("acc", name, value)).values("transaction_id")
        return queryset.filter(id__in=moved)


class HoldFilter(StrictFilterSet):
    status = ChoicesFilter(
        choices=[(state.lower(), state.lower()) for state in HoldState],
        method="by_status",
        help_text="One or more states, comma separated.",
    )
    reference = filters.CharFilter(field_name="transaction__reference", help_text="Exact.")

    class Meta:
        model = Hold
        fields: list[str] = []

    def by_status(self, queryset: QuerySet[Hold], _: str, values: list[str]) -> QuerySet[Hold]:
        return queryset.filter(state__in=[value.upper() for value in values])


class PeriodFilter(StrictFilterSet):
    status = ChoicesFilter(
        choices=[(state.lower(), state.lower()) for state in PeriodState],
        method="by_status",
        help_text="One or more states, comma separated.",
    )

    class Meta:
        model = Period
        fields: list[str] = []

    def by_status(self, queryset: QuerySet[Period], _: str, values: list[str]) -> QuerySet[Period]:
        return queryset.filter(state__in=[value.upper() for value in values])


class RateFilter(StrictFilterSet):
    base = filters.CharFilter(help_text="Only rates of this currency, as USD.")
    quote = filters.CharFilter(help_text="Only rates in this currency, as KES.")

    class Meta:
        model = FxRate
        fields: list[str] = []

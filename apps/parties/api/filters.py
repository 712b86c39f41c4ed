"""Filters of the list of parties."""

from django.db.models import QuerySet
from django_filters import rest_framework as filters

from apps.kit.filters import FlagFilter, StrictFilterSet
from apps.parties.contracts import PartyKind
from apps.parties.models import Party


class PartyFilter(StrictFilterSet):
    """``kind``, ``external_id``, ``contact`` (a stored number or address) and ``archived``, all exact."""

    kind = filters.ChoiceFilter(
        choices=[(kind.lower(), kind.lower()) for kind in PartyKind], method="by_kind"
    )
    external_id = filters.CharFilter()
    contact = filters.CharFilter(
        method="by_contact", help_text="As stored: +254712345678 or an e-mail address."
    )
    archived = FlagFilter(method="by_archived", help_text="Only what is archived, or only the rest.")

    class Meta:
        model = Party
        fields: list[str] = []

    def by_kind(self, queryset: QuerySet[Party], _: str, value: str) -> QuerySet[Party]:
        return queryset.filter(kind=value.upper())

    def by_contact(self, queryset: QuerySet[Party], _: str, value: str) -> QuerySet[Party]:
        return queryset.filter(contacts__value=value).distinct()

    def by_archived(self, queryset: QuerySet[Party], _: str, value: bool) -> QuerySet[Party]:  # noqa: FBT001 (the library's signature)
        return queryset.filter(archived_at__isnull=not value)

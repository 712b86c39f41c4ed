"""Filters of lists over the API: one that is not known is refused, for ignoring it would show too much."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django_filters import rest_framework as filters

from apps.kit import errors, ids

PAGING = {"limit", "cursor"}


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


class ChoicesFilter(filters.BaseInFilter, filters.ChoiceFilter):
    """One or more choices, comma separated."""


class FlagFilter(filters.TypedChoiceFilter):
    """``true`` or ``false`` and nothing else: what is misspelt is refused, not ignored."""

    def __init__(self, **kwargs: Any) -> None:
        choices = [("true", "true"), ("false", "false")]
        super().__init__(choices=choices, coerce=lambda text: text == "true", empty_value=None, **kwargs)


class InstantFilter(filters.IsoDateTimeFilter):
    """An instant in any zone, compared in UTC: PostgreSQL takes no zone that is 16 hours off or more."""

    def filter(self, qs: QuerySet[Any], value: datetime | None) -> QuerySet[Any]:
        if value is None:
            return qs
        try:
            return super().filter(qs, value.astimezone(UTC))
        except OverflowError:
            message = "This instant is before or after all time."
            raise FilterInvalid(
                message,
                errors=[errors.FieldError(f"/{self.field_name}", FilterInvalid.code, message)],
            ) from None


class StrictFilterSet(filters.FilterSet):
    """A set of filters that refuses what it does not know."""

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        unknown = sorted(set(self.data) - set(self.filters) - PAGING)
        if unknown:
            raise FilterUnknown(f"This list has no filter {unknown[0]!r}.")
        return super().filter_queryset(queryset)


def decoded(prefix: str, name: str, value: str) -> UUID:
    """Return the UUID that a filter's value names; raise FilterInvalid for another prefix or form."""
    try:
        return ids.decode(prefix, value)
    except ids.InvalidId as error:
        message = str(error)
        raise FilterInvalid(
            message, errors=[errors.FieldError(f"/{name}", FilterInvalid.code, message)]
        ) from None

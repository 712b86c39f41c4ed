"""Filters that several lists of payments share: whole days, branches, and how long something has waited."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, RangeDateFilter
from unfold.utils import parse_date_str

from apps.access.selectors import branches
from apps.kit import clock
from apps.payments.selectors import suspense


class CreatedFilter(RangeDateFilter):
    """Whole days of the organisation's zone, the last one included."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002 (Django's signature)
        first, last = (
            _day(self.used_parameters.get(f"{self.parameter_name}_{end}")) for end in ("from", "to")
        )
        if first is not None:
            queryset = queryset.filter(created_at__gte=first)
        return queryset if last is None else queryset.filter(created_at__lt=last + timedelta(days=1))


def _day(text: Any) -> datetime | None:
    """Return the beginning of the day that a person typed, or None for what is no date."""
    day = parse_date_str(text) if isinstance(text, str) else None
    return None if day is None else timezone.make_aware(datetime(day.year, day.month, day.day))  # noqa: DTZ001 (made aware here)


class BranchFilter(DropdownFilter):
    """The reader's own branches only; another one holds nothing for him."""

    title = _("Branch")
    parameter_name = "branch"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002 (Django's signature)
        return [
            (str(branch.id), branch.name) for branch in branches.visible_to(request.user).order_by("name")
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002 (Django's signature)
        known = {key for key, _name in self.lookup_choices}
        if self.value() and self.value() not in known:
            return queryset.none()
        return queryset.filter(branch_id=self.value()) if self.value() else queryset


class AgeFilter(DropdownFilter):
    """How long money has waited, in the buckets that stand above the list."""

    title = _("Age")
    parameter_name = "age"
    arrived_field = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:  # noqa: ARG002 (Django's signature)
        return [(age.key, age.title) for age in suspense.AGES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002 (Django's signature)
        if not self.value():
            return queryset
        return suspense.of_age(queryset, str(self.value()), field=self.arrived_field, now=clock.now())

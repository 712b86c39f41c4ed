"""The filter of a list by the state of its rows."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter


class StatusFilter(DropdownFilter):
    """Rows in one state; ``words`` says what people call each, in the order in which they are offered."""

    title = _("Status")
    parameter_name = "status"
    words: ClassVar[Mapping[Any, Any]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:  # noqa: ARG002 (Django's signature)
        return [(state.value, word) for state, word in self.words.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002 (Django's signature)
        return queryset.filter(status=self.value()) if self.value() else queryset

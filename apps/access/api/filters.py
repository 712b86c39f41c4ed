"""Filters of the list of branches."""

from django_filters import rest_framework as filters

from apps.access.models import Branch
from apps.kit.filters import StrictFilterSet


class BranchFilter(StrictFilterSet):
    """``external_id``: what the calling application calls it, exact."""

    external_id = filters.CharFilter()

    class Meta:
        model = Branch
        fields: list[str] = []

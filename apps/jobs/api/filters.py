"""Filters of the list of jobs."""

from django.db.models import QuerySet
from django_filters import rest_framework as filters

from apps.jobs.contracts import JobStatus
from apps.jobs.models import Job
from apps.kit.filters import StrictFilterSet


class JobFilter(StrictFilterSet):
    """``status`` and ``kind``, both exact."""

    status = filters.ChoiceFilter(
        choices=[(status.lower(), status.lower()) for status in JobStatus], method="by_status"
    )
    kind = filters.CharFilter(help_text="The kind of work, as export.")

    class Meta:
        model = Job
        fields: list[str] = []

    def by_status(self, queryset: QuerySet[Job], _: str, value: str) -> QuerySet[Job]:
        return queryset.filter(status=value.upper())

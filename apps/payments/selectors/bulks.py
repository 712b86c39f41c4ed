"""Reading bulks: what became of each of many payments that were asked for together."""

from collections.abc import Mapping
from uuid import UUID

from django.db.models import Count

from apps.payments.models import BulkItem
from apps.payments.models.bulk import WITH, BulkItemQuerySet


def items_of(job_id: UUID) -> BulkItemQuerySet:
    """Return the items of a bulk as they were sent. Whether the caller may see its job is for ``jobs.visible_to`` to say."""
    return BulkItem.objects.filter(job_id=job_id).select_related("job").order_by("position")


def progress_of(job_id: UUID) -> Mapping[str, int]:
    """Return how many there are in all, and how many of them are in each state."""
    each = {state.lower(): Count("id", filter=rows) for state, rows in WITH.items()}
    return dict(BulkItem.objects.filter(job_id=job_id).aggregate(total=Count("id"), **each))

"""Reading bulks: what became of each of many payments that were asked for together."""

from collections.abc import Mapping
from uuid import UUID

from django.db.models import Count, Q

from apps.payments.models import BulkItem
from apps.payments.models.bulk import BulkItemQuerySet


def items_of(job_id: UUID) -> BulkItemQuerySet:
    """Return the items of a bulk as they were sent. Whether the caller may see its job is for ``jobs.visible_to`` to say."""
    return BulkItem.objects.filter(job_id=job_id).order_by("position")


def progress_of(job_id: UUID) -> Mapping[str, int]:
    """Return how many there are in all, and how many wait, were created and were refused."""
    counted = items_of(job_id).aggregate(
        total=Count("id"), created=Count("intent_id"), refused=Count("id", filter=Q(problem__isnull=False))
    )
    return {**counted, "waiting": counted["total"] - counted["created"] - counted["refused"]}

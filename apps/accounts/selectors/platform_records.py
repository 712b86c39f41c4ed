"""Reading the platform's audit trail."""

from datetime import datetime

from django.db.models import QuerySet

from apps.accounts.models import PlatformRecord


def of_request(request_id: str, *, at: datetime) -> QuerySet[PlatformRecord]:
    """Return what one request did at this instant, in its order."""
    return PlatformRecord.objects.filter(request_id=request_id, occurred_at=at).order_by("id")

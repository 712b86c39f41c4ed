"""Reading the audit trail."""

from datetime import datetime

from django.db.models import QuerySet

from apps.audit.models import AuditRecord


def of(*, object_type: str, object_id: str) -> QuerySet[AuditRecord]:
    """Return what was done to one thing, oldest first."""
    return AuditRecord.objects.filter(object_type=object_type, object_id=object_id).order_by(
        "occurred_at", "id"
    )


def newest() -> QuerySet[AuditRecord]:
    """Return all records of the organisation, newest first."""
    return AuditRecord.objects.order_by("-occurred_at", "-id")


def of_request(request_id: str, *, at: datetime) -> QuerySet[AuditRecord]:
    """Return what one request did at this instant, in its order."""
    return AuditRecord.objects.filter(request_id=request_id, occurred_at=at).order_by("id")

"""Reading the audit trail."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import Q, QuerySet

from apps.audit.contracts import Wanted
from apps.audit.models import AuditRecord

RECENT = 20_000
"""Actions and kinds of objects are offered as the newest records name them."""
EXACT = {
    "person": "person",
    "kind": "actor_kind",
    "action": "action",
    "object_type": "object_type",
    "object_id": "object_id",
    "request_id": "request_id",
    "branch": "branch",
}


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


def within(branch_ids: Collection[UUID] | None) -> QuerySet[AuditRecord]:
    """Return the records that somebody of these branches may read: those about them; None for all there are."""
    if branch_ids is None:
        return AuditRecord.objects.all()
    return AuditRecord.objects.filter(branch__in=[str(branch_id) for branch_id in branch_ids])


def found_by(rows: QuerySet[AuditRecord], wanted: Wanted) -> QuerySet[AuditRecord]:
    """Return those of the records that are looked for."""
    exact = {column: value for name, column in EXACT.items() if (value := getattr(wanted, name))}
    rows = rows.filter(**exact)
    if wanted.since:
        rows = rows.filter(occurred_at__gte=wanted.since)
    if wanted.until:
        rows = rows.filter(occurred_at__lt=wanted.until)
    return _with_text(rows, wanted.text) if wanted.text else rows


def actions() -> list[str]:
    """Return the actions that the newest records name."""
    return _named("action")


def object_types() -> list[str]:
    """Return the kinds of things that the newest records are about."""
    return _named("object_type")


def _named(column: str) -> list[str]:
    newest_ones = AuditRecord.objects.order_by("-id").values("id")[:RECENT]
    found = AuditRecord.objects.filter(id__in=newest_ones).order_by().values_list(column, flat=True)
    return sorted(found.distinct())


def _with_text(rows: QuerySet[AuditRecord], text: str) -> QuerySet[AuditRecord]:
    """Return what has these words in its reason, or this identifier."""
    identity = Q(object_id=text) | Q(request_id=text) | Q(actor_id=text) | Q(ip=text)
    if _is_uuid(text):
        identity |= Q(id=text)
    words = SearchQuery(text, config="simple", search_type="websearch")
    return rows.annotate(words=SearchVector("reason", config="simple")).filter(identity | Q(words=words))


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True

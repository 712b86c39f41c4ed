"""Reading deeds that belong together."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from apps.approvals.contracts import ApprovalStatus, CountedBy
from apps.approvals.models import ApprovalRequest, CountedDeed, SplitPart
from apps.kit.money import Money

COLUMNS = {
    CountedBy.COUNTERPARTY: "counterparty",
    CountedBy.PERSON: "person",
    CountedBy.APPLICATION: "application_id",
}
LIVE = [ApprovalStatus.PENDING.value, ApprovalStatus.APPROVED.value]


def together(
    *, kind: str, by: CountedBy, value: str, money: Money, since: datetime, but: UUID
) -> QuerySet[CountedDeed]:
    """
    Return the deeds of a kind and currency since then that agree in this, but one; each with its sum of now as ``minor``.

    What was refused, withdrawn or not decided in time is not done, and does not count.
    """
    return (
        CountedDeed.objects.filter(
            Q(request__isnull=True) | Q(request__status__in=LIVE),
            kind=kind,
            currency=money.currency,
            created_at__gt=since,
            **{COLUMNS[by]: value},
        )
        .exclude(subject_id=but)
        .annotate(minor=Coalesce("request__amount_minor", F("amount_minor")))
    )


def total(deeds: QuerySet[CountedDeed], like: Money) -> Money:
    """Return the sum of deeds in the currency of ``like``."""
    return Money(int(deeds.aggregate(sum=Sum("minor"))["sum"] or 0), like.currency)


def parts_of(request: ApprovalRequest) -> list[CountedDeed]:
    """Return the other deeds that the present version was counted together with, the latest first."""
    parts = request.parts.filter(payload_version=request.payload_version).select_related("deed")
    return [part.deed for part in parts.order_by("-deed_id")]


def whole_of(request: ApprovalRequest) -> Money | None:
    """Return the sum of the present version together with the deeds that it was counted with, or None without a sum."""
    if request.money is None:
        return None
    return sum((deed.money for deed in parts_of(request)), start=request.money)


def among(requests: Iterable[ApprovalRequest]) -> set[UUID]:
    """Return the ids of those whose present version was counted together with other deeds."""
    versions = {request.id: request.payload_version for request in requests}
    parts = SplitPart.objects.filter(request_id__in=versions).values_list("request_id", "payload_version")
    return {request_id for request_id, version in parts.distinct() if versions[request_id] == version}


def counted(request: ApprovalRequest) -> CountedDeed | None:
    """Return the deed that a request was counted as."""
    return CountedDeed.objects.filter(request=request).first()

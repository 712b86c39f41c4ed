"""What people asked the ledger to book by hand, journals and reversals, and what became of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.access.selectors.scope import Principal
from apps.approvals.contracts import ApprovalKind, ApprovalStatus
from apps.approvals.selectors import requests as asked
from apps.approvals.selectors.requests import ApprovalRequest
from apps.kit import errors
from apps.ledger.contracts import JOURNAL, REVERSAL
from apps.ledger.models import Transaction, Unbooked

SOURCES = {JOURNAL.name: "journal", REVERSAL.name: "ledger_transaction"}
"""What a transaction names as its source when it was booked because of a request of this kind."""


class Outcome(StrEnum):
    """UNDERWAY is agreed to and booked within seconds; FAILED is agreed to and refused by the ledger."""

    WAITING = "WAITING"
    UNDERWAY = "UNDERWAY"
    BOOKED = "BOOKED"
    FAILED = "FAILED"
    REFUSED = "REFUSED"
    EXPIRED = "EXPIRED"
    WITHDRAWN = "WITHDRAWN"


BY_STATUS = {
    ApprovalStatus.PENDING: Outcome.WAITING,
    ApprovalStatus.REFUSED: Outcome.REFUSED,
    ApprovalStatus.EXPIRED: Outcome.EXPIRED,
    ApprovalStatus.WITHDRAWN: Outcome.WITHDRAWN,
}


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a request: the transaction that it was booked as, or why it was not."""

    outcome: Outcome
    transaction_uid: UUID | None = None
    transaction_number: str = ""
    detail: str = ""


def visible_to(caller: Principal, kind: ApprovalKind) -> QuerySet[ApprovalRequest]:
    """Return the requests of a kind within the caller's branches, and those that he made himself wherever they stand."""
    own = asked.made_by_person(asked.within(None, None), asked.person_of(caller))
    seen = Q(id__in=asked.visible_to(caller).values("id")) | Q(id__in=own.values("id"))
    return ApprovalRequest.objects.filter(seen, kind=kind.name).select_related("branch")


def about(kind: ApprovalKind, subject_id: UUID, caller: Principal) -> list[ApprovalRequest]:
    """Return the requests about one thing that the caller may see, the newest first; raise NotFound where there is none."""
    found = list(visible_to(caller, kind).filter(subject_id=subject_id).order_by("-id"))
    if not found:
        raise errors.NotFound("There is no such journal.")
    return found


def in_outcome(
    requests: QuerySet[ApprovalRequest], kind: ApprovalKind, outcome: Outcome
) -> QuerySet[ApprovalRequest]:
    """Return those of a kind of which this became."""
    status = next((status for status, one in BY_STATUS.items() if one is outcome), ApprovalStatus.APPROVED)
    found = requests.filter(status=status)
    if status is not ApprovalStatus.APPROVED:
        return found
    failed = Exists(Unbooked.objects.filter(request_id=OuterRef("id")))
    if outcome is Outcome.FAILED:
        return found.filter(failed)
    booked = Exists(
        Transaction.objects.filter(source_type=SOURCES[kind.name], source_id=OuterRef("subject_id"))
    )
    return found.filter(~failed, booked if outcome is Outcome.BOOKED else ~booked)


def told(requests: Iterable[ApprovalRequest]) -> Mapping[UUID, Told]:
    """Return what became of each request, by its id: two queries."""
    rows = list(requests)
    agreed = [row for row in rows if row.status == ApprovalStatus.APPROVED]
    failures = dict(
        Unbooked.objects.filter(request_id__in=[row.id for row in agreed]).values_list("request_id", "detail")
    )
    booked = {
        (transaction.source_type, transaction.source_id): transaction
        for transaction in Transaction.objects.filter(
            source_type__in=SOURCES.values(), source_id__in=[row.subject_id for row in agreed]
        )
    }
    return {
        row.id: _told(row, failures.get(row.id), booked.get((SOURCES[row.kind], row.subject_id)))
        for row in rows
    }


def last_about(kind: ApprovalKind, subject_id: UUID) -> ApprovalRequest | None:
    """Return the newest request about one thing. The caller's scope is not asked."""
    return asked.about([subject_id]).filter(kind=kind.name).last()


def _told(request: ApprovalRequest, failure: str | None, booked: Transaction | None) -> Told:
    if request.status != ApprovalStatus.APPROVED:
        return Told(BY_STATUS[ApprovalStatus(request.status)], detail=request.reason)
    if failure is not None:
        return Told(Outcome.FAILED, detail=failure)
    if booked is None:
        return Told(Outcome.UNDERWAY)
    return Told(Outcome.BOOKED, booked.uid, booked.number)

"""What was agreed to and not booked: kept with the ledger's own words, so that whoever asked finds out why."""

from datetime import datetime

from apps.approvals.selectors.requests import ApprovalRequest
from apps.kit import errors
from apps.ledger.models import Unbooked

DETAIL_MAX = 500
VOID = "ledger_agreed_to_another"


def is_kept(request: ApprovalRequest) -> bool:
    """Say whether an approved request was refused by the ledger: then it is not tried again."""
    return Unbooked.objects.filter(request_id=request.id).exists()


def keep(*, request: ApprovalRequest, refusal: errors.DomainError, now: datetime) -> None:
    """Keep why an approved request was not booked; a repeat changes nothing."""
    _keep(request, refusal.code, refusal.detail, now)


def keep_void(*, request: ApprovalRequest, now: datetime) -> None:
    """Keep that something else was agreed to than what would be booked now; a repeat changes nothing."""
    _keep(request, VOID, "Something else was agreed to than what would be booked now.", now)


def _keep(request: ApprovalRequest, code: str, detail: str, now: datetime) -> None:
    Unbooked.objects.get_or_create(
        request_id=request.id, defaults={"code": code, "detail": detail[:DETAIL_MAX], "failed_at": now}
    )

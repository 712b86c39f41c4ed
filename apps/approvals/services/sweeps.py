"""The guarantee that no request waits for ever: what nobody decided in time is closed."""

from datetime import datetime

from apps.approvals.models import ApprovalRequest
from apps.kit import jobs

BATCH = 500


def run(*, now: datetime) -> None:
    """Start a job for each request that has run out of time; safe to run at any time and twice at once."""
    overdue = ApprovalRequest.objects.overdue(now=now).order_by("expires_at")
    for request_id in overdue.values_list("id", flat=True)[:BATCH]:
        jobs.enqueue("approvals.expire_request", request_id=request_id)

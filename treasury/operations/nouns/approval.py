"""Deeds that wait for a second person."""

from apps.approvals.selectors import requests as stored
from apps.approvals.services import requests
from apps.kit import ids
from treasury.operations.calls import Answer, Call


def list_(call: Call) -> Answer:
    waiting = stored.within(None, None).pending()
    rows = [
        {
            "request": ids.encode("apr", row.id),
            "kind": row.kind,
            "sum": row.money or "",
            "summary": row.summary,
            "branch": row.branch.code,
            "step": f"{row.current_step} of {row.step_count}",
            "asked_by": stored.requester_name(row),
            "expires_at": row.expires_at,
        }
        for row in waiting.select_related("branch").order_by("id")[: call.given["limit"]]
    ]
    return Answer(f"{waiting.count()} wait, {waiting.overdue(now=call.now).count()} of them overdue", rows)


def expire(call: Call) -> Answer:
    overdue = list(
        stored.within(None, None).overdue(now=call.now).order_by("id").values_list("id", flat=True)
    )
    for request_id in overdue:
        requests.expire(request_id=request_id, reason=call.reason, actor=call.actor, now=call.now)
    return Answer(f"{len(overdue)} closed.")

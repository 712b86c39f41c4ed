"""Where applications want their webhooks."""

from apps.access.selectors import applications
from apps.events.selectors import webhooks as stored
from apps.events.services import webhook_endpoints
from apps.kit import ids
from treasury.operations.calls import Answer, Call

PREFIX = webhook_endpoints.PREFIX


def list_(_: Call) -> Answer:
    names = applications.slugs()
    rows = [
        {
            "endpoint": ids.encode(PREFIX, row.id),
            "application": names.get(row.application_id, str(row.application_id)),
            "url": row.url,
            "status": row.status.lower(),
            "why": row.disabled_reason,
            "failing_since": row.failing_since,
        }
        for row in stored.endpoints(application_id=None, branch_ids=None).order_by("id")
    ]
    return Answer(f"{len(rows)} endpoints", rows)


def open_(call: Call) -> Answer:
    endpoint = webhook_endpoints.enable(
        endpoint_id=call.id("endpoint", PREFIX), reason=call.reason, actor=call.actor, now=call.now
    )
    return Answer(
        f"{endpoint.url} gets new events again. Send what was given up with: webhook retry --endpoint"
    )


def close(call: Call) -> Answer:
    endpoint = webhook_endpoints.disable(
        endpoint_id=call.id("endpoint", PREFIX), reason=call.reason, actor=call.actor, now=call.now
    )
    return Answer(f"{endpoint.url} gets nothing more.")

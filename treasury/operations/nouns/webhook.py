"""Events on their way to applications."""

from apps.events.selectors import webhooks as stored
from apps.events.services import webhook_deliveries
from apps.kit import ids
from treasury.operations.calls import Answer, ArgumentInvalid, Call

PREFIX = "whd"
SENT_AT_ONCE = 500


def list_(call: Call) -> Answer:
    status = call.given["status"].upper()
    found = stored.with_status(status)
    rows = [
        {
            "delivery": ids.encode(PREFIX, row.id),
            "event": row.event.type,
            "endpoint": ids.encode("whe", row.endpoint_id),
            "url": row.endpoint.url,
            "attempts": row.attempt_count,
            "last_answer": row.last_http_status or row.last_error,
            "planned_at": row.created_at,
        }
        for row in found[: call.given["limit"]]
    ]
    return Answer(f"{found.count()} {status.lower()}", rows)


def retry(call: Call) -> Answer:
    delivery, endpoint = call.given["delivery"], call.given["endpoint"]
    if (delivery is None) == (endpoint is None):
        raise ArgumentInvalid("Name one delivery, or an endpoint with --endpoint.")
    if endpoint is None:
        chosen = [call.id("delivery", PREFIX)]
    else:
        given_up = stored.with_status("EXHAUSTED").filter(endpoint_id=call.id("endpoint", "whe"))
        chosen = list(given_up.values_list("id", flat=True)[:SENT_AT_ONCE])
    for delivery_id in chosen:
        webhook_deliveries.replay(delivery_id=delivery_id, reason=call.reason, actor=call.actor, now=call.now)
    return Answer(f"{len(chosen)} sent again.")

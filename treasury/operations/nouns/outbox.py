"""Events on their way to our own handlers."""

from apps.events.selectors import deliveries as stored
from apps.events.services import deliveries
from treasury.operations.calls import Answer, ArgumentInvalid, Call

REQUEUED_AT_ONCE = 500


def list_(call: Call) -> Answer:
    status = call.given["status"].upper()
    rows = stored.with_status(status)[: call.given["limit"]]
    return Answer(
        f"{stored.with_status(status).count()} {status.lower()}",
        [
            {
                "delivery": row.id,
                "event": row.event.type,
                "handler": row.handler,
                "attempts": row.attempts,
                "published_at": row.event.occurred_at,
                "last_error": row.last_error,
            }
            for row in rows
        ],
    )


def requeue(call: Call) -> Answer:
    chosen, handler = call.given["delivery"], call.given["handler"]
    if (chosen is None) == (handler is None):
        raise ArgumentInvalid("Name one delivery, or a handler with --handler.")
    if handler is None:
        row = deliveries.requeue(
            delivery_id=call.id("delivery"), reason=call.reason, actor=call.actor, now=call.now
        )
        return Answer(f"1 delivery to {row.handler} runs again.")
    dead = list(stored.with_status("DEAD").filter(handler=handler)[:REQUEUED_AT_ONCE])
    for row in dead:
        deliveries.requeue(delivery_id=row.id, reason=call.reason, actor=call.actor, now=call.now)
    return Answer(f"{len(dead)} deliveries to {handler} run again.")


def skip(call: Call) -> Answer:
    row = deliveries.skip(delivery_id=call.id("delivery"), reason=call.reason, actor=call.actor, now=call.now)
    return Answer(f"{row.handler} will never handle this event; the later ones of its aggregate go on.")

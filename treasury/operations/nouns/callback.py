"""What providers sent us."""

from apps.integrations.selectors import exchanges
from apps.integrations.services import replays
from treasury.operations.calls import Answer, ArgumentInvalid, Call

REPLAYED_AT_ONCE = 500


def list_(call: Call) -> Answer:
    waiting = exchanges.waiting_within(None)
    rows = [
        {
            "callback": row.id,
            "kind": row.kind,
            "received_at": row.received_at,
            "subject": row.processing.subject_id or "",
            "note": row.processing.note,
        }
        for row in waiting.select_related("processing").order_by("id")[: call.given["limit"]]
    ]
    return Answer(f"{waiting.count()} wait for people", rows)


def replay(call: Call) -> Answer:
    chosen, is_all = call.given["callback"], call.given["waiting"]
    if (chosen is None) != is_all:
        raise ArgumentInvalid("Name one callback, or all that wait with --waiting.")
    found = exchanges.waiting_within(None).order_by("id").values_list("id", flat=True)
    named = list(found[:REPLAYED_AT_ONCE]) if is_all else [call.id("callback")]
    rows = []
    for callback_id in named:
        now = replays.replay(callback_id=callback_id, actor=call.actor, now=call.now, reason=call.reason)
        rows.append({"callback": callback_id, "status": now.status, "note": now.note})
    return Answer(f"{len(rows)} read again. What was applied before has no second effect.", rows)

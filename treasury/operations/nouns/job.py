"""Long work."""

from apps.jobs.selectors import jobs as stored
from apps.jobs.services import jobs
from apps.kit import ids
from treasury.operations.calls import Answer, Call

PREFIX = "job"


def list_(call: Call) -> Answer:
    found = stored.ended() if call.given["ended"] else stored.live()
    rows = [
        {
            "job": ids.encode(PREFIX, row.id),
            "title": row.title,
            "status": row.status.lower(),
            "done": row.done,
            "total": row.total if row.total is not None else "",
            "tries": row.attempt,
            "asked_at": row.created_at,
            "error": row.error,
        }
        for row in found[: call.given["limit"]]
    ]
    return Answer(f"{found.count()} {'ended' if call.given['ended'] else 'wait or run'}", rows)


def stop(call: Call) -> Answer:
    job = jobs.cancel(job_id=call.id("job", PREFIX), reason=call.reason, actor=call.actor, now=call.now)
    return Answer(f"{job.title}: {'stopped' if job.finished_at else 'stops after the chunk that runs'}.")

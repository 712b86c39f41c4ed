"""The facts that jobs publishes."""

from typing import Any

from apps.events.contracts import Audience, NewEvent, declare
from apps.jobs.contracts import JobStatus
from apps.jobs.models import Job
from apps.kit import ids
from apps.kit.serializers import instant_text

AGGREGATE = "job"
ID_PREFIX = "job"
TEXT = {"type": "string"}
COUNT = {"type": "integer", "minimum": 0}
INSTANT = {"type": ["string", "null"], "format": "date-time"}
JOB_FIELDS: dict[str, Any] = {
    "id": {"type": "string", "pattern": "^job_"},
    "object": {"const": "job"},
    "kind": TEXT,
    "title": TEXT,
    "status": {"enum": [status.lower() for status in JobStatus]},
    "progress": {
        "type": "object",
        "required": ["done", "failed", "total"],
        "properties": {"done": COUNT, "failed": COUNT, "total": {"type": ["integer", "null"]}},
        "additionalProperties": False,
    },
    "error": TEXT,
    "branch_id": {"type": "string", "pattern": "^br_"},
    "application_id": {"type": "string", "pattern": "^app_"},
    "created_at": {"type": "string", "format": "date-time"},
    "started_at": INSTANT,
    "finished_at": INSTANT,
    "cancel_requested_at": INSTANT,
}

JOB_FINISHED = declare(
    "job_finished",
    topic="treasury.job.finished",
    audience=Audience.PARTNER,
    schema={
        "type": "object",
        "required": ["object"],
        "properties": {
            "object": {
                "type": "object",
                "required": sorted(JOB_FIELDS),
                "properties": JOB_FIELDS,
                "additionalProperties": False,
            }
        },
        "additionalProperties": False,
    },
    summary="Long work has ended: it succeeded, failed or was cancelled.",
)


def snapshot(job: Job) -> dict[str, Any]:
    """Return the public form of a job: what the API answers (there with its result) and what events carry."""
    instants = {
        name: instant_text(at) if (at := getattr(job, name)) else None
        for name in ("started_at", "finished_at", "cancel_requested_at")
    }
    return {
        "id": ids.encode(ID_PREFIX, job.id),
        "object": "job",
        "kind": job.kind,
        "title": job.title,
        "status": job.status.lower(),
        "progress": {"done": job.done, "failed": job.failed, "total": job.total},
        "error": job.error,
        "branch_id": ids.encode("br", job.branch_id),
        "application_id": ids.encode("app", job.application_id),
        "created_at": instant_text(job.created_at),
        **instants,
    }


def finished(job: Job) -> NewEvent:
    return NewEvent(
        JOB_FINISHED, AGGREGATE, job.id, {"object": snapshot(job)}, job.branch_id, job.application_id
    )

"""The page of one job: how far it is, who started it, and what it has made."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from apps.access.selectors.scope import Principal
from apps.jobs.contracts import JobStatus
from apps.jobs.selectors import jobs
from apps.jobs.services import jobs as results
from apps.kit import ids
from apps.kit.actors import Actor
from apps.portal.contracts import Fact, JobPage, JobResult
from apps.portal.selectors import states, words

SOON = timedelta(seconds=30)
POLL_SOON, POLL_LATER = 2, 5
WHOLE = 100
KILO = 1024


def page(job_id: UUID, caller: Principal, *, now: datetime) -> JobPage:
    """Return a job that the reader may see; raise NotFound for any other."""
    job = jobs.get(caller, job_id)
    result = None
    if job.has_result and job.expires_at is not None:
        result = JobResult(
            name=job.result_name,
            size=_size(job.result_size or 0),
            sha256=job.result_sha256,
            rows=job.result_rows,
            totals=tuple(job.totals),
            expires_at=job.expires_at,
            is_expired=job.expires_at <= now,
        )
    return JobPage(
        id=job.id,
        title=job.title,
        badge=states.JOB["STOPPING" if job.is_live and job.cancel_requested_at else job.status],
        is_live=job.is_live,
        is_queued=job.status == JobStatus.QUEUED,
        done=job.done,
        failed=job.failed,
        total=job.total,
        share=None if not job.total else min(WHOLE, job.done * WHOLE // job.total),
        error=job.error,
        started_by=words.actor(job.started_by),
        created_at=job.created_at,
        finished_at=job.finished_at,
        took=words.elapsed(job.created_at, job.finished_at) if job.finished_at else "",
        stopped_by=words.actor(job.cancelled_by) if job.cancelled_by else "",
        poll_seconds=POLL_SOON if now - job.created_at < SOON else POLL_LATER,
        may_stop=jobs.may_stop(caller, job),
        asked_for=tuple(Fact(label, text) for label, text in job.parameters.get("asked_for", ())),
        result=result,
        public_id=ids.encode("job", job.id),
    )


@dataclass(frozen=True, slots=True)
class Download:
    """A file to send: its bytes in pieces or a link to them, and what they are."""

    name: str
    content_type: str
    size: int
    sha256: str
    content: str | Iterator[bytes]


def result(job_id: UUID, caller: Principal, *, actor: Actor, now: datetime) -> Download:
    """
    Return the file of a job that the reader may see; that he took it is recorded.

    Raises NotFound for any other job, jobs.ResultMissing, jobs.ResultExpired, storage.FileDamaged or
    storage.StorageUnavailable.
    """
    job = jobs.get(caller, job_id)
    content = results.open_result(job=job, actor=actor, now=now)
    return Download(
        job.result_name, job.result_content_type, job.result_size or 0, job.result_sha256, content
    )


def _size(count: int) -> str:
    """Return 812 B, 14.2 kB or 3.1 MB."""
    if count < KILO:
        return f"{count} B"
    kilo = count / KILO
    return f"{kilo:.1f} kB" if kilo < KILO else f"{kilo / KILO:.1f} MB"

"""Jobs: started, stopped, and their results given out."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.audit.services import records
from apps.events.services import outbox
from apps.jobs import events
from apps.jobs.contracts import KINDS, JobStatus, NewJob
from apps.jobs.models import Job
from apps.jobs.models.job import PROGRESS_FIELDS, WAKE_AFTER
from apps.kit import errors, jobs, storage
from apps.kit.actors import SYSTEM, Actor
from apps.kit.storage import Stored

RUN_TASK = "jobs.run"


class JobOver(errors.DomainError):
    """The job has ended; there is nothing left to stop."""

    code = "job_over"
    title = "Job over"


class JobUnstoppable(errors.DomainError):
    """A worker is at the job, and what it does cannot be stopped half-way."""

    code = "job_unstoppable"
    title = "Job cannot be stopped"


class ResultMissing(errors.DomainError):
    """The job has no file, or not yet."""

    code = "job_result_missing"
    title = "No result"


class ResultExpired(errors.DomainError):
    """The file was deleted after its time."""

    code = "job_result_expired"
    title = "Result expired"
    status = 410


@transaction.atomic
def start(*, request: NewJob, now: datetime) -> Job:
    """Record the work and call for a worker; the row alone makes sure that it is done. KeyError for an unknown kind."""
    job = Job.objects.create(
        kind=KINDS[request.kind].name,
        title=request.title,
        branch_id=request.branch_id,
        application_id=request.application_id,
        branch_ids=_kept(request.branch_ids),
        application_ids=_kept(request.application_ids),
        permission=request.permission,
        scope=request.scope,
        started_by=str(request.actor),
        starter_id=request.starter_id,
        parameters=dict(request.parameters or {}),
        locked_until=now + WAKE_AFTER,
        created_at=now,
    )
    asked = {str(label): [None, str(text)] for label, text in job.parameters.get("asked_for", ())}
    _audit("job.started", job, request.actor, now, changes={"kind": [None, job.kind], **asked})
    call_worker(job)
    return job


def call_worker(job: Job) -> None:
    """Call for a worker of the queue that does jobs of this kind."""
    jobs.enqueue(RUN_TASK, queue=KINDS[job.kind].queue, job_id=job.id)


@transaction.atomic
def cancel(*, job_id: UUID, actor: Actor, now: datetime, reason: str = "") -> Job:
    """
    Stop a job: at once while it waits, else after the chunk that runs; what was done stays done.

    Asking twice changes nothing. Raises NotFound, JobOver for one that has ended in another way, or JobUnstoppable for
    one that a worker has taken up and whose kind is done in one deed.
    """
    job = Job.objects.locked().filter(id=job_id).first()
    if job is None:
        raise errors.NotFound("There is no such job.")
    if job.cancel_requested_at is not None:
        return job
    if not job.is_live:
        raise JobOver(f"This job is {job.status.lower()}: there is nothing left to stop.")
    if not job.is_stoppable:
        raise JobUnstoppable("A worker is at it, and it cannot be stopped half-way. Nothing was stopped.")
    job.ask_to_stop(by=str(actor), at=now)
    _audit("job.cancel_requested", job, actor, now, reason)
    if job.status == JobStatus.QUEUED:
        job.cancel(at=now)
        finished(job, now=now)
    else:
        job.save(update_fields=PROGRESS_FIELDS)
    return job


def finished(job: Job, *, now: datetime) -> None:
    """Keep and announce the end of a locked job, in the caller's transaction."""
    job.save(update_fields=PROGRESS_FIELDS)
    _audit(f"job.{job.status.lower()}", job, SYSTEM, now, reason=job.error)
    outbox.publish(events.finished(job), now=now)


def open_result(*, job: Job, actor: Actor, now: datetime) -> str | Iterator[bytes]:
    """
    Return the file of a job in pieces, checked against its checksum, or a link to it (``storage.hand_out``); that it
    was taken is recorded.

    The job was read through ``selectors.jobs``. Raises ResultExpired, ResultMissing, storage.FileDamaged or
    storage.StorageUnavailable.
    """
    if not job.has_result:
        raise ResultMissing("This job has no file. One that runs has it at the end.")
    if job.expires_at is not None and job.expires_at <= now:
        raise ResultExpired("The file was kept for 7 days and is deleted. Start the job again for a new one.")
    stored = Stored(job.result_key, job.result_sha256, job.result_size or 0)
    content = storage.hand_out(stored, name=job.result_name, content_type=job.result_content_type)
    file = {"name": [None, job.result_name], "sha256": [None, job.result_sha256]}
    _audit("job.result_downloaded", job, actor, now, changes=file)
    return content


def folder(job_id: UUID) -> str:
    """Return where the files of a job lie: one that a killed worker left there too."""
    return f"job/{job_id.hex}"


def _kept(ids: frozenset[UUID] | None) -> list[UUID] | None:
    return None if ids is None else sorted(ids)


def _audit(
    action: str,
    job: Job,
    actor: Actor,
    now: datetime,
    reason: str = "",
    changes: dict[str, Any] | None = None,
) -> None:
    records.write(
        action=action,
        object_type="job",
        object_id=str(job.id),
        actor=actor,
        now=now,
        changes={"status": [None, job.status], "title": [None, job.title], **(changes or {})},
        reason=reason,
        branch=job.branch_id,
    )

"""Runs: a worker takes a job up, does it chunk by chunk, and records the end; never two workers at once."""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from django.db import transaction
from django.utils.module_loading import import_string

from apps.jobs.contracts import KINDS, JobStatus, Kind, Progress, ResultFile, Runner, Work
from apps.jobs.models import Job
from apps.jobs.models.job import PROGRESS_FIELDS
from apps.jobs.services.jobs import finished, folder
from apps.kit import errors, faults, logs, storage
from apps.kit.patience import long_statements

WORN_OUT = "The work was interrupted too often and has been given up. Start it again, or tell the operators."

log = logs.get(__name__)


class LeaseLost(Exception):
    """Another worker has taken the job up, or it has ended: this one records nothing more."""


class FileOfAtomicRun(TypeError):
    """An atomic runner returned a file, which cannot be stored in its transaction."""


@dataclass(frozen=True, slots=True)
class End:
    """The last step of a run, and the file that the runner leaves."""

    file: ResultFile | None


@dataclass(frozen=True, slots=True)
class Run:
    """One worker at one job; ``attempt`` is the fence that ``_held`` compares."""

    job_id: UUID
    attempt: int
    kind: Kind
    steps: Generator[Progress, None, ResultFile | None]


@contextmanager
def taken_up(
    *, job_id: UUID, now: datetime, read_clock: Callable[[], datetime] | None = None
) -> Iterator[Run | None]:
    """
    Take up a waiting job, or give None when it does not wait (any more). Call it outside a transaction.

    ``read_clock`` is what a runner dates its steps by; without it all are of the instant ``now``.
    The run's folder and the runner's own resources are released at the end, however it comes.
    """
    with ExitStack() as resources:
        resources.enter_context(long_statements())
        job = _claim(job_id, now)
        if job is None:
            yield None
            return
        kind = KINDS[job.kind]
        runner: Runner = import_string(kind.runner)
        scratch = Path(resources.enter_context(TemporaryDirectory(prefix="job-")))
        steps = runner(_work(job, scratch, now, read_clock or (lambda: now)))
        resources.callback(steps.close)
        yield Run(job.id, job.attempt, kind, steps)


def go_on(run: Run, *, read_clock: Callable[[], datetime]) -> bool:
    """
    Do one chunk and record it; return whether there is more to do.

    The end is recorded here too: cancelled when somebody asked for it, failed with the sentence of a DomainError that
    the runner raised, else succeeded. Any other error, and a DomainError that may be retried (the storage does not
    answer), leaves the job to the sweep, which has it taken up again from its cursor. Nothing is recorded once another worker holds the job. The clock is read after the chunk, however long
    it took: the next one has the whole lease.
    """
    try:
        return _do(run, read_clock)
    except LeaseLost:
        log.warning("job_lease_lost", job=str(run.job_id), attempt=run.attempt)
        return False


def _do(run: Run, read_clock: Callable[[], datetime]) -> bool:
    try:
        with transaction.atomic() if run.kind.is_atomic else nullcontext():
            step = _step(run)
            if isinstance(step, End):
                return _finish(run, step.file, read_clock)
            if step.done:  # a step that only tells how much there is has done nothing yet
                faults.reach("jobs.after_chunk")
            return _advance(run, step, read_clock())
    except errors.DomainError as refusal:
        if refusal.retryable:
            raise
        return _fail(run, refusal, read_clock())


def _step(run: Run) -> Progress | End:
    try:
        return next(run.steps)
    except StopIteration as end:
        return End(end.value)


@transaction.atomic
def _claim(job_id: UUID, now: datetime) -> Job | None:
    waiting = Job.objects.filter(id=job_id, status=JobStatus.QUEUED)
    job = waiting.select_for_update(skip_locked=True, of=("self",)).first()
    if job is None:
        return None
    if job.is_exhausted:
        job.fail(error=WORN_OUT, at=now)
        finished(job, now=now)
        return None
    job.take_up(at=now, lease=KINDS[job.kind].lease)
    job.save(update_fields=PROGRESS_FIELDS)
    return job


def _work(job: Job, scratch: Path, now: datetime, read_clock: Callable[[], datetime]) -> Work:
    return Work(
        job_id=job.id,
        parameters=job.parameters,
        cursor=job.cursor,
        done=job.done,
        failed=job.failed,
        branch_ids=None if job.branch_ids is None else frozenset(job.branch_ids),
        application_ids=None if job.application_ids is None else frozenset(job.application_ids),
        folder=scratch,
        taken_up_at=now,
        read_clock=read_clock,
    )


@transaction.atomic
def _advance(run: Run, progress: Progress, now: datetime) -> bool:
    job = _held(run)
    job.advance(progress, at=now, lease=run.kind.lease)
    if job.cancel_requested_at is not None:
        job.cancel(at=now)
        finished(job, now=now)
        return False
    job.save(update_fields=PROGRESS_FIELDS)
    return True


def _finish(run: Run, file: ResultFile | None, read_clock: Callable[[], datetime]) -> bool:
    """Store the file, then record it with the end of the job in one transaction: no job points to half a file."""
    stored = None
    if file is not None:
        if run.kind.is_atomic:
            raise FileOfAtomicRun(run.kind.name)
        stored = storage.upload(path=file.path, folder=folder(run.job_id), content_type=file.content_type)
        faults.reach("jobs.after_upload")
    with transaction.atomic():
        now = read_clock()
        job = _held(run)
        if job.cancel_requested_at is not None:
            job.cancel(at=now)
        else:
            if file is not None and stored is not None:
                job.leave(file, stored)
            job.succeed(at=now)
        finished(job, now=now)
    return False


@transaction.atomic
def _fail(run: Run, refusal: errors.DomainError, now: datetime) -> bool:
    job = _held(run)
    job.fail(error=refusal.detail, at=now)
    finished(job, now=now)
    return False


def _held(run: Run) -> Job:
    """Lock the job while it is this run's; raise LeaseLost when it is not any more."""
    held = Job.objects.locked().filter(id=run.job_id, attempt=run.attempt, status=JobStatus.RUNNING).first()
    if held is None:
        raise LeaseLost
    return held

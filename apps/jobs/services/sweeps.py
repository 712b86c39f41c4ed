"""The guarantee behind the wake-ups: what nobody works at is taken up again, and results do not stay for ever."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.jobs.models import Job
from apps.jobs.models.job import PROGRESS_FIELDS
from apps.jobs.services.jobs import call_worker, finished, folder
from apps.kit import logs, storage

BATCH = 100

log = logs.get(__name__)


def run(*, now: datetime) -> None:
    """Call again for a worker for each job of this organisation that has none; safe to run twice at once."""
    for job_id in list(
        Job.objects.abandoned(now=now).order_by("locked_until").values_list("id", flat=True)[:BATCH]
    ):
        _requeue(job_id, now)


def expire(*, now: datetime) -> int:
    """
    Delete the stored files of jobs whose time is over and mark them; the rows stay. Return how many.

    One whose files cannot be deleted is logged and tried again by the next sweep; it does not keep the others.
    """
    due = list(Job.objects.to_expire(now=now).order_by("expires_at").values_list("id", flat=True)[:BATCH])
    expired = 0
    for job_id in due:
        try:
            storage.discard(folder=folder(job_id))
        except storage.StorageUnavailable:
            log.exception("result_not_deleted", job_id=str(job_id))
            continue
        expired += Job.objects.to_expire(now=now).filter(id=job_id).update(expired_at=now)
    return expired


@transaction.atomic
def _requeue(job_id: UUID, now: datetime) -> None:
    """Put a job back into the queue, or end it when somebody has asked for that meanwhile."""
    left = Job.objects.abandoned(now=now).filter(id=job_id)
    job = left.select_for_update(skip_locked=True, of=("self",)).first()
    if job is None:
        return
    if job.cancel_requested_at is not None:
        job.cancel(at=now)
        finished(job, now=now)
        return
    job.requeue(at=now)
    job.save(update_fields=PROGRESS_FIELDS)
    call_worker(job)

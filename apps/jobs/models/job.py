"""The job: one piece of long work, how far it is, and who may take it up."""

from datetime import datetime, timedelta
from typing import Self
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django_fsm import FSMField, transition

from apps.jobs.contracts import KINDS, JobStatus, Progress, ResultFile
from apps.kit.models import LockingQuerySet, StatefulModel, UuidModel, one_of
from apps.kit.money import Money
from apps.kit.storage import Stored

WAKE_AFTER = timedelta(seconds=30)
ATTEMPTS_MAX = 5
RETENTION = timedelta(days=7)
ERROR_LENGTH = 500
LIVE = [JobStatus.QUEUED, JobStatus.RUNNING]
FINAL = [JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED]

PROGRESS_FIELDS = [
    "status",
    "total",
    "done",
    "failed",
    "cursor",
    "attempt",
    "locked_until",
    "cancel_requested_at",
    "cancelled_by",
    "result_key",
    "result_sha256",
    "result_size",
    "result_name",
    "result_content_type",
    "result_rows",
    "result_totals",
    "error",
    "started_at",
    "finished_at",
    "expires_at",
]
"""What changes after creation: saved together, under the row's lock."""


class JobQuerySet(LockingQuerySet):
    def within(self, *, branch_ids: set[UUID] | None, application_ids: set[UUID] | None) -> Self:
        """Limit to jobs that read nothing beyond these branches and applications; None means all there are."""
        bounds = {"branch_ids": branch_ids, "application_ids": application_ids}
        return self.filter(
            **{f"{name}__contained_by": list(ids) for name, ids in bounds.items() if ids is not None}
        )

    def abandoned(self, *, now: datetime) -> Self:
        """Live jobs that nobody has taken up in time, or whose worker has not been heard of."""
        return self.filter(one_of("status", LIVE), locked_until__lte=now)

    def to_expire(self, *, now: datetime) -> Self:
        return self.filter(expires_at__lte=now, expired_at__isnull=True)


class Job(UuidModel, StatefulModel):
    """
    One piece of long work. This row is the truth; a message to a worker only says that there is something to do.

    ``locked_until``: while QUEUED, when the sweep calls for a worker again; while RUNNING, until when the worker that
    took it up is believed to live. ``attempt`` only grows and is the fence: who works compares it before he records
    anything. ``branch_ids`` and ``application_ids`` are those that the job reads, null for all: only who sees them all
    sees the job.
    """

    kind = models.CharField(max_length=40)
    title = models.CharField(max_length=160)
    status = FSMField(
        max_length=10,
        choices=[(status.value, status.value) for status in JobStatus],
        default=JobStatus.QUEUED.value,
        protected=True,
    )
    branch = models.ForeignKey("access.Branch", on_delete=models.PROTECT, related_name="+")
    application = models.ForeignKey("access.Application", on_delete=models.PROTECT, related_name="+")
    branch_ids = ArrayField(models.UUIDField(), null=True)
    application_ids = ArrayField(models.UUIDField(), null=True)
    permission = models.CharField(max_length=64)
    scope = models.CharField(max_length=64, blank=True)
    started_by = models.CharField(max_length=120)
    starter = models.ForeignKey("access.Membership", null=True, on_delete=models.PROTECT, related_name="+")
    parameters = models.JSONField(default=dict)
    total = models.PositiveBigIntegerField(null=True)
    done = models.PositiveBigIntegerField(default=0)
    failed = models.PositiveBigIntegerField(default=0)
    cursor = models.CharField(max_length=200, blank=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)
    cancelled_by = models.CharField(max_length=120, blank=True)
    result_key = models.CharField(max_length=200, blank=True)
    result_sha256 = models.CharField(max_length=64, blank=True)
    result_size = models.PositiveBigIntegerField(null=True)
    result_name = models.CharField(max_length=160, blank=True)
    result_content_type = models.CharField(max_length=100, blank=True)
    result_rows = models.PositiveBigIntegerField(null=True)
    result_totals = models.JSONField(default=list)
    error = models.CharField(max_length=ERROR_LENGTH, blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    expired_at = models.DateTimeField(null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=one_of("status", JobStatus), name="job_status_known"),
            models.CheckConstraint(
                condition=(one_of("status", LIVE) & Q(finished_at__isnull=True, locked_until__isnull=False))
                | (one_of("status", FINAL) & Q(finished_at__isnull=False, locked_until__isnull=True)),
                name="job_finished_states",
            ),
            models.CheckConstraint(
                condition=Q(result_key="")
                | Q(
                    status=JobStatus.SUCCEEDED.value,
                    result_sha256__regex=r"^[0-9a-f]{64}$",
                    result_size__isnull=False,
                ),
                name="job_result_when_succeeded",
            ),
        ]
        indexes = [
            models.Index(fields=["locked_until"], condition=one_of("status", LIVE), name="job_live"),
            models.Index(fields=["expires_at"], condition=Q(expired_at__isnull=True), name="job_to_expire"),
            models.Index(fields=["starter", "-id"], name="job_by_starter"),
            models.Index(fields=["application", "-id"], name="job_by_application"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    @property
    def is_stoppable(self) -> bool:
        """Whether it can still be stopped: some kinds only until a worker has first taken them up."""
        return self.is_live and (KINDS[self.kind].is_stoppable or not self.attempt)

    @property
    def has_result(self) -> bool:
        return bool(self.result_key)

    @property
    def totals(self) -> list[tuple[str, Money]]:
        """The control totals of the result, with the names of their columns."""
        return [
            (column, Money.parse(money["amount"], money["currency"])) for column, money in self.result_totals
        ]

    @property
    def is_exhausted(self) -> bool:
        return self.attempt >= ATTEMPTS_MAX

    @transition(status, source=JobStatus.QUEUED, target=JobStatus.RUNNING)
    def take_up(self, *, at: datetime, lease: timedelta) -> None:
        self.attempt += 1
        self.locked_until = at + lease
        self.started_at = self.started_at or at

    def advance(self, progress: Progress, *, at: datetime, lease: timedelta) -> None:
        """Take over what a chunk reported, and hold the job for another lease."""
        self.done, self.failed, self.cursor = progress.done, progress.failed, progress.cursor
        self.total = self.total if progress.total is None else progress.total
        self.locked_until = at + lease

    @transition(status, source=LIVE, target=JobStatus.QUEUED)
    def requeue(self, *, at: datetime) -> None:
        """Call for a worker (again)."""
        self.locked_until = at + WAKE_AFTER

    def ask_to_stop(self, *, by: str, at: datetime) -> None:
        self.cancel_requested_at = at
        self.cancelled_by = by

    def leave(self, file: ResultFile, stored: Stored) -> None:
        """Keep where the result lies; the job succeeds next."""
        self.result_key, self.result_sha256, self.result_size = stored.key, stored.sha256, stored.size
        self.result_name, self.result_content_type = file.name, file.content_type
        self.result_rows = file.rows
        self.result_totals = [[column, money.wire()] for column, money in file.totals]

    @transition(status, source=JobStatus.RUNNING, target=JobStatus.SUCCEEDED)
    def succeed(self, *, at: datetime) -> None:
        self._end(at)

    @transition(status, source=LIVE, target=JobStatus.FAILED)
    def fail(self, *, error: str, at: datetime) -> None:
        self.error = error[:ERROR_LENGTH]
        self._end(at)

    @transition(status, source=LIVE, target=JobStatus.CANCELLED)
    def cancel(self, *, at: datetime) -> None:
        self._end(at)

    def _end(self, at: datetime) -> None:
        self.locked_until = None
        self.finished_at = at
        self.expires_at = at + RETENTION

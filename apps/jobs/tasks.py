"""Background work of jobs: one task does a job, a sweep loses none, another one lets results go."""

from datetime import timedelta
from uuid import UUID

from celery import shared_task
from django.utils.translation import gettext_lazy as _t

from apps.jobs.contracts import declare
from apps.jobs.services import audit_exports, exports, runs, sweeps
from apps.kit import clock
from apps.tenancy.services import fan_out

EXPORT_LEASE = timedelta(minutes=5)
"""For the count, the sums and the snapshot of a long list, and for packing and storing its file: each is one step."""

declare(
    kind=exports.KIND,
    title=_t("Export"),
    runner="apps.jobs.services.export_runs.run",
    is_atomic=False,
    lease=EXPORT_LEASE,
)


declare(
    kind=audit_exports.KIND,
    title=_t("Audit log"),
    runner="apps.jobs.services.audit_exports.run",
    is_atomic=False,
    lease=EXPORT_LEASE,
)


@shared_task(name="jobs.run")
def run(*, job_id: str, **_: object) -> None:
    """Take a job up and work at it to the end, if it waits for a worker."""
    with runs.taken_up(job_id=UUID(job_id), now=clock.now(), read_clock=clock.now) as taken:
        while taken is not None and runs.go_on(taken, read_clock=clock.now):
            pass


@shared_task(name="jobs.sweep_organisation")
def sweep_organisation(**_: object) -> None:
    """Call again for workers in this organisation."""
    sweeps.run(now=clock.now())


@shared_task(name="jobs.sweep", scope="public")
def sweep(**_: object) -> None:
    """Start the sweep of every organisation."""
    fan_out.each_working("jobs.sweep_organisation")


@shared_task(name="jobs.expire_organisation")
def expire_organisation(**_: object) -> None:
    """Delete the results of this organisation whose time is over."""
    sweeps.expire(now=clock.now())


@shared_task(name="jobs.expire", scope="public")
def expire(**_: object) -> None:
    """Start the deletion of old results in every organisation."""
    fan_out.each_working("jobs.expire_organisation")

"""The jobs of approvals: letting requests lapse, and calling to mind what waits."""

from uuid import UUID

from celery import shared_task

from apps.approvals.services import reminders, requests, sweeps
from apps.kit import clock
from apps.tenancy.services import fan_out


@shared_task(name="approvals.expire_request")
def expire_request(*, request_id: str, **_: object) -> None:
    """Close a request that nobody decided in time."""
    requests.expire(request_id=UUID(request_id), now=clock.now())


@shared_task(name="approvals.remind_request")
def remind_request(*, request_id: str, **_: object) -> None:
    """Say once that a request waits longer at its step than its rule says."""
    reminders.send(request_id=UUID(request_id), now=clock.now())


@shared_task(name="approvals.sweep_organisation")
def sweep_organisation(**_: object) -> None:
    """Find the requests of this organisation that have run out of time, and those that wait too long."""
    now = clock.now()
    sweeps.run(now=now)
    reminders.run(now=now)


@shared_task(name="approvals.sweep", scope="public")
def sweep(**_: object) -> None:
    """Start the sweep of every organisation."""
    fan_out.each_working("approvals.sweep_organisation")

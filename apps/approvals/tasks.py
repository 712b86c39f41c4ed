"""The jobs of approvals: letting requests lapse."""

from uuid import UUID

from celery import shared_task

from apps.approvals.services import requests, sweeps
from apps.kit import clock
from apps.tenancy.services import fan_out


@shared_task(name="approvals.expire_request")
def expire_request(*, request_id: str, **_: object) -> None:
    """Close a request that nobody decided in time."""
    requests.expire(request_id=UUID(request_id), now=clock.now())


@shared_task(name="approvals.sweep_organisation")
def sweep_organisation(**_: object) -> None:
    """Find the requests of this organisation that have run out of time."""
    sweeps.run(now=clock.now())


@shared_task(name="approvals.sweep", scope="public")
def sweep(**_: object) -> None:
    """Start the sweep of every organisation."""
    fan_out.each_working("approvals.sweep_organisation")

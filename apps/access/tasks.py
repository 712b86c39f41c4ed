"""Background work of access."""

from celery import shared_task

from apps.access.services import idempotency
from apps.kit import clock
from apps.tenancy.services import fan_out


@shared_task(name="access.sweep", scope="public")
def sweep(**_: object) -> None:
    """Start the purge in every organisation."""
    fan_out.each_working("access.purge_idempotency")


@shared_task(name="access.purge_idempotency")
def purge_idempotency(**_: object) -> None:
    """Remove the answers of this organisation that nobody repeats any more."""
    idempotency.purge(now=clock.now())

"""Background work of access."""

from celery import shared_task

from apps.access.services import idempotency
from apps.kit import clock


@shared_task(name="access.purge_idempotency", queue="default")
def purge_idempotency(**_: object) -> None:
    """Remove the answers of this organisation that nobody repeats any more."""
    idempotency.purge(now=clock.now())

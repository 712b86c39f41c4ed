"""What the owner's worker does: it sets organisations up."""

from uuid import UUID

from celery import shared_task

from apps.kit import clock
from apps.tenancy.services import provisionings


@shared_task(name="tenancy.provision", scope="public")
def provision(*, provisioning_id: str, **_: object) -> None:
    """Set one organisation up, or go on where another try ended."""
    provisionings.go_on(provisioning_id=UUID(provisioning_id), now=clock.now())


@shared_task(name="tenancy.sweep", scope="public")
def sweep(**_: object) -> None:
    """Call again for what is due and was not started by its message."""
    provisionings.wake_due(now=clock.now())

"""What the owner's worker does: it sets organisations up, and ends them."""

from uuid import UUID

from celery import shared_task

from apps.kit import clock
from apps.tenancy.services import offboardings, provisionings


@shared_task(name="tenancy.provision", scope="public")
def provision(*, provisioning_id: str, **_: object) -> None:
    """Set one organisation up, or go on where another try ended."""
    provisionings.go_on(provisioning_id=UUID(provisioning_id), now=clock.now())


@shared_task(name="tenancy.offboard", scope="public")
def offboard(*, offboarding_id: str, **_: object) -> None:
    """Do the next step of the end of one organisation."""
    offboardings.go_on(offboarding_id=UUID(offboarding_id), now=clock.now())


@shared_task(name="tenancy.sweep_ends", scope="public")
def sweep_ends(**_: object) -> None:
    """Call for the next step of every end that has one."""
    offboardings.wake_due(now=clock.now())


@shared_task(name="tenancy.sweep", scope="public")
def sweep(**_: object) -> None:
    """Call again for what is due and was not started by its message."""
    provisionings.wake_due(now=clock.now())

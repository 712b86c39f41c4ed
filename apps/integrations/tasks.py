"""Background work of the integrations app: unmatched callbacks are read again."""

from celery import shared_task

from apps.integrations.services import callbacks
from apps.kit import clock
from apps.tenancy.services import fan_out


@shared_task(name="integrations.sweep", scope="public")
def sweep(**_: object) -> None:
    """Have every organisation look for callbacks whose next try has come."""
    fan_out.each_ready("integrations.rematch")


@shared_task(name="integrations.rematch")
def rematch(**_: object) -> None:
    """Announce this organisation's unmatched callbacks again, as far as they are due."""
    callbacks.rematch_due(now=clock.now())

"""Background work of the audit trail: sealing, and the nightly look for what was not sealed."""

from celery import shared_task

from apps.accounts.services import platform_trail
from apps.audit.services import chain
from apps.kit import clock
from apps.kit.patience import long_statements
from apps.tenancy.services import fan_out


@shared_task(name="audit.seal_organisation")
def seal_organisation(**_: object) -> None:
    """Seal what this organisation has recorded."""
    with long_statements():
        chain.seal()


@shared_task(name="audit.seal", scope="public")
def seal(**_: object) -> None:
    """Seal the platform's trail, and start sealing in every organisation."""
    platform_trail.seal()
    fan_out.each_working("audit.seal_organisation")


@shared_task(name="audit.check_links_organisation")
def check_links_organisation(**_: object) -> None:
    """Seal what waits here, compare with the heads outside and keep the new one; fails, so that operators are told, if that is not all."""
    with long_statements():
        chain.check(now=clock.now())


@shared_task(name="audit.check_links", scope="public")
def check_links(**_: object) -> None:
    """Look for what was missed in the platform's trail, and start that in every organisation."""
    fan_out.each_working("audit.check_links_organisation")
    platform_trail.check(now=clock.now())

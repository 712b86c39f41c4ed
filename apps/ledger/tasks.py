"""Background work of the ledger: expiring holds, sealing and the nightly look at it, fetching exchange rates."""

from datetime import timedelta

from celery import shared_task
from django.utils.translation import gettext_lazy as _t

from apps.jobs.contracts import declare
from apps.kit import clock
from apps.kit.patience import long_statements
from apps.ledger.contracts import PERIOD_CLOSE_JOB
from apps.ledger.services import holds, rate_fetches, reports, seals
from apps.tenancy.services import fan_out

REPORT_LEASE = timedelta(minutes=5)
"""For reading a report and drawing its pages, which is one step."""

declare(
    kind=reports.KIND,
    title=_t("Report"),
    runner="apps.ledger.services.reports.run",
    is_atomic=False,
    lease=REPORT_LEASE,
)

CLOSE_LEASE = timedelta(minutes=45)
"""
For the close of a large book, which is one step of several statements, each of which may take ten minutes: as long as
one may still be at it no other begins. After a worker's death another one begins it anew so much later.
"""

declare(
    kind=PERIOD_CLOSE_JOB,
    title=_t("Close of a period"),
    runner="apps.ledger.services.period_closes.run",
    is_atomic=False,
    lease=CLOSE_LEASE,
    is_stoppable=False,
    queue="default",
)


@shared_task(name="ledger.expire_holds_organisation")
def expire_holds_organisation(**_: object) -> None:
    """Give back what is held past its time in this organisation."""
    holds.expire_due(now=clock.now())


@shared_task(name="ledger.expire_holds", scope="public")
def expire_holds(**_: object) -> None:
    """Start expiring holds in every organisation."""
    fan_out.each_working("ledger.expire_holds_organisation")


@shared_task(name="ledger.seal_organisation")
def seal_organisation(**_: object) -> None:
    """Seal what this organisation has booked."""
    with long_statements():
        seals.run(now=clock.now())


@shared_task(name="ledger.seal", scope="public")
def seal(**_: object) -> None:
    """Start sealing in every organisation."""
    fan_out.each_working("ledger.seal_organisation")


@shared_task(name="ledger.check_seals_organisation")
def check_seals_organisation(**_: object) -> None:
    """Seal what was missed in this organisation; fails, so that operators are told, if that cannot be all."""
    seals.check(now=clock.now())


@shared_task(name="ledger.check_seals", scope="public")
def check_seals(**_: object) -> None:
    """Start the look for what was missed in every organisation."""
    fan_out.each_working("ledger.check_seals_organisation")


@shared_task(name="ledger.fetch_rates_organisation")
def fetch_rates_organisation(**_: object) -> None:
    """Ask the sources of exchange rates for this organisation."""
    rate_fetches.fetch_all(now=clock.now())


@shared_task(name="ledger.fetch_rates", scope="public")
def fetch_rates(**_: object) -> None:
    """Start the fetching of exchange rates in every organisation."""
    fan_out.each_working("ledger.fetch_rates_organisation")

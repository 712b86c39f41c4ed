"""Background work of the ledger: sealing what was booked, the nightly look whether all of it is, fetching exchange rates."""

from celery import shared_task

from apps.kit import clock
from apps.ledger.services import rate_fetches, seals
from apps.tenancy.services import fan_out


@shared_task(name="ledger.seal_organisation")
def seal_organisation(**_: object) -> None:
    """Seal what this organisation has booked."""
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

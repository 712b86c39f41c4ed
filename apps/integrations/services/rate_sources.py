"""Turns the name of a source of rates into its port."""

from django.conf import settings
from django.db import transaction

from apps.integrations.ports import RatePort
from apps.integrations.rates.cbk import CbkRates
from apps.integrations.rates.ecb import EcbRates
from apps.integrations.rates.line import Line
from apps.integrations.rates.quotes import QuotedRates
from apps.kit import http

READ_TIMEOUT = 20.0
SOURCES: dict[str, type[EcbRates | CbkRates | QuotedRates]] = {
    "ecb": EcbRates,
    "cbk": CbkRates,
    "quotes": QuotedRates,
}
"""Who publishes rates that we can read."""


class SourceUnknown(KeyError):
    """No such source is known, or no address of it is set."""


def configured() -> list[str]:
    """Return the sources that an address is set for."""
    return [name for name in SOURCES if settings.TREASURY["RATE_URLS"].get(name)]


def port(name: str) -> RatePort:
    """
    Return the port of a source; raise SourceUnknown. Refuses to stand in a transaction: nothing may wait for the answer.

    Only public addresses by https are asked, and the simulator of this machine.
    """
    if name not in configured():
        raise SourceUnknown(name)
    with transaction.atomic(durable=True):
        pass  # refuses to stand inside another transaction; sends nothing to the database
    simulator = settings.TREASURY["SIMULATOR_URL"]
    policy = http.AddressPolicy(allowed_loopback=(simulator,) if simulator else (), https_only=True)
    client = http.Client(policy=policy, read_timeout=READ_TIMEOUT)
    return SOURCES[name](Line(settings.TREASURY["RATE_URLS"][name], client))

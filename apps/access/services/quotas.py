"""How often a credential and its organisation may call the API, and how often it may move money."""

from datetime import datetime

from django.conf import settings

from apps.access.contracts import Caller
from apps.kit import rate_limits, schema
from apps.kit.rate_limits import InOutage, Limit, RateLimited, Verdict
from apps.tenancy.selectors import organisations

WINDOW = 4
"""Seconds whose requests may come all at once: the quota is so many times the rate."""


def take(caller: Caller, *, is_money: bool, is_reading: bool, now: datetime) -> Verdict:
    """
    Count a request of a caller in all its buckets or in none; the verdict has the standard headers.

    While Redis is away reading goes on uncounted, and each process counts what writes for itself.
    """
    outage = InOutage.LET_IN if is_reading else InOutage.COUNT_HERE
    return rate_limits.take(_limits_of(caller, is_money=is_money), now=now, in_outage=outage)


def refusal(verdict: Verdict) -> RateLimited:
    """Return the refusal that names the bucket that is used up."""
    detail = f"Too many requests: the limit “{verdict.exhausted[0]}” is used up. Ask again later."
    return RateLimited(detail, wait=verdict.wait)


def _limits_of(caller: Caller, *, is_money: bool) -> list[Limit]:
    """
    Return the buckets that a request is taken from: the credential's, its organisation's, and for money a smaller one.

    What the platform has set for the organisation stands in place of the installation's figure, and no credential is
    promised more than its organisation has.
    """
    rates: dict[str, int] = settings.TREASURY["RATE_LIMITS"]
    organisation = organisations.current()
    whole = schema.name()
    own = f"{whole}:{caller.pk}"
    together = organisation.requests_per_second or rates["organisation"]
    each = _lower(rates["test_key" if organisation.is_test else "key"], organisation.requests_per_second)
    wanted = [("key", f"key:{own}", each), ("organisation", f"organisation:{whole}", together)]
    if is_money:
        of_money = organisation.money_per_second
        wanted.append(("money", f"money:{own}", _lower(rates["money"], of_money)))
        wanted.append(("organisation_money", f"organisation-money:{whole}", of_money or 0))
    return [Limit(name, bucket, rate * WINDOW, WINDOW) for name, bucket, rate in wanted if rate]


def _lower(rate: int, bound: int | None) -> int:
    """Return a rate (0: none) within the bound that the platform has set, if it has."""
    return rate if bound is None else min(rate or bound, bound)

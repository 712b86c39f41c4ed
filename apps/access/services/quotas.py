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
    """Return the buckets that a request is taken from: the credential's, its organisation's, and for money a smaller one."""
    rates: dict[str, int] = settings.TREASURY["RATE_LIMITS"]
    own = f"{schema.name()}:{caller.pk}"
    wanted = [
        ("key", f"key:{own}", rates["test_key" if organisations.current().is_test else "key"]),
        ("organisation", f"organisation:{schema.name()}", rates["organisation"]),
    ]
    if is_money:
        wanted.append(("money", f"money:{own}", rates["money"]))
    return [Limit(name, bucket, rate * WINDOW, WINDOW) for name, bucket, rate in wanted if rate]

"""How often a credential and its organisation may call the API, and how often it may move money."""

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework import throttling
from rest_framework.request import Request

from apps.access.contracts import Caller
from apps.kit import clock, rate_limits, schema
from apps.kit.rate_limits import InOutage, Limit
from apps.tenancy.selectors import organisations

if TYPE_CHECKING:  # rest_framework.views imports this module, because settings name it
    from rest_framework.views import APIView

WINDOW = 4
"""Seconds whose requests may come all at once: the quota is so many times the rate."""
READING = frozenset({"GET", "HEAD", "OPTIONS"})


class CredentialThrottle(throttling.BaseThrottle):
    """
    Counts every request of a credential, refused ones too, in one call, and puts the standard headers on its answer.

    While Redis is away reading goes on uncounted, and each process counts what writes for itself.
    """

    def allow_request(self, request: Request, view: "APIView") -> bool:
        caller = request.user
        if not isinstance(caller, Caller):
            return True  # the permission says so in the words that belong to it
        outage = InOutage.LET_IN if request.method in READING else InOutage.COUNT_HERE
        limits = limits_of(caller, is_money=self.is_money(view))
        verdict = rate_limits.take(limits, now=clock.now(), in_outage=outage)
        request.rate_headers = verdict.headers
        if not verdict.is_allowed:
            raise rate_limits.RateLimited(
                f"Too many requests: the limit “{verdict.exhausted[0]}” is used up. Ask again later.",
                wait=verdict.wait,
            )
        return True

    def is_money(self, view: "APIView") -> bool:
        """Whether the request moves money or makes a document: it takes an Idempotency-Key then."""
        return getattr(view, "action", None) in getattr(view, "idempotent_actions", ())


class ExchangeThrottle(CredentialThrottle):
    """Counts exchanges of a key for a token as what moves money: each leaves a row."""

    def is_money(self, view: "APIView") -> bool:  # noqa: ARG002 (every one does)
        return True


def limits_of(caller: Caller, *, is_money: bool) -> list[Limit]:
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

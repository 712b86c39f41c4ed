"""The one answer for whoever shows no credential of the organisation that he asks, and how often he gets it."""

import re

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from apps.kit import clock, problems, rate_limits, remote
from apps.kit.rate_limits import InOutage, Limit

WINDOW = 60
TOKEN = re.compile(r"/v1/[^/]+/oauth/token")


def answer(request: HttpRequest) -> HttpResponse:
    """
    Answer 401, or 429 beyond so many a minute from one address: word for word the same, whatever was asked for; where
    tokens are asked for, of whatever organisation, it says so in the words of OAuth too (RFC 6749, section 5.2).

    Only what was refused is counted, so that nobody who shows a valid key waits because of a neighbour at his address.
    """
    quota: int = settings.TREASURY["RATE_LIMITS"]["strangers"]
    source = remote.holder(remote.address(request, trusted_proxies=settings.TREASURY["TRUSTED_PROXIES"]))
    limits = [Limit("strangers", f"strangers:{source}", quota, WINDOW)] if quota else []
    verdict = rate_limits.take(limits, now=clock.now(), in_outage=InOutage.COUNT_HERE)
    if not verdict.is_allowed:
        return problems.rate_limited(request, wait=verdict.wait)
    if TOKEN.fullmatch(request.path_info):
        return problems.unauthenticated(request, challenge="Basic", also={"error": "invalid_client"})
    return problems.unauthenticated(request)

"""Who shows a credential of the organisation that he asks; the one answer for everybody else, and how often he gets it."""

import re

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from apps.access import authentication
from apps.access.contracts import Caller
from apps.kit import clock, problems, rate_limits, remote, schema
from apps.kit.rate_limits import InOutage, Limit
from apps.tenancy.selectors.organisations import Organisation

WINDOW = 60
OF_CLIENTS = re.compile(r"/v1/[^/]+/oauth/(token|revoke)")


def recognise(request: HttpRequest, organisation: Organisation | None) -> Caller | None:
    """
    Return who asks, or None for a stranger, and be in the schema where he was looked for.

    The keys of an organisation that does not exist are looked for as well, in the pristine schema that every organisation is
    copied from and where there are none: so neither the answer nor the work for it tells which organisations there are.
    """
    if organisation is None:
        schema.visit(settings.TENANT_TEMPLATE_SCHEMA)
    else:
        schema.enter(organisation)
    return authentication.recognise(request, is_client=OF_CLIENTS.fullmatch(request.path_info) is not None)


def answer(request: HttpRequest) -> HttpResponse:
    """
    Answer 401, or 429 beyond so many a minute from one address: word for word the same, whatever was asked for; where
    clients of OAuth come, of whatever organisation, it says so in the words of OAuth too (RFC 6749, section 5.2).

    Only what was refused is counted, so that nobody who shows a valid key waits because of a neighbour at his address.
    """
    quota: int = settings.TREASURY["RATE_LIMITS"]["strangers"]
    source = remote.holder(remote.address(request, trusted_proxies=settings.TREASURY["TRUSTED_PROXIES"]))
    limits = [Limit("strangers", f"strangers:{source}", quota, WINDOW)] if quota else []
    verdict = rate_limits.take(limits, now=clock.now(), in_outage=InOutage.COUNT_HERE)
    if not verdict.is_allowed:
        return problems.rate_limited(request, wait=verdict.wait)
    if OF_CLIENTS.fullmatch(request.path_info):
        return problems.unauthenticated(request, challenge="Basic", also={"error": "invalid_client"})
    return problems.unauthenticated(request)

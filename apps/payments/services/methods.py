"""By which methods a payment can be paid now."""

from datetime import datetime

from apps.integrations.ports import CapturePort
from apps.integrations.selectors import circuits
from apps.integrations.services import providers
from apps.payments.contracts import Method
from apps.payments.models import PaymentIntent
from apps.payments.services import routing


def offered(intent: PaymentIntent, *, now: datetime) -> list[Method]:
    """
    Return the methods by which a payment finds an account that collects its sum now, in their order.

    Left out is one that takes the whole sum at once where it is only to be held back, one that routing has no account for, and one
    of whose accounts each is stopped or was found not set up right a moment ago: who would choose it could not pay.
    """
    return [method for method in Method if _is_offered(method, intent, now)]


def _is_offered(method: Method, intent: PaymentIntent, now: datetime) -> bool:
    if not intent.is_captured and not providers.offers(method.provider, CapturePort):
        return False
    takers = routing.takers(intent, method=method, now=now)
    unwell = circuits.stopped_ids(takers, now=now) | routing.misconfigured_ids(takers, now=now)
    return bool({account.id for account in takers} - unwell)

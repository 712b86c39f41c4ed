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
    through no account of which a payer can be asked: who would choose it could not pay.
    """
    return [method for method in Method if _is_offered(method, intent, now)]


def _is_offered(method: Method, intent: PaymentIntent, now: datetime) -> bool:
    if not intent.is_captured and not providers.offers(method.provider, CapturePort):
        return False
    takers = routing.takers(intent, method=method, now=now)
    return bool({account.id for account in takers} - circuits.stopped_ids(takers, now=now))

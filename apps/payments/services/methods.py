"""By which methods a payment can be paid now."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from apps.integrations.contracts import CallRole, CircuitFact, kinds_of_role
from apps.integrations.ports import CapturePort
from apps.integrations.selectors import circuits
from apps.integrations.services import providers
from apps.kit.circuits import REST, Position
from apps.payments.contracts import Method
from apps.payments.models import PaymentIntent
from apps.payments.services import routing

if TYPE_CHECKING:  # another app's model
    from apps.integrations.models import ProviderAccount


def offered(intent: PaymentIntent, *, now: datetime) -> list[Method]:
    """
    Return the methods by which a payment finds an account that collects its sum now, in their order.

    Left out is one that takes the whole sum at once where it is only to be held back, one that routing has no account for, and one
    that lets no call through which asks for money: who would choose it could not pay.
    """
    return [method for method in Method if _is_offered(method, intent, now)]


def _is_offered(method: Method, intent: PaymentIntent, now: datetime) -> bool:
    if not intent.is_captured and not providers.offers(method.provider, CapturePort):
        return False
    takers = routing.takers(intent, method=method, now=now)
    return any(_is_asked(account, now) for account in takers)


def _is_asked(account: "ProviderAccount", now: datetime) -> bool:
    asking = kinds_of_role(CallRole.ASKING)
    return all(_lets_through(one, now) for one in circuits.of(account) if one.kind in asking)


def _lets_through(circuit: CircuitFact, now: datetime) -> bool:
    """Say whether a call would leave: an open circuit lets one try once it has rested."""
    if circuit.position is Position.OPEN and circuit.since is not None:
        return now >= circuit.since + timedelta(seconds=REST)
    return circuit.position is not Position.HELD_OPEN

"""Captures: taking what a payer has authorised, on rails that hold it back until then."""

from typing import NoReturn
from uuid import UUID

from apps.integrations.contracts import provider_name
from apps.integrations.ports import CapturePort
from apps.integrations.services import providers
from apps.kit import errors
from apps.payments.contracts import Method
from apps.payments.models import PaymentIntent
from apps.payments.services.attempts import InvalidState


class CaptureNotSupported(errors.DomainError):
    """The rail takes the whole sum as soon as the payer agrees: it holds nothing back that could be captured."""

    code = "capture_not_supported"
    title = "Capture not supported"


def capture(*, intent_id: UUID) -> NoReturn:
    """
    Refuse to capture: no rail that is built authorises a sum, so no payment waits for it.

    Raises CaptureNotSupported where the payment's rail does not offer the port, else InvalidState.
    """
    intent = PaymentIntent.objects.get(id=intent_id)
    if intent.method:
        provider = Method(intent.method).provider
        if not providers.offers(provider, CapturePort):
            raise CaptureNotSupported(
                f"{provider_name(provider)} takes the whole sum as soon as the payer agrees. There is nothing to capture."
            )
    state = intent.status.lower().replace("_", " ")
    raise InvalidState(f"This payment is {state} and cannot be captured.")

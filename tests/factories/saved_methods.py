"""Ways to pay that a payer lets us keep, as tests need them: asked for, or kept by a provider that nobody asks."""

from typing import Any

from apps.integrations.ports import MethodStatus, NextAction, NextActionKind, SavedMethodReport, Ticket
from apps.kit.actors import SYSTEM
from apps.payments.contracts import Method
from apps.payments.contracts.saving import Consent, ConsentUse, NewSavedMethod
from apps.payments.models import SavedMethod
from apps.payments.services import saved_methods, setups
from tests.factories import access
from tests.factories.payments import NOW

CONSENT = Consent(
    "Savanna Kitchens may charge my card for my orders.", ConsentUse.OFF_SESSION, NOW, "203.0.113.7"
)
PAGE = "https://checkout.example.test/cs_setup"


def wanted(**facts: Any) -> NewSavedMethod:
    """Return the request to keep a card of one payer at head office for payments in dollars."""
    return NewSavedMethod(
        **{
            "method": Method.CARD,
            "currency": "USD",
            "branch_id": access.head_office().id,
            "application_id": access.application().id,
            "payer_reference": "customer-17",
            "payer_name": "Amina Otieno",
            "payer_email": "amina@example.test",
            "consent": CONSENT,
            "return_url": "https://shop.example.test/saved",
            "cancel_url": "https://shop.example.test/cards",
            **facts,
        }
    )


def asked(**facts: Any) -> SavedMethod:
    """Return one whose payer has the address of the provider's page; an account that keeps it has to be there."""
    saved = saved_methods.create(request=wanted(**facts), actor=SYSTEM, now=NOW)
    ticket = Ticket(f"cs_{saved.code}", NextAction(NextActionKind.REDIRECT, "Save a card.", PAGE))
    setups.accept(method_id=saved.id, ticket=ticket, now=NOW)
    return reloaded(saved)


def kept(**facts: Any) -> SavedMethod:
    """Return one whose payer has agreed; an account that keeps it has to be there."""
    saved = asked(**facts)
    report = SavedMethodReport(
        saved.ticket,
        MethodStatus.SAVED,
        token=f"pm_{saved.code}",
        customer="cus_amina",
        brand="visa",
        last4="4242",
        expires="2034-12",
        fingerprint="fp4242",
    )
    setups.record(method_id=saved.id, report=report, now=NOW)
    return reloaded(saved)


def reloaded(saved: SavedMethod) -> SavedMethod:
    return SavedMethod.objects.get(id=saved.id)

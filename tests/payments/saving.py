"""What tests of saved methods do on either rail: ask for one, follow it, and charge it."""

from datetime import timedelta

from apps.events.models import OutboxEvent
from apps.kit.actors import SYSTEM
from apps.payments.contracts import Choice
from apps.payments.models import PaymentIntent, SavedMethod
from apps.payments.services import intents, saved_methods, setups
from tests.factories import payments
from tests.factories import saved_methods as factory
from tests.payments.cards import USD_25, CardRail


def begun(rail: CardRail, **facts: object) -> SavedMethod:
    """Return one whose payer has the address of the provider's page."""
    saved = saved_methods.create(request=factory.wanted(**facts), actor=SYSTEM, now=rail.now)
    return followed(rail, saved)


def followed(rail: CardRail, saved: SavedMethod, *, after: timedelta = timedelta()) -> SavedMethod:
    """Let time pass and do what is due about it, by the sweep's road."""
    rail.now += after
    setups.follow(method_id=saved.id, now=rail.now)
    return factory.reloaded(saved)


def charged(rail: CardRail, saved: SavedMethod, **facts: object) -> PaymentIntent:
    """Return a payment that was sent to the provider, whose answer nobody has read."""
    payer = {"payer_name": "Amina Otieno", "email": "amina@example.com"}
    choice = Choice(saved.method, **payer, saved_method_id=saved.id)
    request = payments.wanted(**{"money": USD_25, "choice": choice, **facts})
    intent = intents.create(request=request, actor=SYSTEM, now=rail.now)
    for _ in range(2):
        intents.request(intent_id=intent.id, now=rail.now)
    return payments.reload(intent.id)


def said(saved: SavedMethod) -> list[str]:
    """Return what was told of it, in order."""
    events = OutboxEvent.objects.filter(aggregate_id=saved.id).order_by("aggregate_version")
    return list(events.values_list("type", flat=True))

"""What payers do on our own pay page: have themselves asked on a phone, hold a receipt against the payment, look at its picture."""

from django.db.models import Q, QuerySet

from apps.kit import ids
from apps.payments.contracts import IntentStatus
from apps.payments.models import InboundReceipt, PaymentIntent
from apps.payments.services import pay_pages
from tests.simulation import partner, unasked
from tests.simulation.deciding import decided
from tests.simulation.world import Broken, World

SOURCE = "203.0.113.7"
"""Where all payers come from."""
OPEN = (IntentStatus.REQUIRES_METHOD, IntentStatus.REQUIRES_CONFIRMATION)


def prompt(world: World) -> str | None:
    """Have a prompt sent to a phone, of a payment that nobody is asked for yet, or of whatever other one."""
    intent = _drawn(world, *OPEN) if world.chance(0.8) else _drawn(world)
    secret = _link(world, intent)
    if intent is None or not secret:
        return None
    phone = partner.order(world)["payer"]["phone"]
    said = decided(world, lambda: pay_pages.prompt(secret=secret, phone=phone, source=SOURCE, now=world.now))
    partner.note_asked_again(world, intent)
    return f"{intent} from {phone}: {said or 'asked, or it was before'}"


def claim(world: World) -> str | None:
    """Hold a receipt against a payment, also by a link from before it was paid: its own, one of the same sum, or any."""
    intent, receipt = _held_against(world)
    secret = _link(world, intent)
    if intent is None or not secret:
        return None
    found: list[str] = []

    def deed() -> None:
        found.append(pay_pages.claim(secret=secret, receipt=receipt, source=SOURCE, now=world.now))

    said = decided(world, deed) or found[0]
    if said in tuple(pay_pages.Claim):
        world.hit(f"pay page:claim {said}")
    return f"{receipt} for {intent}: {said}"


def picture(world: World) -> str | None:
    """Look at the picture from which a phone reads the numbers of a payment."""
    intent = _drawn(world)
    secret = _link(world, intent)
    if intent is None or not secret:
        return None
    found: list[bytes] = []

    def deed() -> None:
        found.append(pay_pages.picture(secret=secret, source=SOURCE, now=world.now))

    said = decided(world, deed) or ("a picture" if found[0] else "no picture")
    world.hit(f"pay page:{said}")
    return f"{intent}: {said}"


def _held_against(world: World) -> tuple[PaymentIntent | None, str]:
    asked = list(_waiting())
    waiting = InboundReceipt.objects.waiting().order_by("id")
    fitting = [(it, one.receipt) for one in waiting for it in asked if it.due == one.money]
    if fitting and world.chance(0.7):
        return world.rng.choice(fitting)
    linked = list(PaymentIntent.objects.filter(id__in=world.links).order_by("id"))
    paid = [intent for intent in linked if intent.is_settled]
    if not asked and not linked:
        return None, ""
    intent = world.rng.choice(paid if paid and world.chance(0.5) else asked or linked)
    moved = [one["receipt"] for one in (*partner.prompts(world), *unasked.payments(world)) if one["receipt"]]
    right = partner.receipt_of(world, intent)
    return intent, right if right and world.chance(0.5) else world.rng.choice([*moved, "NOBODYS001", "x"])


def _drawn(world: World, *statuses: IntentStatus) -> PaymentIntent | None:
    asked = list(_waiting().filter(status__in=statuses) if statuses else _waiting())
    return world.rng.choice(asked) if asked else None


def _waiting() -> QuerySet[PaymentIntent]:
    """Return the payments that wait for money, or for more of it."""
    is_waiting = Q(settled_at=None) | Q(status=IntentStatus.PARTIALLY_PAID)
    return PaymentIntent.objects.filter(is_waiting, currency="KES").order_by("id")


def _link(world: World, intent: PaymentIntent | None) -> str:
    """Return the link that there is, or have the partner make one, which replaces it; empty where the payment has none any more."""
    if intent is None:
        return ""
    if intent.id in world.links and world.chance(0.8):
        return world.links[intent.id]
    reply = world.call("POST", f"/payments/{ids.encode('pi', intent.id)}/pay-page", {})
    if reply.status not in (201, 409):
        raise Broken(f"a link to {intent} was answered {reply.status}: {reply.body}")
    if reply.status == 201:
        world.links[intent.id] = str(reply.body["url"]).rpartition("/")[2]
    return world.links.get(intent.id, "")

"""What payers and PayPal do about wallets: agreed to in dollars, held back, taken later, and given back in parts."""

from typing import Any

from apps.integrations.services import hooks
from apps.integrations.services.callbacks import WEBHOOK
from apps.kit import ids
from apps.payments.models import PaymentIntent
from tests.factories import integrations
from tests.simulation import cards, partner
from tests.simulation.cards import MAGIC
from tests.simulation.world import PROVIDER, Asked, World

FACE = "paypal"
FEE_BPS = 400
FUNDING = (*["balance"] * 6, "echeck", "echeck_fails", "review", "empty")
"""What a payer chooses on the page: most of it is there at once, some clears later or not at all, some is refused."""
ORDERS, QUERIES = "/v2/checkout/orders", "/v2/checkout/orders/*"
TAKEN, HELD = "/v2/checkout/orders/*/capture", "/v2/payments/authorizations/*/capture"
REFUNDS = "/v2/payments/captures/*/refund"
DISPUTES = "/v1/customer/disputes"
EVIDENCE, GIVEN_UP = f"{DISPUTES}/*/provide-evidence", f"{DISPUTES}/*/accept-claim"
APPEALED = f"{DISPUTES}/*/appeal"
REFUSED = (
    '{"name": "UNPROCESSABLE_ENTITY", "details": [{"issue": "ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE"}]}'
)
LOST = "Payment reversed"
"""What PayPal notes on money that a dispute took: it tells of it as of a refund."""
OPEN = ("CREATED", "PAYER_ACTION_REQUIRED")
LATE = {"action": "result", "code": "PENDING"}
APPEALS: cards.Scripts = (
    (APPEALED, ("hang",)),
    (APPEALED, ({"action": "reset", "processed": True},)),
    (APPEALED, ({"action": "status", "processed": True},)),
    (APPEALED, ("rate_limit",)),
    (APPEALED, ({"action": "status", "status": 422, "body": REFUSED},)),
)
"""What goes wrong with an appeal: ordered with one, for there are few."""
SCRIPTS: cards.Scripts = (
    (ORDERS, ("hang",)),
    (ORDERS, ({"action": "reset", "processed": True},)),
    (ORDERS, ({"action": "status", "processed": True},)),
    (ORDERS, ("rate_limit",)),
    (ORDERS, ("drop_callback",)),
    (ORDERS, ("bad_signature",)),
    (ORDERS, ({"action": "duplicate_callback", "n": 3, "spacing_ms": 4_000},)),
    (ORDERS, ({"action": "delay_callback", "ms": 20_000},)),
    (QUERIES, ("html_error",)),
    (TAKEN, ("hang",)),
    (TAKEN, ({"action": "reset", "processed": True}, "drop_callback")),
    (TAKEN, ({"action": "status", "processed": True},)),
    (TAKEN, (LATE,)),
    (HELD, ({"action": "reset", "processed": True},)),
    (REFUNDS, ("hang",)),
    (REFUNDS, ({"action": "reset", "processed": True}, "drop_callback")),
    (REFUNDS, ({"action": "status", "processed": True},)),
    (REFUNDS, ({"action": "duplicate_callback", "n": 3, "spacing_ms": 4_000},)),
    (REFUNDS, (LATE,)),
    (DISPUTES, ("html_error",)),
    (f"{DISPUTES}/*", ("hang",)),
    (f"{DISPUTES}/*", ("html_error",)),
    (EVIDENCE, ({"action": "reset", "processed": True},)),
    (EVIDENCE, ({"action": "status", "processed": True},)),
    (GIVEN_UP, ({"action": "reset", "processed": True},)),
)


def furnish(world: World) -> None:
    """Open an account in dollars; the provider tells its address of everything."""
    account = integrations.paypal_account(PROVIDER, fee_bps=FEE_BPS)
    account.created_at = world.now  # the list of its disputes is read from then on
    account.save(update_fields=["created_at"])
    address = hooks.address(token=account.callback_token, kind=WEBHOOK)
    side = integrations.paypals_side(address, fee_bps=FEE_BPS, fee_fixed=0)
    world.control("PUT", f"/accounts/{account.short_code}", side)


def create(world: World) -> str:
    """Ask for money from a wallet, of a person or of an address that decides by itself."""
    return partner.create(world, **_by_wallet(world))


def create_held(world: World) -> str:
    """Ask for money that is only to be held back."""
    return partner.create(world, **_by_wallet(world), capture=False)


def create_of_person(world: World) -> str:
    """Ask a person for money from a wallet, who stands at the page himself."""
    return partner.create(world, **_of(world, "amina@example.com"))


def agree_to_every_order(world: World) -> None:
    """Let every order that is open be agreed to, by whatever its payer likes to pay with."""
    for order in _in(world, "orders", *OPEN):
        act(world, "orders", order["id"], "approve", funding=world.rng.choice(FUNDING))


def _by_wallet(world: World) -> dict[str, Any]:
    suffix = "" if world.chance(0.5) else f"+{world.rng.choice(MAGIC)}"
    return _of(world, f"amina{suffix}@example.com")


def _of(world: World, email: str) -> dict[str, Any]:
    amount = {"amount": f"{world.rng.randrange(10, 900)}.{world.rng.randrange(100):02d}", "currency": "USD"}
    return {"method": "paypal", "payer": {"email": email}, "amount": amount}


def agree(world: World) -> str | None:
    """Let a payer agree to an order that waits for him, by what he likes to pay with."""
    order = _drawn(world, "orders", *OPEN)
    if order is None:
        return None
    funding = world.rng.choice(FUNDING)
    return f"{order['id']} by {funding}: {act(world, 'orders', order['id'], 'approve', funding=funding)}"


def decide(world: World) -> str | None:
    """Let PayPal say of a payment that it looks at, or of a refund that is on its way, how it ends."""
    found = [(kind, one) for kind in DECIDED for one in _in(world, kind, "PENDING")]
    if not found:
        return None
    kind, one = world.rng.choice(found)
    deed = world.rng.choice(DECIDED[kind])
    return f"{one['id']} {deed}: {act(world, kind, one['id'], deed)}"


DECIDED = {"captures": ("complete", "deny"), "refunds": ("complete", "fail")}


def script_appeal(world: World) -> str:
    """Let the next appeal go wrong."""
    return cards.spoil(world, APPEALS, face=FACE, what="appeal")


def script_fault(world: World) -> str:
    """Let a call about wallets, or what is told of it, go wrong."""
    return cards.spoil(world, SCRIPTS, face=FACE, what="wallet")


def come_to_an_end(world: World) -> None:
    """Nobody agrees to anything any more, PayPal has looked at every payment, and the partner waits for nothing that is held back."""
    tickets = [order["id"] for order in _in(world, "orders", *OPEN)]
    looked_at = [held["supplementary_data"] for held in _in(world, "authorizations", "PENDING")]
    tickets += [data["related_ids"]["order_id"] for data in looked_at]
    asked = PaymentIntent.objects.filter(current_attempt__ticket__in=tickets, cancel_requested_at=None)
    for intent in asked.order_by("id"):
        partner.send(
            world, Asked(f"/payments/{ids.encode('pi', intent.id)}/cancel", {}, partner.new_key(world))
        )
    while decide(world):
        pass


def listed(world: World, kind: str) -> list[dict[str, Any]]:
    """Return what the provider has of one kind, the newest first."""
    return cards.listed(world, kind, face=FACE)


def _in(world: World, kind: str, *statuses: str) -> list[dict[str, Any]]:
    return [one for one in listed(world, kind) if one["status"] in statuses]


def _drawn(world: World, kind: str, *statuses: str) -> dict[str, Any] | None:
    found = _in(world, kind, *statuses)
    return world.rng.choice(found) if found else None


def act(world: World, kind: str, identifier: str, deed: str, **given: object) -> str:
    """Let a person or PayPal do something; return done, or refused."""
    return cards.act(world, kind, identifier, deed, face=FACE, **given)

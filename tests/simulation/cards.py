"""What payers, banks and the partner do about cards: pages, sums held back, and what comes back; and what is done alike about wallets."""

import json
from dataclasses import replace
from typing import Any

from apps.integrations.services import hooks
from apps.integrations.services.callbacks import WEBHOOK
from apps.kit import ids
from apps.kit.money import Money
from apps.payments.contracts import IntentStatus
from apps.payments.models import PaymentIntent
from tests.factories import integrations
from tests.simulation import partner, street
from tests.simulation.world import PROVIDER, STRIPE, Asked, World

FEE_BPS = 300
GOOD, CHALLENGED = "4242424242424242", "4000002500003155"
REFUSED = ("4000000000000002", "4000000000009995")
CARDS = (*[GOOD] * 5, CHALLENGED, *REFUSED)
CREDENTIALS = replace(integrations.STRIPE_CREDENTIALS, connect_webhook_secret="whsec_ofothers")
TOLD = (
    "checkout.session.*",
    "payment_intent.amount_capturable_updated",
    "refund.*",
    "charge.dispute.*",
    "transfer.*",
)
MAGIC = ("000", "000", "001", "017", "201", "777", "778", "779", "780", "781", "782", "783", "784")
"""Endings of addresses whose payers decide by themselves, by what happens then."""
SESSIONS, REFUNDS, CAPTURES = "/v1/checkout/sessions", "/v1/refunds", "/v1/payment_intents/*/capture"
QUERIES = "/v1/checkout/sessions/*"
DISPUTES, GIVEN_UP = "/v1/disputes/*", "/v1/disputes/*/close"
type Scripts = tuple[tuple[str, tuple[Any, ...]], ...]
SCRIPTS: Scripts = (
    (SESSIONS, ("hang",)),
    (SESSIONS, ({"action": "reset", "processed": True},)),
    (SESSIONS, ({"action": "status", "processed": True},)),
    (SESSIONS, ("rate_limit",)),
    (SESSIONS, ("drop_callback",)),
    (SESSIONS, ("bad_signature",)),
    (SESSIONS, ({"action": "wrong_amount_callback_only", "amount": 1},)),
    (SESSIONS, ({"action": "duplicate_callback", "n": 3, "spacing_ms": 4_000},)),
    (SESSIONS, ({"action": "delay_callback", "ms": 20_000},)),
    (SESSIONS, ({"action": "clock_skew", "seconds": -90_000},)),
    (QUERIES, ("html_error",)),
    (CAPTURES, ({"action": "reset", "processed": True},)),
    (CAPTURES, ("status",)),
    (REFUNDS, ("hang",)),
    (REFUNDS, ({"action": "reset", "processed": True}, "drop_callback")),
    (REFUNDS, ({"action": "status", "processed": True},)),
    (REFUNDS, ({"action": "duplicate_callback", "n": 3, "spacing_ms": 4_000},)),
    (REFUNDS, ({"action": "late_failure", "ms": 15_000},)),
    (DISPUTES, ("hang",)),
    (DISPUTES, ({"action": "reset", "processed": True},)),
    (DISPUTES, ("html_error",)),
    (GIVEN_UP, ({"action": "status", "processed": True},)),
)


def furnish(world: World) -> None:
    """Open an account that takes cards in shillings; the provider tells its address of everything."""
    terms = {"currency": "KES", "short_code": STRIPE, "fee_bps": FEE_BPS, "minimum_minor": 1_00}
    account = integrations.stripe_account(PROVIDER, credentials=CREDENTIALS, **terms)
    account.created_at = world.now  # the list of its disputes is read from then on
    account.save(update_fields=["created_at"])
    address = hooks.address(token=account.callback_token, kind=WEBHOOK)
    side = integrations.stripes_side(address, currency="kes", country="KE", fee_bps=FEE_BPS, fee_fixed=0)
    side["webhooks"][0]["enabled_events"] = list(TOLD)
    of_others = {
        "secret": CREDENTIALS.connect_webhook_secret,
        "connect": True,
        "enabled_events": ["account.*"],
    }
    side["webhooks"].append({"url": address, **of_others})
    side["may_overdraw"] = world.chance(0.8)
    world.control("PUT", f"/accounts/{STRIPE}", side)


def create(world: World) -> str:
    """Ask for money by card, of a person or of an address that decides by itself."""
    return partner.create(world, **_by_card(world))


def create_held(world: World) -> str:
    """Ask for money that is only to be held back."""
    return partner.create(world, **_by_card(world), capture=False)


def create_of_several(world: World) -> str:
    """Ask for money by phone or card, whichever routing takes; a sum with cents, and one to be held back, only the card can take."""
    methods = world.rng.sample(["mpesa", "card"], 2)
    asked = partner.order(world)
    if world.chance(0.2):
        asked["amount"]["amount"] = asked["amount"]["amount"].replace(".00", ".50")
    if world.chance(0.2):
        asked["capture"] = False
    payer = {**asked["payer"], **_by_card(world)["payer"]}
    return partner.create(world, **{**asked, "method": None, "methods": methods, "payer": payer})


def create_of_person(world: World) -> str:
    """Ask a person for money by card, who stands at the page himself."""
    return partner.create(world, method="card", payer={"email": "amina@example.com"})


def pay_every_page(world: World) -> None:
    """Let every page that is open be paid with a good card."""
    for session in _open_sessions(world):
        act(world, "sessions", session["id"], "pay", card=GOOD)


def _by_card(world: World) -> dict[str, Any]:
    suffix = "" if world.chance(0.5) else f"+{world.rng.choice(MAGIC)}"
    return {"method": "card", "payer": {"email": f"amina{suffix}@example.com"}}


def pay_page(world: World) -> str | None:
    """Let a payer use a card on a page that is open; his bank may want to hear from him."""
    opened = _open_sessions(world)
    if not opened:
        return None
    session, card = world.rng.choice(opened), world.rng.choice(CARDS)
    said = act(world, "sessions", session["id"], "pay", card=card)
    if card == CHALLENGED:
        said += " " + act(world, "sessions", session["id"], "authenticate", succeeds=world.chance(0.7))
    return f"{session['id']} by {card}: {said}"


def leave_page(world: World) -> str | None:
    """Let a page end unpaid."""
    opened = _open_sessions(world)
    return _leave(world, world.rng.choice(opened)) if opened else None


def capture(world: World) -> str | None:
    """Take what is held back, or a part of it."""
    held = list(PaymentIntent.objects.filter(status=IntentStatus.REQUIRES_CAPTURE).order_by("id"))
    if not held:
        return None
    intent = world.rng.choice(held)
    minor = intent.amount_minor if world.chance(0.5) else intent.amount_minor // 200 * 100
    amount = Money(max(minor, 1_00), intent.currency).wire()
    return partner.deed_on(world, intent, "capture", {"amount": amount})


def refund_part(world: World) -> str | None:
    """Ask for a part of a payment by card or wallet to go back."""
    paid = PaymentIntent.objects.filter(status=IntentStatus.SUCCEEDED).exclude(method="MPESA").order_by("id")
    if not paid:
        return None
    intent = world.rng.choice(list(paid))
    amount = Money(max(intent.amount_minor // 300, 1) * 100, intent.currency).wire()
    body = {"payment_id": ids.encode("pi", intent.id), "reason": "A part came late", "amount": amount}
    reply = partner.send(world, Asked("/refunds", body, partner.new_key(world)))
    return f"{json.dumps(body)} -> {reply.status}"


def fail_refund(world: World) -> str | None:
    """Let a refund that succeeded fail at the card's bank: its money is with us again."""
    done = [one for one in listed(world, "refunds") if one["status"] == "succeeded"]
    if not done:
        return None
    refund = world.rng.choice(done)
    return f"{refund['id']}: {act(world, 'refunds', refund['id'], 'fail')}"


def script_fault(world: World) -> str:
    """Let a call about cards, or what is told of it, go wrong."""
    return spoil(world, SCRIPTS, face="stripe", what="card")


def spoil(world: World, scripts: Scripts, *, face: str, what: str) -> str:
    """Let a call to a face, or what is told of it, go wrong in one of these ways."""
    path, actions = world.rng.choice(scripts)
    match = {"path": path, "face": face}
    world.control("POST", "/scripts", {"match": match, "times": 1, "actions": list(actions)})
    world.hit(f"{what} script:{street.name_of(actions)}")
    return f"{path} {json.dumps(actions)}"


def come_to_an_end(world: World) -> None:
    """Nobody stands at a page any more, and what is held back is taken or let go."""
    for session in _open_sessions(world):
        _leave(world, session)
    held = PaymentIntent.objects.filter(status=IntentStatus.REQUIRES_CAPTURE, cancel_requested_at=None)
    for intent in held.filter(current_attempt__order_due_at=None).order_by("id"):
        partner.deed_on(world, intent, world.rng.choice(("capture", "cancel")))


def listed(world: World, kind: str, *, face: str = "stripe") -> list[dict[str, Any]]:
    """Return what the provider has of one kind, the newest first."""
    return list(world.control("GET", f"/{face}/{kind}")[kind])


def _open_sessions(world: World) -> list[dict[str, Any]]:
    return [one for one in listed(world, "sessions") if one["status"] == "open"]


def _leave(world: World, session: dict[str, Any]) -> str:
    return f"{session['id']}: {act(world, 'sessions', session['id'], 'expire')}"


def act(world: World, kind: str, identifier: str, deed: str, *, face: str = "stripe", **given: object) -> str:
    """Let a person or a bank do something; return done, or refused: a card is, and what had been decided before."""
    status, _ = world.controlled("POST", f"/{face}/{kind}/{identifier}/{deed}", given)
    world.collect_callbacks()
    return "done" if status < 400 else "refused"

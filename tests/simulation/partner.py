"""What the partner does at the API: asks for money, repeats himself, changes his mind, shows receipts."""

import json
import re
from typing import Any

from apps.events.models import WebhookDelivery
from apps.kit import ids
from apps.payments.contracts import IntentStatus
from apps.payments.models import PaymentAttempt, PaymentIntent
from tests.simulation.world import Asked, Broken, Reply, World

COLLECTED = (
    *["000"] * 3,
    *("001", "017", "019", "032", "037", "201"),
    *("777", "778", "778", "779", "780", "781", "782", "783", "784"),
)
"""Magic numbers by what happens when they are asked to pay."""

REFUNDED = ("000", "801", "877", "878", "879", "880", "881", "882", "883", "884", "885", "886")
"""Magic numbers that pay, by what happens when they get their money back."""
MAXIMUM = 250_000


def create(world: World, **changes: Any) -> str:
    """Ask for money; a field that is changed to None is not sent."""
    body = {name: value for name, value in {**order(world), **changes}.items() if value is not None}
    asked = Asked("/payments", body, new_key(world))
    reply = send(world, asked)
    if reply.status == 201:
        world.payments.append(reply.body["id"])
    return f"{body['amount']['amount']} from {json.dumps(body['payer'])} -> {reply.status}"


def order(world: World) -> dict[str, Any]:
    """Return what a payment is asked for with."""
    suffix = world.rng.choice(COLLECTED + REFUNDED)
    is_person = world.chance(0.3)
    phone = f"07{world.rng.randrange(11_000_000, 11_000_006):08d}" if is_person else f"0700000{suffix}"
    return {
        "amount": {"amount": f"{world.rng.randrange(10, 3_000)}.00", "currency": "KES"},
        "method": "mpesa",
        "payer": {"phone": phone},
        "branch_id": world.rng.choice(world.branch_ids),
        "reference": f"ORD-{world.next_number()}",
    }


def create_unconfirmed(world: World) -> str:
    """Ask for money later."""
    return create(world, confirm=False)


def create_refused(world: World) -> str:
    """Ask for what must be refused, and see that nothing came of it."""
    before = PaymentIntent.objects.count()
    amount = world.rng.choice(["10.50", "0.50", f"{MAXIMUM + 1}.00"])
    said = create(world, amount={"amount": amount, "currency": "KES"})
    if not said.endswith("422") or PaymentIntent.objects.count() != before:
        raise Broken(f"an amount that must be refused was taken: {said}")
    return said


def repeat(world: World) -> str | None:
    """Send a request again with its key: what was answered once is answered again, and nothing happens twice."""
    if not world.asked:
        return None
    asked = world.rng.choice(world.asked)
    first = asked.reply
    reply = send(world, asked, is_new=False)
    if first is not None and first.status < 400 and (reply.status, reply.body) != (first.status, first.body):
        raise Broken(
            f"{asked.path} {asked.key} was answered {reply.status} {reply.body}, at first {first.body}"
        )
    if reply.status < 400:
        asked.reply = reply
    if first is None and reply.status == 201 and asked.path == "/payments":
        world.payments.append(reply.body["id"])
    return f"{asked.path} {asked.key} -> {reply.status}"


def reuse_key(world: World) -> str | None:
    """Send another body with a key that was used: refused."""
    used = [asked for asked in world.asked if asked.reply is not None and asked.reply.status < 400]
    if not used:
        return None
    asked = world.rng.choice(used)
    reply = world.call("POST", asked.path, {**asked.body, "description": "another"}, key=asked.key)
    if reply.status != 422:
        raise Broken(f"a used key with another body was answered {reply.status}: {reply.body}")
    return f"{asked.key} -> {reply.status}"


def confirm(world: World) -> str | None:
    """Confirm a payment that waits for it."""
    found = PaymentIntent.objects.filter(status=IntentStatus.REQUIRES_CONFIRMATION).order_by("id").first()
    return deed_on(world, found, "confirm") if found else None


def note_asked_again(world: World, before: PaymentIntent) -> None:
    """Count a payment that somebody confirmed just now after its payer had been asked before: he is asked once more."""
    is_confirmed = before.is_unconfirmed and not PaymentIntent.objects.get(id=before.id).is_unconfirmed
    if is_confirmed and before.current_attempt_id is not None:
        world.hit("confirmed again")
        world.asked_again[before.id] += 1


def cancel(world: World) -> str | None:
    """Ask to cancel whatever payment."""
    if not world.payments:
        return None
    payment = world.rng.choice(world.payments)
    reply = send(world, Asked(f"/payments/{payment}/cancel", {}, new_key(world)))
    return f"{payment} -> {reply.status}"


def verify(world: World) -> str | None:
    """Hold a receipt against a payment without an answer: the right one, or another's."""
    found = PaymentIntent.objects.filter(status=IntentStatus.UNKNOWN).order_by("id").first()
    receipts = [prompt["receipt"] for prompt in prompts(world) if prompt["receipt"]]
    if found is None or not receipts:
        return None
    right = receipt_of(world, found)
    receipt = right if right and world.chance(0.7) else world.rng.choice(receipts)
    return deed_on(world, found, "verify", {"receipt": receipt})


def replay_webhook(world: World) -> str | None:
    """Have a webhook sent again."""
    found = WebhookDelivery.objects.order_by("id").first()
    if found is None:
        return None
    reply = world.call("POST", f"/webhook-deliveries/{ids.encode('whd', found.id)}/replay")
    if reply.status == 404:
        raise Broken("a webhook delivery cannot be found to be replayed")
    return f"{found.id} -> {reply.status}"


def fail_inbox(world: World) -> str:
    """Let the partner's server fail."""
    reply = world.call("POST", f"/sandbox-inboxes/{world.inbox_id}/fail-next", {"respond": 503, "times": 2})
    if reply.status != 200:
        raise Broken(f"the inbox was told to fail and answered {reply.status}: {reply.body}")
    return "503 twice"


def send(world: World, asked: Asked, *, is_new: bool = True) -> Reply:
    if is_new:
        world.asked.append(asked)
    confirmed = re.fullmatch(r"/payments/(\w+)/confirm", asked.path)
    before = PaymentIntent.objects.get(id=ids.decode("pi", confirmed[1])) if confirmed else None
    reply = world.call("POST", asked.path, asked.body, key=asked.key)
    if before is not None:
        note_asked_again(world, before)
    if reply.status == 500:
        raise Broken(f"{asked.path} was answered 500")
    if is_new:
        asked.reply = reply
    return reply


def try_(world: World, asked: Asked) -> str:
    """Send a request that may have to wait for a row: then it is answered 500, and nothing came of it."""
    world.asked.append(asked)
    reply = world.call("POST", asked.path, asked.body, key=asked.key)
    if reply.status >= 500:
        return "blocked"
    asked.reply = reply
    return str(reply.status)


def deed_on(world: World, intent: PaymentIntent, deed: str, body: Any = None) -> str:
    payment = ids.encode("pi", intent.id)
    reply = send(world, Asked(f"/payments/{payment}/{deed}", body or {}, new_key(world)))
    return f"{payment} {json.dumps(body or {})} -> {reply.status}"


def new_key(world: World) -> str:
    return f"key-{world.next_number()}"


def prompts(world: World) -> list[dict[str, Any]]:
    return list(world.control("GET", "/prompts")["prompts"])


def receipt_of(world: World, intent: PaymentIntent) -> str:
    codes = set(PaymentAttempt.objects.filter(intent=intent).values_list("code", flat=True))
    return next((p["receipt"] for p in prompts(world) if p["reference"] in codes and p["receipt"]), "")

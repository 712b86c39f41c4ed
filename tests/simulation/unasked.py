"""What people pay of themselves: under the code of a payment, under none, twice, or mistyped; and what forgers tell."""

import json
from collections.abc import Callable
from typing import Any

from apps.integrations.services import registrations
from apps.kit import jobs
from apps.kit.actors import SYSTEM
from apps.payments.contracts import IntentStatus
from apps.payments.models import InboundReceipt, PaymentAttempt, PaymentIntent
from tests.simulation import partner
from tests.simulation.workers import FORGED_TOKEN
from tests.simulation.world import Broken, World

REGISTER = "integrations.register_addresses"
LARGE = 2_000_00
"""Unasked money of so many cents is believed only once the provider has confirmed it, at one of the paybills."""
LEAST = 5_00
"""Less than this nobody pays in parts."""
LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
"""Letters and digits of our codes."""


def furnish(world: World) -> None:
    """Have each account told of what comes unasked, or not: then only its list of movements tells it."""
    for account in world.accounts():
        if world.chance(0.7):
            world.run_job(jobs.Job(REGISTER, {"account_id": str(account.id), "asked_by": "simulation"}))
    if not any(account["addresses"] for account in world.control("GET", "/state")["accounts"]):
        world.hit("unasked:listed only")


def begin(world: World) -> str | None:
    """Pay a part of a payment for which nobody's phone is asked, where parts are taken."""
    if not world.takes_parts:
        return None
    partner.create_unconfirmed(world)
    intent = PaymentIntent.objects.filter(current_attempt=None).order_by("-id")[0]
    left = intent.due.minor // 100
    return _send(world, intent.code, world.rng.randrange(1, left), _paybill(world))


def register(world: World) -> str:
    """Have an account's addresses registered anew, as a person does in the portal."""
    account = world.rng.choice(world.accounts())
    with world.watched("registering addresses"):
        registrations.ask(account_id=account.id, actor=SYSTEM, now=world.now)
    world.collect_jobs()
    return account.short_code


def pay(world: World) -> str | None:
    """Pay what somebody has asked for, typing its code as people do, and mostly the right sum."""
    found = _asked_for(world)
    if found is None:
        return None
    code, shillings = found
    if world.chance(0.1):
        shillings += world.rng.randrange(1, 50)
    return _send(world, _typed(world, code), shillings)


def pay_part(world: World) -> str | None:
    """
    Pay a part of a payment, or more of one that was paid in part: now and then all that is left, or more; two parts at once; or
    while its phone is asked too, which is answered then.
    """
    intent = _due(world)
    if intent is None:
        return None
    left = (intent.amount_minor - intent.paid_minor) // 100
    parts = [_part(world, left, is_more=intent.is_partly_paid)]
    if world.chance(0.4):
        rest = max(1, left - parts[0])
        parts.append(_part(world, world.rng.choice((rest, rest, left)), is_more=True))
        world.hit("part:two at once")
    said = [_send(world, _typed(world, intent.code), shillings, _paybill(world)) for shillings in parts]
    if world.chance(0.8) and _agreed(world, intent):
        said.append("agreed to on the phone")
        world.hit("part:beside a prompt")
    return f"{intent}, {intent.status}: {', '.join(said)}"


def pay_typo(world: World) -> str | None:
    """Pay under a code with one wrong letter."""
    found = _asked_for(world)
    if found is None:
        return None
    code, shillings = found
    place = world.rng.randrange(len(code))
    wrong = world.rng.choice([letter for letter in LETTERS if letter != code[place]])
    return _send(world, code[:place] + wrong + code[place + 1 :], shillings)


def pay_unknown(world: World) -> str:
    """Pay under something that is no code, or under nothing."""
    reference = world.rng.choice(["", "RENT", f"HOUSE {world.next_number()}"])
    return _send(world, reference, world.rng.randrange(10, 3_000))


def pay_twice(world: World) -> str | None:
    """Pay the same again: same phone, sum and account."""
    made = payments(world)
    if not made:
        return None
    first = world.rng.choice(made)
    again = {name: first[name] for name in ("shortcode", "msisdn", "amount", "reference")}
    return _tell(world.control("POST", "/payments", again), world)


def forge(world: World) -> str | None:
    """Tell of money that never moved: at an address that nobody was given, or another sum than moved at a true one."""
    body = {
        "TransactionType": "Pay Bill",
        "TransID": f"F{world.next_number():09d}",
        "TransAmount": "900.00",
        "BusinessShortCode": world.accounts()[0].short_code,
        "BillRefNumber": "FORGED",
        "MSISDN": "254711000001",
    }
    token = FORGED_TOKEN
    moved = [made for made in payments(world) if made["state"] == "paid"]
    if moved and world.chance(0.5):
        known = world.rng.choice(moved)
        number = known["shortcode"]
        account = next(each for each in world.accounts() if number in (each.short_code, each.till_number))
        if not InboundReceipt.objects.filter(receipt=known["receipt"]).exists():
            return None
        token = account.callback_token
        body |= {"TransID": known["receipt"], "BusinessShortCode": known["shortcode"], "TransAmount": "1.00"}
    url = f"/hooks/{world.organisation.id.hex}/{token}/c2b"
    reply = world.deliver({"url": url, "body": body})
    return str(reply.status if reply else "no answer")


def forge_large(world: World) -> str | None:
    """Tell of large money that never moved at a true address: nobody believes it before the provider confirms it."""
    account = next(each for each in world.accounts() if each.confirm_from)
    receipt = f"L{world.next_number():09d}"
    world.forged.add(receipt)
    body = {
        "TransactionType": "Pay Bill",
        "TransID": receipt,
        "TransAmount": f"{LARGE // 100 + world.rng.randrange(900)}.00",
        "BusinessShortCode": account.short_code,
        "BillRefNumber": world.rng.choice(
            ["RENT", *PaymentIntent.objects.values_list("code", flat=True)[:1]]
        ),
        "MSISDN": "254711000001",
    }
    url = f"/hooks/{world.organisation.id.hex}/{account.callback_token}/c2b"
    reply = world.deliver({"url": url, "body": body})
    return str(reply.status if reply else "no answer")


def payments(world: World) -> list[dict[str, Any]]:
    """Return what people paid of themselves, newest first."""
    return list(world.control("GET", "/payments")["payments"])


def _asked_for(world: World) -> tuple[str, int] | None:
    """Draw a code that a person may have read, of a payment or of a prompt, with the shillings that belong to it."""
    intents = PaymentIntent.objects.order_by("id").values_list("code", "amount_minor")
    attempts = PaymentAttempt.objects.order_by("id").values_list("code", "amount_minor")
    known = [*intents, *attempts] if world.chance(0.4) else list(intents)
    if not known:
        return None
    code, minor = world.rng.choice(known)
    return str(code), int(minor) // 100


def _due(world: World) -> PaymentIntent | None:
    """Draw a payment of which something may be due, with preference one that was paid in part, or that has ended without money."""
    asked = PaymentIntent.objects.filter(currency="KES", amount_minor__gte=LEAST).order_by("id")
    begun = list(asked.filter(status=IntentStatus.PARTIALLY_PAID))
    unpaid = list(asked.filter(settled_at=None))
    ended = [one for one in unpaid if one.is_closed_unpaid]
    for drawn, share in ((ended, 0.35), (begun, 0.6)):
        if drawn and world.chance(share):
            return world.rng.choice(drawn)
    return world.rng.choice(unpaid) if unpaid else None


def _part(world: World, left: int, *, is_more: bool) -> int:
    """Draw shillings: a part of what is left, or of a payment that was begun all of it, or more."""
    if is_more and world.chance(0.5):
        return left
    if world.chance(0.1):
        return left + world.rng.randrange(1, 50)
    return world.rng.randrange(1, max(2, left))


def _agreed(world: World, intent: PaymentIntent) -> bool:
    """Say whether the payer is asked on his phone too; then he agrees there."""
    codes = set(PaymentAttempt.objects.filter(intent=intent).values_list("code", flat=True))
    prompts = world.control("GET", "/prompts")["prompts"]
    waiting = [one for one in prompts if one["state"] == "waiting" and not one["is_ignored"]]
    asked = next((one for one in waiting if one["reference"] in codes), None)
    if asked is None:
        return False
    world.control("POST", f"/prompts/{asked['id']}/approve")
    world.collect_callbacks()
    return True


def _typed(world: World, code: str) -> str:
    half = len(code) // 2
    ways: tuple[Callable[[str], str], ...] = (
        str,
        str.lower,
        lambda text: f"{text[:half]}-{text[half:]}",
        lambda text: f" {text[:half]} {text[half:]}",
    )
    return world.rng.choice(ways)(code)


def _paybill(world: World) -> str:
    """Draw a number where an account number is typed."""
    return world.rng.choice([one.short_code for one in world.accounts() if not one.till_number])


def _send(world: World, reference: str, shillings: int, shortcode: str = "") -> str:
    order = {
        "shortcode": shortcode or world.rng.choice(world.numbers()),
        "msisdn": f"2547{world.rng.randrange(11_000_000, 11_000_006):08d}",
        "amount": f"{shillings}.00",
        "reference": reference,
        "pin": "wrong" if world.chance(0.05) else "right",
    }
    return _tell(world.control("POST", "/payments", order), world)


def _tell(made: dict[str, Any], world: World) -> str:
    world.collect_callbacks()
    if made["state"] == "failed" and made["moved"] != "0.00":
        raise Broken(f"{made['receipt']} failed and moved {made['moved']}")
    shown = {name: made[name] for name in ("receipt", "reference", "amount", "state")}
    return json.dumps(shown)

"""What people pay of themselves: under the code of a payment, under none, twice, or mistyped; and what forgers tell."""

import json
from collections.abc import Callable
from typing import Any

from apps.integrations.services import registrations
from apps.kit import jobs
from apps.kit.actors import SYSTEM
from apps.payments.models import InboundReceipt, PaymentAttempt, PaymentIntent
from tests.simulation.workers import FORGED_TOKEN
from tests.simulation.world import Broken, World

REGISTER = "integrations.register_addresses"
LARGE = 2_000_00
"""Unasked money of so many cents is believed only once the provider has confirmed it, at one of the paybills."""
LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
"""Letters and digits of our codes."""


def furnish(world: World) -> None:
    """Have each account told of what comes unasked, or not: then only its list of movements tells it."""
    for account in world.accounts():
        if world.chance(0.7):
            world.run_job(jobs.Job(REGISTER, {"account_id": str(account.id), "asked_by": "simulation"}))
    if not any(account["addresses"] for account in world.control("GET", "/state")["accounts"]):
        world.hit("unasked:listed only")


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


def _typed(world: World, code: str) -> str:
    half = len(code) // 2
    ways: tuple[Callable[[str], str], ...] = (
        str,
        str.lower,
        lambda text: f"{text[:half]}-{text[half:]}",
        lambda text: f" {text[:half]} {text[half:]}",
    )
    return world.rng.choice(ways)(code)


def _send(world: World, reference: str, shillings: int) -> str:
    order = {
        "shortcode": world.rng.choice(world.numbers()),
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

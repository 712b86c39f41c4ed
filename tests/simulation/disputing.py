"""Payments by card that their payers dispute: opened and decided by banks, answered by the partner or by people, or left alone."""

from typing import Any

from apps.integrations.models import ProviderAccount
from apps.kit import ids, jobs
from apps.kit.actors import SYSTEM
from apps.payments.models import Dispute
from apps.payments.services import dispute_answers, dispute_evidence
from tests.simulation import cards, partner
from tests.simulation.deciding import REASON, decided
from tests.simulation.world import STRIPE, Asked, Broken, Message, World

OPEN = ("warning_needs_response", "warning_under_review", "needs_response", "under_review")
UNANSWERED = ("warning_needs_response", "needs_response")
REASONS = ("fraudulent", "product_not_received", "inquiry", "inquiry")
WORDS = ("winning_evidence", "losing_evidence", *["The parcel was signed for"] * 3)
"""What is said in our favour; the bank decides at once where it hears one of the first two."""
LIST = "payments.list_disputes_organisation"
LEFT_ALONE = 0.5
"""Of the disputes that nobody has decided at the end, so many wait until their time is over."""
HOURS = 3600
LONGEST = 9 * 24 * HOURS
"""For how long an answer is waited for."""


def dispute(world: World) -> str | None:
    """Let a payer have his bank take back what he paid by card, or a part of it, or only ask about it."""
    charges = [one for one in cards.listed(world, "charges") if _left(one) > 0 and not one["disputed"]]
    if not charges:
        return None
    charge, reason = world.rng.choice(charges), world.rng.choice(REASONS)
    amount = _left(charge) if world.chance(0.7) else max(_left(charge) // 200 * 100, 1)
    said = cards.act(world, "charges", charge["id"], "dispute", reason=reason, amount=amount)
    return f"{amount} of {charge['id']}, {reason}: {said}"


def _left(charge: dict[str, Any]) -> int:
    return int(charge["amount_captured"]) - int(charge["amount_refunded"])


def decide(world: World) -> str | None:
    """Let a bank say who is right."""
    found = _at_the_bank(world, OPEN)
    return _decide(world, world.rng.choice(found)) if found else None


def escalate(world: World) -> str | None:
    """Let a bank make a chargeback of what it asked about."""
    asked = _at_the_bank(world, OPEN[:2])
    if not asked:
        return None
    ticket = world.rng.choice(asked)["id"]
    return f"{ticket}: {cards.act(world, 'disputes', ticket, 'escalate')}"


def answer(world: World) -> str | None:
    """Write evidence and submit it: the partner at the API, or a person in the portal."""
    found = _drawn(world)
    if found is None:
        return None
    texts = {"text": world.rng.choice(WORDS)}
    if world.chance(0.5):
        written = _ask(world, found, "evidence", texts)
        return f"{found}: {texts['text']} -> {written}, submitted -> {_ask(world, found, 'submit', {})}"

    def deed() -> object:
        dispute_evidence.write(dispute_id=found.id, texts=texts, actor=SYSTEM, now=world.now)
        return dispute_answers.submit(dispute_id=found.id, actor=SYSTEM, now=world.now)

    return f"{found}: {texts['text']}, by a person: {decided(world, deed) or 'submitted'}"


def accept(world: World) -> str | None:
    """Give a disputed payment up: the partner at the API, or a person in the portal."""
    found = _drawn(world)
    if found is None:
        return None
    if world.chance(0.5):
        return f"{found} -> {_ask(world, found, 'accept', {'reason': REASON})}"
    said = decided(
        world,
        lambda: dispute_answers.accept(dispute_id=found.id, reason=REASON, actor=SYSTEM, now=world.now),
    )
    return f"{found}, by a person: {said or 'given up'}"


def list_disputes(world: World) -> str:
    """Have the disputes of the account listed, as beat does every hour."""
    account = ProviderAccount.objects.get(short_code=STRIPE)
    message = Message(world.now, world.next_number(), jobs.Job(LIST, {"account_id": str(account.id)}))
    world.broker.append(message)
    return LIST


def let_banks_decide(world: World) -> None:
    """Let banks decide what is open still, but for what is left alone."""
    for found in _at_the_bank(world, OPEN):
        if not world.chance(LEFT_ALONE):
            world.note(f"at the end decide_dispute: {_decide(world, found)}")


def ask_after_disputes(world: World) -> None:
    """What no message told of is found by the list, or by the question that is asked every six hours."""
    told = {one["id"]: one["status"] in OPEN for one in cards.listed(world, "disputes")}
    known = {one.ticket: one.is_open for one in Dispute.objects.all()}
    if told.keys() - known.keys():
        world.hit("evidence:dispute listed")
        list_disputes(world)
    if any(told[ticket] != is_open for ticket, is_open in known.items()):
        world.hit("evidence:dispute asked about")
        world.tick(6 * HOURS)


def let_time_run_out(world: World) -> None:
    """Wait until nobody can answer any more what nobody has answered."""
    if _at_the_bank(world, UNANSWERED):
        world.tick(LONGEST)


def _decide(world: World, found: dict[str, Any]) -> str:
    deed = world.rng.choice(("win", "lose"))
    return f"{found['id']} {deed}: {cards.act(world, 'disputes', found['id'], deed)}"


def _at_the_bank(world: World, statuses: tuple[str, ...]) -> list[dict[str, Any]]:
    return [one for one in cards.listed(world, "disputes") if one["status"] in statuses]


def _drawn(world: World) -> Dispute | None:
    """Draw a dispute, mostly one that waits for an answer."""
    every = Dispute.objects.order_by("id")
    found = list(every.unanswered() if world.chance(0.8) else every)
    return world.rng.choice(found) if found else None


def _ask(world: World, found: Dispute, deed: str, body: dict[str, str]) -> int:
    path = f"/payments/disputes/{ids.encode('dp', found.id)}/{deed}"
    reply = partner.send(world, Asked(path, body, partner.new_key(world)))
    if reply.status == 404:
        raise Broken(f"{path} cannot be found")
    return reply.status

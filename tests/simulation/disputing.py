"""Payments that their payers dispute, by card or wallet: opened and decided elsewhere, answered by the partner or by people, or left alone."""

from collections import Counter

from apps.integrations.models import ProviderAccount
from apps.kit import ids, jobs
from apps.kit.actors import SYSTEM
from apps.payments.models import Dispute
from apps.payments.services import dispute_answers, dispute_evidence
from tests.simulation import dispute_rails, partner
from tests.simulation.deciding import REASON, decided
from tests.simulation.dispute_rails import RAILS, Rail, Told
from tests.simulation.world import Asked, Broken, Message, World

WORDS = ("winning_evidence", "losing_evidence", *["The parcel was signed for"] * 3)
"""What is said in our favour; a bank decides at once where it hears one of the first two."""
LIST = "payments.list_disputes_organisation"
LEFT_ALONE = 0.5
"""Of the disputes that nobody has decided at the end, so many wait until their time is over."""
HOURS = 3600
LONGEST = 10 * 24 * HOURS
"""For how long an answer is waited for."""


def dispute(world: World) -> str | None:
    """Let a payer take back what he paid, or a part of it, or only ask about it."""
    found = [rail for rail in RAILS if rail.disputable(world)]
    return _dispute(world, world.rng.choice(found)) if found else None


def dispute_on_every_rail(world: World) -> str:
    """Let a payer of each rail dispute what he paid."""
    return "; ".join(_dispute(world, rail) for rail in RAILS if rail.disputable(world))


def _dispute(world: World, rail: Rail) -> str:
    payment, part = world.rng.choice(rail.disputable(world))
    given = dict(world.rng.choice(rail.claims)) | ({} if world.chance(0.7) else {"amount": part})
    return f"{payment}, {given}: {rail.act(world, rail.paid, payment, 'dispute', **given)}"


def decide(world: World) -> str | None:
    """Let a bank or a provider say who is right, or a payer take his claim back."""
    found = [told for told in dispute_rails.every(world) if told.is_open]
    return _decide(world, world.rng.choice(found)) if found else None


def escalate(world: World) -> str | None:
    """Let what was only asked about become a claim, and a claim be taken a step further."""
    found = [told for told in dispute_rails.every(world) if told.is_open and told.may_go_on]
    if not found:
        return None
    told = world.rng.choice(found)
    return f"{told.ticket}: {told.rail.act(world, 'disputes', told.ticket, 'escalate')}"


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
    """Have the disputes of an account listed, as beat does every hour."""
    return _list(world, world.rng.choice(RAILS))


def _list(world: World, rail: Rail) -> str:
    account = ProviderAccount.objects.get(short_code=rail.account)
    message = Message(world.now, world.next_number(), jobs.Job(LIST, {"account_id": str(account.id)}))
    world.broker.append(message)
    return f"{LIST} of {rail.face}"


def let_others_decide(world: World) -> None:
    """Let whoever decides say what is open still, but for what is left alone."""
    for told in dispute_rails.every(world):
        if told.is_open and not world.chance(LEFT_ALONE):
            world.note(f"at the end decide_dispute: {_decide(world, told)}")


def ask_after_disputes(world: World) -> None:
    """What no message told of is found by the list, or by the question that is asked every six hours."""
    every = dispute_rails.every(world)
    known = {one.ticket: (one.is_open, one.is_unanswered) for one in Dispute.objects.all()}
    for rail in RAILS:
        if any(told.ticket not in known for told in every if told.rail is rail):
            world.hit(f"evidence:dispute listed at {rail.face}")
            _list(world, rail)
    if any(known.get(told.ticket) not in (None, (told.is_open, told.is_asked)) for told in every):
        world.hit("evidence:dispute asked about")
        world.tick(6 * HOURS)


def let_time_run_out(world: World) -> None:
    """Wait until nobody can answer any more what nobody has answered."""
    if any(told.is_asked for told in dispute_rails.every(world)):
        world.tick(LONGEST)


def ends(world: World) -> Counter[str]:
    """Count how disputes have ended, by rail."""
    over = [told for told in dispute_rails.every(world) if told.end]
    return Counter(f"dispute {told.end}:{told.rail.face}" for told in over)


def _decide(world: World, told: Told) -> str:
    deed = world.rng.choice(told.rail.endings)
    return f"{told.ticket} {deed}: {told.rail.act(world, 'disputes', told.ticket, deed)}"


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

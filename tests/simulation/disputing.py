"""Payments that their payers dispute, by card or wallet: opened and decided elsewhere, answered by the partner or by people, or left alone."""

from collections import Counter

from apps.integrations.models import ProviderAccount
from apps.kit import clock, ids, jobs
from apps.kit.actors import SYSTEM
from apps.payments.contracts import DisputeAnswer
from apps.payments.models import Dispute
from apps.payments.models.answered import APPEAL_DROPPED
from apps.payments.services import dispute_answers, dispute_evidence
from tests.simulation import dispute_rails, dispute_truths, partner, wallets
from tests.simulation.deciding import REASON, decided
from tests.simulation.dispute_rails import RAILS, Rail, Told
from tests.simulation.world import Asked, Broken, Message, World

SIGNED = "The parcel was signed for"
WORDS = ("winning_evidence", "losing_evidence", *[SIGNED] * 3)
"""What is said in our favour; a bank decides at once where it hears one of the first two."""
LOST_AT_FIRST = 0.6
ON_ITS_WAY = {"as it should": 35, "spoilt": 45, "too late": 20}
"""What becomes of an appeal on its way, and how often: the provider may take none any more when it comes."""
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


def lose_at_first(world: World) -> str | None:
    """Let PayPal, in some worlds, decide for a payer what was only asked about, so that there is something to appeal from the first step on."""
    found = [told for told in RAILS[-1].told(world) if told.is_open and told.is_inquiry]
    if not found or not world.chance(LOST_AT_FIRST):
        return None
    return f"{found[0].ticket}: {found[0].rail.act(world, 'disputes', found[0].ticket, 'lose')}"


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


def appeal(world: World) -> str | None:
    """
    Appeal a loss where the provider takes that, seldom where it does not: the partner at the API, or a person in the portal. It may
    go wrong on its way, or come when none is taken any more.
    """
    every = list(Dispute.objects.order_by("id"))
    found = every if world.chance(0.1) else [one for one in every if one.is_appealable]
    if not found:
        return None
    chosen, fate = world.rng.choice(found), world.rng.choices(list(ON_ITS_WAY), ON_ITS_WAY.values())[0]
    spoilt = f", {wallets.script_appeal(world)}" if fate == "spoilt" else ""
    said = _appeal(world, chosen) + spoilt
    if fate == "too late" and chosen.is_appealable:
        said += f", shut: {RAILS[-1].act(world, 'disputes', chosen.ticket, 'shut')}"
    return said


def _appeal(world: World, found: Dispute) -> str:
    texts = {"text": SIGNED}
    if world.chance(0.5):
        written = _ask(world, found, "evidence", texts)
        return f"{found}: written -> {written}, appealed -> {_ask(world, found, 'appeal', {})}"

    def deed() -> object:
        dispute_evidence.write(dispute_id=found.id, texts=texts, actor=SYSTEM, now=world.now)
        return dispute_answers.appeal(dispute_id=found.id, actor=SYSTEM, now=world.now)

    return f"{found}, by a person: {decided(world, deed) or 'appealed'}"


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


def appeal_losses(world: World) -> None:
    """Appeal most of what was lost and may be appealed still."""
    with clock.fixed(world.now):
        for found in Dispute.objects.filter(may_appeal=True, answer_due_at=None).order_by("id"):
            if world.chance(0.7):
                world.note(f"at the end appeal_dispute: {_appeal(world, found)}")


def decide_appeals(world: World) -> None:
    """Let the provider say who is right in most of what it looks at again."""
    appealed = Dispute.objects.filter(answer=DisputeAnswer.APPEAL).values_list("ticket", flat=True)
    for told in dispute_rails.every(world):
        if told.is_open and told.ticket in set(appealed) and world.chance(0.8):
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
    """Count how disputes have ended, by rail, and what became of appeals."""
    over = [told for told in dispute_rails.every(world) if told.end]
    found = Counter(f"dispute {told.end}:{told.rail.face}" for told in over)
    appealed = [one for one in Dispute.objects.all() if dispute_truths.appeals(one)]
    return found + Counter(_end_of_appeal(one) for one in appealed)


def _end_of_appeal(dispute: Dispute) -> str:
    if dispute.answer_refusal:
        return f"appeal:{'dropped' if dispute.answer_refusal == APPEAL_DROPPED else 'refused'}"
    return f"appeal:{'looked at' if dispute.is_open else 'lost' if dispute.is_lost else 'won'}"


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

"""What people decide in the portal about collections: terms, money in suspense, circuits, and when to ask for a balance."""

from collections.abc import Callable
from typing import Any

from apps.access.models import Membership
from apps.integrations.contracts import MPESA, call_kinds
from apps.integrations.models import CallbackProcessing
from apps.integrations.services import gates, replays
from apps.kit import jobs
from apps.kit.actors import SYSTEM, person
from apps.kit.errors import DomainError
from apps.kit.money import Money
from apps.payments.contracts import RESOLVE, CollectionTerms, LateMoney
from apps.payments.models import InboundReceipt, PaymentIntent
from apps.payments.services import policies, resolutions
from tests.simulation.world import Broken, Message, World

REASON = "The payer has called"
ASK_BALANCE = "integrations.ask_balance"


def furnish(world: World) -> None:
    """Have the organisation take parts from the beginning, or not."""
    if world.chance(0.75):
        take_parts(world)


def take_parts(world: World) -> None:
    """Say that parts are taken, and nothing else of what comes otherwise than asked."""
    _choose(world, CollectionTerms(takes_parts=True))


def choose_terms(world: World) -> str:
    """Say anew what becomes of money that comes otherwise than asked."""
    terms = CollectionTerms(
        late_money=world.rng.choice(list(LateMoney)),
        refuses_unknown=world.chance(0.3),
        refuses_other_sums=world.chance(0.3),
        takes_parts=world.chance(0.7),
    )
    _choose(world, terms)
    world.hit(f"terms:{terms.late_money}")
    return str(terms)


def _choose(world: World, terms: CollectionTerms) -> None:
    policies.choose(terms=terms, reason=REASON, actor=SYSTEM, now=world.now)
    world.takes_parts = terms.takes_parts
    world.hit(f"terms:{'parts' if terms.takes_parts else 'no parts'}")


def fits(world: World, intent: PaymentIntent, money: Money) -> bool:
    """Say whether a payment waits for money, and for a sum like this."""
    return (not intent.is_settled or intent.is_partly_paid) and pays(world, intent, money)


def pays(world: World, intent: PaymentIntent, money: Money) -> bool:
    """Say whether a sum may pay what is due of a payment, all of it or a part, whatever became of that."""
    is_over = intent.is_partly_paid and intent.cancel_requested_at is not None
    left = 0 if is_over else intent.amount_minor - intent.paid_minor
    if intent.currency != money.currency or money.minor > left:
        return False
    takes_parts = intent.is_partly_paid or (world.takes_parts and intent.is_captured)
    return takes_parts or money.minor == intent.amount_minor


def assign(world: World) -> str | None:
    """Give money in suspense to a payment that it pays, or pays a part of, or try to give it to one that it does not."""
    held = list(InboundReceipt.objects.waiting().order_by("id"))
    intents = list(PaymentIntent.objects.order_by("id"))
    if not held or not intents:
        return None
    fitting = [(one, it) for one in held for it in intents if fits(world, it, one.money)]
    if fitting and world.chance(0.8):
        inbound, intent = world.rng.choice(fitting)
    else:
        inbound, intent = world.rng.choice(held), world.rng.choice(intents)
    is_fit = fits(world, intent, inbound.money)

    def deed() -> object:
        return resolutions.assign(
            inbound_id=inbound.id, intent_id=intent.id, reason=REASON, actor=SYSTEM, now=world.now
        )

    said = decided(world, deed)
    if said is None and not is_fit:
        raise Broken(f"{inbound} was given to {intent}, which asks for {intent.due}")
    return f"{inbound} to {intent}: {said or 'done'}"


def give_back(world: World) -> str | None:
    """Send money in suspense back to who paid it."""
    held = list(InboundReceipt.objects.waiting().order_by("id"))
    if not held:
        return None
    inbound = world.rng.choice(held)
    said = decided(
        world,
        lambda: resolutions.give_back(inbound_id=inbound.id, reason=REASON, actor=SYSTEM, now=world.now),
    )
    return f"{inbound}: {said or 'asked for'}"


def hand_over(world: World) -> str | None:
    """Make somebody else the owner of money in suspense: refused for who may not decide about it."""
    held = list(InboundReceipt.objects.waiting().order_by("id"))
    if not held:
        return None
    inbound = world.rng.choice(held)
    member = world.rng.choice(list(Membership.objects.order_by("id")))
    said = decided(
        world,
        lambda: resolutions.hand_over(
            inbound_id=inbound.id, member_id=member.id, reason=REASON, actor=SYSTEM, now=world.now
        ),
    )
    is_able = RESOLVE in member.role.permissions
    if (said is None) is not is_able:
        raise Broken(f"{inbound} was handed over to a {member.role.code}: {said}")
    return f"{inbound} to a {member.role.code}: {said or 'done'}"


def replay_callback(world: World) -> str | None:
    """Have a stored callback read again, whatever became of it: it has no second effect."""
    stored = list(CallbackProcessing.objects.order_by("callback_id").values_list("callback_id", flat=True))
    if not stored:
        return None
    chosen = world.rng.choice(stored)
    said = decided(
        world, lambda: replays.replay(callback_id=chosen, actor=SYSTEM, now=world.now, reason=REASON)
    )
    return f"{chosen}: {said or 'read'}"


def replay_waiting(world: World) -> str:
    """Have a worker read again every callback that waits for people."""
    user = Membership.objects.get(role__code="owner").user
    said = decided(
        world,
        lambda: replays.start(caller=user, actor=person(user.pk), now=world.now, reason=REASON),
    )
    world.collect_jobs()
    return said or "started"


def stop_calls(world: World) -> str:
    """Let no call of a kind leave an account."""
    account, kind = world.rng.choice(world.accounts()), world.rng.choice(call_kinds(MPESA))
    gates.open_circuit(account_id=account.id, kind=kind, actor=SYSTEM, now=world.now, reason=REASON)
    world.stopped.append((account.id, kind))
    return f"{kind} of {account.short_code}"


def let_calls_through(world: World) -> str | None:
    """Let calls leave again that people had stopped."""
    if not world.stopped:
        return None
    account_id, kind = world.stopped.pop(world.rng.randrange(len(world.stopped)))
    gates.close_circuit(account_id=account_id, kind=kind, actor=SYSTEM, now=world.now, reason=REASON)
    return kind


def ask_balance(world: World) -> str:
    """Have the provider asked what it holds."""
    account = world.rng.choice(world.accounts())
    job = jobs.Job(ASK_BALANCE, {"account_id": str(account.id)})
    world.broker.append(Message(world.now, world.next_number(), job))
    return account.short_code


def decided(world: World, deed: Callable[[], Any]) -> str | None:
    """Do what people ask for; return how it was refused, or None. What fails otherwise is a problem of the world."""
    said = "failed"
    with world.watched("what people decided"):
        try:
            deed()
            said = ""
        except DomainError as refusal:
            said = refusal.code
    return said or None

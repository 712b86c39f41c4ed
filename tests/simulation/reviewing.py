"""What people decide about payments in review: the money pays all the same, or the payment ends without it."""

from uuid import UUID

from apps.events.models import OutboxEvent
from apps.kit.actors import SYSTEM
from apps.payments.contracts import IntentStatus
from apps.payments.models import InboundReceipt, PaymentAttempt, PaymentIntent
from apps.payments.services import reviews
from tests.simulation import truths
from tests.simulation.deciding import REASON, decided, pays
from tests.simulation.world import Broken, World


def accept(world: World, intent_id: UUID | None = None) -> str | None:
    """Say that the money pays: refused for another sum than was asked for, unless it is a part where parts are taken."""
    attempt = _in_review(world, intent_id)
    if attempt is None:
        return None
    unbooked = truths.stayed_in_suspense(world)
    said = decided(
        world,
        lambda: reviews.accept(intent_id=attempt.intent_id, reason=REASON, actor=SYSTEM, now=world.now),
    )
    if said is None:
        if attempt.received is None or not pays(world, attempt.intent, attempt.received):
            raise Broken(f"{attempt} paid {attempt.intent.money} with {attempt.received}")
        world.hit("review:accepted")
        world.reviewed.accepted.add(attempt.id)
        world.reviewed.unbooked |= {attempt.id} & unbooked
    return f"{attempt}: {said or 'pays'}"


def close(world: World, intent_id: UUID | None = None) -> str | None:
    """Say that the money does not pay: it waits under its receipt, unless it has gone back."""
    attempt = _in_review(world, intent_id)
    if attempt is None:
        return None
    unbooked = truths.stayed_in_suspense(world)
    booked = set(InboundReceipt.objects.exclude(booked_at=None).values_list("id", flat=True))
    ends = OutboxEvent.objects.filter(type="payment_failed", aggregate_id=attempt.intent_id).count()
    said = decided(
        world,
        lambda: reviews.close(intent_id=attempt.intent_id, reason=REASON, actor=SYSTEM, now=world.now),
    )
    if said is None:
        world.hit("review:closed")
        world.reviewed.ended_again[attempt.intent_id] = ends
        _surrendered(world, attempt.id, booked=booked, unbooked=unbooked)
    return f"{attempt}: {said or 'ends without it'}"


def _surrendered(world: World, attempt_id: UUID, *, booked: set[UUID], unbooked: set[UUID]) -> None:
    """Note what waits under its receipt from now on, and what that must leave."""
    attempt = PaymentAttempt.objects.get(id=attempt_id)
    if attempt.surrendered_at is None:
        return
    named = {"provider_account_id": attempt.provider_account_id, "receipt": attempt.provider_receipt}
    inbound = InboundReceipt.objects.get(**named)
    world.reviewed.closed[attempt.id] = inbound.id
    world.reviewed.unbooked |= {attempt.id} & unbooked
    if inbound.id in booked:
        world.reviewed.told_again[inbound.id] += 1
    else:
        world.reviewed.untold.add(inbound.id)


def _in_review(world: World, intent_id: UUID | None) -> PaymentAttempt | None:
    """Return the attempt that has the money of this payment, or of one in review that is drawn."""
    found = PaymentIntent.objects.filter(status=IntentStatus.IN_REVIEW).order_by("id")
    named = found.filter(id=intent_id) if intent_id else found
    waiting = list(named.values_list("current_attempt_id", flat=True))
    if not waiting:
        return None
    return PaymentAttempt.objects.select_related("intent").get(id=world.rng.choice(waiting))

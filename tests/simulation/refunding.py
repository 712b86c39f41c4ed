"""Payments that go back: asked for by the partner, decided by other people where a rule says so, verified by receipt."""

import json
from typing import Any

from django.db.models import Q

from apps.access.models import Membership
from apps.access.selectors import applications
from apps.approvals.contracts import ApprovalStatus, NewRule, NewStep
from apps.approvals.models import ApprovalRequest
from apps.approvals.services import requests, rules
from apps.kit import ids
from apps.kit.actors import SYSTEM, person
from apps.kit.money import Money
from apps.payments.contracts import REFUND, RefundStatus
from apps.payments.models import PaymentAttempt, PaymentIntent, Refund
from apps.payments.models.intent import MONEY_STATES
from tests.factories import access
from tests.simulation import partner
from tests.simulation.deciding import REASON, decided
from tests.simulation.world import Asked, Broken, Reply, World

LIMIT_MINOR = 2_000_00
"""Refunds from here on wait for another person."""
PART = 1_00
"""What is asked for as a part of a sum."""
DECIDER = "decider@example.test"


def furnish(world: World) -> None:
    """Make the rule, a person who decides, and the key by which he does."""
    step = NewStep(roles=("approver",))
    rule = NewRule(kind=REFUND.name, currency="KES", minimum_minor=LIMIT_MINOR, steps=(step,))
    access.member("owner", "owner@example.test")
    decider = access.member("approver", DECIDER)
    rules.create(rule=rule, actor=SYSTEM, now=world.now)
    issued = access.issued()
    issued.key.created_by_id = decider.id
    issued.key.save(update_fields=["created_by"])
    world.decider_token = issued.secret


def refund(world: World) -> str | None:
    """Ask for a payment to go back whole, or one of the sums that paid it; where the receipt is not known yet, that is the answer."""
    return _ask(world, {})


def refund_part(world: World) -> str | None:
    """Ask for a part of a sum that came by M-Pesa: refused, and nothing is written."""
    before = Refund.objects.count()
    of_one = PaymentAttempt.objects.filter(received_minor=PART).values("intent_id")
    extra = {"amount": Money(PART, "KES").wire()}
    said = _ask(world, extra, ~Q(id__in=of_one), method="MPESA")
    if said is not None and (said.endswith("201") or Refund.objects.count() != before):
        raise Broken(f"a part of a payment was refunded: {said}")
    return said


def decide(verdict: str) -> Any:
    """Return the deed of another person who decides a refund so."""

    def act(world: World) -> str | None:
        waiting = ApprovalRequest.objects.filter(status=ApprovalStatus.PENDING).order_by("id").first()
        if waiting is None:
            return None
        if waiting.application_id == applications.portal().id:
            return _decide_in_portal(world, waiting, verdict)
        path = f"/approvals/{ids.encode('apr', waiting.id)}/{verdict}"
        body = {
            "payload_hash": waiting.payload_hash,
            **({"reason": "Not agreed"} if verdict == "refuse" else {}),
        }
        own = world.call("POST", path, body)
        if own.status < 400:
            raise Broken("an approval was decided by a key that nobody stands behind")
        reply = world.call("POST", path, body, token=world.decider_token)
        if reply.status != 200:
            raise Broken(f"{path} was answered {reply.status}: {reply.body}")
        return f"{waiting.subject_reference} -> {reply.status}"

    return act


def _decide_in_portal(world: World, waiting: ApprovalRequest, verdict: str) -> str:
    """Decide as a person what people asked for, which no key of an application sees."""
    asked: dict[str, Any] = {
        "request_id": waiting.id,
        "payload_hash": waiting.payload_hash,
        "actor": person(Membership.objects.get(user__email=DECIDER).user_id),
        "now": world.now,
    }

    def deed() -> object:
        return requests.approve(**asked) if verdict == "approve" else requests.refuse(**asked, reason=REASON)

    if said := decided(world, deed):
        raise Broken(f"{waiting.subject_reference} could not be decided by a person: {said}")
    return f"{waiting.subject_reference} -> {verdict}, in the portal"


def verify(world: World) -> str | None:
    """Hold a receipt against a refund without an answer: the right one, or another's."""
    found = Refund.objects.filter(status=RefundStatus.UNKNOWN).order_by("id").first()
    receipts = [reversal["receipt"] for reversal in reversals(world) if reversal["receipt"]]
    if found is None or not receipts:
        return None
    right = receipt_of(world, found)
    receipt = right if right and world.chance(0.7) else world.rng.choice(receipts)
    return hold(world, found, receipt)


def hold(world: World, found: Refund, receipt: str) -> str:
    """Send a receipt of a reversal for a refund."""
    path = f"/refunds/{ids.encode('re', found.id)}/verify"
    reply = partner.send(world, Asked(path, {"receipt": receipt}, partner.new_key(world)))
    return f"{path} {receipt} -> {reply.status}"


def reversals(world: World) -> list[dict[str, Any]]:
    """Return what the provider was asked to give back, newest first."""
    return list(world.control("GET", "/reversals")["reversals"])


def receipt_of(world: World, found: Refund) -> str:
    """Return the provider's receipt for what a refund gave back, where it did."""
    done = (
        r["receipt"]
        for r in reversals(world)
        if r["original_receipt"] == found.payment_receipt and r["receipt"]
    )
    return next(done, "")


def _ask(world: World, extra: dict[str, Any], *which: Q, **of: str) -> str | None:
    paid = list(PaymentIntent.objects.filter(*which, status__in=MONEY_STATES, **of).order_by("id"))
    if not paid:
        return None
    in_parts = [one for one in paid if one.attempts.paying().count() > 1]
    intent = world.rng.choice(in_parts if in_parts and world.chance(0.8) else paid)
    left = [one for one in PaymentAttempt.objects.paying().filter(intent=intent) if one.refundable_minor]
    is_named = len(left) > 1 and world.chance(0.8)
    body = {"payment_id": ids.encode("pi", intent.id), "reason": "The order was cancelled", **extra}
    body |= {"attempt_id": ids.encode("pa", world.rng.choice(left).id)} if is_named else {}
    reply = partner.send(world, Asked("/refunds", body, partner.new_key(world)))
    if len(left) > 1:
        _among_several(world, intent, reply, is_named=is_named)
    return f"{json.dumps(body)} -> {reply.status}"


def _among_several(world: World, intent: PaymentIntent, reply: Reply, *, is_named: bool) -> None:
    """See that where several sums paid a payment only one that is named goes back."""
    if not is_named and reply.status != 422:
        raise Broken(f"several sums paid {intent}, and a refund that named none was answered {reply.status}")
    if reply.status < 400:
        world.hit("refund:of a named part")

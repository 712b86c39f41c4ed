"""Refunds: money that goes back to a card, at once or later, and now and then does not arrive."""

from typing import Any

from apps.simulator.stripe.contracts import Body, Scope, StripeRefusal
from apps.simulator.stripe.services import balances, charges, currencies, events, ids, methods, objects

PENDING_FOR_MS = 60_000
FAILURES = (
    "lost_or_stolen_card",
    "expired_or_canceled_card",
    "charge_for_pending_refund_disputed",
    "unknown",
    "declined",
)


def add(scope: Scope, charge: Body, *, amount: int | None, reason: str | None, metadata: Body) -> Body:
    """
    Give a charge back, whole or in part; several parts may follow each other until nothing is left.

    Raises StripeRefusal for more than is left. A plan or the card may let it wait, or fail, then or later.
    """
    given = _checked(scope, charge, amount)
    moved = events.wrong_sum(scope, given)
    held = charges.give_back(scope, charge, min(moved, charges.refundable(charge)))
    behaviour = _behaviour(scope, held)
    status = "pending" if behaviour in {"pending", "late"} else "succeeded"
    refund: Body = {
        "id": ids.draw(tx=scope.tx, kind="refund"),
        "object": "refund",
        "amount": moved,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": scope.seconds,
        "currency": charge["currency"],
        "destination_details": {"card": {"reference_status": "pending", "type": "refund"}, "type": "card"},
        "failure_balance_transaction": None,
        "failure_reason": None,
        "metadata": metadata,
        "payment_intent": charge["payment_intent"],
        "pending_reason": "processing" if status == "pending" else None,
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": status,
        "transfer_reversal": None,
    }
    refund["balance_transaction"] = balances.book(
        scope, "refund", refund["id"], amount=-moved, currency=charge["currency"], description="Refund"
    )["id"]
    follows = {"pending": "succeed", "late": "fail", "failed": "fail"}.get(behaviour)
    objects.add(scope, refund, due_at=_due(scope) if follows else None, next=follows)
    events.tell(scope, "refund.created", refund)
    events.tell(scope, "charge.refunded", held)
    if behaviour == "refused":
        fail(scope, refund, reason=str(scope.plan.result_code))
    return objects.get(scope, "refund", refund["id"])


def fail(scope: Scope, refund: Body, *, reason: str) -> Body:
    """Take a refund back that did not arrive: its money returns to the balance. Raises StripeRefusal where it is over."""
    if refund["status"] not in {"pending", "succeeded"}:
        raise StripeRefusal(400, f"This refund has a status of {refund['status']}.")
    charge = objects.get(scope, "charge", refund["charge"])
    charges.give_back(scope, charge, -refund["amount"])
    returned = balances.book(
        scope,
        "refund_failure",
        refund["id"],
        amount=refund["amount"],
        currency=refund["currency"],
        description="Refund failure",
    )
    refund |= {
        "failure_balance_transaction": returned["id"],
        "failure_reason": reason,
        "pending_reason": None,
        "status": "failed",
    }
    objects.save(scope, refund)
    objects.wake(scope, refund["id"], at=None)
    events.tell(scope, "refund.updated", refund)
    events.tell(scope, "refund.failed", refund)
    return refund


def succeed(scope: Scope, refund: Body) -> Body:
    """Let a refund that waited arrive."""
    refund |= {"pending_reason": None, "status": "succeeded"}
    objects.save(scope, refund)
    events.tell(scope, "refund.updated", refund)
    return refund


def settle(scope: Scope, refund: Body) -> None:
    """Do what falls due: the refund arrives, or turns out not to."""
    follows = objects.private(scope, refund["id"])["next"]
    objects.wake(scope, refund["id"], at=None)
    if follows == "succeed":
        succeed(scope, refund)
    else:
        fail(scope, refund, reason="expired_or_canceled_card")


def _checked(scope: Scope, charge: Body, amount: int | None) -> int:
    left = charges.refundable(charge)
    details: dict[str, Any] = {}
    if any(
        not each["is_charge_refundable"] for each in objects.newest(scope, "dispute", charge=charge["id"])
    ):
        words, details = (
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            {"code": "charge_disputed"},
        )
    elif not charge["captured"]:
        words = "This PaymentIntent does not have a successful charge to refund."
    elif left <= 0:
        words, details = (
            f"Charge {charge['id']} has already been refunded.",
            {"code": "charge_already_refunded"},
        )
    elif amount is not None and amount > left:
        currency = charge["currency"]
        words = (
            f"Refund amount ({currencies.shown(amount, currency)} {currency}) is greater than unrefunded amount on "
            f"charge ({currencies.shown(left, currency)} {currency})"
        )
        details = {"param": "amount"}
    else:
        return left if amount is None else amount
    raise StripeRefusal(400, words, **details)


def _behaviour(scope: Scope, charge: Body) -> str:
    """Say how the refund goes: by the plan of its call, else by the card that is paid back."""
    if scope.plan.result_code not in {None, "0"}:
        return "refused"
    if scope.plan.late_failure_ms is not None:
        return "failed"
    method = objects.get(scope, "payment_method", charge["payment_method"])
    return methods.card_of(scope, method).refund


def _due(scope: Scope) -> int:
    late_ms = scope.plan.late_failure_ms
    return scope.now + (PENDING_FOR_MS if late_ms is None else late_ms)

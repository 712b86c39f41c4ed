"""Refunds: money that goes back to the payer, at once or later, and now and then does not arrive."""

from apps.simulator.paypal.contracts import Body, PayPalRefusal, Scope
from apps.simulator.paypal.services import captures, currencies, events, ids, movements, objects, outcomes

PENDING_FOR_MS = 60_000
LATEST_MS = 180 * 24 * 3_600_000
KEPT_FEE = 0


def add(scope: Scope, capture: Body, *, amount: Body | None, note: str = "", **told: object) -> Body:
    """
    Give a capture back, whole or in part; several parts may follow each other until nothing is left.

    The fee of the payment stays with PayPal. Raises PayPalRefusal for more than is left; a plan may let the refund
    wait, or fail, then or later.
    """
    given = _checked(scope, capture, amount)
    status = outcomes.of_plan(scope, default="COMPLETED")
    moved = (
        given
        if scope.plan.moved_cents is None
        else min(scope.plan.moved_cents, captures.left(scope, capture))
    )
    identifier = ids.draw(tx=scope.tx, kind="refund")
    own = f"/v2/payments/refunds/{identifier}"
    body: Body = {
        "id": identifier,
        "status": status,
        "amount": currencies.money(moved, capture["amount"]["currency_code"]),
        **{name: value for name, value in (told | {"note_to_payer": note}).items() if value},
        "payer": captures.payee(scope),
        "links": [
            objects.link(scope, own, "self"),
            objects.link(scope, f"/v2/payments/captures/{capture['id']}", "up"),
        ],
        **objects.stamps(scope),
    }
    if status == "PENDING":
        body["status_details"] = {"reason": "ECHECK"}
    order = objects.private(scope, capture["id"])
    objects.add(
        scope,
        "refund",
        body,
        due_at=_due(scope) if status == "PENDING" else None,
        capture=capture["id"],
        order=order["order"],
        unit=order["unit"],
        next="fail" if scope.plan.late_failure_ms is not None else "complete",
    )
    if status == "FAILED":
        return body
    captures.give_back(scope, capture, moved)
    body["seller_payable_breakdown"] = _breakdown(scope, capture, moved)
    objects.save(scope, identifier, body)
    if status == "PENDING":
        events.tell(scope, "PAYMENT.REFUND.PENDING", body, summary=f"A refund of {_money(body)} is pending")
        return body
    return _book(scope, body)


def complete(scope: Scope, refund: Body) -> Body:
    """Let a refund that waited arrive."""
    _check_pending(refund)
    objects.wake(scope, refund["id"], at=None)
    del refund["status_details"]
    return _book(scope, refund | {"status": "COMPLETED"})


def fail(scope: Scope, refund: Body) -> Body:
    """Let a refund that waited not arrive; what it would have given back stays."""
    _check_pending(refund)
    objects.wake(scope, refund["id"], at=None)
    capture = objects.get(scope, "capture", objects.private(scope, refund["id"])["capture"])
    captures.give_back(scope, capture, -currencies.minor(refund["amount"]))
    objects.save(scope, refund["id"], refund | {"status": "FAILED"})
    failed = objects.get(scope, "refund", refund["id"])
    events.tell(scope, "PAYMENT.REFUND.FAILED", failed, summary=f"A refund of {_money(refund)} failed")
    return failed


def settle(scope: Scope, refund: Body) -> None:
    """Do what falls due: the refund arrives, or turns out not to."""
    if objects.private(scope, refund["id"])["next"] == "complete":
        complete(scope, refund)
    else:
        fail(scope, refund)


def _book(scope: Scope, refund: Body) -> Body:
    objects.save(scope, refund["id"], refund)
    movements.book(
        scope,
        movements.REFUND,
        refund["id"],
        amount=-currencies.minor(refund["amount"]),
        currency=refund["amount"]["currency_code"],
        source=refund | {"reference": objects.private(scope, refund["id"])["capture"]},
    )
    events.tell(
        scope, "PAYMENT.CAPTURE.REFUNDED", refund, summary=f"A {_money(refund)} capture payment was refunded"
    )
    return refund


def _checked(scope: Scope, capture: Body, amount: Body | None) -> int:
    issue = _state_issue(scope, capture)
    if issue:
        raise PayPalRefusal(422, issue)
    left = captures.left(scope, capture)
    if amount is None:
        return left
    if amount["currency_code"] != capture["amount"]["currency_code"]:
        raise PayPalRefusal(422, "REFUND_CAPTURE_CURRENCY_MISMATCH", at="/amount/currency_code")
    if currencies.minor(amount) > left:
        raise PayPalRefusal(422, "REFUND_AMOUNT_EXCEEDED", at="/amount/value", value=amount["value"])
    return currencies.minor(amount)


def _state_issue(scope: Scope, capture: Body) -> str:
    """Say why nothing of a capture can be given back; empty where something can."""
    if objects.private(scope, capture["id"]).get("dispute"):
        return "TRANSACTION_DISPUTED"
    if objects.moment(capture["create_time"]) < scope.now - LATEST_MS:
        return "REFUND_TIME_LIMIT_EXCEEDED"
    issues = {
        "PENDING": "PENDING_CAPTURE",
        "REFUNDED": "CAPTURE_FULLY_REFUNDED",
        "DECLINED": "REFUND_NOT_ALLOWED",
    }
    return issues.get(capture["status"], "")


def _breakdown(scope: Scope, capture: Body, moved: int) -> Body:
    currency = capture["amount"]["currency_code"]
    refunded = objects.private(scope, capture["id"])["refunded"]
    told: Body = {
        "gross_amount": currencies.money(moved, currency),
        "paypal_fee": currencies.money(KEPT_FEE, currency),
        "net_amount": currencies.money(moved, currency),
        "total_refunded_amount": currencies.money(refunded, currency),
    }
    own = scope.account.currency
    if currency != own:
        taken, rate = currencies.settled(moved, currency, account=scope.account)
        told["net_amount_in_receivable_currency"] = currencies.money(taken, own)
        told["net_amount_breakdown"] = [
            {
                "payable_amount": currencies.money(taken, own),
                "converted_amount": currencies.money(moved, currency),
                "exchange_rate": {"source_currency": own, "target_currency": currency, "value": rate},
            }
        ]
    return told


def _money(body: Body) -> str:
    return f"{body['amount']['currency_code']} {body['amount']['value']}"


def _check_pending(refund: Body) -> None:
    if refund["status"] != "PENDING":
        raise PayPalRefusal(422, "REFUND_STATUS_NOT_VALID", f"The refund is {refund['status']}.")


def _due(scope: Scope) -> int:
    late = scope.plan.late_success_ms or scope.plan.late_failure_ms
    return scope.now + (PENDING_FOR_MS if late is None else late)

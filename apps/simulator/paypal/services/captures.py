"""Captures: money that a payer has paid, or is still to pay, and what is left of it to give back."""

from apps.simulator.paypal.contracts import Body, PayPalRefusal, Scope
from apps.simulator.paypal.services import currencies, events, ids, movements, objects

CLEARS_AFTER_MS = 60_000
PENDING = {"ECHECK", "ECHECK_FAILS", "PENDING_REVIEW"}
SUMMARIES = {
    "COMPLETED": "Payment completed for {}",
    "PENDING": "Payment pending for {}",
    "DENIED": "Payment denied for {}",
    "DECLINED": "Payment declined for {}",
}


def add(
    scope: Scope,
    amount: Body,
    *,
    order: str,
    unit: int,
    outcome: str,
    authorization: str = "",
    is_final: bool = True,
    **told: object,
) -> Body:
    """
    Take money: ``outcome`` is COMPLETED, DECLINED, or why it is still pending.

    What an eCheck pays is there a minute later, or turns out not to be; a review waits for somebody.
    """
    identifier = ids.draw(tx=scope.tx, kind="capture")
    currency = amount["currency_code"]
    moved = currencies.minor(amount) if scope.plan.moved_cents is None else scope.plan.moved_cents
    body: Body = {
        "id": identifier,
        "status": "PENDING" if outcome in PENDING else outcome,
        "amount": currencies.money(moved, currency),
        "final_capture": is_final,
        "disbursement_mode": "INSTANT",
        "seller_protection": {
            "status": "ELIGIBLE",
            "dispute_categories": ["ITEM_NOT_RECEIVED", "UNAUTHORIZED_TRANSACTION"],
        },
        **{name: value for name, value in told.items() if value},
        "payee": payee(scope),
        "supplementary_data": {"related_ids": related(order, authorization)},
        "links": _links(scope, identifier, order=order, authorization=authorization),
        **objects.stamps(scope),
    }
    if outcome in PENDING:
        body["status_details"] = {"reason": outcome.removesuffix("_FAILS")}
    follows = {"ECHECK": "complete", "ECHECK_FAILS": "deny"}.get(outcome)
    objects.add(
        scope,
        "capture",
        body,
        due_at=scope.now + _clears_after(scope) if follows else None,
        order=order,
        unit=unit,
        authorization=authorization,
        minor=moved,
        refunded=0,
        next=follows,
    )
    if outcome == "COMPLETED":
        return _book(scope, body)
    _tell(scope, body)
    return body


def complete(scope: Scope, capture: Body) -> Body:
    """Let a pending payment arrive."""
    _check_pending(capture)
    objects.wake(scope, capture["id"], at=None)
    del capture["status_details"]
    return _book(scope, capture | {"status": "COMPLETED"})


def deny(scope: Scope, capture: Body) -> Body:
    """Let a pending payment turn out not to come."""
    _check_pending(capture)
    objects.wake(scope, capture["id"], at=None)
    del capture["status_details"]
    objects.save(scope, capture["id"], capture | {"status": "DECLINED"})
    _tell(scope, capture | {"status": "DECLINED"}, name="DENIED")
    return objects.get(scope, "capture", capture["id"])


def settle(scope: Scope, capture: Body) -> None:
    """Do what falls due: an eCheck clears, or bounces."""
    if objects.private(scope, capture["id"])["next"] == "complete":
        complete(scope, capture)
    else:
        deny(scope, capture)


def left(scope: Scope, capture: Body) -> int:
    """Return what may still be given back."""
    held = objects.private(scope, capture["id"])
    return int(held["minor"] - held["refunded"])


def give_back(scope: Scope, capture: Body, amount: int) -> Body:
    """Count an amount as given back, or as kept again where it is negative, and return the capture as it then stands."""
    held = objects.private(scope, capture["id"])
    refunded = held["refunded"] + amount
    objects.note(scope, capture["id"], refunded=refunded)
    capture["status"] = (
        "COMPLETED" if not refunded else "REFUNDED" if refunded == held["minor"] else "PARTIALLY_REFUNDED"
    )
    return objects.save(scope, capture["id"], capture)


def payee(scope: Scope) -> Body:
    """Return who is paid."""
    return {
        "email_address": f"{scope.account.id.lower()}@business.example.com",
        "merchant_id": scope.account.id,
    }


def related(order: str, authorization: str) -> Body:
    """Return what a payment belongs to."""
    found = {"order_id": order, "authorization_id": authorization}
    return {name: value for name, value in found.items() if value}


def _book(scope: Scope, capture: Body) -> Body:
    gross, currency = currencies.minor(capture["amount"]), capture["amount"]["currency_code"]
    fee = movements.fee_on(scope, gross)
    breakdown: Body = {
        "gross_amount": currencies.money(gross, currency),
        "paypal_fee": currencies.money(fee, currency),
        "net_amount": currencies.money(gross - fee, currency),
    }
    own = scope.account.currency
    if currency != own:
        received, rate = currencies.settled(gross - fee, currency, account=scope.account)
        breakdown |= {
            "receivable_amount": currencies.money(received, own),
            "exchange_rate": {"source_currency": currency, "target_currency": own, "value": rate},
        }
    capture["seller_receivable_breakdown"] = breakdown
    objects.save(scope, capture["id"], capture)
    movements.book(
        scope,
        movements.PAYMENT,
        capture["id"],
        amount=gross,
        currency=currency,
        fee=fee,
        source=capture,
    )
    _tell(scope, capture)
    return capture


def _tell(scope: Scope, capture: Body, *, name: str = "") -> None:
    name = name or capture["status"]
    money = f"{capture['amount']['currency_code']} {capture['amount']['value']}"
    events.tell(scope, f"PAYMENT.CAPTURE.{name}", capture, summary=SUMMARIES[name].format(money))


def _check_pending(capture: Body) -> None:
    if capture["status"] != "PENDING":
        raise PayPalRefusal(422, "CAPTURE_STATUS_NOT_VALID", f"The capture is {capture['status']}.")


def _clears_after(scope: Scope) -> int:
    late = scope.plan.late_success_ms or scope.plan.late_failure_ms
    return CLEARS_AFTER_MS if late is None else late


def _links(scope: Scope, identifier: str, *, order: str, authorization: str) -> list[Body]:
    own = f"/v2/payments/captures/{identifier}"
    above = (
        f"/v2/payments/authorizations/{authorization}" if authorization else f"/v2/checkout/orders/{order}"
    )
    return [
        objects.link(scope, own, "self"),
        objects.link(scope, f"{own}/refund", "refund", "POST"),
        objects.link(scope, above, "up"),
    ]

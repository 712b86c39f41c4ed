"""Orders: what a merchant wants of a payer, from the first click to the money that was taken or held back."""

from dataclasses import replace

from apps.simulator.paypal.contracts import Body, PayPalRefusal, Scope
from apps.simulator.paypal.services import (
    authorizations,
    captures,
    disputes,
    events,
    ids,
    objects,
    outcomes,
    payers,
    vault,
)

OPEN = ("CREATED", "PAYER_ACTION_REQUIRED")
EXPIRES_AFTER_MS = 6 * 3_600_000
REVERSED_AFTER_MS = 3 * 3_600_000
PARTS = (("captures", "capture"), ("authorizations", "authorization"), ("refunds", "refund"))


def add(
    scope: Scope, *, intent: str, units: list[Body], source: Body | None, places: Body, email: str
) -> Body:
    """
    Open an order; one that names a kept wallet is paid at once, raising PayPalRefusal where it is not. A wallet that pays only while
    its person is there leaves the order waiting for them.

    ``places`` are the addresses of the merchant to which the payer goes back.
    """
    wallet = source or {}
    token = vault.get(scope, wallet["vault_id"]) if wallet.get("vault_id") else None
    identifier = ids.draw(tx=scope.tx, kind="order")
    first = "CREATED" if source is None else "PAYER_ACTION_REQUIRED"
    body: Body = {
        "id": identifier,
        "intent": intent,
        "status": first,
        **({} if source is None else {"payment_source": {"paypal": {}}}),
        "purchase_units": [unit | {"payee": captures.payee(scope)} for unit in units],
        **objects.stamps(scope),
    }
    objects.add(
        scope,
        "order",
        body,
        due_at=_due(scope),
        next="expire" if scope.plan.result_code is None else "approve",
        first=first,
        funding="",
        email=email,
        places=places,
        keeps=wallet.get("attributes", {}).get("vault", {}),
        customer=wallet.get("attributes", {}).get("customer", {}).get("id", ""),
    )
    return present(scope, body) if token is None else _charge(scope, body, token)


def present(scope: Scope, order: Body) -> Body:
    """Return an order with the payments that belong to it and what can be done next."""
    units = [unit | _payments(scope, order, number) for number, unit in enumerate(order["purchase_units"])]
    return order | {"purchase_units": units, "links": links(scope, order)}


def approve(scope: Scope, order: Body, *, funding: str = "balance", email: str = "") -> Body:
    """Let a person agree to pay with what they chose; raise PayPalRefusal for an order that waits for nobody."""
    check_open(order)
    held = objects.private(scope, order["id"])
    email = email or held["email"] or payers.EMAIL
    objects.note(scope, order["id"], funding=funding, email=email, next="reverse")
    objects.wake(scope, order["id"], at=scope.now + REVERSED_AFTER_MS)
    order |= {
        "status": "APPROVED",
        "payment_source": {"paypal": payers.source(email)},
        "payer": payers.payer(email),
    }
    objects.save(scope, order["id"], order)
    shown = present(scope, order)
    events.tell(scope, "CHECKOUT.ORDER.APPROVED", shown, summary="An order has been approved by buyer")
    return shown


def capture(scope: Scope, order: Body) -> Body:
    """Take the money of an approved order, one payment for each purchase unit; raise PayPalRefusal where it is not taken."""
    outcome = _outcome(scope, order, intent="CAPTURE")
    is_disputed = objects.private(scope, order["id"])["funding"] == "disputed"
    for number, unit in enumerate(order["purchase_units"]):
        made = captures.add(
            scope,
            unit["amount"],
            order=order["id"],
            unit=number,
            outcome=outcome,
            invoice_id=unit.get("invoice_id"),
            custom_id=unit.get("custom_id"),
        )
        if is_disputed:
            disputes.add(scope, made, reason="UNAUTHORISED", stage=disputes.CHARGEBACK)
    shown = _complete(scope, order)
    if outcome == "COMPLETED":
        events.tell(scope, "CHECKOUT.ORDER.COMPLETED", shown, summary="Checkout Order Completed")
    return shown


def authorize(scope: Scope, order: Body) -> Body:
    """Hold back the money of an approved order; raise PayPalRefusal where it is not held."""
    outcome = _outcome(scope, order, intent="AUTHORIZE")
    for number, unit in enumerate(order["purchase_units"]):
        authorizations.add(
            scope,
            unit["amount"],
            order=order["id"],
            unit=number,
            outcome=outcome,
            invoice_id=unit.get("invoice_id"),
            custom_id=unit.get("custom_id"),
        )
    return _complete(scope, order)


def settle(scope: Scope, order: Body) -> None:
    """Do what falls due: somebody approves as a plan says, or nobody has come, or the merchant has not taken the money."""
    held = objects.private(scope, order["id"])
    code = scope.plan.result_code
    if held["next"] == "approve":
        is_late = held["funding"] != ""
        approve(scope, order, funding="balance" if is_late or code == "0" else outcomes.as_issue(code or ""))
        return
    objects.save(scope, order["id"], order | {"status": "VOIDED"})
    objects.note(scope, order["id"], next="")
    if held["next"] == "reverse":
        told = ("purchase_units", "payment_source")
        shown = {"order_id": order["id"]} | {name: order[name] for name in told}
        events.tell(
            scope,
            "CHECKOUT.PAYMENT-APPROVAL.REVERSED",
            shown,
            summary="A payment has been reversed after approval.",
        )


def check_open(order: Body) -> None:
    """Refuse an order that does not wait for a payer."""
    if order["status"] not in OPEN:
        issue = "ORDER_EXPIRED" if order["status"] == "VOIDED" else "PAYMENT_ALREADY_APPROVED"
        raise PayPalRefusal(422, issue, f"The order is {order['status']}.")


def links(scope: Scope, order: Body) -> list[Body]:
    """Return what can be done next with an order."""
    own = f"/v2/checkout/orders/{order['id']}"
    shown = [objects.link(scope, own, "self")]
    if order["status"] in OPEN:
        rel = "approve" if order["status"] == "CREATED" else "payer-action"
        shown.append(objects.link(scope, f"/checkoutnow?token={order['id']}", rel))
        shown.append(objects.link(scope, own, "update", "PATCH"))
    if order["status"] in {*OPEN, "APPROVED"}:
        deed = "capture" if order["intent"] == "CAPTURE" else "authorize"
        shown.append(objects.link(scope, f"{own}/{deed}", deed, "POST"))
    return shown


def _charge(scope: Scope, order: Body, token: Body) -> Body:
    """Take or hold money from a wallet that was kept, without its person."""
    if vault.funding(scope, token) == outcomes.PRESENT:
        return present(scope, order)
    email = token["payment_source"]["paypal"]["email_address"]
    objects.note(
        scope, order["id"], funding=vault.funding(scope, token), email=email, next="", first="APPROVED"
    )
    objects.wake(scope, order["id"], at=None)
    order |= {
        "status": "APPROVED",
        "payment_source": {"paypal": payers.source(email)},
        "payer": payers.payer(email),
    }
    objects.save(scope, order["id"], order)
    try:
        return capture(scope, order) if order["intent"] == "CAPTURE" else authorize(scope, order)
    except PayPalRefusal:
        objects.remove(scope, order["id"])
        raise


def _outcome(scope: Scope, order: Body, *, intent: str) -> str:
    """Return how the money comes; one that the wallet refuses sends its person back to the page."""
    _check_approved(order, intent=intent)
    for unit in order["purchase_units"]:
        _check_invoice(scope, unit.get("invoice_id"), order=order["id"])
    held = objects.private(scope, order["id"])
    try:
        return outcomes.of_capture(scope, held["funding"])
    except PayPalRefusal as refusal:
        if refusal.issue == "INSTRUMENT_DECLINED" and held["first"] != "APPROVED":
            _send_back(scope, order, held["first"])
            refusal.links = [objects.link(scope, f"/checkoutnow?token={order['id']}", "redirect")]
        raise


def _send_back(scope: Scope, order: Body, first: str) -> None:
    """Let the order wait for its person again, or for the moment at which a plan has them pay after all."""
    late = objects.plan_of(scope, order["id"]).late_success_ms
    objects.save(scope, order["id"], order | {"status": first})
    objects.note(scope, order["id"], next="expire" if late is None else "approve")
    objects.wake(scope, order["id"], at=scope.now + (EXPIRES_AFTER_MS if late is None else late))


def _check_approved(order: Body, *, intent: str) -> None:
    status, issue = order["status"], ""
    if order["intent"] != intent:
        issue = "ACTION_DOES_NOT_MATCH_INTENT"
    elif status == "COMPLETED":
        issue = "ORDER_ALREADY_CAPTURED" if intent == "CAPTURE" else "ORDER_ALREADY_AUTHORIZED"
    elif status == "VOIDED":
        issue = "ORDER_EXPIRED"
    elif status != "APPROVED":
        issue = "ORDER_NOT_APPROVED"
    if issue:
        raise PayPalRefusal(422, issue)


def _check_invoice(scope: Scope, invoice: str | None, *, order: str) -> None:
    """Refuse the number of an invoice that another order has paid."""
    row = scope.tx.execute(
        "SELECT 1 FROM paypal_object WHERE account = ? AND type IN ('capture', 'authorization') "
        "AND json_extract(body, '$.invoice_id') = ? AND json_extract(private, '$.order') <> ? "
        "AND json_extract(body, '$.status') NOT IN ('DECLINED', 'DENIED', 'VOIDED')",
        (scope.account.id, invoice, order),
    ).fetchone()
    if row is not None:
        words = "Duplicate Invoice ID detected. To avoid a potential duplicate transaction, change it."
        raise PayPalRefusal(422, "DUPLICATE_INVOICE_ID", words)


def _complete(scope: Scope, order: Body) -> Body:
    objects.wake(scope, order["id"], at=None)
    order["status"] = "COMPLETED"
    kept = vault.keep_of_order(scope, order)
    if kept:
        order["payment_source"]["paypal"]["attributes"] = {"vault": kept}
    objects.save(scope, order["id"], order)
    return present(scope, order)


def _payments(scope: Scope, order: Body, unit: int) -> Body:
    found = {name: objects.of_order(scope, kind, order["id"], unit) for name, kind in PARTS}
    payments = {name: bodies for name, bodies in found.items() if bodies}
    return {"payments": payments} if payments else {}


def _due(scope: Scope) -> int:
    if scope.plan.result_code is None:
        return scope.now + EXPIRES_AFTER_MS
    return scope.now + scope.plan.result_after_ms


def by_person(scope: Scope, identifier: str) -> Scope:
    """Return the scope in which a person acts on an object: under its plan, but for what that would decide by itself."""
    return replace(scope, plan=replace(objects.plan_of(scope, identifier), result_code=None))

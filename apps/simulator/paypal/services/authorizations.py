"""Authorizations: money that is held back until it is taken, let go, or time lets it go."""

from apps.simulator.paypal.contracts import Body, PayPalRefusal, Scope
from apps.simulator.paypal.services import captures, currencies, events, ids, objects

DAY_MS = 24 * 3_600_000
VALID_MS = 29 * DAY_MS
HONOURED_MS = 3 * DAY_MS
MOST_PERCENT = 115


def add(scope: Scope, amount: Body, *, order: str, unit: int, outcome: str, **told: object) -> Body:
    """Hold an amount back; ``outcome`` is COMPLETED, DECLINED, or why PayPal still looks at it."""
    identifier = ids.draw(tx=scope.tx, kind="authorization")
    status = {"COMPLETED": "CREATED", "DECLINED": "DENIED"}.get(outcome, "PENDING")
    body: Body = {
        "id": identifier,
        "status": status,
        **({"status_details": {"reason": "PENDING_REVIEW"}} if status == "PENDING" else {}),
        "amount": amount,
        **{name: value for name, value in told.items() if value},
        "seller_protection": {
            "status": "ELIGIBLE",
            "dispute_categories": ["ITEM_NOT_RECEIVED", "UNAUTHORIZED_TRANSACTION"],
        },
        "expiration_time": objects.instant(scope.now + VALID_MS),
        "payee": captures.payee(scope),
        "supplementary_data": {"related_ids": captures.related(order, "")},
        "links": _links(scope, identifier, order),
        **objects.stamps(scope),
    }
    objects.add(scope, "authorization", body, due_at=scope.now + VALID_MS, order=order, unit=unit, captured=0)
    if status != "DENIED":
        events.tell(
            scope,
            "PAYMENT.AUTHORIZATION.CREATED",
            body,
            summary=f"A payment authorization was created for {amount['currency_code']} {amount['value']}",
        )
    return body


def capture(
    scope: Scope, held: Body, *, amount: Body | None, is_final: bool, outcome: str, **told: object
) -> Body:
    """Take what was held back, whole or in part; raise PayPalRefusal for what is over, or for more than PayPal allows."""
    _check(scope, held)
    known = objects.private(scope, held["id"])
    whole, currency = currencies.minor(held["amount"]), held["amount"]["currency_code"]
    left = whole * MOST_PERCENT // 100 - known["captured"]
    if amount is not None and amount["currency_code"] != currency:
        raise PayPalRefusal(422, "AUTH_CAPTURE_CURRENCY_MISMATCH", at="/amount/currency_code")
    taken = max(whole - known["captured"], 0) if amount is None else currencies.minor(amount)
    if not 0 < taken <= left:
        raise PayPalRefusal(422, "MAX_CAPTURE_AMOUNT_EXCEEDED", at="/amount/value")
    notes = {"invoice_id": held.get("invoice_id"), "custom_id": held.get("custom_id")}
    made = captures.add(
        scope,
        currencies.money(taken, currency),
        order=known["order"],
        unit=known["unit"],
        authorization=held["id"],
        is_final=is_final,
        outcome=outcome,
        **notes | {name: value for name, value in told.items() if value},
    )
    if made["status"] == "DECLINED":
        return made
    captured = known["captured"] + taken
    objects.note(scope, held["id"], captured=captured)
    is_over = is_final or captured >= whole
    objects.save(scope, held["id"], held | {"status": "CAPTURED" if is_over else "PARTIALLY_CAPTURED"})
    if is_over:
        objects.wake(scope, held["id"], at=None)
    return made


def void(scope: Scope, held: Body) -> Body:
    """Let go what is still held back; raise PayPalRefusal where nothing is."""
    issue = {"CAPTURED": "PREVIOUSLY_CAPTURED", "VOIDED": "PREVIOUSLY_VOIDED", "DENIED": "CANNOT_BE_VOIDED"}
    if held["status"] in issue:
        raise PayPalRefusal(422, issue[held["status"]])
    return _let_go(scope, held)


def renew(scope: Scope, held: Body, *, amount: Body | None) -> Body:
    """Hold the money back anew once the days are over for which PayPal honours it; the old authorization is over."""
    _check(scope, held)
    if scope.now < objects.moment(held["create_time"]) + HONOURED_MS:
        raise PayPalRefusal(422, "REAUTHORIZATION_TOO_SOON")
    if held["status"] != "CREATED":
        raise PayPalRefusal(422, "REAUTHORIZATION_NOT_SUPPORTED")
    known = objects.private(scope, held["id"])
    wanted = amount or held["amount"]
    if wanted["currency_code"] != held["amount"]["currency_code"]:
        raise PayPalRefusal(422, "AUTH_CURRENCY_MISMATCH", at="/amount/currency_code")
    if currencies.minor(wanted) * 100 > currencies.minor(held["amount"]) * MOST_PERCENT:
        raise PayPalRefusal(422, "AUTHORIZATION_AMOUNT_EXCEEDED", at="/amount/value")
    _let_go(scope, held)
    notes = {"invoice_id": held.get("invoice_id"), "custom_id": held.get("custom_id")}
    return add(scope, wanted, order=known["order"], unit=known["unit"], outcome="COMPLETED", **notes)


def settle(scope: Scope, held: Body) -> None:
    """Let go what nobody took in time."""
    objects.note(scope, held["id"], is_expired=True)
    _let_go(scope, held)


def _let_go(scope: Scope, held: Body) -> Body:
    objects.wake(scope, held["id"], at=None)
    held["status"] = "VOIDED"
    objects.save(scope, held["id"], held)
    events.tell(scope, "PAYMENT.AUTHORIZATION.VOIDED", held, summary="A payment authorization was voided")
    return held


def _check(scope: Scope, held: Body) -> None:
    if objects.private(scope, held["id"]).get("is_expired"):
        raise PayPalRefusal(422, "AUTHORIZATION_EXPIRED")
    issue = {
        "CAPTURED": "AUTHORIZATION_ALREADY_CAPTURED",
        "VOIDED": "AUTHORIZATION_VOIDED",
        "DENIED": "AUTHORIZATION_DENIED",
        "PENDING": "TRANSACTION_REFUSED",
    }.get(held["status"], "")
    if issue:
        raise PayPalRefusal(422, issue)


def _links(scope: Scope, identifier: str, order: str) -> list[Body]:
    own = f"/v2/payments/authorizations/{identifier}"
    return [
        objects.link(scope, own, "self"),
        objects.link(scope, f"{own}/capture", "capture", "POST"),
        objects.link(scope, f"{own}/void", "void", "POST"),
        objects.link(scope, f"{own}/reauthorize", "reauthorize", "POST"),
        objects.link(scope, f"/v2/checkout/orders/{order}", "up"),
    ]

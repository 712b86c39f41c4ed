"""Checkout sessions: a hosted page on which a person pays or leaves a card, until it is completed or expires."""

from dataclasses import replace
from typing import Any

from apps.simulator.stripe.contracts import Body, Scope, StripeRefusal
from apps.simulator.stripe.services import cards, customers, events, ids, intents, methods, objects, setups
from apps.simulator.stripe.services.cards import Card

URL_LENGTH = 400
PASSED_ON = (
    "application_fee_amount",
    "capture_method",
    "description",
    "metadata",
    "on_behalf_of",
    "receipt_email",
    "setup_future_usage",
    "statement_descriptor_suffix",
    "transfer_data",
    "transfer_group",
)


def add(scope: Scope, *, mode: str, lines: list[Body], currency: str, intent: Body, **given: Any) -> Body:
    """Open a session; ``intent`` is what its payment or setup intent will be told."""
    identifier = ids.draw(tx=scope.tx, kind="checkout.session")
    total = sum(line["amount_total"] for line in lines)
    is_payment = mode == "payment"
    body: Body = {
        "id": identifier,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "after_expiration": None,
        "allow_promotion_codes": None,
        "amount_subtotal": total if is_payment else None,
        "amount_total": total if is_payment else None,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": None,
        "cancel_url": given.get("cancel_url"),
        "client_reference_id": given.get("client_reference_id"),
        "client_secret": None,
        "consent": None,
        "consent_collection": None,
        "created": scope.seconds,
        "currency": currency or None,
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer": given.get("customer"),
        "customer_creation": given.get("customer_creation") or ("if_required" if is_payment else "always"),
        "customer_details": None,
        "customer_email": given.get("customer_email"),
        "discounts": [],
        "expires_at": given["expires_at"],
        "invoice": None,
        "invoice_creation": None,
        "livemode": scope.account.is_live,
        "locale": given.get("locale"),
        "metadata": given.get("metadata") or {},
        "mode": mode,
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "always",
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "payment_status": "unpaid" if is_payment else "no_payment_required",
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": None,
        "subscription": None,
        "success_url": given.get("success_url"),
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0}
        if is_payment
        else None,
        "ui_mode": "hosted_page",
        "url": f"{scope.origin}/stripe/pay/{identifier}#".ljust(URL_LENGTH, "f"),  # as long as Stripe's own
    }
    plan = scope.plan
    decides_at = None if plan.result_code is None else scope.now + plan.result_after_ms
    due_at = body["expires_at"] * 1_000 if decides_at is None else decides_at
    objects.add(
        scope,
        body,
        due_at=due_at,
        next="expire" if decides_at is None else "decide",
        lines=lines,
        intent=intent,
    )
    if not is_payment:
        _open_setup(scope, body, intent)
    return body


def pay(scope: Scope, session: Body, card: Card, *, email: str = "") -> Body:
    """
    Let a person use a card on the page: it pays or is kept, unless its bank wants to see the person first.

    Raises StripeRefusal for a decline, after which the page stays open for another card, and for a page that is over.
    """
    check_open(session)
    typed = email or session["customer_email"] or _known_email(scope, session)
    method = methods.add(scope, card, email=typed)
    address = session["success_url"] or ""
    if session["mode"] == "setup":
        intent = setups.confirm(scope, _intent_of(scope, session), method, return_url=address)
    else:
        intent = intents.confirm(scope, _open_intent(scope, session), method, return_url=address)
    return follow(scope, intent, session=objects.get(scope, "checkout.session", session["id"]), email=typed)


def follow(scope: Scope, intent: Body, *, session: Body, email: str = "") -> Body:
    """Complete the session once its intent is through."""
    if intent["status"] not in {"succeeded", "requires_capture"}:
        return session
    method = objects.get(scope, "payment_method", intent["payment_method"])
    typed = email or method["billing_details"]["email"]
    is_paid = session["mode"] == "payment" and intent["status"] == "succeeded"
    customer = intent["customer"] or session["customer"]
    if session["mode"] == "payment":
        customer = _keep_customer(scope, session, intent, method, typed)
    session |= {
        "customer": customer,
        "customer_details": methods.NOBODY | {"email": typed or None, "tax_exempt": "none", "tax_ids": []},
        "status": "complete",
        "url": None,
    }
    if is_paid:
        session["payment_status"] = "paid"
    objects.save(scope, session)
    objects.wake(scope, session["id"], at=None)
    events.tell(scope, "checkout.session.completed", session)
    return session


def expire(scope: Scope, session: Body) -> Body:
    """Close an open page; raise StripeRefusal where it is over already."""
    if session["status"] != "open":
        raise StripeRefusal(
            400,
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of '
            f"`{session['status']}`.",
        )
    session |= {"status": "expired", "url": None}
    objects.save(scope, session)
    objects.wake(scope, session["id"], at=None)
    if session["payment_intent"]:
        intent = objects.get(scope, "payment_intent", session["payment_intent"])
        intents.cancel(scope, intent, reason="expired")
    events.tell(scope, "checkout.session.expired", session)
    return session


def settle(scope: Scope, session: Body) -> None:
    """Do what falls due: what its plan decides, a late success, or the end of its time."""
    held = objects.private(scope, session["id"])
    if held["next"] == "expire":
        expire(scope, session)
        return
    is_late = held["next"] == "late"
    is_declined = not is_late and scope.plan.result_code not in {"0", None}
    late_ms = scope.plan.late_success_ms if is_declined else None
    ends_at = session["expires_at"] * 1_000
    objects.note(scope, session["id"], next="expire" if late_ms is None else "late")
    objects.wake(scope, session["id"], at=ends_at if late_ms is None else min(scope.now + late_ms, ends_at))
    if is_late:
        scope = replace(scope, plan=replace(scope.plan, result_code="0"))
    try:
        pay(scope, session, cards.BY_TOKEN["pm_card_visa"])
    except StripeRefusal:
        return


def of_intent(scope: Scope, intent: Body) -> Body | None:
    """Return the session that an intent belongs to, or None."""
    identifier = objects.private(scope, intent["id"])["session"]
    return objects.find(scope, "checkout.session", identifier) if identifier else None


def check_open(session: Body) -> None:
    """Refuse a page that is over."""
    if session["status"] != "open":
        raise StripeRefusal(400, "This Checkout Session is no longer open.", code="checkout_session_closed")


def _open_intent(scope: Scope, session: Body) -> Body:
    """Return the payment intent of the session, which is made when a person first tries."""
    if session["payment_intent"]:
        return objects.get(scope, "payment_intent", session["payment_intent"])
    told = objects.private(scope, session["id"])["intent"]
    given = {name: told.get(name) for name in PASSED_ON} | {"customer": session["customer"]}
    intent = intents.add(
        scope, amount=session["amount_total"], currency=session["currency"], session=session["id"], **given
    )
    session["payment_intent"] = intent["id"]
    objects.save(scope, session)
    return intent


def _open_setup(scope: Scope, session: Body, told: Body) -> None:
    intent = setups.add(
        scope,
        session=session["id"],
        customer=session["customer"],
        description=told.get("description"),
        metadata=told.get("metadata"),
    )
    session["setup_intent"] = intent["id"]
    objects.save(scope, session)


def _intent_of(scope: Scope, session: Body) -> Body:
    return objects.get(scope, "setup_intent", session["setup_intent"])


def _keep_customer(scope: Scope, session: Body, intent: Body, method: Body, email: str) -> str | None:
    """Return the customer of a payment, opened where the session wants one, with the card where it is to be kept."""
    customer = session["customer"]
    if customer is None and (session["customer_creation"] == "always" or intent["setup_future_usage"]):
        customer = customers.add(scope, email=email)["id"]
    if customer is not None:
        objects.save(scope, intent | {"customer": customer})
    if customer is not None and intent["setup_future_usage"]:
        methods.attach(scope, method, customer)
        methods.set_up(scope, method)
    return customer


def _known_email(scope: Scope, session: Body) -> str:
    customer = objects.find(scope, "customer", session["customer"] or "")
    return (customer or {}).get("email") or ""

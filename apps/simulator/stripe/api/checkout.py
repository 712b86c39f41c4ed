"""Endpoints of checkout sessions."""

from typing import TYPE_CHECKING, Any

from apps.simulator.stripe.api.fields import Params
from apps.simulator.stripe.api.listing import PAGING, page
from apps.simulator.stripe.contracts import Body
from apps.simulator.stripe.services import currencies, magic, objects, sessions

if TYPE_CHECKING:
    from apps.simulator.stripe.api.calls import Call

KNOWN = (
    "cancel_url",
    "client_reference_id",
    "currency",
    "customer",
    "customer_creation",
    "customer_email",
    "expand",
    "expires_at",
    "line_items",
    "locale",
    "metadata",
    "mode",
    "payment_intent_data",
    "payment_method_types",
    "setup_intent_data",
    "success_url",
    "ui_mode",
)
INTENT_TEXTS = (
    "description",
    "on_behalf_of",
    "receipt_email",
    "statement_descriptor_suffix",
    "transfer_group",
)
SOONEST, LATEST = 30 * 60, 24 * 3_600


def create(call: "Call") -> Body:
    """Open a session."""
    params = call.params
    params.only(*KNOWN)
    mode = params.choice("mode", "payment", "setup", is_required=True) or ""
    params.choice("ui_mode", "hosted_page")
    lines = [_line(item) for item in params.items("line_items")]
    if mode == "payment" and not lines:
        raise params.missing("line_items")
    currency = lines[0]["currency"] if lines else params.currency() if "currency" in params.values else ""
    total = sum(line["amount_total"] for line in lines)
    if mode == "payment":
        currencies.check(total, currency, param="line_items")
    email = params.text("customer_email", longest=800)
    call.plan(magic.actions(email=email or ""))
    return sessions.add(
        call.scope,
        mode=mode,
        lines=lines,
        currency=currency,
        intent=_intent(call, mode),
        cancel_url=params.address("cancel_url"),
        client_reference_id=params.text("client_reference_id", longest=200),
        customer=_customer(call),
        customer_creation=params.choice("customer_creation", "always", "if_required"),
        customer_email=email,
        expires_at=_expires_at(call),
        locale=params.text("locale"),
        metadata=params.metadata(),
        success_url=params.address("success_url", is_required=True),
    )


def retrieve(call: "Call", identifier: str) -> Body:
    """Return a session."""
    return objects.get(call.scope, "checkout.session", identifier)


def list_all(call: "Call") -> Body:
    """List sessions."""
    call.params.only(*PAGING, "payment_intent", "customer", "status")
    wanted = {name: call.params.text(name) for name in ("payment_intent", "customer", "status")}
    found = objects.newest(call.scope, "checkout.session", **wanted)
    return page(found, call.params, url="/v1/checkout/sessions")


def list_lines(call: "Call", identifier: str) -> Body:
    """List what a session is for."""
    call.params.only(*PAGING)
    session = objects.get(call.scope, "checkout.session", identifier)
    lines = objects.private(call.scope, session["id"])["lines"]
    return page(lines, call.params, url=f"/v1/checkout/sessions/{identifier}/line_items")


def expire(call: "Call", identifier: str) -> Body:
    """Close an open session."""
    call.params.only("expand")
    session = objects.get(call.scope, "checkout.session", identifier)
    return sessions.expire(call.scope.under(objects.plan_of(call.scope, identifier)), session)


def _line(item: Params) -> Body:
    item.only("price_data", "quantity")
    price = item.inner("price_data")
    price.only("currency", "unit_amount", "product_data")
    product = price.inner("product_data")
    product.only("name", "description", "metadata")
    currency, amount = price.currency(), price.whole("unit_amount", is_required=True) or 0
    quantity = item.whole("quantity")
    quantity = 1 if quantity is None else quantity
    total = amount * quantity
    return {
        "id": f"li_{len(item.path)}{item.path[-2:-1]}",
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": total,
        "amount_tax": 0,
        "amount_total": total,
        "currency": currency,
        "description": product.required("name"),
        "quantity": quantity,
    }


def _intent(call: "Call", mode: str) -> dict[str, Any]:
    name = "payment_intent_data" if mode == "payment" else "setup_intent_data"
    told = call.params.inner(name)
    if mode == "setup":
        told.only("description", "metadata", "on_behalf_of")
        return {"description": told.text("description"), "metadata": told.metadata()}
    told.only(
        *INTENT_TEXTS,
        "application_fee_amount",
        "capture_method",
        "metadata",
        "setup_future_usage",
        "transfer_data",
    )
    transfer = told.inner("transfer_data")
    transfer.only("amount", "destination")
    return {name: told.text(name) for name in INTENT_TEXTS} | {
        "application_fee_amount": told.whole("application_fee_amount"),
        "capture_method": told.choice("capture_method", "automatic", "automatic_async", "manual"),
        "metadata": told.metadata(),
        "setup_future_usage": told.choice("setup_future_usage", "off_session", "on_session"),
        "transfer_data": transfer.values or None,
    }


def _customer(call: "Call") -> str | None:
    given = call.params.text("customer")
    if given is None:
        return None
    if "customer_email" in call.params.values:
        raise call.params.wrong(
            "customer_email", "You may only specify one of these parameters: customer, customer_email.", None
        )
    return str(objects.get(call.scope, "customer", given, param="customer", status=400)["id"])


def _expires_at(call: "Call") -> int:
    given = call.params.whole("expires_at")
    now = call.scope.seconds
    if given is None:
        return now + LATEST
    if not now + SOONEST - 60 <= given <= now + LATEST + 60:
        raise call.params.wrong(
            "expires_at",
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.",
            None,
        )
    return given

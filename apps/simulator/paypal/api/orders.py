"""Endpoints of orders."""

from decimal import Decimal
from typing import TYPE_CHECKING

from apps.simulator.paypal.api.fields import Fields
from apps.simulator.paypal.contracts import Body, PayPalRefusal, Reply
from apps.simulator.paypal.services import magic, objects, orders

if TYPE_CHECKING:
    from apps.simulator.paypal.api.calls import Call

MOST_UNITS = 10
NOTES = {"description": 127, "custom_id": 127, "invoice_id": 127, "soft_descriptor": 22}
PARTS = {"item_total": 1, "tax_total": 1, "shipping": 1, "handling": 1, "insurance": 1}
PARTS |= {"shipping_discount": -1, "discount": -1}
"""Parts of an amount, and whether they add to it or take from it."""


def create(call: "Call") -> Reply:
    """Open an order, or pay it at once with a wallet that was kept."""
    given = call.fields
    intent = given.choice("intent", "CAPTURE", "AUTHORIZE", is_required=True)
    units = [_unit(unit) for unit in given.items("purchase_units", most=MOST_UNITS)]
    names = [unit["reference_id"] for unit in units]
    if len(set(names)) < len(names):
        raise PayPalRefusal(
            422, "DUPLICATE_REFERENCE_ID", at="/purchase_units/1/reference_id", value=names[1]
        )
    if len({unit["amount"]["currency_code"] for unit in units}) > 1:
        raise PayPalRefusal(422, "MULTI_CURRENCY_ORDER")
    source = given.inner("payment_source")
    if source.values and set(source.values) != {"paypal"}:
        raise source.wrong(next(iter(source.values)), "NOT_SUPPORTED")
    if source.values and not call.key:
        words = "A PayPal-Request-Id is required if you are trying to process payment for an Order."
        raise PayPalRefusal(400, "PAYPAL_REQUEST_ID_REQUIRED", words)
    wallet = source.inner("paypal")
    email = wallet.email("email_address") or given.inner("payer").email("email_address")
    call.plan(magic.actions(email=email))
    order = orders.add(
        call.scope,
        intent=intent,
        units=units,
        source=wallet.values if source.values else None,
        places=_places(
            wallet.inner("experience_context") if source.values else given.inner("application_context")
        ),
        email=email,
    )
    return Reply(201, order, made=order["id"])


def retrieve(call: "Call", identifier: str) -> Reply:
    """Return an order."""
    return Reply(200, orders.present(call.scope, objects.get(call.scope, "order", identifier)))


def capture(call: "Call", identifier: str) -> Reply:
    """Take the money of an order."""
    order = objects.get(call.scope, "order", identifier)
    return Reply(201, orders.capture(call.under(identifier), order), made=identifier)


def authorize(call: "Call", identifier: str) -> Reply:
    """Hold back the money of an order."""
    order = objects.get(call.scope, "order", identifier)
    return Reply(201, orders.authorize(call.under(identifier), order), made=identifier)


def _unit(given: Fields) -> Body:
    amount = given.money("amount", is_required=True) or {}
    _check_sum(given.inner("amount"), amount)
    notes = {name: given.text(name, longest=longest) for name, longest in NOTES.items()}
    return {
        "reference_id": given.text("reference_id", longest=256) or "default",
        "amount": amount,
        **{name: value for name, value in notes.items() if value},
    }


def _check_sum(given: Fields, amount: Body) -> None:
    """Refuse a breakdown that does not come to the amount."""
    parts = given.inner("breakdown")
    found = {name: parts.money(name, may_be_zero=True) for name in PARTS}
    told = {name: money for name, money in found.items() if money is not None}
    if any(money["currency_code"] != amount["currency_code"] for money in told.values()):
        raise PayPalRefusal(422, "MULTI_CURRENCY_ORDER", at=parts.path)
    total = sum(Decimal(money["value"]) * PARTS[name] for name, money in told.items())
    if told and total != Decimal(amount["value"]):
        raise PayPalRefusal(422, "AMOUNT_MISMATCH", at=given.at("value"), value=amount["value"])


def _places(given: Fields) -> Body:
    return {
        "return_url": given.address("return_url"),
        "cancel_url": given.address("cancel_url"),
        "brand_name": given.text("brand_name"),
    }

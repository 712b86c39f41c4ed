"""The rails that the load is spread over: who pays by which, how the simulator knows a request, how a statement names a payment."""

from collections.abc import Mapping
from typing import Any

MPESA, STRIPE, PAYPAL = "mpesa", "stripe", "paypal"
BY_LAST_DIGIT = {"3": STRIPE, "7": STRIPE, "5": PAYPAL}
"""Of ten payments two are asked for by card and one by PayPal; the others by M-Pesa."""
CURRENCIES = {MPESA: "KES", STRIPE: "KES", PAYPAL: "USD"}
METHODS = {MPESA: "mpesa", STRIPE: "card", PAYPAL: "paypal"}
PAYS = "+000"
"""In an address: the simulator has its payer pay by himself, after two seconds."""
COLLECTED_AT = {
    MPESA: ("daraja", "/mpesa/stkpush/v1/processrequest", "Amount"),
    STRIPE: ("stripe", "/v1/checkout/sessions", "line_items[0][price_data][unit_amount]"),
    PAYPAL: ("paypal", "/v2/checkout/orders", "/purchase_units/0/amount/value"),
}
"""By which face, path and field of its body the simulator knows a request for a sum."""


def body(rail: str, number: int, amount: int, reference: str) -> dict[str, Any]:
    """Return what a partner asks for: so much of a payer whom nobody else asks; no number that stands for a fault begins so."""
    is_on_phone = rail == MPESA
    payer = {"phone": f"+2541{number:08d}"} if is_on_phone else {"email": f"payer{number}{PAYS}@example.com"}
    return {
        "amount": {"amount": f"{amount}.00", "currency": CURRENCIES[rail]},
        "method": METHODS[rail],
        "payer": payer,
        "reference": reference,
    }


def asked(rail: str, amount: int | None) -> dict[str, Any]:
    """Return how the simulator recognises a request for this sum in whole units, or for any."""
    face, path, field = COLLECTED_AT[rail]
    written = {MPESA: f"{amount}", STRIPE: f"{amount}00", PAYPAL: f"{amount}.00"}[rail]
    sum_of_it = {} if amount is None else {field: written}
    return {"face": face, "path": path, "method": "POST", "body": sum_of_it}


def code_of(row: Mapping[str, Any]) -> str:
    """Return the code of the attempt that a line of any rail's statement is of."""
    told = row.get("account_reference") or row.get("custom_id") or row.get("metadata", {}).get("code")
    return str(told or "")

"""Customers: who owns saved payment methods."""

from apps.simulator.stripe.contracts import Body, Scope
from apps.simulator.stripe.services import events, ids, objects


def add(scope: Scope, *, email: str = "", name: str = "", phone: str = "", **told: object) -> Body:
    """Open a customer."""
    body: Body = {
        "id": ids.draw(tx=scope.tx, kind="customer"),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": scope.seconds,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": told.get("description") or None,
        "discount": None,
        "email": email or None,
        "invoice_settings": {"custom_fields": None, "default_payment_method": None, "footer": None},
        "livemode": scope.account.is_live,
        "metadata": told.get("metadata") or {},
        "name": name or None,
        "phone": phone or None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
    }
    objects.add(scope, body)
    events.tell(scope, "customer.created", body)
    return body


def remove(scope: Scope, customer: Body) -> Body:
    """Delete a customer, and let go of the saved payment methods."""
    for method in objects.newest(scope, "payment_method", customer=customer["id"]):
        objects.save(scope, method | {"customer": None})
    objects.remove(scope, customer["id"])
    events.tell(scope, "customer.deleted", customer)
    return {"id": customer["id"], "object": "customer", "deleted": True}

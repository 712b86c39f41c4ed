"""Endpoints of the vault: wallets that are kept for later."""

from typing import TYPE_CHECKING

from apps.simulator.paypal.contracts import PayPalRefusal, Reply
from apps.simulator.paypal.services import objects, vault

if TYPE_CHECKING:
    from apps.simulator.paypal.api.calls import Call

TOLD = ("description", "usage_pattern", "usage_type", "customer_type", "permit_multiple_payment_tokens")


def begin(call: "Call") -> Reply:
    """Ask a person to let their wallet be kept."""
    source = call.fields.inner("payment_source")
    if "paypal" not in source.values:
        raise source.missing("paypal")
    wallet = source.inner("paypal")
    context = wallet.inner("experience_context")
    wallet.choice("usage_type", "MERCHANT", "PLATFORM")
    setup = vault.begin(
        call.scope,
        customer=call.fields.inner("customer").text("id", longest=22),
        source={name: wallet.values[name] for name in TOLD if name in wallet.values},
        places={
            "return_url": context.address("return_url", is_required=True),
            "cancel_url": context.address("cancel_url", is_required=True),
            "brand_name": context.text("brand_name"),
        },
    )
    return Reply(201, setup, made=setup["id"])


def retrieve_setup(call: "Call", identifier: str) -> Reply:
    """Return a setup token."""
    return Reply(200, objects.get(call.scope, "setup_token", identifier))


def keep(call: "Call") -> Reply:
    """Make a token of a setup that its person has approved."""
    token = call.fields.inner("payment_source").inner("token")
    token.choice("type", "SETUP_TOKEN", is_required=True)
    kept = vault.keep(call.scope, token.text("id", is_required=True))
    return Reply(201, kept, made=kept["id"])


def retrieve(call: "Call", identifier: str) -> Reply:
    """Return a kept wallet."""
    return Reply(200, objects.get(call.scope, "payment_token", identifier))


def list_all(call: "Call") -> Reply:
    """List the kept wallets of a customer."""
    customer = call.request.query.get("customer_id", "")
    if not customer:
        raise PayPalRefusal(400, "MISSING_REQUIRED_PARAMETER", at="customer_id")
    found = vault.of_customer(call.scope, customer)
    told = {"customer": {"id": customer}, "payment_tokens": found, "links": []}
    return Reply(200, told | {"total_items": len(found), "total_pages": 1})


def remove(call: "Call", identifier: str) -> Reply:
    """Forget a kept wallet."""
    vault.forget(call.scope, objects.get(call.scope, "payment_token", identifier))
    return Reply(204)

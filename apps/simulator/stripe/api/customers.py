"""Endpoints of customers and their payment methods."""

from typing import TYPE_CHECKING

from apps.simulator.stripe.api.listing import PAGING, page
from apps.simulator.stripe.contracts import Body, StripeRefusal
from apps.simulator.stripe.services import cards, customers, events, methods, objects

if TYPE_CHECKING:
    from apps.simulator.stripe.api.calls import Call

KNOWN = ("description", "email", "expand", "metadata", "name", "phone")


def create(call: "Call") -> Body:
    """Open a customer."""
    call.params.only(*KNOWN)
    texts = {name: call.params.text(name) or "" for name in ("description", "email", "name", "phone")}
    return customers.add(call.scope, **texts, metadata=call.params.metadata())


def retrieve(call: "Call", identifier: str) -> Body:
    """Return a customer."""
    return objects.get(call.scope, "customer", identifier)


def update(call: "Call", identifier: str) -> Body:
    """Change a customer."""
    call.params.only(*KNOWN)
    customer = objects.get(call.scope, "customer", identifier)
    given = {name: call.params.text(name) for name in ("description", "email", "name", "phone")}
    customer |= {name: value for name, value in given.items() if value is not None}
    customer["metadata"] |= call.params.metadata()
    objects.save(call.scope, customer)
    events.tell(call.scope, "customer.updated", customer)
    return customer


def remove(call: "Call", identifier: str) -> Body:
    """Delete a customer."""
    return customers.remove(call.scope, objects.get(call.scope, "customer", identifier))


def list_all(call: "Call") -> Body:
    """List customers."""
    call.params.only(*PAGING, "email")
    found = objects.newest(call.scope, "customer", email=call.params.text("email"))
    return page(found, call.params, url="/v1/customers")


def list_methods(call: "Call", customer: str) -> Body:
    """List the payment methods of a customer."""
    call.params.only(*PAGING, "type")
    objects.get(call.scope, "customer", customer)
    found = objects.newest(call.scope, "payment_method", customer=customer)
    return page(found, call.params, url=f"/v1/customers/{customer}/payment_methods")


def create_method(call: "Call") -> Body:
    """Make a payment method of a token; numbers of cards are for the hosted page alone."""
    call.params.only("type", "card", "expand")
    call.params.choice("type", "card", is_required=True)
    card = call.params.inner("card")
    if "number" in card.values:
        raise StripeRefusal(
            402,
            "Sending credit card numbers directly to the Stripe API is generally unsafe. Use test tokens instead.",
        )
    card.only("token")
    token = card.required("token")
    if token not in cards.BY_TOKEN:
        raise StripeRefusal(400, f"No such token: '{token}'", code="resource_missing", param="card[token]")
    return methods.add(call.scope, cards.BY_TOKEN[token])


def retrieve_method(call: "Call", identifier: str) -> Body:
    """Return a payment method; a test token becomes one."""
    return methods.resolve(call.scope, identifier)


def attach_method(call: "Call", identifier: str) -> Body:
    """Give a payment method to a customer."""
    call.params.only("customer", "expand")
    customer = objects.get(
        call.scope, "customer", call.params.required("customer"), param="customer", status=400
    )
    return methods.attach(call.scope, methods.resolve(call.scope, identifier), customer["id"])


def detach_method(call: "Call", identifier: str) -> Body:
    """Take a payment method from its customer."""
    return methods.detach(call.scope, objects.get(call.scope, "payment_method", identifier))


def list_unbound(call: "Call") -> Body:
    """List payment methods of a customer."""
    call.params.only(*PAGING, "customer", "type")
    found = objects.newest(call.scope, "payment_method", customer=call.params.required("customer"))
    return page(found, call.params, url="/v1/payment_methods")

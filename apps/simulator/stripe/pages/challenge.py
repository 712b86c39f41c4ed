"""The challenge of a bank: the person says whether the payment is theirs."""

from collections.abc import Mapping
from urllib.parse import urlencode

from apps.simulator.contracts import Response
from apps.simulator.pages import rendering
from apps.simulator.services.clock import moment
from apps.simulator.stripe.contracts import Body, Scope, StripeRefusal
from apps.simulator.stripe.pages import checkout
from apps.simulator.stripe.services import objects, people, sessions

WAITING = "requires_action"


def show(scope: Scope, intent: Body, _: Mapping[str, str]) -> Response:
    """Ask, or say that the bank has its answer."""
    if intent["status"] != WAITING:
        return _over()
    method = objects.get(scope, "payment_method", intent["payment_method"])
    is_payment = intent["object"] == "payment_intent"
    context = {
        "title": "Confirm it is you",
        "clock": moment(at=scope.now).strftime("%H:%M"),
        "shop": scope.account.name,
        "sum": checkout.money(intent["amount"], intent["currency"]) if is_payment else "",
        "brand": method["card"]["brand"].capitalize(),
        "last4": method["card"]["last4"],
    }
    return rendering.page(template="stripe/challenge.html", context=context)


def answer(scope: Scope, intent: Body, form: Mapping[str, str]) -> Response:
    """Take the pressed button, and go on to where the shop or the checkout page wants the person."""
    if intent["status"] != WAITING:
        return _over()
    session = sessions.of_intent(scope, intent)
    try:
        people.challenge(scope, intent, succeeds="approve" in form)
    except StripeRefusal:
        if session is not None:
            return rendering.redirect(to=f"/stripe/pay/{session['id']}?refused=1")
        return _return(scope, intent, "failed")
    if session is not None:
        return rendering.redirect(to=checkout.thanks(session))
    return _return(scope, intent, "succeeded")


def _return(scope: Scope, intent: Body, status: str) -> Response:
    address = objects.private(scope, intent["id"])["return_url"]
    if not address:
        return _over()
    query = urlencode({intent["object"]: intent["id"], "redirect_status": status})
    return rendering.redirect(to=f"{address}{'&' if '?' in address else '?'}{query}")


def _over() -> Response:
    context = {"title": "Done", "sentence": "Your bank has its answer.", "back": ""}
    return rendering.page(template="over.html", context=context)

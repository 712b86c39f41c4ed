"""What persons do on the hosted pages: they use a card, answer their bank, or go away."""

from dataclasses import replace

from apps.simulator.contracts import Plan
from apps.simulator.stripe.contracts import Body, Scope, StripeRefusal
from apps.simulator.stripe.services import intents, objects, sessions, setups
from apps.simulator.stripe.services.cards import Card


def plan_by_hand(scope: Scope, identifier: str) -> Plan:
    """Return the plan of an object without what it would decide by itself: a person decides."""
    return replace(objects.plan_of(scope, identifier), result_code=None)


def pay(scope: Scope, session: Body, card: Card, *, email: str = "") -> Body:
    """Use a card on the page of a session; raise StripeRefusal for a decline or a page that is over."""
    return sessions.pay(scope, session, card, email=email)


def authenticate(scope: Scope, session: Body, *, succeeds: bool) -> Body:
    """Answer the bank about the intent of a session; raise StripeRefusal where that ends in a decline."""
    identifier = session["payment_intent"] or session["setup_intent"]
    if identifier is None:
        raise StripeRefusal(400, "No bank asks about this Checkout Session.")
    challenge(scope, objects.any_of(scope, identifier) or {}, succeeds=succeeds)
    return objects.get(scope, "checkout.session", session["id"])


def challenge(scope: Scope, intent: Body, *, succeeds: bool) -> Body:
    """Answer the bank about an intent, and complete the session that it belongs to."""
    answer = setups.authenticate if intent["object"] == "setup_intent" else intents.authenticate
    done = answer(scope, intent, succeeds=succeeds)
    session = sessions.of_intent(scope, done)
    if session is not None:
        sessions.follow(scope, done, session=session)
    return objects.any_of(scope, done["id"]) or done

"""What persons do on the hosted pages: they use a card, answer their bank, or go away."""

import json
import sqlite3
from dataclasses import replace

from apps.simulator.stripe.contracts import Body, Scope, StripeRefusal
from apps.simulator.stripe.services import accounts, intents, objects, sessions, setups
from apps.simulator.stripe.services.cards import Card


class Unknown(Exception):
    """There is no such object on any account."""


def find(
    *, tx: sqlite3.Connection, now: int, kinds: tuple[str, ...], identifier: str, origin: str
) -> tuple[Scope, Body]:
    """
    Return an object of whatever account, and the scope in which a person acts on it; raise Unknown where there is none.

    The plan of the object holds, but for what it would decide by itself: the person decides.
    """
    row = tx.execute("SELECT account, type, body FROM stripe_object WHERE id = ?", (identifier,)).fetchone()
    if row is None or row["type"] not in kinds:
        raise Unknown(identifier)
    account = accounts.get(tx=tx, identifier=row["account"])
    scope = Scope(tx=tx, account=account, now=now, origin=origin)
    plan = replace(objects.plan_of(scope, identifier), result_code=None)
    return replace(scope, plan=plan), json.loads(row["body"])


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
    session = sessions.of_intent(scope, intent)
    if session is not None:
        sessions.check_open(session)
    answer = setups.authenticate if intent["object"] == "setup_intent" else intents.authenticate
    done = answer(scope, intent, succeeds=succeeds)
    if session is not None:
        sessions.follow(scope, done, session=session)
    return objects.any_of(scope, done["id"]) or done

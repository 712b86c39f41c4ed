"""Setup intents: a card that is kept for later, with the consent of its person."""

from typing import Any

from apps.simulator.stripe.contracts import Body, Scope, StripeRefusal
from apps.simulator.stripe.services import cards, customers, events, ids, methods, objects

STATE = "setup_intent_unexpected_state"
FAILURE = "setup_intent_authentication_failure"


def add(scope: Scope, *, session: str = "", **given: Any) -> Body:
    """Open a setup intent that has no card yet."""
    identifier = ids.draw(tx=scope.tx, kind="setup_intent")
    body: Body = {
        "id": identifier,
        "object": "setup_intent",
        "application": None,
        "automatic_payment_methods": None,
        "cancellation_reason": None,
        "client_secret": ids.secret_of(tx=scope.tx, identifier=identifier),
        "created": scope.seconds,
        "customer": given.get("customer"),
        "description": given.get("description"),
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": scope.account.is_live,
        "mandate": None,
        "metadata": given.get("metadata") or {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "single_use_mandate": None,
        "status": "requires_payment_method",
        "usage": given.get("usage") or "off_session",
    }
    objects.add(scope, body, session=session, return_url="")
    events.tell(scope, "setup_intent.created", body)
    return body


def confirm(scope: Scope, intent: Body, method: Body, *, return_url: str = "") -> Body:
    """Keep the card, or ask its bank to see the person first; raise StripeRefusal for a decline."""
    if intent["status"] not in {"requires_payment_method", "requires_confirmation", "requires_action"}:
        raise _wrong_state(intent, "confirm")
    intent |= {"payment_method": method["id"], "last_setup_error": None}
    objects.note(scope, intent["id"], return_url=return_url)
    if methods.must_authenticate(scope, method, is_setting_up=True):
        address = f"{scope.origin}/stripe/challenge/{intent['id']}"
        intent |= {
            "next_action": {
                "type": "redirect_to_url",
                "redirect_to_url": {"return_url": return_url or None, "url": address},
            },
            "status": "requires_action",
        }
        objects.save(scope, intent)
        events.tell(scope, "setup_intent.requires_action", intent)
        return intent
    return _finish(scope, intent, method)


def authenticate(scope: Scope, intent: Body, *, succeeds: bool) -> Body:
    """Let the bank have seen the person; raise StripeRefusal where it refuses."""
    if intent["status"] != "requires_action":
        raise _wrong_state(intent, "authenticate")
    method = objects.get(scope, "payment_method", intent["payment_method"])
    intent["next_action"] = None
    if succeeds:
        return _finish(scope, intent, method)
    message = "The provided PaymentMethod has failed authentication."
    raise _failed(scope, intent, {"type": "invalid_request_error", "code": FAILURE, "message": message})


def cancel(scope: Scope, intent: Body, *, reason: str | None) -> Body:
    """End the setup intent."""
    if intent["status"] in {"succeeded", "canceled"}:
        raise _wrong_state(intent, "cancel")
    intent |= {"cancellation_reason": reason, "next_action": None, "status": "canceled"}
    objects.save(scope, intent)
    events.tell(scope, "setup_intent.canceled", intent)
    return intent


def _finish(scope: Scope, intent: Body, method: Body) -> Body:
    card = methods.card_of(scope, method)
    if not card.is_attachable:
        raise _failed(scope, intent, cards.error(card.decline))
    if not intent["customer"] and objects.private(scope, intent["id"])["session"]:
        email = method["billing_details"]["email"]
        intent["customer"] = customers.add(scope, email=email or "")["id"]
    if intent["customer"]:
        methods.attach(scope, method, intent["customer"])
    methods.set_up(scope, method)
    intent |= {"next_action": None, "status": "succeeded"}
    objects.save(scope, intent)
    events.tell(scope, "setup_intent.succeeded", intent)
    return intent


def _failed(scope: Scope, intent: Body, error: dict[str, str]) -> StripeRefusal:
    intent |= {
        "last_setup_error": error,
        "next_action": None,
        "payment_method": None,
        "status": "requires_payment_method",
    }
    objects.save(scope, intent)
    events.tell(scope, "setup_intent.setup_failed", intent)
    return StripeRefusal(402, **error, setup_intent=intent)


def _wrong_state(intent: Body, what: str) -> StripeRefusal:
    return StripeRefusal(
        400,
        f"You cannot {what} this SetupIntent because it has a status of {intent['status']}.",
        code=STATE,
        setup_intent=intent,
    )

"""Payment intents: confirmed with a card, seen by its bank where that wants to, captured at once or later."""

from typing import Any

from apps.simulator.stripe.contracts import Body, Scope, StripeRefusal
from apps.simulator.stripe.services import cards, charges, disputes, events, ids, methods, objects, transfers

HELD_FOR_MS = 7 * 24 * 3_600_000
CANCELLABLE = (
    "requires_payment_method",
    "requires_capture",
    "requires_confirmation",
    "requires_action",
    "processing",
)
CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
STATE = "payment_intent_unexpected_state"


def add(scope: Scope, *, amount: int, currency: str, session: str = "", **given: Any) -> Body:
    """Open an intent that has no card yet; ``session`` is the checkout session that it belongs to."""
    identifier = ids.draw(tx=scope.tx, kind="payment_intent")
    body: Body = {
        "id": identifier,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": given.get("application_fee_amount"),
        "automatic_payment_methods": given.get("automatic_payment_methods"),
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": given.get("capture_method") or "automatic_async",
        "client_secret": ids.secret_of(tx=scope.tx, identifier=identifier),
        "confirmation_method": "automatic",
        "created": scope.seconds,
        "currency": currency,
        "customer": given.get("customer"),
        "description": given.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": scope.account.is_live,
        "metadata": given.get("metadata") or {},
        "next_action": None,
        "on_behalf_of": given.get("on_behalf_of"),
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": given.get("receipt_email"),
        "review": None,
        "setup_future_usage": given.get("setup_future_usage"),
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": given.get("statement_descriptor_suffix"),
        "status": "requires_payment_method",
        "transfer_data": given.get("transfer_data"),
        "transfer_group": given.get("transfer_group"),
    }
    objects.add(scope, body, session=session, return_url="")
    events.tell(scope, "payment_intent.created", body)
    return body


def confirm(
    scope: Scope, intent: Body, method: Body, *, is_off_session: bool = False, return_url: str = ""
) -> Body:
    """
    Charge the card, or ask its bank to see the person first.

    Raises StripeRefusal for a decline, with the intent as it then stands; the try is kept all the same.
    """
    if intent["status"] not in CONFIRMABLE:
        raise _wrong_state(intent, "confirm", CONFIRMABLE)
    intent |= {"payment_method": method["id"], "next_action": None, "last_payment_error": None}
    objects.note(scope, intent["id"], return_url=return_url)
    if _wish(scope) is None and methods.must_authenticate(
        scope, method, is_setting_up=bool(intent["setup_future_usage"]) and not is_off_session
    ):
        if is_off_session:
            raise _declined(scope, intent, method, "authentication_required")
        return _challenge(scope, intent, return_url=return_url)
    return _charge(scope, intent, method, is_authenticated=False)


def authenticate(scope: Scope, intent: Body, *, succeeds: bool) -> Body:
    """Let the bank have seen the person; the charge follows. Raises StripeRefusal where it or the bank declines."""
    if intent["status"] != "requires_action":
        raise _wrong_state(intent, "authenticate", ("requires_action",))
    method = objects.get(scope, "payment_method", intent["payment_method"])
    intent["next_action"] = None
    if not succeeds:
        raise _unseen(scope, intent, method)
    if intent["setup_future_usage"]:
        methods.set_up(scope, method)
    return _charge(scope, intent, method, is_authenticated=True)


def capture(scope: Scope, intent: Body, *, amount: int | None) -> Body:
    """Take what was held back, or a part of it once."""
    if intent["status"] != "requires_capture":
        raise _wrong_state(intent, "capture", ("requires_capture",))
    taken = intent["amount_capturable"] if amount is None else amount
    if not 0 < taken <= intent["amount_capturable"]:
        raise StripeRefusal(
            400,
            "The amount to capture must be positive and no more than the amount capturable.",
            code="amount_too_large" if taken > 0 else "parameter_invalid_integer",
            param="amount_to_capture",
        )
    charge = objects.get(scope, "charge", intent["latest_charge"])
    objects.wake(scope, intent["id"], at=None)
    _succeed(scope, intent, charges.capture(scope, charge, taken))
    return intent


def cancel(scope: Scope, intent: Body, *, reason: str | None, has_expired: bool = False) -> Body:
    """End the intent, and let go of what it held back; raise StripeRefusal where it is too late."""
    if intent["status"] not in CANCELLABLE:
        raise _wrong_state(intent, "cancel", CANCELLABLE)
    if intent["status"] == "requires_capture":
        charges.release(scope, objects.get(scope, "charge", intent["latest_charge"]), has_expired=has_expired)
    objects.wake(scope, intent["id"], at=None)
    intent |= {
        "amount_capturable": 0,
        "canceled_at": scope.seconds,
        "cancellation_reason": reason,
        "next_action": None,
        "status": "canceled",
    }
    objects.save(scope, intent)
    events.tell(scope, "payment_intent.canceled", intent)
    return intent


def settle(scope: Scope, intent: Body) -> None:
    """Let go of money that was held back for too long."""
    cancel(scope, intent, reason="automatic", has_expired=True)


def _charge(scope: Scope, intent: Body, method: Body, *, is_authenticated: bool) -> Body:
    wish = _wish(scope)
    decline = methods.card_of(scope, method).decline if wish is None else wish
    if decline:
        raise _declined(scope, intent, method, decline)
    is_captured = intent["capture_method"] != "manual"
    charge = charges.succeed(
        scope, intent, method, is_captured=is_captured, is_authenticated=is_authenticated
    )
    intent["latest_charge"] = charge["id"]
    if is_captured:
        _succeed(scope, intent, charge)
    else:
        intent |= {"amount_capturable": charge["amount"], "status": "requires_capture"}
        objects.save(scope, intent)
        objects.wake(scope, intent["id"], at=scope.now + HELD_FOR_MS)
        events.tell(scope, "payment_intent.amount_capturable_updated", intent)
    return intent


def _succeed(scope: Scope, intent: Body, charge: Body) -> None:
    intent |= {"amount_capturable": 0, "amount_received": charge["amount_captured"], "status": "succeeded"}
    objects.save(scope, intent)
    events.tell(scope, "payment_intent.succeeded", intent)
    transfers.follow(scope, charge)
    method = objects.get(scope, "payment_method", intent["payment_method"])
    reason = methods.card_of(scope, method).dispute
    if reason:
        disputes.add(scope, charge, reason=reason)


def _challenge(scope: Scope, intent: Body, *, return_url: str) -> Body:
    address = f"{scope.origin}/stripe/challenge/{intent['id']}"
    if return_url:
        action: Body = {
            "type": "redirect_to_url",
            "redirect_to_url": {"return_url": return_url, "url": address},
        }
    else:
        action = {
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {"stripe_js": address, "type": "three_d_secure_redirect"},
        }
    intent |= {"next_action": action, "status": "requires_action"}
    objects.save(scope, intent)
    events.tell(scope, "payment_intent.requires_action", intent)
    return intent


def _declined(scope: Scope, intent: Body, method: Body, decline: str) -> StripeRefusal:
    """Record a declined try, and return the error that tells it."""
    charge = charges.fail(scope, intent, method, decline=decline)
    intent["latest_charge"] = charge["id"]
    return _failed(scope, intent, method, cards.error(decline) | {"charge": charge["id"]})


def _unseen(scope: Scope, intent: Body, method: Body) -> StripeRefusal:
    error = {
        "type": "card_error",
        "code": "payment_intent_authentication_failure",
        "message": "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new "
        "PaymentMethod to attempt to fulfill this PaymentIntent again.",
    }
    return _failed(scope, intent, method, error)


def _failed(scope: Scope, intent: Body, method: Body, error: dict[str, str]) -> StripeRefusal:
    intent |= {
        "last_payment_error": error | {"payment_method": method},
        "next_action": None,
        "payment_method": None,
        "status": "requires_payment_method",
    }
    objects.save(scope, intent)
    events.tell(scope, "payment_intent.payment_failed", intent)
    return StripeRefusal(402, **error, payment_intent=intent, payment_method=method)


def _wish(scope: Scope) -> str | None:
    """Return the decline that a plan wants, empty for none of them, and None where the card decides."""
    code = scope.plan.result_code
    return "" if code == "0" else code


def _wrong_state(intent: Body, what: str, allowed: tuple[str, ...]) -> StripeRefusal:
    return StripeRefusal(
        400,
        f"You cannot {what} this PaymentIntent because it has a status of {intent['status']}. Only a PaymentIntent with "
        f"one of the following statuses may be used so: {', '.join(allowed)}.",
        code=STATE,
        payment_intent=intent,
    )

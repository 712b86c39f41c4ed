"""Charges: one try to take money from a card, and what became of it."""

from apps.simulator.stripe.contracts import Body, Scope
from apps.simulator.stripe.services import balances, cards, events, ids, methods, objects

REFUSED_BY_STRIPE = {"fraudulent"}


def succeed(scope: Scope, intent: Body, method: Body, *, is_captured: bool, is_authenticated: bool) -> Body:
    """Take the money, or hold it back until it is captured."""
    charge = _charge(scope, intent, method, is_authenticated=is_authenticated) | {
        "amount": events.wrong_sum(scope, intent["amount"]),
        "captured": False,
        "outcome": _outcome("authorized", "approved_by_network", "Payment complete."),
        "paid": True,
        "status": "succeeded",
    }
    objects.add(scope, charge)
    if is_captured:
        _book(scope, charge, charge["amount"])
    events.tell(scope, "charge.succeeded", charge)
    return charge


def fail(scope: Scope, intent: Body, method: Body, *, decline: str) -> Body:
    """Record that the card was refused; nothing moves."""
    error = cards.error(decline)
    is_ours = decline in REFUSED_BY_STRIPE
    outcome = _outcome(
        "blocked" if is_ours else "issuer_declined",
        "not_sent_to_network" if is_ours else "declined_by_network",
        "Stripe blocked this payment." if is_ours else "The bank did not return any further details.",
        reason=decline,
    )
    charge = _charge(scope, intent, method, is_authenticated=False) | {
        "failure_code": error["code"],
        "failure_message": error["message"],
        "outcome": outcome,
    }
    objects.add(scope, charge)
    events.tell(scope, "charge.failed", charge)
    return charge


def capture(scope: Scope, charge: Body, amount: int) -> Body:
    """Take what was held back, or a part of it; the rest is let go."""
    _book(scope, charge, amount)
    events.tell(scope, "charge.captured", charge)
    return charge


def release(scope: Scope, charge: Body, *, has_expired: bool) -> Body:
    """Let go of what was held back."""
    charge |= {"amount_refunded": charge["amount"], "refunded": True}
    objects.save(scope, charge)
    events.tell(scope, "charge.expired" if has_expired else "charge.refunded", charge)
    return charge


def refundable(charge: Body) -> int:
    """Return how much of the charge can still be given back."""
    return int(charge["amount_captured"]) - int(charge["amount_refunded"])


def give_back(scope: Scope, charge: Body, amount: int) -> Body:
    """Count money as given back; a negative amount as not given back after all."""
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] >= charge["amount_captured"]
    return objects.save(scope, charge)


def _book(scope: Scope, charge: Body, amount: int) -> None:
    currency = charge["currency"]
    method = objects.get(scope, "payment_method", charge["payment_method"])
    movement = balances.book(
        scope,
        "charge",
        charge["id"],
        amount=amount,
        currency=currency,
        fee=balances.charge_fee(scope, amount, currency),
        description=charge["description"] or "",
    )
    if methods.card_of(scope, method).is_available_at_once:
        balances.let_arrive(scope, movement)
    charge |= {"amount_captured": amount, "balance_transaction": movement["id"], "captured": True}
    objects.save(scope, charge)


def _charge(scope: Scope, intent: Body, method: Body, *, is_authenticated: bool) -> Body:
    secure = {"authentication_flow": "challenge", "result": "authenticated", "version": "2.2.0"}
    names = ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "wallet")
    return {
        "id": ids.draw(tx=scope.tx, kind="charge"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": intent["application_fee_amount"],
        "balance_transaction": None,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": scope.account.name[:22].upper(),
        "captured": False,
        "created": scope.seconds,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": scope.account.is_live,
        "metadata": intent["metadata"],
        "on_behalf_of": intent["on_behalf_of"],
        "outcome": None,
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {
            "card": {name: method["card"][name] for name in names}
            | {
                "checks": method["card"]["checks"],
                "network": method["card"]["brand"],
                "three_d_secure": secure if is_authenticated else None,
            },
            "type": "card",
        },
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "failed",
        "transfer_data": intent["transfer_data"],
        "transfer_group": intent["transfer_group"],
    }


def _outcome(kind: str, network: str, words: str, *, reason: str | None = None) -> Body:
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": network,
        "reason": reason,
        "risk_level": "highest" if kind == "blocked" else "normal",
        "risk_score": 90 if kind == "blocked" else 20,
        "seller_message": words,
        "type": kind,
    }

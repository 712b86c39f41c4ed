"""Payment methods: a card behind a token, kept for one payment or attached to a customer."""

import hashlib

from apps.simulator.stripe.contracts import Body, Scope, StripeRefusal
from apps.simulator.stripe.services import cards, events, ids, objects
from apps.simulator.stripe.services.cards import Card

NOBODY = {
    "address": {
        "city": None,
        "country": None,
        "line1": None,
        "line2": None,
        "postal_code": None,
        "state": None,
    },
    "email": None,
    "name": None,
    "phone": None,
    "tax_id": None,
}


def add(scope: Scope, card: Card, *, email: str = "") -> Body:
    """Make a payment method of a card."""
    body: Body = {
        "id": ids.draw(tx=scope.tx, kind="payment_method"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": NOBODY | {"email": email or None},
        "card": {
            "brand": card.brand,
            "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
            "country": card.country,
            "display_brand": card.brand,
            "exp_month": 12,
            "exp_year": 2034,
            "fingerprint": hashlib.sha256(card.number.encode()).hexdigest()[:16],
            "funding": "credit",
            "generated_from": None,
            "last4": card.last4,
            "networks": {"available": [card.brand], "preferred": None},
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        "created": scope.seconds,
        "customer": None,
        "livemode": scope.account.is_live,
        "metadata": {},
        "type": "card",
    }
    return objects.add(scope, body, card=card.number, is_set_up=False)


def resolve(scope: Scope, given: str) -> Body:
    """Return the payment method that a parameter names, by its identifier or by a token of a test card."""
    if given in cards.BY_TOKEN:
        return add(scope, cards.BY_TOKEN[given])
    return objects.get(scope, "payment_method", given, param="payment_method", status=400)


def card_of(scope: Scope, method: Body) -> Card:
    """Return how the card behind a payment method behaves."""
    return cards.BY_NUMBER[objects.private(scope, method["id"])["card"]]


def attach(scope: Scope, method: Body, customer: str) -> Body:
    """Give the payment method to a customer; raise StripeRefusal for a card that its bank does not let be kept."""
    card = card_of(scope, method)
    if not card.is_attachable:
        raise StripeRefusal(402, **cards.error(card.decline))
    if method["customer"] and method["customer"] != customer:
        raise StripeRefusal(
            400,
            "The payment method you provided has already been attached to a customer.",
            code="resource_already_exists",
        )
    method["customer"] = customer
    objects.save(scope, method)
    events.tell(scope, "payment_method.attached", method)
    return method


def detach(scope: Scope, method: Body) -> Body:
    """Take the payment method from its customer for good."""
    if not method["customer"]:
        raise StripeRefusal(
            400,
            "The payment method you provided is not attached to a customer so detachment is impossible.",
        )
    method["customer"] = None
    objects.save(scope, method)
    events.tell(scope, "payment_method.detached", method)
    return method


def set_up(scope: Scope, method: Body) -> None:
    """Remember that its person has let the card be charged later."""
    objects.note(scope, method["id"], is_set_up=True)


def must_authenticate(scope: Scope, method: Body, *, is_setting_up: bool = False) -> bool:
    """Tell whether the bank wants to see the person before this use of the card."""
    wish = card_of(scope, method).authenticates
    is_set_up = objects.private(scope, method["id"])["is_set_up"]
    return wish == "always" or (wish == "once" and (is_setting_up or not is_set_up))

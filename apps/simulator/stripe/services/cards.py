"""Stripe's test cards: what each number, and each token that stands for one, does when it is used."""

from dataclasses import dataclass

from apps.simulator.stripe.contracts import StripeRefusal

INCORRECT_NUMBER = "incorrect_number"


@dataclass(frozen=True, slots=True)
class Card:
    """
    How a card behaves: the decline of its charges, when its bank wants to see the person, and what follows later.

    ``authenticates`` is never, always or once (until it was set up); ``dispute`` is the reason of the dispute that
    follows each payment, ``refund`` how its refunds go.
    """

    number: str
    token: str = ""
    decline: str = ""
    authenticates: str = "never"
    dispute: str = ""
    refund: str = "succeeded"
    is_attachable: bool = True
    is_available_at_once: bool = False
    country: str = "US"

    @property
    def brand(self) -> str:
        """Return the brand as Stripe names it."""
        return {"2": "mastercard", "3": "amex", "4": "visa", "5": "mastercard", "6": "discover"}.get(
            self.number[0], "unknown"
        )

    @property
    def last4(self) -> str:
        """Return the last four digits."""
        return self.number[-4:]


CARDS = (
    Card("4242424242424242", "pm_card_visa"),
    Card("4000056655665556", "pm_card_visa_debit"),
    Card("5555555555554444", "pm_card_mastercard"),
    Card("378282246310005", "pm_card_amex"),
    Card("4000000000000077", "pm_card_bypassPending", is_available_at_once=True),
    Card("4000000000000002", "pm_card_chargeDeclined", "generic_decline", is_attachable=False),
    Card(
        "4000000000009995",
        "pm_card_chargeDeclinedInsufficientFunds",
        "insufficient_funds",
        is_attachable=False,
    ),
    Card("4000000000009987", "pm_card_chargeDeclinedLostCard", "lost_card", is_attachable=False),
    Card("4000000000009979", "pm_card_chargeDeclinedStolenCard", "stolen_card", is_attachable=False),
    Card("4000000000000069", "pm_card_chargeDeclinedExpiredCard", "expired_card", is_attachable=False),
    Card("4000000000000127", "pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", is_attachable=False),
    Card(
        "4000000000000119", "pm_card_chargeDeclinedProcessingError", "processing_error", is_attachable=False
    ),
    Card(
        "4000000000006975",
        "pm_card_chargeDeclinedVelocityLimitExceeded",
        "card_velocity_exceeded",
        is_attachable=False,
    ),
    Card("4100000000000019", "pm_card_radarBlock", "fraudulent"),
    Card("4000000000000341", "pm_card_chargeCustomerFail", "generic_decline"),
    Card("4000002500003155", "pm_card_authenticationRequiredOnSetup", authenticates="once"),
    Card("4000002760003184", "pm_card_authenticationRequired", authenticates="always"),
    Card("4000000000003220", "pm_card_threeDSecure2Required", authenticates="always"),
    Card("4000008400001629", "pm_card_threeDSecureRequiredChargeDeclined", "generic_decline", "always"),
    Card(
        "4000008260003178",
        "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds",
        "insufficient_funds",
        "always",
    ),
    Card("4000000000000259", "pm_card_createDispute", dispute="fraudulent"),
    Card("4000000000002685", "pm_card_createDisputeProductNotReceived", dispute="product_not_received"),
    Card("4000000000001976", "pm_card_createDisputeInquiry", dispute="inquiry"),
    Card("4000000000007726", "pm_card_pendingRefund", refund="pending"),
    Card("4000000000005126", "pm_card_refundFail", refund="failed"),
)
BY_NUMBER = {card.number: card for card in CARDS}
BY_TOKEN = {card.token: card for card in CARDS} | {
    "pm_card_visa_chargeDeclined": BY_NUMBER["4000000000000002"],
    "pm_card_visa_chargeDeclinedInsufficientFunds": BY_NUMBER["4000000000009995"],
    "tok_visa": BY_NUMBER["4242424242424242"],
    "tok_mastercard": BY_NUMBER["5555555555554444"],
    "tok_chargeDeclined": BY_NUMBER["4000000000000002"],
    "tok_chargeCustomerFail": BY_NUMBER["4000000000000341"],
}
MESSAGES = {
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "incorrect_number": "Your card number is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
    "card_velocity_exceeded": "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
    "authentication_required": "Your card was declined. This transaction requires authentication.",
}
OWN_CODES = {
    "expired_card",
    "incorrect_cvc",
    "incorrect_number",
    "processing_error",
    "authentication_required",
}
"""Declines that are the code of the error as well; others come as ``card_declined``."""


def of_number(number: str) -> Card:
    """Return how a typed number behaves; raise StripeRefusal for one that no test card has."""
    found = BY_NUMBER.get("".join(number.split()))
    if found is None:
        raise StripeRefusal(
            402,
            MESSAGES[INCORRECT_NUMBER],
            type="card_error",
            code=INCORRECT_NUMBER,
            param="number",
        )
    return found


def error(decline: str) -> dict[str, str]:
    """Return the error that a decline becomes: its code, its decline_code and its words."""
    code = decline if decline in OWN_CODES else "card_declined"
    fault = {"type": "card_error", "code": code, "message": MESSAGES.get(decline, "Your card was declined.")}
    return fault | ({} if decline == INCORRECT_NUMBER else {"decline_code": decline})

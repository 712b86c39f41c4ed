"""Stripe's error and decline codes and what they mean to us."""

from collections.abc import Mapping
from dataclasses import dataclass

from apps.integrations.ports import ProviderDeclined, ProviderError, ProviderUnavailable, ProviderUncertain

UNKNOWN = "unknown_provider_code"
OUTCOME_UNKNOWN = "provider_error_unknown_outcome"
LONGEST_CODE = 32
LONGEST_TEXT = 300

DECLINES: Mapping[str, str] = {
    "insufficient_funds": "insufficient_funds",
    "card_velocity_exceeded": "limit_exceeded",
    "withdrawal_count_limit_exceeded": "limit_exceeded",
    "lost_card": "declined_fraud",
    "stolen_card": "declined_fraud",
    "fraudulent": "declined_fraud",
    "pickup_card": "declined_fraud",
    "merchant_blacklist": "declined_fraud",
    "restricted_card": "payer_account_restricted",
    "expired_card": "invalid_payment_method",
    "incorrect_cvc": "invalid_payment_method",
    "invalid_cvc": "invalid_payment_method",
    "incorrect_number": "invalid_payment_method",
    "invalid_number": "invalid_payment_method",
    "invalid_expiry_month": "invalid_payment_method",
    "invalid_expiry_year": "invalid_payment_method",
    "incorrect_zip": "invalid_payment_method",
    "card_not_supported": "invalid_payment_method",
    "payment_method_customer_decline": "customer_cancelled",
    "currency_not_supported": "currency_not_supported",
    "authentication_required": "authentication_required",
    "payment_intent_authentication_failure": "authentication_failed",
    "setup_intent_authentication_failure": "authentication_failed",
    "processing_error": "provider_unavailable",
    "issuer_not_available": "provider_unavailable",
    "try_again_later": "provider_unavailable",
    "card_declined": "declined",
    "generic_decline": "declined",
    "do_not_honor": "declined",
    "do_not_try_again": "declined",
    "call_issuer": "declined",
    "no_action_taken": "declined",
    "not_permitted": "declined",
    "service_not_allowed": "declined",
    "transaction_not_allowed": "declined",
    "invalid_account": "declined",
    "revocation_of_all_authorizations": "declined",
    "revocation_of_authorization": "declined",
    "security_violation": "declined",
    "stop_payment_order": "declined",
}
"""By decline code, and by error code where there is none."""
CANCELLATIONS: Mapping[str, str] = {
    "abandoned": "customer_cancelled",
    "automatic": "expired",
    "duplicate": "customer_cancelled",
    "expired": "expired",
    "failed_invoice": "declined",
    "fraudulent": "declined_fraud",
    "requested_by_customer": "customer_cancelled",
    "void_invoice": "customer_cancelled",
}
REFUND_FAILURES: Mapping[str, str] = {
    "charge_for_pending_refund_disputed": "payment_disputed",
    "declined": "declined",
    "expired_or_canceled_card": "payer_account_restricted",
    "insufficient_funds": "float_insufficient",
    "lost_or_stolen_card": "payer_account_restricted",
    "merchant_request": "customer_cancelled",
    "unknown": UNKNOWN,
}
ERRORS: Mapping[str, str] = {
    "amount_too_small": "amount_too_small",
    "amount_too_large": "amount_too_large",
    "charge_already_refunded": "already_refunded",
    "charge_disputed": "payment_disputed",
    "balance_insufficient": "float_insufficient",
    "insufficient_funds": "float_insufficient",
    "insufficient_capabilities_for_transfer": "payee_account_restricted",
    "api_key_expired": "invalid_credentials",
    "account_invalid": "configuration",
    "payment_intent_unexpected_state": "already_decided",
    "refund_disputed_payment": "payment_disputed",
    "resource_missing": "not_found",
}
"""Of requests that Stripe refuses by the request itself."""
MESSAGES: Mapping[str, str] = {
    "insufficient_funds": "The card has too little money for this payment.",
    "limit_exceeded": "The payment is over a limit of the card.",
    "declined": "The bank of the card said no and gave no reason.",
    "declined_fraud": "The bank of the card refused the payment.",
    "payer_account_restricted": "The card is restricted.",
    "payee_account_restricted": "The connected account may not be paid to now: its owner has to tell Stripe more first.",
    "invalid_payment_method": "The card is expired, not supported, or was typed wrong.",
    "authentication_required": "The bank of the card wants its holder to approve this payment.",
    "authentication_failed": "The holder of the card did not approve the payment at the bank.",
    "customer_cancelled": "The payer cancelled the request.",
    "expired": "The payer did not pay in time.",
    "currency_not_supported": "Stripe does not take this currency.",
    "amount_too_small": "The amount is below the smallest that Stripe takes.",
    "amount_too_large": "The amount is over the largest that Stripe takes.",
    "provider_unavailable": "Stripe could not process the card now; try again in a minute.",
    "rate_limited": "Stripe has too many requests of this account; it is tried again.",
    "invalid_credentials": "Stripe does not accept the account's key.",
    "not_permitted": "The account's key may not do this.",
    "configuration": "The Stripe account is not set up for this.",
    "invalid_request": "Stripe refused the request as not valid.",
    "not_found": "Stripe knows nothing under this handle.",
    "already_decided": "What was asked had been decided before.",
    "already_refunded": "Stripe had given this payment back before.",
    "payment_disputed": "The payer has disputed this payment: nothing is given back beside that.",
    "float_insufficient": "The Stripe balance holds too little money for this.",
    UNKNOWN: "Stripe refused with a code that is not known here.",
}
HTTP_DECLINED, HTTP_TOO_MANY = 402, 429
REFUSED: Mapping[int, str] = {
    400: "invalid_request",
    401: "invalid_credentials",
    403: "not_permitted",
    404: "invalid_request",
}
"""What a refusal of Stripe's own stands for where its code says nothing more: nothing was carried out."""
SERVER_ERRORS = range(500, 600)
IN_DOUBT = frozenset({408, 409})


@dataclass(frozen=True, slots=True)
class Refusal:
    """What Stripe's error says: empty where it says nothing. ``is_replayed``: it answered so when this was asked first."""

    status: int
    kind: str = ""
    code: str = ""
    decline_code: str = ""
    message: str = ""
    is_replayed: bool = False

    def error(self) -> ProviderError:
        """
        Return what the refusal stands for. What is not listed is open, and so is a key that was used for another request:
        what became of that one is not told.
        """
        told = (self.decline_code or self.code or f"http:{self.status}")[:LONGEST_CODE]
        kind, reason = self._verdict()
        sentence = MESSAGES.get(reason) or self.message[:LONGEST_TEXT] or f"HTTP {self.status}"
        return kind(reason, sentence, provider_code=told, is_replayed=self.is_replayed)

    def _verdict(self) -> tuple[type[ProviderError], str]:
        if self.status == HTTP_TOO_MANY or self.code == "rate_limit":
            return ProviderUnavailable, "rate_limited"
        reason = self._reason()
        return (ProviderDeclined, reason) if reason else (ProviderUncertain, OUTCOME_UNKNOWN)

    def _reason(self) -> str:
        """Return why Stripe said no; nothing where it did not say so."""
        if self.kind == "idempotency_error":
            return ""
        if self.status == HTTP_DECLINED:
            return decline(self.code, self.decline_code)
        otherwise = REFUSED.get(self.status, "") if self.kind else ""
        return ERRORS.get(self.code, otherwise) if otherwise else ""


def decline(code: str, decline_code: str) -> str:
    """Return the reason of a card's refusal: the bank's own code says more than Stripe's."""
    return DECLINES.get(decline_code) or (UNKNOWN if decline_code else DECLINES.get(code, UNKNOWN))


def is_well(status: int) -> bool:
    """Say whether an answer with this status shows that Stripe is working."""
    return status not in SERVER_ERRORS and status not in IN_DOUBT

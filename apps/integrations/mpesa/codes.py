"""Daraja's result and error codes and what they mean to us; one number means different things in different flows."""

from collections.abc import Mapping
from dataclasses import dataclass

from apps.integrations.ports import ProviderDeclined, ProviderError, ProviderUnavailable, ProviderUncertain

SUCCESS = "0"
STILL_PROCESSING = "4999"
UNKNOWN = "unknown_provider_code"
PENDING = "still_processing"
TOKEN_REFUSED = "auth_token"  # noqa: S105 (a reason code)
OUTCOME_UNKNOWN = "provider_error_unknown_outcome"

STK_RESULTS: Mapping[str, str] = {
    "1": "insufficient_funds",
    "2": "amount_too_small",
    "3": "amount_too_large",
    "4": "limit_exceeded",
    "8": "account_limit",
    "17": "duplicate_suspected",
    "26": "provider_unavailable",
    "1001": "subscriber_busy",
    "1019": "expired",
    "1025": "prompt_failed",
    "1032": "customer_cancelled",
    "1037": "customer_unreachable",
    "2001": "authentication_failed",
    "2028": "configuration",
    "8006": "payer_account_restricted",
    "9999": "prompt_failed",
    "SFC_IC0003": "configuration",
}
INITIATOR_RESULTS: Mapping[str, str] = {
    "11": "merchant_account_restricted",
    "21": "not_permitted",
    "26": "provider_unavailable",
    "2001": "invalid_credentials",
    "2006": "merchant_account_restricted",
    "2028": "not_permitted",
    "8006": "credential_locked",
    "SFC_IC0003": "invalid_request",
}
ALREADY_REGISTERED = "urls_already_registered"
ALREADY_REVERSED = "R000001"
REVERSAL_RESULTS: Mapping[str, str] = {
    **INITIATOR_RESULTS,
    "1": "float_insufficient",
    ALREADY_REVERSED: "already_reversed",
    "R000002": "payment_receipt_refused",
}
# Codes that a synchronous ResponseCode may carry although nothing was queued; any other non-zero one stays open.
REFUSED_AT_ONCE = frozenset({"1", "2", "3", "4", "8", "17", "1001", "1025", "2028", "9999", "SFC_IC0003"})

MESSAGES: Mapping[str, str] = {
    "insufficient_funds": "The payer's M-Pesa balance is too low.",
    "amount_too_small": "The amount is below what M-Pesa takes.",
    "amount_too_large": "The amount is above what M-Pesa takes in one payment.",
    "limit_exceeded": "The payer's daily M-Pesa limit would be exceeded.",
    "account_limit": "The business account cannot hold more money.",
    "duplicate_suspected": "The same payer paid the same amount moments ago; try again in two minutes.",
    "provider_unavailable": "M-Pesa is busy; try again in a minute.",
    "subscriber_busy": "Another M-Pesa request is open on the payer's phone; try again in a minute.",
    "expired": "The payer did not answer in time.",
    "prompt_failed": "M-Pesa could not show the request on the phone.",
    "customer_cancelled": "The payer cancelled the request.",
    "customer_unreachable": "The payer's phone could not be reached.",
    "authentication_failed": "The payer entered a wrong PIN.",
    "payer_account_restricted": "The payer's M-Pesa account is locked.",
    "configuration": "The M-Pesa account is not set up for this kind of payment.",
    "invalid_credentials": "M-Pesa does not accept the account's credentials.",
    "credential_locked": "M-Pesa has locked the account's initiator.",
    "not_permitted": "The account's initiator may not do this.",
    "merchant_account_restricted": "M-Pesa has restricted the business account.",
    "invalid_request": "M-Pesa refused the request as not valid.",
    "float_insufficient": "The business account holds too little money to give this back.",
    "already_reversed": "M-Pesa had reversed this payment before.",
    "payment_receipt_refused": "M-Pesa does not accept the payment's receipt for a reversal.",
    ALREADY_REGISTERED: "Addresses are registered for this short code already.",
    UNKNOWN: "M-Pesa refused with a code that is not known here.",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a synchronous error stands for: which error to raise, with which of our codes."""

    error: type[ProviderError]
    code: str


_TOKEN = Refusal(ProviderUnavailable, TOKEN_REFUSED)
_CONFIGURATION = Refusal(ProviderDeclined, "configuration")
_RATE = Refusal(ProviderUnavailable, "rate_limited")
_OPEN = Refusal(ProviderUncertain, OUTCOME_UNKNOWN)

ERRORS: Mapping[str, Refusal] = {
    "400.002.02": Refusal(ProviderDeclined, "invalid_request"),
    "400.008.01": Refusal(ProviderDeclined, "invalid_credentials"),
    "400.008.02": Refusal(ProviderDeclined, "invalid_credentials"),
    "404.001.03": _TOKEN,
    "400.003.01": _TOKEN,
    "401.002.01": _TOKEN,
    "401.003.01": _TOKEN,
    "404.001.01": _CONFIGURATION,
    "404.002.01": _CONFIGURATION,
    "404.003.01": _CONFIGURATION,
    "404.001.04": _CONFIGURATION,
    "405.001": _CONFIGURATION,
    "500.003.02": _RATE,
    "500.003.03": _RATE,
}
# One code for many things: only the message tells them apart, and a message that is not listed leaves it open.
ERRORS_BY_MESSAGE: Mapping[str, tuple[tuple[str, Refusal], ...]] = {
    "500.001.1001": (
        ("being processed", Refusal(ProviderUncertain, PENDING)),
        ("still under processing", Refusal(ProviderUncertain, PENDING)),
        ("unable to lock subscriber", Refusal(ProviderDeclined, "subscriber_busy")),
        ("merchant does not exist", _CONFIGURATION),
        ("wrong credentials", Refusal(ProviderDeclined, "invalid_credentials")),
    ),
    "500.003.1001": (("already registered", Refusal(ProviderDeclined, ALREADY_REGISTERED)),),
}
FAULTS: tuple[tuple[str, Refusal], ...] = (
    ("access token", _TOKEN),
    ("apiproduct", _CONFIGURATION),
    ("spike arrest", _RATE),
    ("quota", _RATE),
    ("rate limit", _RATE),
)
HTTP_TOO_MANY = 429
CLIENT_ERRORS = frozenset(range(400, 500)) - {408, 409}


def stk_reason(code: str) -> str:
    return STK_RESULTS.get(code, UNKNOWN)


def initiator_reason(code: str) -> str:
    return INITIATOR_RESULTS.get(code, UNKNOWN)


def reversal_reason(code: str) -> str:
    return REVERSAL_RESULTS.get(code, UNKNOWN)


def message(reason: str) -> str:
    """Return a sentence for people, of our own: Daraja's texts address developers."""
    return MESSAGES.get(reason, "")


def refusal(*, http_status: int, error_code: str, error_message: str, fault: str) -> Refusal:
    """
    Classify a synchronous error. What is not listed is open (ProviderUncertain), with one exception: an error code of
    the 4xx family under a 4xx status was refused by the gateway before it could reach M-Pesa.
    """
    by_code = ERRORS.get(error_code) or _by_text(error_message, ERRORS_BY_MESSAGE.get(error_code, ()))
    if by_code is not None:
        return by_code
    if http_status == HTTP_TOO_MANY:
        return _RATE
    is_client_error = http_status in CLIENT_ERRORS and error_code.startswith("4")
    return _by_text(fault, FAULTS) or (
        Refusal(ProviderDeclined, "invalid_request") if is_client_error else _OPEN
    )


def _by_text(text: str, rules: tuple[tuple[str, Refusal], ...]) -> Refusal | None:
    lowered = text.lower()
    return next((found for fragment, found in rules if fragment in lowered), None)

"""PayPal's issues and what they mean to us, by what was asked for."""

from collections.abc import Mapping
from dataclasses import dataclass

from apps.integrations.ports import ProviderDeclined, ProviderError, ProviderUnavailable, ProviderUncertain

UNKNOWN = "unknown_provider_code"
OUTCOME_UNKNOWN = "provider_error_unknown_outcome"
TOKEN_REFUSED = "auth_token"  # noqa: S105 (a reason code)
LONGEST_CODE = 32
LONGEST_TEXT = 300

COLLECTING: Mapping[str, str] = {
    "INSTRUMENT_DECLINED": "declined",
    "PAYMENT_SOURCE_DECLINED_BY_PROCESSOR": "declined",
    "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING": "declined",
    "TRANSACTION_REFUSED": "declined",
    "PAYER_CANNOT_PAY": "declined",
    "DECLINED_DUE_TO_RELATED_TXN": "declined",
    "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED": "declined",
    "AUTHORIZATION_DENIED": "declined",
    "PAYER_ACTION_REQUIRED": "authentication_required",
    "ORDER_NOT_APPROVED": "authentication_required",
    "PAYER_ACCOUNT_RESTRICTED": "payer_account_restricted",
    "PAYER_ACCOUNT_LOCKED_OR_CLOSED": "payer_account_restricted",
    "AGREEMENT_ALREADY_CANCELLED": "invalid_payment_method",
    "BILLING_AGREEMENT_NOT_FOUND": "invalid_payment_method",
    "CARD_EXPIRED": "invalid_payment_method",
    "MISMATCHED_VAULT_ID_TO_PAYMENT_SOURCE": "invalid_payment_method",
    "PAYMENT_SOURCE_CANNOT_BE_USED": "invalid_payment_method",
    "TOKEN_ID_NOT_FOUND": "invalid_payment_method",
    "COMPLIANCE_VIOLATION": "compliance_blocked",
    "TRANSACTION_LIMIT_EXCEEDED": "limit_exceeded",
    "TRANSACTION_RECEIVING_LIMIT_EXCEEDED": "account_limit",
    "MAX_VALUE_EXCEEDED": "amount_too_large",
    "MAX_CAPTURE_AMOUNT_EXCEEDED": "amount_too_large",
    "ORDER_EXPIRED": "expired",
    "AUTHORIZATION_EXPIRED": "expired",
    "TOKEN_EXPIRED": "expired",
    "AUTHORIZATION_VOIDED": "customer_cancelled",
    "ORDER_ALREADY_CAPTURED": "already_decided",
    "ORDER_ALREADY_AUTHORIZED": "already_decided",
    "ORDER_ALREADY_COMPLETED": "already_decided",
    "ORDER_COMPLETED_OR_VOIDED": "already_decided",
    "AUTHORIZATION_ALREADY_CAPTURED": "already_decided",
    "MAX_AUTHORIZATION_COUNT_EXCEEDED": "already_decided",
    "MAX_CAPTURE_COUNT_EXCEEDED": "already_decided",
    "CANNOT_BE_VOIDED": "already_decided",
    "PREVIOUSLY_CAPTURED": "already_decided",
    "PREVIOUSLY_VOIDED": "already_decided",
    "DUPLICATE_INVOICE_ID": "duplicate_transaction",
}
"""Of money that is asked for, held back, taken or let go."""
GIVING_BACK: Mapping[str, str] = {
    "CAPTURE_FULLY_REFUNDED": "already_refunded",
    "REFUND_AMOUNT_EXCEEDED": "amount_too_large",
    "REFUND_AMOUNT_TOO_LOW": "amount_too_small",
    "REFUND_FAILED_INSUFFICIENT_FUNDS": "float_insufficient",
    "REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK": "payment_disputed",
    "TRANSACTION_DISPUTED": "payment_disputed",
    "MAX_NUMBER_OF_REFUNDS_EXCEEDED": "not_refundable",
    "PARTIAL_REFUND_NOT_ALLOWED": "not_refundable",
    "PENDING_CAPTURE": "not_refundable",
    "REFUND_IS_RESTRICTED": "not_refundable",
    "REFUND_NOT_ALLOWED": "not_refundable",
    "REFUND_TIME_LIMIT_EXCEEDED": "not_refundable",
    "PAYER_ACCOUNT_LOCKED_OR_CLOSED": "payer_account_restricted",
    "CURRENCY_MISMATCH": "invalid_request",
    "REFUND_CAPTURE_CURRENCY_MISMATCH": "invalid_request",
}
EVERYWHERE: Mapping[str, str] = {
    "AMOUNT_MISMATCH": "invalid_request",
    "ITEM_TOTAL_MISMATCH": "invalid_request",
    "DECIMAL_PRECISION": "invalid_request",
    "DECIMALS_NOT_SUPPORTED": "invalid_request",
    "CANNOT_BE_NEGATIVE": "invalid_request",
    "CANNOT_BE_ZERO_OR_NEGATIVE": "invalid_request",
    "INVALID_CURRENCY_CODE": "currency_not_supported",
    "INVALID_RESOURCE_ID": "not_found",
    "PAYEE_ACCOUNT_INVALID": "merchant_account_restricted",
    "PAYEE_ACCOUNT_LOCKED_OR_CLOSED": "merchant_account_restricted",
    "PAYEE_ACCOUNT_NOT_VERIFIED": "merchant_account_restricted",
    "PAYEE_ACCOUNT_RESTRICTED": "merchant_account_restricted",
    "PAYEE_BLOCKED_TRANSACTION": "merchant_account_restricted",
    "TRANSACTION_BLOCKED_BY_PAYEE": "merchant_account_restricted",
    "PERMISSION_DENIED": "not_permitted",
    "CONSENT_NEEDED": "not_permitted",
    "AUTH_CAPTURE_NOT_ENABLED": "configuration",
    "INVALID_ACCOUNT_STATUS": "configuration",
    "NOT_ENABLED_FOR_CARD_PROCESSING": "configuration",
    "NOT_ENABLED_TO_VAULT_PAYMENT_SOURCE": "configuration",
}
"""Of anything: of the request itself, and of who asks."""
TAKES = frozenset({"order", "order_query", "authorize", "capture", "void"})
RETURNS = frozenset({"refund", "refund_query"})
ISSUES: Mapping[str, Mapping[str, str]] = {
    **dict.fromkeys(TAKES, COLLECTING),
    **dict.fromkeys(RETURNS, GIVING_BACK),
}
"""By the kind of call; one that moves no money has none of its own."""
MESSAGES: Mapping[str, str] = {
    "declined": "PayPal, or the payer's bank, said no and gave no reason.",
    "authentication_required": "PayPal wants the payer to approve this payment again.",
    "payer_account_restricted": "The payer's PayPal account is restricted.",
    "invalid_payment_method": "The payer's way to pay is expired, withdrawn or not supported.",
    "compliance_blocked": "PayPal refused the payment by its rules.",
    "limit_exceeded": "The payment is over a limit of the payer's PayPal account.",
    "account_limit": "The PayPal account may not receive this much money.",
    "amount_too_small": "The amount is below the smallest that PayPal takes.",
    "amount_too_large": "The amount is over the largest that PayPal takes.",
    "customer_cancelled": "The payer cancelled the request.",
    "expired": "The payer did not pay in time.",
    "already_decided": "What was asked had been decided before.",
    "duplicate_transaction": "PayPal has a payment with this number already.",
    "already_refunded": "PayPal had given this payment back before.",
    "float_insufficient": "The PayPal balance holds too little money to give this back.",
    "payment_disputed": "The payer has disputed this payment: nothing is given back beside that.",
    "not_refundable": "PayPal gives this back no more, or not in this way.",
    "currency_not_supported": "PayPal does not take this currency.",
    "invalid_request": "PayPal refused the request as not valid.",
    "not_found": "PayPal knows nothing under this handle.",
    "not_permitted": "The account's app at PayPal may not do this.",
    "configuration": "The PayPal account is not set up for this.",
    "invalid_credentials": "PayPal does not accept the account's client ID and secret.",
    "merchant_account_restricted": "PayPal has restricted the account.",
    "rate_limited": "PayPal has too many requests of this account; it is tried again.",
    TOKEN_REFUSED: "PayPal did not take the access token; it is tried again.",
    UNKNOWN: "PayPal refused with a code that is not known here.",
}
OVER = frozenset(
    {
        "declined",
        "authentication_required",
        "payer_account_restricted",
        "invalid_payment_method",
        "compliance_blocked",
        "limit_exceeded",
        "expired",
        UNKNOWN,
    }
)
"""What ends an order that was to be taken: its payer agrees to another one, or pays otherwise."""
UNDECIDED = frozenset(
    {"ORDER_COMPLETION_IN_PROGRESS", "PREVIOUS_REQUEST_IN_PROGRESS", "DUPLICATE_REQUEST_ID"}
)
"""What becomes of the same request, or became of another one under its key, is not told."""
HTTP_UNAUTHORIZED, HTTP_TOO_MANY, HTTP_NO_CONTENT = 401, 429, 204
REFUSED: Mapping[int, str] = {
    400: "invalid_request",
    403: "not_permitted",
    404: "not_found",
}
"""What a refusal stands for where its issue says nothing more."""
HTTP_UNPROCESSABLE = 422
SERVER_ERRORS = range(500, 600)
IN_DOUBT = frozenset({408, 409})


@dataclass(frozen=True, slots=True)
class Refusal:
    """What PayPal's error says of a call of a kind: empty where it says nothing."""

    status: int
    kind: str
    name: str = ""
    issue: str = ""

    def error(self) -> ProviderError:
        """Return what the refusal stands for; one that PayPal does not word itself is open."""
        told = (self.issue or self.name or f"http:{self.status}")[:LONGEST_CODE]
        kind, reason = self._verdict()
        return kind(reason, MESSAGES.get(reason) or f"HTTP {self.status}", provider_code=told)

    def _verdict(self) -> tuple[type[ProviderError], str]:
        if self.status == HTTP_TOO_MANY:
            return ProviderUnavailable, "rate_limited"
        if self.status == HTTP_UNAUTHORIZED and self.issue not in EVERYWHERE:
            return ProviderUnavailable, TOKEN_REFUSED
        reason = self._reason()
        return (ProviderDeclined, reason) if reason else (ProviderUncertain, OUTCOME_UNKNOWN)

    def _reason(self) -> str:
        """Return why PayPal said no; nothing where it did not say so."""
        if not self.name or self.issue in UNDECIDED or not is_well(self.status):
            return ""
        own = ISSUES.get(self.kind, {})
        return own.get(self.issue) or EVERYWHERE.get(self.issue) or self._otherwise()

    def _otherwise(self) -> str:
        """
        Return what an issue stands for that is not listed. Money that was not taken may be asked for anew, for nobody takes it but
        by our order; whether it went back is looked for.
        """
        if self.status != HTTP_UNPROCESSABLE:
            return REFUSED.get(self.status, "")
        if self.kind in TAKES:
            return UNKNOWN
        return "" if self.kind in RETURNS else "invalid_request"


def is_well(status: int) -> bool:
    """Say whether an answer with this status shows that PayPal is working."""
    return status not in SERVER_ERRORS and status not in IN_DOUBT

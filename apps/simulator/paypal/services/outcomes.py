"""How a payment or a refund goes: by the plan of its call, and by what the payer pays with."""

import re

from apps.simulator.paypal.contracts import PayPalRefusal, Scope

ISSUE = re.compile("[A-Z]+(_[A-Z]+)+")
STATUSES = {
    "INVALID_RESOURCE_ID": 404,
    "PREVIOUS_REQUEST_IN_PROGRESS": 409,
    "CONSENT_NEEDED": 403,
    "PERMISSION_DENIED": 403,
    "NOT_AUTHORIZED": 403,
    "INVALID_ACCOUNT_STATUS": 401,
    "RATE_LIMIT_REACHED": 429,
    "INTERNAL_SERVER_ERROR": 500,
    "INVALID_PARAMETER_SYNTAX": 400,
    "INVALID_PARAMETER_VALUE": 400,
    "INVALID_STRING_LENGTH": 400,
    "MISSING_REQUIRED_PARAMETER": 400,
    "MALFORMED_REQUEST_JSON": 400,
    "PAYPAL_REQUEST_ID_REQUIRED": 400,
}
"""Issues that come with another status than 422."""
FUNDING = {
    "balance": "COMPLETED",
    "echeck": "ECHECK",
    "echeck_fails": "ECHECK_FAILS",
    "review": "PENDING_REVIEW",
    "disputed": "COMPLETED",
    "present": "COMPLETED",
    "empty": "INSTRUMENT_DECLINED",
}
"""What becomes of a payment by what the payer chose on the approval page."""
PRESENT = "present"
"""What pays only while its person is there: kept, it has them asked again."""


def refusal(issue: str) -> PayPalRefusal:
    """Return the refusal that PayPal would give with an issue."""
    return PayPalRefusal(STATUSES.get(issue, 422), issue)


def of_plan(scope: Scope, *, default: str) -> str:
    """Return how a script wants a call to end: PENDING, DECLINED, FAILED or as usual; raise PayPalRefusal for any issue."""
    code = scope.plan.result_code
    if scope.plan.late_failure_ms is not None and code in {None, "0"}:
        return "PENDING"
    if code in {None, "0"}:
        return default
    if code in {"PENDING", "DECLINED", "FAILED"}:
        return code
    raise refusal(as_issue(code or ""))


def of_capture(scope: Scope, funding: str) -> str:
    """Return COMPLETED, DECLINED or why a payment is pending; raise PayPalRefusal where the wallet or a script refuses."""
    told = of_plan(scope, default="")
    if told == "PENDING":
        return "ECHECK_FAILS" if scope.plan.late_failure_ms is not None else "ECHECK"
    if told:
        return "DECLINED"
    outcome = FUNDING.get(funding) or as_issue(funding)
    if outcome in FUNDING.values() and outcome != "INSTRUMENT_DECLINED":
        return outcome
    raise refusal(outcome)


def as_issue(code: str) -> str:
    """Return a code as PayPal's issue; what is none stands for a declined instrument."""
    return code if ISSUE.fullmatch(code) else "INSTRUMENT_DECLINED"

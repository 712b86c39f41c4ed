"""The text message that ends a payment, asked for or not, in the words of M-Pesa's own."""

from apps.simulator.contracts import Payment, PaymentState, Prompt
from apps.simulator.services import prompts, results
from apps.simulator.services.amounts import display
from apps.simulator.services.clock import moment

NOTHING_TAKEN = "Nothing was taken."


def message(paid: Prompt | Payment) -> dict[str, object]:
    """Return text, time and tone of the message for a payment; one that waits for its business says so."""
    at = moment(at=paid.decided_at or paid.created_at)
    return {
        "id": paid.id,
        "is_paid": paid.state is PaymentState.PAID,
        "text": _text(paid),
        "time": at.strftime("%d %b %Y, %H:%M:%S"),
        "datetime": at.isoformat(timespec="seconds"),
        "phone": local(paid.msisdn),
    }


def local(msisdn: str) -> str:
    """Write a number as Kenyans read it: 254712345678 becomes 0712 345 678."""
    return f"0{msisdn[3:6]} {msisdn[6:9]} {msisdn[9:]}"


def _text(paid: Prompt | Payment) -> str:
    if paid.state is PaymentState.WAITING:
        return (
            f"Sending {display(cents=paid.amount_cents)} to {paid.business_name}. Wait for the confirmation."
        )
    if paid.state is PaymentState.PAID:
        at = moment(at=paid.decided_at or 0)
        day, clock = f"{at.day}/{at.month}/{at:%y}", at.strftime("%I:%M %p").lstrip("0")
        account = f" for account {paid.reference}" if paid.reference else ""
        return (
            f"{paid.receipt} Confirmed. {display(cents=paid.moved_cents)} paid to {paid.business_name}"
            f"{account} on {day} at {clock}. Transaction cost, KES 0.00."
        )
    reason = _reason(paid)
    return (
        f"{reason} {display(cents=paid.amount_cents)} to {paid.business_name} was not paid. {NOTHING_TAKEN}"
    )


def _reason(paid: Prompt | Payment) -> str:
    reasons = {
        results.INSUFFICIENT_FUNDS: "Failed. Your M-Pesa balance is too low.",
        results.CANCELLED: "You cancelled.",
        results.UNREACHABLE: "The request ran out of time.",
        results.EXPIRED: "The request has expired.",
        results.WRONG_PIN: "The PIN was not right.",
        results.ABOVE_MAXIMUM: f"Failed. {display(cents=prompts.LARGEST_CENTS)} is the most at once.",
        results.BAD_PAYER: f"{paid.business_name} takes no payments from this phone.",
        results.BAD_ACCOUNT: f"{paid.business_name} does not know account {paid.reference}.",
        results.BAD_AMOUNT: f"{paid.business_name} does not take this amount.",
        results.REFUSED_BY_BUSINESS: f"{paid.business_name} did not take the payment.",
    }
    if isinstance(paid, Payment):
        reasons[results.NO_OPERATOR] = "There is no business with this number."
    return reasons.get(paid.result_code, f"Failed. {paid.result_desc}")

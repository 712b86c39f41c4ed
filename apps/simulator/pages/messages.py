"""The text message that ends a prompt, in the words of M-Pesa's own."""

from apps.simulator.contracts import PaymentState, Prompt
from apps.simulator.services import results
from apps.simulator.services.amounts import display
from apps.simulator.services.clock import moment

NOTHING_TAKEN = "Nothing was taken."


def message(prompt: Prompt) -> dict[str, object]:
    """Return text, time and tone of the message for a decided prompt."""
    at = moment(at=prompt.decided_at or prompt.created_at)
    return {
        "id": prompt.id,
        "is_paid": prompt.state is PaymentState.PAID,
        "text": _text(prompt),
        "time": at.strftime("%d %b %Y, %H:%M:%S"),
        "datetime": at.isoformat(timespec="seconds"),
        "phone": local(prompt.msisdn),
    }


def local(msisdn: str) -> str:
    """Write a number as Kenyans read it: 254712345678 becomes 0712 345 678."""
    return f"0{msisdn[3:6]} {msisdn[6:9]} {msisdn[9:]}"


def _text(prompt: Prompt) -> str:
    if prompt.state is PaymentState.PAID:
        at = moment(at=prompt.decided_at or 0)
        day, clock = f"{at.day}/{at.month}/{at:%y}", at.strftime("%I:%M %p").lstrip("0")
        return (
            f"{prompt.receipt} Confirmed. {display(cents=prompt.moved_cents)} paid to {prompt.business_name} "
            f"for account {prompt.reference} on {day} at {clock}. Transaction cost, KES 0.00."
        )
    reasons = {
        results.INSUFFICIENT_FUNDS: "Failed. Your M-Pesa balance is too low.",
        results.CANCELLED: "You cancelled.",
        results.UNREACHABLE: "The request ran out of time.",
        results.EXPIRED: "The request has expired.",
        results.WRONG_PIN: "The PIN was not right.",
    }
    reason = reasons.get(prompt.result_code, f"Failed. {prompt.result_desc}")
    return f"{reason} {display(cents=prompt.amount_cents)} to {prompt.business_name} was not paid. {NOTHING_TAKEN}"

"""Money that goes back to payers."""

from apps.kit import ids
from apps.payments.selectors import refunds as stored
from treasury.operations.calls import Answer, Call


def list_(call: Call) -> Answer:
    status = call.given["status"].upper()
    found = stored.with_status(status)
    rows = [
        {
            "refund": ids.encode("re", row.id),
            "payment": ids.encode("pi", row.intent_id),
            "sum": row.money,
            "receipt_of_payment": row.payment_receipt,
            "branch": row.branch.code,
            "account": row.provider_account.number,
            "asked_at": row.created_at,
            "unknown_at": row.unknown_at,
        }
        for row in found[: call.given["limit"]]
    ]
    return Answer(f"{found.count()} {status.lower().replace('_', ' ')}", rows)

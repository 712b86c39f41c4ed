"""What invoicing does when something happened elsewhere."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from apps.events.contracts import Event
from apps.invoicing.services import receipts
from apps.kit import clock, ids
from apps.kit.money import Money


def issue_receipts(events: Sequence[Event]) -> None:
    """Money arrived for payments, or parts of it (payment_success, payment_partially_paid): issue the receipt of each."""
    receipts.issue_batch(payments=[_paid(event) for event in events], now=clock.now())


def render_receipt(event: Event) -> None:
    """A receipt was issued: render its PDF. Runs outside any transaction, at least once."""
    receipts.render(receipt_id=event.aggregate_id, now=clock.now())


def _part(payment: dict[str, Any]) -> receipts.PaidPart:
    """Return what this part and those before it leave to pay."""
    asked = _money(payment["amount"])
    return receipts.PaidPart(asked, asked - _money(payment["received"]))


def _money(told: dict[str, str]) -> Money:
    return Money.parse(told["amount"], told["currency"])


def _paid(event: Event) -> receipts.PaidPayment:
    payment = event.data["object"]
    attempt_id = payment["latest_attempt"]["id"]
    part = next((one for one in payment["parts"] if one["attempt_id"] == attempt_id), None)
    return receipts.PaidPayment(
        intent_id=event.aggregate_id,
        attempt_id=ids.decode("pa", attempt_id),
        branch_id=ids.decode("br", payment["branch_id"]),
        application_id=ids.decode("app", payment["application_id"]),
        money=_money((part or payment)["received"]),
        part=_part(payment) if part else None,
        payer_name=payment["payer"]["name"],
        payer_phone=payment["payer"]["phone"],
        method=payment["method"],
        provider_receipt=payment["provider_receipt"],
        reference=payment["reference"],
        description=payment["description"],
        paid_at=datetime.fromisoformat(part["booked_at"] if part else payment["settled_at"]),
    )

"""What invoicing does when something happened elsewhere."""

from collections.abc import Sequence
from datetime import datetime

from apps.events.contracts import Event
from apps.invoicing.services import receipts
from apps.kit import clock, ids
from apps.kit.money import Money


def issue_receipts(events: Sequence[Event]) -> None:
    """Money arrived for payments (payment_success): issue the receipt of each."""
    receipts.issue_batch(payments=[_paid(event) for event in events], now=clock.now())


def render_receipt(event: Event) -> None:
    """A receipt was issued: render its PDF. Runs outside any transaction, at least once."""
    receipts.render(receipt_id=event.aggregate_id, now=clock.now())


def _paid(event: Event) -> receipts.PaidPayment:
    payment = event.data["object"]
    received = payment["received"]
    return receipts.PaidPayment(
        intent_id=event.aggregate_id,
        branch_id=ids.decode("br", payment["branch_id"]),
        application_id=ids.decode("app", payment["application_id"]),
        money=Money.parse(received["amount"], received["currency"]),
        payer_name=payment["payer"]["name"],
        payer_phone=payment["payer"]["phone"],
        method=payment["method"],
        provider_receipt=payment["provider_receipt"],
        reference=payment["reference"],
        description=payment["description"],
        paid_at=datetime.fromisoformat(payment["settled_at"]),
    )

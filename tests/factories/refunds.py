"""Refunds for tests: a paid payment, refunds of it in a given state, reports of a provider."""

from datetime import timedelta
from itertools import count
from typing import Any

from apps.integrations.ports import RefundOutcome, RefundReport, Ticket
from apps.kit.actors import PROVIDER, SYSTEM
from apps.payments.models import PaymentAttempt, Refund
from apps.payments.services import intents, refunds, sendings
from tests.factories import payments

PAID_AT = payments.NOW + timedelta(minutes=1)
NOW = payments.NOW + timedelta(minutes=5)
REASON = "Order cancelled by the customer"
_numbers = count(1)


def paid(**facts: Any) -> PaymentAttempt:
    """Return an attempt whose money is booked, with its receipt."""
    attempt = payments.waiting(**facts)
    report = payments.collected(attempt)
    intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=PAID_AT)
    return payments.reloaded(attempt)


def requested(attempt: PaymentAttempt | None = None, **facts: Any) -> Refund:
    """Return a refund whose job has not run."""
    chosen = {"money": None, "reason": REASON, "actor": SYSTEM, "now": NOW, **facts}
    return refunds.create(intent_id=(attempt or paid()).intent_id, **chosen)


def sending(attempt: PaymentAttempt | None = None) -> Refund:
    """Return a refund that has been committed as being sent, and not sent."""
    begun = sendings.begin(refund_id=requested(attempt).id, now=NOW)
    assert begun is not None
    return begun


def pending(attempt: PaymentAttempt | None = None) -> Refund:
    """Return a refund that the provider has accepted."""
    refund = sending(attempt)
    sendings.accept(refund_id=refund.id, ticket=ticket(), now=NOW)
    return reloaded(refund)


def unknown(attempt: PaymentAttempt | None = None) -> Refund:
    """Return a refund of which nobody knows what became, without a ticket."""
    refund = sending(attempt)
    sendings.lose(refund_id=refund.id, now=NOW)
    return reloaded(refund)


def ticket() -> Ticket:
    return Ticket(f"71840-27539181-{next(_numbers):02d}")


def reloaded(refund: Refund) -> Refund:
    return Refund.objects.select_related("intent", "attempt").get(id=refund.id)


def receipt() -> str:
    return f"NLR{next(_numbers):07d}"


def given_back(refund: Refund, **facts: Any) -> RefundReport:
    """Return the report that the whole sum went back, under a receipt of its own."""
    return RefundReport(
        **{
            "ticket": refund.ticket,
            "outcome": RefundOutcome.REFUNDED,
            "money": refund.money,
            "receipt": receipt(),
            "payment_receipt": refund.payment_receipt,
            "provider_code": "0",
            **facts,
        }
    )


def declined(refund: Refund, **facts: Any) -> RefundReport:
    """Return the report that the provider said no."""
    return RefundReport(
        **{
            "ticket": refund.ticket,
            "outcome": RefundOutcome.DECLINED,
            "reason_code": "float_insufficient",
            "provider_code": "1",
            "message": "The business account holds too little money to give this back.",
            **facts,
        }
    )

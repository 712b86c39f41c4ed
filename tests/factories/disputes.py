"""Disputes for tests: one of a paid payment, as a provider reports it."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from apps.integrations.ports import DisputeReport, DisputeStage
from apps.kit.actors import PROVIDER
from apps.payments.models import Dispute, PaymentAttempt
from apps.payments.services import disputes
from tests.factories import refunds

NOW = refunds.NOW
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
_numbers = count(1)


def report(attempt: PaymentAttempt, *, now: datetime = NOW, **facts: Any) -> DisputeReport:
    """Return what a provider says of a new dispute about the whole payment, whose sum it has taken."""
    told = {
        "ticket": f"du_{next(_numbers):06d}",
        "payment_ticket": attempt.ticket,
        "receipt": attempt.provider_receipt,
        "stage": DisputeStage.NEEDS_RESPONSE,
        "reason_code": "fraudulent",
        "provider_reason": "fraudulent",
        "money": attempt.received,
        "withdrawn": attempt.received,
        "due_by": now + timedelta(days=9),
        "opened_at": now,
        **facts,
    }
    return DisputeReport(**told)


def opened(attempt: PaymentAttempt | None = None, *, now: datetime = NOW, **facts: Any) -> Dispute:
    """Return the dispute that such a report opens."""
    paid = attempt or refunds.paid()
    told = report(paid, now=now, **facts)
    disputes.record(account_id=paid.provider_account_id, report=told, asked_at=now, actor=PROVIDER, now=now)
    return Dispute.objects.select_related("attempt", "intent").get(ticket=told.ticket)


def reloaded(dispute: Dispute) -> Dispute:
    return Dispute.objects.select_related("attempt", "intent").get(id=dispute.id)

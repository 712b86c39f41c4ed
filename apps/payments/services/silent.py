"""Money of which two roads tell half each: a payment that is confirmed without a receipt, and a receipt without a reference."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from apps.integrations.ports import CollectionReport, Outcome
from apps.integrations.services import providers
from apps.kit import locks
from apps.payments.models import InboundReceipt, PaymentAttempt
from apps.payments.models.attempt import BOOKED_STATES
from apps.payments.services import suspense

WITHIN = timedelta(hours=24)
CLOCKS_DIFFER = timedelta(minutes=5)


def only(account_id: UUID) -> None:
    """Let nobody else bring halves of one account together until the transaction ends; take it before any other lock."""
    locks.advisory(f"payments:silent:{account_id}")


def with_receipt(attempt_id: UUID, report: CollectionReport, *, now: datetime) -> CollectionReport:
    """
    Return a report of money that names no receipt with the one that waits for it, where exactly one may be of the payer.

    Locks that receipt; call it before the attempt is locked.
    """
    if report.receipt or report.outcome is not Outcome.COLLECTED:
        return report
    attempt = PaymentAttempt.objects.get(id=attempt_id)
    only(attempt.provider_account_id)
    attempt.refresh_from_db()
    if attempt.is_booked or attempt.unexplained_receipt or report.money not in (None, attempt.money):
        return report
    waiting = InboundReceipt.objects.waiting().filter(
        provider_account_id=attempt.provider_account_id,
        reference_key="",
        amount_minor=attempt.amount_minor,
        currency=attempt.currency,
        received_at__gte=attempt.created_at - CLOCKS_DIFFER,
        received_at__lte=attempt.created_at + WITHIN,
    )
    found = [one for one in waiting if _may_be(one, attempt, now=now)]
    if len(found) != 1:
        return report
    suspense.only(found[0].receipt)
    is_still_waiting = suspense.held(attempt.provider_account_id, found[0].receipt) is not None
    return replace(report, receipt=found[0].receipt) if is_still_waiting else report


def booked_without(inbound: InboundReceipt, *, now: datetime) -> list[PaymentAttempt]:
    """Return the attempts of the last day that were booked without a receipt and may be of this sum's payer."""
    silent = PaymentAttempt.objects.filter(
        provider_account_id=inbound.provider_account_id,
        provider_receipt="",
        status__in=BOOKED_STATES,
        received_minor=inbound.amount_minor,
        received_currency=inbound.currency,
        created_at__gte=now - WITHIN,
    )
    return [one for one in silent.select_related("intent") if _may_be(inbound, one, now=now)]


def _may_be(inbound: InboundReceipt, attempt: PaymentAttempt, *, now: datetime) -> bool:
    return (
        providers.inbound(inbound.provider_account_id, now=now)
        .read_payer(inbound.payer)
        .may_be(attempt.phone)
    )

"""Reports of providers: whether one can be of its attempt, and what a later one adds to an earlier one."""

from datetime import datetime

from apps.events.services import outbox
from apps.integrations.ports import CollectionReport
from apps.kit import errors
from apps.kit.actors import Actor
from apps.kit.money import Money
from apps.ledger.services import journals
from apps.payments import events, postings
from apps.payments.contracts import Recorded
from apps.payments.models import PaymentAttempt
from apps.payments.models.attempt import TICKET_LENGTH


class ReportContradicts(errors.DomainError):
    """A report names another ticket, receipt or sum than its attempt can have; nothing of it was recorded."""

    code = "report_contradicts"
    title = "Report contradicts the payment"


def check_agreement(attempt: PaymentAttempt, report: CollectionReport) -> None:
    """Raise ReportContradicts for another ticket or receipt than known, a receipt of another payment, or no sum."""
    if attempt.ticket and report.ticket and attempt.ticket != report.ticket:
        raise ReportContradicts("The report names another ticket than the provider gave us.")
    if len(report.ticket) > TICKET_LENGTH:
        raise ReportContradicts("The report names a ticket that no provider gives.")
    if attempt.provider_receipt and report.receipt and attempt.provider_receipt != report.receipt:
        raise ReportContradicts("The report names another receipt than an earlier one.")
    if report.money is not None and not report.money.is_positive:
        raise ReportContradicts("The report names no positive sum.")
    if report.money is not None and attempt.is_booked and report.money.currency != attempt.received_currency:
        raise ReportContradicts("The report names another currency than was booked.")
    others = PaymentAttempt.objects.filter(provider=attempt.provider, provider_receipt=report.receipt)
    if report.receipt and others.exclude(id=attempt.id).exists():
        raise ReportContradicts("The receipt belongs to another payment.")


def complete(attempt: PaymentAttempt, report: CollectionReport, *, actor: Actor, now: datetime) -> Recorded:
    """
    Fill in what an earlier report of the same money did not tell: the receipt, and the sum if it was assumed.

    A reported sum that differs from the assumed one corrects the ledger against suspense and is announced for review;
    the success that was announced stands. The caller holds the locks.
    """
    is_new_receipt = bool(report.receipt) and not attempt.provider_receipt
    is_new_sum = report.money is not None and not attempt.is_amount_reported
    if not is_new_receipt and not is_new_sum:
        return Recorded.DUPLICATE
    assumed, assumed_fee = _booked(attempt)
    attempt.provider_receipt = attempt.provider_receipt or report.receipt
    attempt.occurred_at = attempt.occurred_at or report.occurred_at
    if report.money is not None and is_new_sum:
        attempt.correct(received=report.money, fee=attempt.provider_account.fee(report.money))
    attempt.save_progress()
    if attempt.received != assumed:
        draft = postings.correction(attempt, assumed=assumed, assumed_fee=assumed_fee)
        outbox.publish(events.in_review(attempt), now=now)
        journals.post(draft=draft, actor=actor, now=now)
    return Recorded.APPLIED


def _booked(attempt: PaymentAttempt) -> tuple[Money, Money]:
    if attempt.received is None or attempt.fee is None:
        raise ValueError(f"attempt {attempt.id} has no money to complete")
    return attempt.received, attempt.fee

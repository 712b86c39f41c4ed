"""Authorisations: what a payer has agreed to and the provider holds back for us."""

from datetime import datetime

from apps.events.services import outbox
from apps.integrations.ports import CollectionReport, Outcome
from apps.kit import logs
from apps.kit.money import Money
from apps.payments import events
from apps.payments.contracts import AttemptStatus, Recorded
from apps.payments.models import PaymentAttempt
from apps.payments.models.attempt import OPEN_STATES
from apps.payments.services import attempts, payables, polling, verdict_answers
from apps.payments.services.reports import ReportContradicts

logger = logs.get(__name__)


def record(attempt: PaymentAttempt, report: CollectionReport, *, now: datetime) -> Recorded:
    """
    Record that a request is open still, or that a sum is held back; the caller holds the locks.

    A sum is taken at once where nobody is to say how much of it, and let go where it is not wanted any more: somebody asked
    to cancel the payment, or another one has paid. What comes after the end of an attempt changes nothing: the provider lets
    the sum go by itself. Raises ReportContradicts for another currency.
    """
    if report.outcome is Outcome.PENDING:
        return _require_action(attempt, report, now=now)
    if attempt.status == AttemptStatus.AUTHORIZED:
        return Recorded.DUPLICATE
    if attempt.status not in OPEN_STATES:
        if not attempt.is_booked:
            logger.error("authorized_after_its_end", attempt_id=str(attempt.id))
        return Recorded.IGNORED
    _take(attempt, report, now=now)
    return Recorded.APPLIED


def _take(attempt: PaymentAttempt, report: CollectionReport, *, now: datetime) -> None:
    held = report.money or attempt.money
    if held.currency != attempt.currency:
        raise ReportContradicts("The report names another currency than was asked for.")
    intent = attempt.intent
    is_first_word = attempt.initiated_at is None
    attempt.ticket = attempt.ticket or report.ticket
    announced = attempts.initiation(attempt, now=now)
    began = now if is_first_word else attempt.initiated_at or now
    attempt.authorize(report=report, at=now, next_query_at=polling.next_patient(initiated_at=began, now=now))
    attempt.save_progress()
    verdict_answers.heed(attempt, now=now)
    attempts.follow(attempt)
    if not payables.is_wanted(intent):
        attempts.order(attempt, now=now)
    elif attempt.is_captured:
        attempts.order(attempt, capture=min(held, attempt.money), now=now)
    else:
        attempt.end_order()  # his page was to be closed, and he agreed before it was
        attempt.save_progress()
        announced.append(events.about(events.AUTHORIZED, intent))
    outbox.publish(*announced, now=now)


def _require_action(attempt: PaymentAttempt, report: CollectionReport, *, now: datetime) -> Recorded:
    """Have the payer do what the provider asks of him now, where that is news; anything else that is open changes nothing."""
    action = report.next_action
    if action is None or not attempt.ticket or attempt.status not in OPEN_STATES:
        return Recorded.IGNORED
    if attempt.status == AttemptStatus.ACTION_REQUIRED and attempt.next_action_url == action.url:
        return Recorded.IGNORED
    attempt.require_action(action)
    attempt.save_progress()
    verdict_answers.heed(attempt, now=now)
    attempts.follow(attempt)
    return Recorded.APPLIED


def capturable(attempt: PaymentAttempt, money: Money | None) -> Money | None:
    """Return the sum to capture, all that is held unless told; None where it cannot be had of this authorisation."""
    held = attempt.held
    if held is None:
        return None
    wanted = money or held
    return wanted if wanted.currency == held.currency and wanted.is_positive and wanted <= held else None

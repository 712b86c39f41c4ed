"""Late money that goes back by itself: tried again where it is refused, a few times over hours, then for people."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.events.services import outbox
from apps.kit import errors, logs
from apps.kit.actors import SYSTEM
from apps.payments import events
from apps.payments.models import PaymentAttempt
from apps.payments.models.attempt import MESSAGE_LENGTH
from apps.payments.services import attempts, refunds

REASON = "The money came after the payment was closed."
RETRY_AFTER = tuple(timedelta(minutes=minutes) for minutes in (1, 10, 60, 360))

logger = logs.get(__name__)


@transaction.atomic
def give_back(*, attempt_id: UUID, now: datetime) -> None:
    """
    Ask for late money to go back, where the organisation's terms said so when it came; a repeat changes nothing.

    Where the refund is refused it is asked for again after a minute, ten, an hour and six. After the fifth refusal the
    money stays in suspense, and people are called.
    """
    attempt = attempts.locked(attempt_id)
    if attempt.refund_due_at is None or attempt.refund_due_at > now:
        return
    attempt.refund_due_at = None
    attempt.save_progress()
    if attempt.refunded_minor or attempt.refund_pending_minor:
        return
    try:
        refunds.give_back(attempt_id=attempt_id, reason=REASON, actor=SYSTEM, now=now)
    except errors.DomainError as refusal:
        _put_off(attempt, refusal, now=now)


def _put_off(attempt: PaymentAttempt, refusal: errors.DomainError, *, now: datetime) -> None:
    """Try again later, or call for people; nothing of the refused refund has been kept. The caller holds the locks."""
    logger.warning("late_refund_refused", attempt_id=str(attempt.id), code=refusal.code)
    tries = attempt.late_refund_tries
    attempt.late_refund_tries = tries + 1
    attempt.late_refund_refusal = refusal.detail[:MESSAGE_LENGTH]
    attempt.refund_due_at = now + RETRY_AFTER[tries] if tries < len(RETRY_AFTER) else None
    attempt.save_progress()
    if attempt.refund_due_at is None:
        outbox.publish(events.in_review(attempt), now=now)

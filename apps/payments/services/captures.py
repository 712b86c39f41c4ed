"""Captures: taking what a payer has authorised, or letting go what is open, on rails that can."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.audit.services import records
from apps.integrations.ports import (
    CapturePort,
    CollectionReport,
    Outcome,
    ProviderDeclined,
    ProviderError,
    ProviderHeldBack,
)
from apps.integrations.services import providers
from apps.kit import errors, faults, ids, jobs
from apps.kit.actors import Actor
from apps.kit.money import Money
from apps.payments import events
from apps.payments.contracts import AttemptStatus, IntentStatus, Method
from apps.payments.models import PaymentAttempt, PaymentIntent
from apps.payments.services import attempts, authorizations, choices, payables, polling
from apps.payments.services.attempts import InvalidState

AMOUNT = "/amount"
LONGEST_PAUSE = timedelta(hours=6)
PAUSES = 10
"""After how many refusals the pause grows no more: a sum is held back for weeks."""


class CaptureTooLarge(errors.Invalid):
    """More than was authorised cannot be taken, nor in another currency."""

    code = "capture_too_large"
    title = "Capture too large"


@transaction.atomic
def capture(*, intent_id: UUID, money: Money | None, actor: Actor, now: datetime) -> PaymentIntent:
    """
    Have the provider take what the payer has authorised, or a part of it; what is left is let go.

    It is taken by a worker after the commit: the payment succeeds when the provider says so, and until then the same order
    again changes nothing. Raises NotFound, CaptureNotSupported where the payment's rail holds nothing back, InvalidState where
    nothing is held (any more), or another sum is being taken, and CaptureTooLarge.
    """
    attempt = _authorized(intent_id)
    intent = attempt.intent
    wanted = authorizations.capturable(attempt, money)
    if wanted is None:
        message = f"{attempt.held} is held back; no more than that can be captured."
        raise CaptureTooLarge(message, errors=[errors.FieldError(AMOUNT, CaptureTooLarge.code, message)])
    if attempt.order_due_at is not None:
        if attempt.capture_minor != wanted.minor:
            raise InvalidState("Another sum of this payment is being captured.")
        return intent
    attempts.order(attempt, capture=wanted, now=now)
    records.write(
        action="payment.capture_requested",
        object_type=events.AGGREGATE,
        object_id=ids.encode("pi", intent.id),
        actor=actor,
        now=now,
        changes={"status": [None, intent.status], "amount": [None, wanted.wire()]},
        reason="",
        branch=intent.branch_id,
    )
    return intent


def _authorized(intent_id: UUID) -> PaymentAttempt:
    """Lock the attempt of which a sum is held back for an intent, and the intent; raise what stands in the way of a capture."""
    intent = PaymentIntent.objects.filter(id=intent_id).first()
    if intent is None:
        raise errors.NotFound("There is no such payment.")
    if intent.method:
        choices.require_holding(Method(intent.method))
    if intent.current_attempt_id is None:
        raise _invalid_state(intent)
    attempt = attempts.locked(intent.current_attempt_id)
    if attempt.intent.status != IntentStatus.REQUIRES_CAPTURE or attempt.status != AttemptStatus.AUTHORIZED:
        raise _invalid_state(attempt.intent)
    if attempt.intent.cancel_requested_at is not None:
        raise InvalidState("This payment is being cancelled: what was held back is let go.")
    return attempt


def let_go(attempt: PaymentAttempt | None, *, now: datetime) -> None:
    """
    Have the provider told to let go what is open of an attempt that the caller has locked, where the rail can.

    A request that is just being sent is let go as soon as the provider has given its ticket.
    """
    if attempt is None or not attempt.is_live or not attempt.ticket:
        return
    if providers.offers(attempt.provider, CapturePort):
        attempts.order(attempt, now=now)


def let_go_late(attempt: PaymentAttempt, *, now: datetime) -> None:
    """
    Let go what a provider holds back for an attempt that has ended: its payer agreed when nobody wanted it any more. Where
    that fails, the provider lets it go by itself, later.
    """
    try:
        port = providers.capture(attempt.provider_account_id, now=now, subject_id=attempt.id)
        port.release(attempt.ticket, code=attempt.code)
    except ProviderError as refusal:
        attempts.log_refusal("late_hold_not_released", attempt, refusal)


def carry_out(*, attempt_id: UUID, now: datetime) -> CollectionReport | None:
    """
    Tell the provider to take the sum that was ordered, or to let it go, and return what it reports; None where nothing is due.

    What nobody wants any more is let go, whatever was ordered, and also where nothing was: another attempt has paid.
    Safe to repeat: it knows a repeated order by the attempt's code, the sum and its number. Without an answer the order is given
    again later. One that it refuses is ended, and it is asked what is true then; a sum that nobody has to say anything about is
    ordered anew, at ever longer distances, for as long as it is held back. One that our own gate keeps back waits for the gate.
    """
    claimed = _claimed(attempt_id, now=now)
    if claimed is None:
        return None
    attempt, wanted = claimed
    faults.reach("payments.before_order")
    try:
        port = providers.capture(attempt.provider_account_id, now=now, subject_id=attempt.id)
        if wanted is None:
            report = port.release(attempt.ticket, code=attempt.code)
        else:
            report = port.capture(attempt.ticket, wanted, code=attempt.code, number=attempt.capture_number)
    except ProviderDeclined as refusal:
        _refused(attempt_id, refusal, now=now)
        return None
    except ProviderHeldBack as refusal:
        _put_off(attempt_id, refusal.pause, now=now)
        return None
    except ProviderError as refusal:
        attempts.log_refusal("order_unanswered", attempt, refusal)
        return None
    faults.reach("payments.after_order")
    return report if report.outcome in (Outcome.COLLECTED, Outcome.DECLINED) else None


@transaction.atomic
def _claimed(attempt_id: UUID, *, now: datetime) -> tuple[PaymentAttempt, Money | None] | None:
    """
    Take the order that is due, and plan when it is given again where no answer comes. The sum is what is to be taken; None
    where all is let go.
    """
    attempt = attempts.locked(attempt_id)
    if not attempt.is_live or not attempt.ticket:
        return None
    is_wanted = payables.is_wanted(attempt.intent)
    if attempt.order_due_at is None and not is_wanted:
        attempt.order(at=now)
    if attempt.order_due_at is None or attempt.order_due_at > now:
        return None
    since = now - (attempt.ordered_at or now)
    attempt.order_due_at = now + min(max(polling.PAUSE, since), LONGEST_PAUSE)
    attempt.save_progress()
    is_taken = is_wanted and attempt.capture_minor is not None
    return attempt, Money(attempt.capture_minor or 0, attempt.currency) if is_taken else None


@transaction.atomic
def _refused(attempt_id: UUID, refusal: ProviderDeclined, *, now: datetime) -> None:
    """
    End an order that the provider refuses, and have it asked what is true: it may have carried it out before. What is to be taken
    at once is ordered anew later, for nobody else will.
    """
    attempt = attempts.locked(attempt_id)
    if not attempt.is_live:
        return
    said, was_to_take = refusal.message or refusal.code, attempt.capture_minor is not None
    attempt.end_order(refusal=said)
    if was_to_take and attempt.is_captured and attempt.held is not None:
        pause = min(polling.PAUSE * 2 ** min(attempt.capture_number, PAUSES), LONGEST_PAUSE)
        capture = min(attempt.held, attempt.money)
        attempt.order_again(capture=capture, refusal=said, at=now + pause)
    if attempt.initiated_at is not None:
        polling.bring_forward(attempt, now=now)
    attempt.save_progress()
    attempts.log_refusal("order_refused", attempt, refusal)
    jobs.enqueue("payments.query_attempt", attempt_id=attempt.id)


@transaction.atomic
def _put_off(attempt_id: UUID, pause: timedelta, *, now: datetime) -> None:
    attempt = attempts.locked(attempt_id)
    if attempt.order_due_at is not None:
        attempt.order_due_at = now + max(pause, polling.PAUSE)
        attempt.save_progress()


def _invalid_state(intent: PaymentIntent) -> InvalidState:
    state = intent.status.lower().replace("_", " ")
    return InvalidState(f"This payment is {state} and cannot be captured.")

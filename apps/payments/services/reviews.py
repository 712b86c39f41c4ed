"""Reviews: what people decide about a payment whose money does not fit: it pays all the same, or the payment ends without it."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.access.selectors import limits as amount_limits
from apps.audit.services import records
from apps.events.services import outbox
from apps.kit import errors, ids
from apps.kit.actors import Actor
from apps.kit.money import Money
from apps.ledger.contracts import Draft
from apps.ledger.services import journals
from apps.payments import events, postings
from apps.payments.contracts import IntentStatus
from apps.payments.models import Dispute, InboundReceipt, PaymentAttempt, PaymentIntent
from apps.payments.selectors import refunds as returned
from apps.payments.services import attempts, payables, refund_limits, suspense
from apps.payments.services.resolutions import DoesNotFit

GIVEN_UP = "review_closed"
NOT_OF_THIS = "The payment was reviewed, and its money is not for this."
"""What partners are told; why somebody decided so is for the audit trail."""


@transaction.atomic
def accept(*, intent_id: UUID, reason: str, actor: Actor, now: datetime) -> PaymentIntent:
    """
    Say that the money of a payment in review pays it, or a part of it where the organisation takes parts: Dr suspense, Cr unapplied
    collections.

    Raises NotFound, InvalidState, ReceiptPending, LimitExceeded, ReasonMissing, and DoesNotFit for another sum than may
    pay it, money that goes back or has gone, and a payable that another payment has paid; then nothing is written.
    """
    reason = refund_limits.check_reason(reason)
    attempt = _in_review(intent_id)
    intent = attempt.intent
    if attempt.received is None or not payables.is_paid_by(intent, attempt.received):
        raise DoesNotFit(f"The payment asks for {intent.money}; {attempt.received} arrived.")
    if attempt.refunded_minor or attempt.refund_pending_minor or attempt.disputed_minor:
        raise DoesNotFit("The money goes back to its payer, or has gone.")
    if returned.is_let_go(attempt):
        raise DoesNotFit("The money waits under Suspense: give it to its payment there.")
    _require_receipt(attempt)
    if payables.is_paid_otherwise(intent):
        raise DoesNotFit(payables.PAID_OTHERWISE)
    amount_limits.require_may_ask(actor=actor, money=attempt.received)
    attempt.accept_money()
    attempt.save_progress()
    intent.accept()
    intent.save_progress()
    _audit("payment.review_accepted", intent, money=attempt.received, reason=reason, actor=actor, now=now)
    outbox.publish(*events.settled(attempt), now=now)
    journals.post(draft=postings.acceptance(attempt), actor=actor, now=now)
    return intent


@transaction.atomic
def close(*, intent_id: UUID, reason: str, actor: Actor, now: datetime) -> PaymentIntent:
    """
    Say that the money of a payment in review does not pay it: the payment ends as FAILED, and its payable is free.

    Money that has not gone back waits from now on under its receipt, as money that nothing explains: it can be given to
    another payment or back. So it does already where it came unasked and could not be given back; and where a dispute took
    it, for it may be won on appeal: the sweep takes it from there again, and until then it goes nowhere. Raises NotFound,
    InvalidState, RefundInProgress, PaymentDisputed, ReceiptPending, ReasonMissing, and DoesNotFit for money whose receipt is told of in
    another sum by another road; then nothing is written.
    """
    reason = refund_limits.check_reason(reason)
    attempt = _in_review(intent_id)
    intent = attempt.intent
    if attempt.refund_pending_minor:
        raise refund_limits.RefundInProgress("A refund of this payment has not ended yet.")
    if attempt.disputed_minor and (attempt.refunded_minor or _is_disputed_still(attempt)):
        raise refund_limits.PaymentDisputed("The payer disputes this payment, or has taken it back.")
    is_empty = attempt.refunded_minor or returned.is_let_go(attempt)
    restored = [] if is_empty else _restored(attempt)
    inbound = None if is_empty else _surrender(attempt, reason=reason, now=now)
    intent.give_up(code=GIVEN_UP, message=NOT_OF_THIS, at=now)
    intent.save_progress()
    _audit("payment.review_closed", intent, money=intent.money, reason=reason, actor=actor, now=now)
    outbox.publish(events.closed(intent), now=now)
    if inbound is None:
        return intent
    outbox.publish(events.about_money(events.MONEY_UNMATCHED, inbound), now=now)
    moved = postings.surrender(inbound, attempt)
    for draft in (*restored, *([moved] if moved else [])):
        journals.post(draft=draft, actor=actor, now=now)
    return intent


def _restored(attempt: PaymentAttempt) -> list[Draft]:
    """Owe the money of an attempt in suspense again that a lost dispute took from there: it is taken from its receipt's row next."""
    taken = Dispute.objects.locked().filter(attempt=attempt, covered_minor__gt=0)
    return [suspense.restore(dispute, attempt, why="") for dispute in taken]


def _is_disputed_still(attempt: PaymentAttempt) -> bool:
    return Dispute.objects.running().filter(attempt=attempt).exists()


def _in_review(intent_id: UUID) -> PaymentAttempt:
    """Lock the receipt of the attempt that a payment in review has its money from, that attempt, and the payment."""
    found = PaymentIntent.objects.select_related("current_attempt").filter(id=intent_id).first()
    if found is None:
        raise errors.NotFound("There is no such payment.")
    if found.current_attempt is not None:
        suspense.only(found.current_attempt.provider_receipt)
        attempt = attempts.locked(found.current_attempt.id)
        if attempt.intent.status == IntentStatus.IN_REVIEW:
            return attempt
    raise attempts.InvalidState(f"This payment is {found.status.lower().replace('_', ' ')}, not in review.")


def _require_receipt(attempt: PaymentAttempt) -> None:
    if not attempt.provider_receipt or not attempt.is_amount_reported:
        raise refund_limits.ReceiptPending("The provider has not told the receipt yet; try again later.")


def _surrender(attempt: PaymentAttempt, *, reason: str, now: datetime) -> InboundReceipt:
    """Have the money of an attempt wait under its receipt; see ``suspense.surrender``."""
    _require_receipt(attempt)
    inbound = suspense.row_of(attempt, now=now)
    if inbound.money != attempt.received:
        raise DoesNotFit(
            f"{inbound.money} is told of under receipt {inbound.receipt}; {attempt.received} arrived."
        )
    why = f"Payment {attempt.intent.code} was closed without it: {reason}"
    suspense.surrender(inbound, attempt, reason=why, now=now)
    return inbound


def _audit(
    action: str, intent: PaymentIntent, *, money: Money, reason: str, actor: Actor, now: datetime
) -> None:
    records.write(
        action=action,
        object_type=events.AGGREGATE,
        object_id=ids.encode("pi", intent.id),
        actor=actor,
        now=now,
        changes={
            "status": [IntentStatus.IN_REVIEW.value, intent.status],
            "amount": [None, money.wire()],
        },
        reason=reason,
        branch=intent.branch_id,
    )

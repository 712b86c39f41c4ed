"""Refunds: ask for one, send it, ask after it, and record what providers report."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.access.selectors import limits as amount_limits
from apps.approvals.contracts import ApprovalStatus, Decided, payload_hash
from apps.approvals.services import requests
from apps.audit.services import records
from apps.events.services import outbox
from apps.integrations.ports import (
    ProviderDeclined,
    ProviderUnavailable,
    ProviderUncertain,
    RefundOutcome,
    RefundReport,
)
from apps.integrations.services import providers
from apps.kit import crypto, faults, ids, jobs, logs
from apps.kit.actors import PROVIDER, Actor
from apps.kit.money import Money
from apps.ledger.selectors import transactions
from apps.ledger.services import journals, reversals
from apps.ledger.services.refusals import AlreadyReversed
from apps.payments import events, postings
from apps.payments.contracts import Recorded, RefundStatus
from apps.payments.models import PaymentAttempt, Refund
from apps.payments.models.refund import SENT_STATES
from apps.payments.services import (
    attempts,
    bookings,
    receipts,
    refund_approvals,
    refund_limits,
    refund_orders,
    refund_reports,
    returns,
    sendings,
)

VOID = "Something else was approved than was asked for."
CAME_BACK = "The money of the refund did not arrive, and is with us again."
WENT_BACK = "An earlier refund of this payment, which had failed, was carried out after all."

logger = logs.get(__name__)


@transaction.atomic
def create(
    *,
    intent_id: UUID,
    money: Money | None,
    reason: str,
    actor: Actor,
    now: datetime,
    nonce: UUID | None = None,
    attempt_id: UUID | None = None,
) -> Refund:
    """
    Ask for a payment to go back: ``money`` of it, or all that has not gone back yet. Of a payment in parts the money of one attempt
    goes back (``attempt_id``, needed where several can). A part of a sum only where the rail's
    terms allow it; then several refunds of one payment may be on their way at once, together never more than arrived. What is asked for
    under a ``nonce`` that made a refund of this payment returns that one.

    Raises NotFound, PaymentNotPaid, PaymentInParts, PaymentInReview, AlreadyRefunded, RefundInProgress, ReceiptPending,
    PartialRefundNotSupported, RefundTooLarge, ReasonMissing or
    LimitExceeded, and then nothing is written. The provider is asked by a
    worker after the commit, or once other people have approved where a rule asks for that.
    """
    attempt = refund_limits.of_intent(intent_id=intent_id, attempt_id=attempt_id)
    asked_before = Refund.objects.filter(intent_id=intent_id, nonce=nonce).first() if nonce else None
    if asked_before is not None:
        return asked_before
    refund_limits.check(attempt)
    return _ask_for(attempt, money=money, reason=reason, actor=actor, now=now, nonce=nonce)


@transaction.atomic
def give_back(*, attempt_id: UUID, reason: str, actor: Actor, now: datetime) -> Refund:
    """
    Ask for money that waits in suspense to go back to its payer, whole.

    Raises NotInSuspense, and what ``create`` raises for the rail, the reason and the actor's limits.
    """
    attempt = refund_limits.returnable(attempt_id=attempt_id)
    return _ask_for(attempt, money=None, reason=reason, actor=actor, now=now)


def _ask_for(
    attempt: PaymentAttempt,
    *,
    money: Money | None,
    reason: str,
    actor: Actor,
    now: datetime,
    nonce: UUID | None = None,
) -> Refund:
    wanted = refund_limits.sum_of(attempt, money=money)
    reason = refund_limits.check_reason(reason)
    amount_limits.require_may_ask(actor=actor, money=attempt.given_with(wanted), field=refund_limits.AMOUNT)
    refund = Refund(
        intent=attempt.intent,
        attempt=attempt,
        branch_id=attempt.branch_id,
        application_id=attempt.application_id,
        provider=attempt.provider,
        provider_account=attempt.provider_account,
        number=Refund.objects.filter(attempt=attempt).count() + 1,
        amount_minor=wanted.minor,
        currency=wanted.currency,
        reason=reason,
        payment_receipt=attempt.provider_receipt,
        callback_token=ids.token(),
        created_by=str(actor),
        created_at=now,
        next_request_at=now,
        nonce=nonce,
    )
    approval = requests.submit(request=refund_approvals.asked(refund), actor=actor, now=now)
    if approval is not None:
        refund.await_approval(approval_id=approval.id)
    refund.save(force_insert=True)
    attempt.hold_refund(wanted)
    attempt.save_progress()
    _audit("refund.requested", refund, actor=actor, now=now, reason=refund.reason)
    outbox.publish(events.about_refund(events.REFUND_REQUESTED, refund), now=now)
    _send_when_due(refund)
    return refund


@transaction.atomic
def decide(*, decided: Decided, now: datetime) -> Refund:
    """
    Do what other people decided of a refund that waited for them: send it, or cancel it.

    Only a decision about this very refund counts: one about another sum, payment or reason cancels it. A repeat
    changes nothing. Raises NotFound.
    """
    refund = sendings.locked(decided.subject_id)
    if refund.status != RefundStatus.AWAITING_APPROVAL or refund.approval_id != decided.request_id:
        return refund
    if decided.status != ApprovalStatus.APPROVED:
        _cancelled(refund, f"approval_{decided.status.lower()}", decided.reason, now=now)
        returns.wait_again(refund, reason=decided.reason, now=now)
        return refund
    if decided.payload_hash != payload_hash(refund_approvals.payload(refund)):
        _cancelled(refund, "approval_void", VOID, now=now)
        returns.wait_again(refund, reason=VOID, now=now)
        return refund
    refund.approve(at=now)
    refund.save_progress()
    _send_when_due(refund)
    return refund


def request(*, refund_id: UUID, now: datetime) -> None:
    """
    Ask the provider to give the money back: commit that it is being sent, send, commit the answer.

    Safe to repeat: nothing is sent again while nobody knows what became of it, but where the provider knows the request by its
    number. Raises crypto.Unreadable for
    credentials that cannot be opened: nothing has left then, and the refund is put off.
    """
    refund = sendings.begin(refund_id=refund_id, now=now)
    if refund is None:
        return
    faults.reach("payments.before_refund")
    order = refund_orders.of(refund)
    try:
        port = providers.refund(refund.provider_account_id, now=now, subject_id=refund.id)
    except crypto.Unreadable:
        refusal = ProviderUnavailable("configuration", "The account's credentials cannot be opened.")
        sendings.put_off(refund_id=refund.id, refusal=refusal, now=now)
        raise
    try:
        ticket = port.request(order)
    except ProviderDeclined as refusal:
        sendings.decline(refund_id=refund.id, refusal=refusal, now=now)
    except ProviderUnavailable as refusal:
        sendings.put_off(refund_id=refund.id, refusal=refusal, now=now)
    except ProviderUncertain as refusal:
        sendings.log_refusal("refund_uncertain", refund, refusal)
        sendings.lose(refund_id=refund.id, now=now)
    else:
        faults.reach("payments.after_refund")
        sendings.accept(refund_id=refund.id, ticket=ticket, now=now)


def query(*, refund_id: UUID, now: datetime) -> None:
    """
    Ask the provider what became of a refund, where that is due. A rail that answers at once is believed at once; of others the
    answer is a callback of kind ``refund-status``. A request whose answer never came is sent again where the provider knows it.

    At the end of the plan a refund without an answer becomes UNKNOWN. A provider that does not take the question
    changes nothing.
    """
    refund = sendings.claim_query(refund_id=refund_id, now=now)
    if refund is None:
        refund_orders.repeat(refund_id=refund_id, now=now)
        return
    report = refund_orders.ask(refund, ticket=refund.ticket, now=now)
    if report is not None:
        record(refund_id=refund.id, report=report, actor=PROVIDER, now=now)


def ask(*, refund_id: UUID, now: datetime) -> None:
    """Ask the provider for the fate of the claimed receipt; its answer is a callback of kind ``refund-status``."""
    refund = Refund.objects.get(id=refund_id)
    if refund.claimed_receipt and not refund.provider_receipt:
        refund_orders.ask(refund, receipt=refund.claimed_receipt, now=now)


@transaction.atomic
def verify(*, refund_id: UUID, receipt: str, actor: Actor, now: datetime) -> Refund:
    """
    Ask the provider about a receipt that a person found for a refund without an answer, or for one without a receipt.

    The answer comes later as a callback and settles the refund only if receipt, sum and payer agree. Without a receipt
    the provider is asked by the ticket once more, and the claim of a receipt is dropped. Raises NotFound, InvalidState
    unless the refund is UNKNOWN or its receipt is, ReceiptNotAsked, ReceiptInvalid (for none too, where there is no
    ticket to ask by) and ReceiptUsed.
    """
    refund = sendings.locked(refund_id)
    if not refund.is_verifiable:
        raise attempts.InvalidState(f"This refund is {_state(refund)} and cannot be verified.")
    is_by_ticket = not receipt.strip() and refund.can_be_asked_by_ticket
    refund.claimed_receipt = "" if is_by_ticket else receipts.admitted(receipt, provider=refund.provider)
    refund.asked_at = now
    if is_by_ticket:
        refund.next_query_at = now
    refund.save_progress()
    _audit("refund.verify_requested", refund, actor=actor, now=now, reason=refund.claimed_receipt)
    jobs.enqueue(
        "payments.query_refund" if is_by_ticket else "payments.request_refund_status", refund_id=refund.id
    )
    return refund


@transaction.atomic
def record(*, refund_id: UUID, report: RefundReport, actor: Actor, now: datetime) -> Recorded:
    """
    Record what a provider reports of a refund: by callback, or as the answer to a question.

    Reports may repeat, cross and contradict each other. Money that went back is booked once; a failure after it
    changes nothing, but where the provider is asked and says that it is with us again: then that booking is taken back, and the
    payment may be refunded anew. A receipt or a charge that an earlier report did not tell is filled in. "Reversed before" is our
    own success where a sending of this refund was in doubt, or another refund of the payment was sent and is not booked;
    it is a failure otherwise. Money of a refund that had failed calls off one that was asked for since and never sent.
    Raises ReportContradicts for a report that cannot be of this refund. Locks the attempt, its intent, then the refund.
    """
    refund = sendings.locked(refund_id)
    refund_reports.check_agreement(refund, report)
    outcome = report.outcome
    if outcome is RefundOutcome.ALREADY and refund_reports.is_own_reversal(refund):
        outcome = RefundOutcome.REFUNDED
    if outcome is RefundOutcome.REFUNDED:
        return went_back(refund, report, actor=actor, now=now)
    if refund.is_refunded and outcome is RefundOutcome.DECLINED and sendings.may_come_back(refund):
        return _came_back(refund, report, actor=actor, now=now)
    refund_reports.check_verdict(refund, outcome)
    if refund.is_refunded or outcome is RefundOutcome.PENDING or refund.status not in SENT_STATES:
        is_no_end = refund.is_refunded or outcome is RefundOutcome.PENDING
        return Recorded.IGNORED if is_no_end else Recorded.DUPLICATE
    is_news = _learn(refund, report, now=now)
    if outcome is RefundOutcome.LOST:
        return _lost(refund, is_news=is_news, now=now)
    refusal = ProviderDeclined(report.reason_code, report.message, provider_code=report.provider_code)
    sendings.close(refund, refusal=refusal, now=now)
    return Recorded.APPLIED


def went_back(refund: Refund, report: RefundReport, *, actor: Actor, now: datetime) -> Recorded:
    """Book money that went back, once, and what only a later report tells of it. The caller holds the locks of ``sendings.locked``."""
    if refund.came_back_at is not None:
        return Recorded.IGNORED
    if refund.is_refunded:
        is_new = bool(report.receipt) and not refund.provider_receipt
        refund.provider_receipt = refund.provider_receipt or report.receipt
        refund.occurred_at = refund.occurred_at or report.occurred_at
        is_new = _book_charge(refund, report, actor=actor, now=now) or is_new
        refund.save_progress()
        return Recorded.APPLIED if is_new else Recorded.DUPLICATE
    _call_off_later(refund, now=now)
    returns.went_after_all(refund, now=now)
    refund_reports.check_room(refund)
    _learn(refund, report, now=now)
    if refund.is_live:
        sendings.release(refund, now=now)
    refund_reports.note_contradiction(refund, report, actor=actor, now=now)
    refund.succeed(report=report, at=now)
    sendings.look_after(refund, now=now)
    settled = report.settled or bookings.share_of(refund)
    refund.settled_minor = settled.minor if settled and refund.attempt.settled_currency else None
    refund.attempt.give_back(refund.money)
    refund.attempt.save_progress()
    refund.charge_minor = report.charge.minor if report.charge else None
    refund.save_progress()
    outbox.publish(events.about_refund(events.REFUND_SUCCEEDED, refund), now=now)
    # The last step: balances, which every payment of the branch shares, stay locked until the commit.
    bookings.refund(refund, actor=actor, now=now)
    return Recorded.APPLIED


def _came_back(refund: Refund, report: RefundReport, *, actor: Actor, now: datetime) -> Recorded:
    """Take back what was booked of a refund whose money did not arrive, and say so: it is a payment's money again."""
    refund.come_back(report=report, at=now)
    refund.save_progress()
    refund_reports.note_contradiction(refund, report, actor=actor, now=now)
    refund.attempt.take_back(refund.money)
    refund.attempt.save_progress()
    outbox.publish(events.about_refund(events.REFUND_FAILED, refund), now=now)
    returns.wait_again(refund, reason=report.message or report.reason_code, now=now)
    booked = transactions.uid_of(postings.refund_key(refund))
    try:
        reversals.reverse(transaction_id=booked, reason=CAME_BACK, actor=actor, now=now)
    except AlreadyReversed:  # a person has seen it on the statement and has done it
        logger.warning("refund_reversed_before", refund_id=str(refund.id))
    return Recorded.APPLIED


def _book_charge(refund: Refund, report: RefundReport, *, actor: Actor, now: datetime) -> bool:
    """Book the provider's charge for a refund that was booked without one; say whether there was one."""
    if report.charge is None or refund.charge_minor is not None:
        return False
    refund.charge_minor = report.charge.minor
    journals.post(draft=postings.refund_charge(refund), actor=actor, now=now)
    return True


def _lost(refund: Refund, *, is_news: bool, now: datetime) -> Recorded:
    """
    The provider let the request wait too long: nobody knows whether it was carried out, so it is asked at once.

    That we did not know before changes nothing but this: the first ticket that we learn of can be asked for.
    """
    is_losable = refund.status in sendings.LOSABLE_STATES
    if not is_losable and not is_news:
        return Recorded.DUPLICATE
    refund.next_query_at = now if refund.ticket else None
    if is_losable:
        sendings.give_up(refund, now=now)
    else:
        refund.save_progress()
    if refund.ticket:
        jobs.enqueue("payments.query_refund", refund_id=refund.id)
    return Recorded.APPLIED


def _learn(refund: Refund, report: RefundReport, *, now: datetime) -> bool:
    """Take over the ticket of a report that came before the answer to the request; say whether it was the first one."""
    is_first = bool(report.ticket) and not refund.ticket
    refund.ticket = refund.ticket or report.ticket
    if refund.ticket:
        refund.initiated_at = refund.initiated_at or now
    return is_first


def _call_off_later(refund: Refund, *, now: datetime) -> None:
    """Cancel a refund that was asked for after this one had failed and was never sent: the money went back without it."""
    if refund.is_live:
        return
    others = Refund.objects.locked().live().filter(attempt_id=refund.attempt_id, sent_at__isnull=True)
    for other in others.order_by("number"):
        if refund.attempt.refundable_minor >= refund.amount_minor:
            return  # there is room for both
        other.attempt, other.intent = refund.attempt, refund.intent
        if other.approval_id is not None:
            requests.call_off(request_id=other.approval_id, reason=WENT_BACK, now=now)
        _cancelled(other, refund_limits.AlreadyRefunded.code, WENT_BACK, now=now)


def _cancelled(refund: Refund, code: str, message: str, *, now: datetime) -> None:
    refund.cancel(code=code, message=message, at=now)
    refund.save_progress()
    sendings.release(refund, now=now)
    outbox.publish(events.about_refund(events.REFUND_CANCELLED, refund), now=now)


def _send_when_due(refund: Refund) -> None:
    if refund.next_request_at is not None:
        jobs.enqueue("payments.request_refund", refund_id=refund.id)


def _state(refund: Refund) -> str:
    return refund.status.lower().replace("_", " ")


def _audit(action: str, refund: Refund, *, actor: Actor, now: datetime, reason: str = "") -> None:
    records.write(
        action=action,
        object_type=events.REFUND_AGGREGATE,
        object_id=ids.encode("re", refund.id),
        actor=actor,
        now=now,
        changes={"status": [None, refund.status], "amount": [None, refund.money.wire()]},
        reason=reason,
        branch=refund.branch_id,
        approval=refund.approval_id,
    )

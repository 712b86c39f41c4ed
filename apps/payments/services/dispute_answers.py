"""
Answers to disputes: evidence is submitted, the dispute is given up, or its loss is appealed, each once, and the provider is told
until it says so.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.access.selectors import limits as amount_limits
from apps.approvals.contracts import ApprovalStatus, Decided, Named, NewRequest, payload_hash
from apps.approvals.services import requests
from apps.audit.services import records
from apps.events.services import outbox
from apps.integrations.ports import (
    DisputePort,
    DisputeReport,
    ProviderDeclined,
    ProviderError,
    ProviderHeldBack,
)
from apps.integrations.services import providers
from apps.kit import errors, faults, ids, jobs, logs, storage
from apps.kit.actors import PROVIDER, Actor
from apps.payments import events as payment_events
from apps.payments.contracts import DISPUTE_ACCEPTANCE, DisputeAnswer
from apps.payments.events import disputes as events
from apps.payments.models import Dispute
from apps.payments.selectors import disputes as stored
from apps.payments.services import dispute_evidence, disputes, polling, refund_limits
from apps.payments.services.attempts import InvalidState

LONGEST_PAUSE = timedelta(hours=6)
APPEALED = "The dispute was lost, and is appealed."
DAMAGED = "A file of the evidence is damaged in the storage; attach it anew."

logger = logs.get(__name__)


class EvidenceMissing(errors.DomainError):
    """Nothing has been written or attached that could be submitted."""

    code = "evidence_missing"
    title = "Evidence missing"
    status = 422
    category = "validation"


class AnswerTooLate(errors.DomainError):
    """The provider takes no answer any more: its time is over."""

    code = "dispute_answer_too_late"
    title = "Too late to answer"


class AcceptanceWaits(errors.DomainError):
    """Other people are asked whether this dispute is given up; that is decided or withdrawn first."""

    code = "dispute_acceptance_waits"
    title = "Acceptance waits for approval"


@transaction.atomic
def submit(*, dispute_id: UUID, actor: Actor, now: datetime) -> Dispute:
    """
    Submit the evidence that is drafted. It is final: the provider is told by a worker, until it confirms.

    Raises NotFound, InvalidState once the dispute waits for no answer, AcceptanceWaits, AnswerTooLate and EvidenceMissing.
    """
    dispute = _answerable(dispute_id, now=now)
    if dispute.approval_id is not None:
        raise AcceptanceWaits("Other people are asked whether to give this dispute up.")
    _require_evidence(dispute)
    _audit("dispute.submitted", dispute, actor=actor, now=now)
    _order(dispute, DisputeAnswer.EVIDENCE, by=str(actor), now=now)
    return dispute


@transaction.atomic
def accept(*, dispute_id: UUID, reason: str, actor: Actor, now: datetime) -> Dispute:
    """
    Give the money of a dispute up: at once, or when other people have agreed where a rule asks for that.

    Raises NotFound, InvalidState once the dispute waits for no answer, AcceptanceWaits, AnswerTooLate, ReasonMissing and
    LimitExceeded.
    """
    dispute = _answerable(dispute_id, now=now)
    if dispute.approval_id is not None:
        raise AcceptanceWaits("Other people have been asked already.")
    dispute.acceptance_reason = refund_limits.check_reason(reason)
    amount_limits.require_may_ask(actor=actor, money=dispute.money)
    approval = requests.submit(request=_asked(dispute), actor=actor, now=now)
    dispute.approval_id = approval.id if approval else None
    _audit("dispute.accepted", dispute, actor=actor, now=now, reason=dispute.acceptance_reason)
    if approval is None:
        _order(dispute, DisputeAnswer.ACCEPTANCE, by=str(actor), now=now)
    else:
        dispute.save(update_fields=["acceptance_reason", "approval_id"])
    return dispute


@transaction.atomic
def appeal(*, dispute_id: UUID, actor: Actor, now: datetime) -> Dispute:
    """
    Appeal the loss of a dispute with the evidence that is drafted. It is final: the provider is told by a worker, until it confirms.

    Nothing is booked: the dispute stays lost until the provider says that it looks at it again, or who has won. Whether an appeal
    is in time is the provider's to say. Other people are not asked any more whether to give the dispute up. Raises NotFound, InvalidState where none is taken or one is on its way, and EvidenceMissing.
    """
    dispute = disputes.locked(dispute_id)
    if dispute.is_appealing:
        raise InvalidState("An appeal is on its way.")
    if not dispute.is_appealable:
        raise InvalidState("The provider takes no appeal in this dispute.")
    _require_evidence(dispute)
    if dispute.approval_id is not None:
        requests.call_off(request_id=dispute.approval_id, reason=APPEALED, now=now)
    dispute.order_appeal(by=str(actor), at=now)
    _audit("dispute.appealed", dispute, actor=actor, now=now)
    _tell(dispute, now=now)
    return dispute


@transaction.atomic
def decide(*, decided: Decided, now: datetime) -> Dispute:
    """
    Do what other people decided of a dispute that was to be given up: give it up, or let it wait for an answer again.

    Only a decision about this very dispute and sum counts. A repeat, and one that comes too late, changes nothing. Raises NotFound.
    """
    dispute = disputes.locked(decided.subject_id)
    if dispute.approval_id != decided.request_id:
        return dispute
    is_same = decided.payload_hash == payload_hash(_payload(dispute))
    dispute.approval_id = None
    if decided.status == ApprovalStatus.APPROVED and is_same and dispute.is_unanswered:
        _order(dispute, DisputeAnswer.ACCEPTANCE, by=f"approval:{decided.request_id}", now=now)
    else:
        dispute.save(update_fields=["approval_id"])
    return dispute


def send(*, dispute_id: UUID, now: datetime) -> None:
    """
    Tell the provider our answer, and record what it says then. Safe to repeat: it knows an answer by its code.

    Before it is told again, or late, it is asked how the dispute stands: what came through is not said twice, and an answer to
    one question is none to the next. An answer that it refuses is taken back, and the dispute waits for another one, or is lost as
    before an appeal. Without an answer of the provider's it is told again later.
    """
    dispute = _claim(dispute_id, now=now)
    if dispute is None:
        return
    try:
        port = providers.dispute(dispute.provider_account_id, now=now, subject_id=dispute.id)
        report = None if _is_fresh(dispute, now=now) else port.read(dispute.ticket)
        if report is None or dispute.still_asks(report):
            report = _say(port, dispute, now=now)
    except ProviderDeclined as refusal:
        _refused(dispute, refusal.message or refusal.code, now=now)
        return
    except storage.FileDamaged:
        _refused(dispute, DAMAGED, now=now)
        return
    except ProviderError as refusal:
        logger.warning("dispute_answer_unanswered", dispute_id=str(dispute.id), code=refusal.code)
        if isinstance(refusal, ProviderHeldBack):
            _put_off(dispute, refusal.pause, now=now)
        return
    faults.reach("payments.after_dispute_answer")
    disputes.record(
        account_id=dispute.provider_account_id, report=report, asked_at=now, actor=PROVIDER, now=now
    )


def _is_fresh(dispute: Dispute, *, now: datetime) -> bool:
    """Say whether the answer was ordered just now, and nobody has been told it."""
    is_first = dispute.answer_tries == 1
    return is_first and dispute.answered_at is not None and now < dispute.answered_at + polling.PAUSE


def _say(port: DisputePort, dispute: Dispute, *, now: datetime) -> DisputeReport:
    code = f"{dispute.id.hex}:{dispute.answer_number}"
    if dispute.answer == DisputeAnswer.ACCEPTANCE:
        return port.accept(dispute.ticket, code=code)
    if dispute.answer == DisputeAnswer.APPEAL:
        appeals = providers.appeal(dispute.provider_account_id, now=now, subject_id=dispute.id)
        return appeals.appeal(dispute.ticket, dispute_evidence.of(dispute), code=code)
    return port.submit(dispute.ticket, dispute_evidence.of(dispute), code=code)


@transaction.atomic
def _claim(dispute_id: UUID, *, now: datetime) -> Dispute | None:
    """Take the answer that is due, and plan when it is given again where none comes."""
    dispute = disputes.locked(dispute_id)
    if dispute.answer_due_at is None or dispute.answer_due_at > now:
        return None
    since = now - (dispute.answered_at or now)
    dispute.answer_due_at = now + min(max(polling.PAUSE, since), LONGEST_PAUSE)
    dispute.answer_tries += 1
    dispute.save(update_fields=["answer_due_at", "answer_tries"])
    return dispute


@transaction.atomic
def _refused(told: Dispute, refusal: str, *, now: datetime) -> None:
    """Take the answer back that was told, unless the provider has it by now, or another one was ordered meanwhile."""
    dispute = disputes.locked(told.id)
    if dispute.answer_due_at is None or dispute.answer_number != told.answer_number:
        return
    refuse = dispute.refuse_appeal if dispute.is_appealing else dispute.refuse_answer
    refuse(refusal, next_query_at=now)
    dispute.next_reminder_at = disputes.next_reminder(dispute, now=now)
    dispute.save()
    outbox.publish(events.about(events.UPDATED, dispute), now=now)
    jobs.enqueue("payments.query_dispute", dispute_id=dispute.id)


@transaction.atomic
def _put_off(untold: Dispute, pause: timedelta, *, now: datetime) -> None:
    """Tell the answer later that our own gate kept back, unless another one was ordered meanwhile."""
    dispute = disputes.locked(untold.id)
    if dispute.answer_due_at is None or dispute.answer_number != untold.answer_number:
        return
    dispute.answer_tries -= 1
    dispute.answer_due_at = now + max(pause, polling.PAUSE)
    dispute.save(update_fields=["answer_due_at", "answer_tries"])


def _answerable(dispute_id: UUID, *, now: datetime) -> Dispute:
    dispute = disputes.locked(dispute_id)
    if not dispute.is_unanswered:
        raise dispute_evidence.closed(dispute)
    if dispute.due_by is not None and now >= dispute.due_by:
        raise AnswerTooLate("The time to answer this dispute is over.")
    return dispute


def _require_evidence(dispute: Dispute) -> None:
    if stored.is_without_evidence(dispute):
        raise EvidenceMissing("Write or attach something first.")


def _order(dispute: Dispute, answer: DisputeAnswer, *, by: str, now: datetime) -> None:
    dispute.order(answer, by=by, at=now)
    _tell(dispute, now=now)


def _tell(dispute: Dispute, *, now: datetime) -> None:
    dispute.save()
    outbox.publish(events.about(events.UPDATED, dispute), now=now)
    jobs.enqueue("payments.answer_dispute", dispute_id=dispute.id)


def _payload(dispute: Dispute) -> dict[str, str]:
    """Return everything that is approved of giving a dispute up."""
    return {
        "dispute": ids.encode("dp", dispute.id),
        "ticket": dispute.ticket,
        "amount": dispute.money.text,
        "currency": dispute.currency,
        "reason": dispute.acceptance_reason,
    }


def _asked(dispute: Dispute) -> NewRequest:
    code = ids.encode("dp", dispute.id)
    names = [Named(events.AGGREGATE, code)]
    if dispute.intent is not None:
        intent = dispute.intent
        names.append(Named(payment_events.AGGREGATE, ids.encode("pi", intent.id), made_by=intent.created_by))
    return NewRequest(
        kind=DISPUTE_ACCEPTANCE,
        subject_id=dispute.id,
        subject_reference=code,
        payload=_payload(dispute),
        names=tuple(names),
        branch_id=dispute.branch_id,
        application_id=dispute.application_id,
        summary=f"Give up dispute {dispute.ticket} of {dispute.money}: {dispute.acceptance_reason}",
        money=dispute.money,
    )


def _audit(action: str, dispute: Dispute, *, actor: Actor, now: datetime, reason: str = "") -> None:
    records.write(
        action=action,
        object_type=events.AGGREGATE,
        object_id=ids.encode("dp", dispute.id),
        actor=actor,
        now=now,
        changes={"amount": [None, dispute.money.wire()]},
        reason=reason,
        branch=dispute.branch_id,
        approval=dispute.approval_id,
    )

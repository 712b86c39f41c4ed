"""What people say of a payment whose answer is lost for good: one says with evidence that nothing was collected, another agrees, and it ends."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.access.selectors import limits as amount_limits
from apps.approvals.contracts import ApprovalStatus, Decided, Named, NewRequest, payload_hash
from apps.approvals.selectors import requests as asked
from apps.approvals.services import requests
from apps.audit.services import records
from apps.events.services import outbox
from apps.kit import errors, faults, ids
from apps.kit.actors import SYSTEM, Actor
from apps.parties.contracts import PARTY
from apps.parties.selectors import parties
from apps.payments import events
from apps.payments.contracts import AttemptStatus, IntentStatus
from apps.payments.contracts.verdicts import PAYMENT_VERDICT
from apps.payments.models import PaymentAttempt, PaymentIntent
from apps.payments.models.judged import NOT_PAID
from apps.payments.services import attempts, refund_limits, silent

ANSWERS_WITHIN = timedelta(days=1)
"""How long a provider may still tell by itself what became of a payment."""

FOUND_OUT = "No answer came, and the provider's statement shows no money."
"""What partners are told; why somebody decided so is for the audit trail."""
VOID = "The payment is not as it was approved."


class AnswerMayCome(errors.DomainError):
    """The provider may still tell what became of this payment: wait for a day, and for the questions that are planned."""

    code = "payment_answer_may_come"
    title = "An answer may come"
    retryable = True


class MoneyMayBeHere(errors.DomainError):
    """Money waits, in suspense or for its confirmation, that this payment may have brought: decide about that first."""

    code = "payment_money_may_be_here"
    title = "Its money may be here"


class VerdictWaits(errors.DomainError):
    """Other people are asked whether this payment is closed; that is decided or withdrawn first."""

    code = "payment_verdict_waits"
    title = "Waits for approval"


class VerdictRuleMissing(errors.DomainError):
    """No approval rule says who may agree to the close of an unknown payment."""

    code = "payment_verdict_rule_missing"
    title = "Nobody may approve the close"


@transaction.atomic
def ask(*, intent_id: UUID, reason: str, actor: Actor, now: datetime) -> PaymentIntent:
    """
    Say that a payment of which the provider tells nothing brought no money, and ask others to agree; until then nothing changes.

    ``reason`` is what shows it. That it did bring money is no verdict: its receipt says so, in suspense or by the provider's own word.
    Raises NotFound, InvalidState, AnswerMayCome, MoneyMayBeHere, VerdictWaits, VerdictRuleMissing, ReasonMissing and LimitExceeded.
    Locks the attempt, then its intent.
    """
    attempt = _lost(intent_id, now=now)
    if not reason.strip():
        raise refund_limits.ReasonMissing("Say what shows it.")
    amount_limits.require_may_ask(actor=actor, money=attempt.money)
    attempt.say_not_paid(reason=reason.strip(), by=str(actor))
    approval = requests.submit(request=_request(attempt), actor=actor, now=now)
    if approval is None:
        raise VerdictRuleMissing("Make an approval rule for the close of unknown payments first.")
    attempt.verdict_approval_id = approval.id
    attempt.save_progress()
    _audit("payment.verdict_asked", attempt, actor=actor, now=now, reason=attempt.verdict_reason)
    return attempt.intent


def _lost(intent_id: UUID, *, now: datetime) -> PaymentAttempt:
    """Lock the attempt of which people may say now what became of it; raise what stands in the way."""
    intent = PaymentIntent.objects.filter(id=intent_id).first()
    if intent is None:
        raise errors.NotFound("There is no such payment.")
    attempt = attempts.locked(intent.current_attempt_id) if intent.current_attempt_id else None
    if attempt is None or not _is_unknown(attempt):
        state = (attempt.intent if attempt else intent).status.lower().replace("_", " ")
        raise attempts.InvalidState(
            f"This payment is {state}: only one of which nobody knows is closed by people."
        )
    if attempt.verdict_by:
        raise VerdictWaits("Other people have been asked already.")
    if may_be_answered(attempt, now=now):
        raise AnswerMayCome(
            "The provider may still answer. Wait for a day, and for the questions that are planned."
        )
    if found := silent.may_be_here(attempt):
        raise MoneyMayBeHere(f"Receipt {found[0].receipt} waits and may be of it: decide about that first.")
    return attempt


def _is_unknown(attempt: PaymentAttempt) -> bool:
    return attempt.status == AttemptStatus.UNKNOWN and attempt.intent.status == IntentStatus.UNKNOWN


def may_be_answered(attempt: PaymentAttempt, *, now: datetime) -> bool:
    """Say whether a provider may still tell what became of an UNKNOWN attempt: it is asked again, or has had no whole day."""
    is_planned = attempt.next_query_at is not None or attempt.order_due_at is not None
    return is_planned or attempt.unknown_at is None or now < attempt.unknown_at + ANSWERS_WITHIN


@transaction.atomic
def decide(*, decided: Decided, now: datetime) -> PaymentAttempt | None:
    """
    End a payment as other people have agreed: failed, or cancelled where somebody had asked for that, and its payable free again.

    What they did not agree to is dropped, and so is what cannot be any more: the provider has answered or is asked again, or money waits
    that may be its own. The audit trail says why, and the payment stays as it is. A repeat changes nothing. None where nothing waits for
    this decision.
    """
    said = PaymentAttempt.objects.filter(
        intent_id=decided.subject_id, verdict_approval_id=decided.request_id
    ).first()
    attempt = attempts.locked(said.id) if said else None
    if attempt is None or attempt.verdict_approval_id != decided.request_id or attempt.judged_at is not None:
        return attempt
    why = _hindrance(attempt, decided, now=now)
    if why:
        _audit("payment.verdict_left", attempt, actor=SYSTEM, now=now, reason=why)
        attempt.unsay()
        attempt.save_progress()
        return attempt
    maker = asked.maker_of(asked.within(None, None).get(id=decided.request_id))
    attempt.judge(at=now)
    closing = attempts.close(attempt, code=NOT_PAID, message=FOUND_OUT, provider_code="", now=now)
    faults.reach("payments.verdict_closed")
    _audit("payment.judged", attempt, actor=maker, now=now, reason=attempt.verdict_reason)
    outbox.publish(*closing, now=now)
    return attempt


def _hindrance(attempt: PaymentAttempt, decided: Decided, *, now: datetime) -> str:
    """Return why a verdict is not carried out, or an empty text."""
    if decided.status != ApprovalStatus.APPROVED:
        return decided.reason or f"The request is {decided.status.lower()}."
    if decided.payload_hash != payload_hash(_payload(attempt)):
        return VOID
    if not _is_unknown(attempt):
        return "The provider has answered meanwhile."
    if may_be_answered(attempt, now=now):
        return "The provider is asked again meanwhile."
    found = silent.may_be_here(attempt)
    return f"Receipt {found[0].receipt} waits and may be of it." if found else ""


def _payload(attempt: PaymentAttempt) -> dict[str, str]:
    """Return everything that is approved of the close of a payment."""
    return {
        "payment": ids.encode("pi", attempt.intent_id),
        "code": attempt.code,
        "amount": attempt.money.text,
        "currency": attempt.currency,
        "verdict": "not paid",
        "verdict_reason": attempt.verdict_reason,
    }


def _request(attempt: PaymentAttempt) -> NewRequest:
    intent = attempt.intent
    reference = ids.encode("pi", intent.id)
    return NewRequest(
        kind=PAYMENT_VERDICT,
        subject_id=intent.id,
        subject_reference=reference,
        payload=_payload(attempt),
        names=(
            Named(events.AGGREGATE, reference, made_by=intent.created_by),
            *(Named(PARTY, str(party.id)) for party in parties.of_phone(intent.payer_phone)),
        ),
        branch_id=intent.branch_id,
        application_id=intent.application_id,
        summary=f"Unknown payment {attempt.money} of attempt {attempt.code}, not paid: {attempt.verdict_reason}",
        money=attempt.money,
    )


def _audit(action: str, attempt: PaymentAttempt, *, actor: Actor, now: datetime, reason: str) -> None:
    records.write(
        action=action,
        object_type=events.AGGREGATE,
        object_id=ids.encode("pi", attempt.intent_id),
        actor=actor,
        now=now,
        changes={
            "status": [IntentStatus.UNKNOWN.value, attempt.intent.status],
            "amount": [None, attempt.money.wire()],
        },
        reason=reason,
        branch=attempt.branch_id,
        approval=attempt.verdict_approval_id,
    )

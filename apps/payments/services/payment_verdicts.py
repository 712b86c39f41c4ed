"""What people say of a payment whose answer is lost for good: one says with evidence that nothing was collected, another agrees, and it ends."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.access.selectors import limits as amount_limits
from apps.approvals.contracts import Decided, Named, NewRequest
from apps.approvals.services import verdicts
from apps.approvals.services.verdicts import AnswerMayCome, VerdictRuleMissing, VerdictWaits
from apps.events.services import outbox
from apps.kit import errors, faults, ids
from apps.kit.actors import Actor
from apps.parties.contracts import PARTY
from apps.parties.selectors import parties
from apps.payments import events
from apps.payments.contracts import IntentStatus
from apps.payments.contracts.verdicts import PAYMENT_VERDICT
from apps.payments.models import PaymentAttempt, PaymentIntent
from apps.payments.models.judged import NOT_PAID
from apps.payments.services import attempts, refund_limits, silent

__all__ = ["AnswerMayCome", "VerdictRuleMissing", "VerdictWaits", "ask", "decide", "may_be_answered"]

FOUND_OUT = "No answer came, and the provider's statement shows no money."
"""What partners are told; why somebody decided so is for the audit trail."""


class MoneyMayBeHere(errors.DomainError):
    """Money waits, in suspense or for its confirmation, that this payment may have brought: decide about that first."""

    code = "payment_money_may_be_here"
    title = "Its money may be here"


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
    attempt.say_why(reason.strip(), by=str(actor))
    return CLOSE.ask(attempt, actor=actor, now=now).intent


def _lost(intent_id: UUID, *, now: datetime) -> PaymentAttempt:
    """Lock the attempt of which people may say now what became of it; raise what stands in the way."""
    intent = PaymentIntent.objects.filter(id=intent_id).first()
    if intent is None:
        raise errors.NotFound("There is no such payment.")
    if intent.current_attempt_id is None:
        raise attempts.InvalidState("This payment was never asked for at a provider.")
    attempt = attempts.locked(intent.current_attempt_id)
    CLOSE.require_lost(attempt, now=now)
    if found := silent.may_be_here(attempt):
        raise MoneyMayBeHere(f"Receipt {found[0].receipt} waits and may be of it: decide about that first.")
    return attempt


def _state(attempt: PaymentAttempt) -> str:
    """Return the state of the payment, or where nobody knows that, of its attempt."""
    intent = attempt.intent
    return str(attempt.status if intent.status == IntentStatus.UNKNOWN else intent.status)


def may_be_answered(attempt: PaymentAttempt, *, now: datetime) -> bool:
    """Say whether a provider may still tell what became of an UNKNOWN attempt: it is asked again, or has had no whole day."""
    is_planned = attempt.next_query_at is not None or attempt.order_due_at is not None
    return is_planned or verdicts.is_fresh(attempt.unknown_at, now=now)


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
    return CLOSE.decide(attempts.locked(said.id), decided=decided, now=now) if said else None


def _hindrance(attempt: PaymentAttempt) -> str:
    found = silent.may_be_here(attempt)
    return f"Receipt {found[0].receipt} waits and may be of it." if found else ""


def _end(attempt: PaymentAttempt, maker: Actor, now: datetime) -> None:  # noqa: ARG001 (nothing is booked)
    closing = attempts.close(attempt, code=NOT_PAID, message=FOUND_OUT, provider_code="", now=now)
    faults.reach("payments.verdict_closed")
    outbox.publish(*closing, now=now)


def _request(attempt: PaymentAttempt) -> NewRequest:
    intent = attempt.intent
    reference = ids.encode("pi", intent.id)
    return NewRequest(
        kind=PAYMENT_VERDICT,
        subject_id=intent.id,
        subject_reference=reference,
        payload={
            "payment": reference,
            "code": attempt.code,
            "amount": attempt.money.text,
            "currency": attempt.currency,
            "verdict": "not paid",
            "verdict_reason": attempt.verdict_reason,
        },
        names=(
            Named(events.AGGREGATE, reference, made_by=intent.created_by),
            *(Named(PARTY, str(party.id)) for party in parties.of_phone(intent.payer_phone)),
        ),
        branch_id=intent.branch_id,
        application_id=intent.application_id,
        summary=f"Unknown payment {attempt.money} of attempt {attempt.code}, not paid: {attempt.verdict_reason}",
        money=attempt.money,
    )


def _changes(attempt: PaymentAttempt) -> dict[str, Any]:
    return {
        "status": [IntentStatus.UNKNOWN.value, attempt.intent.status],
        "amount": [None, attempt.money.wire()],
    }


CLOSE = verdicts.Close(
    noun="payment",
    asked="payment.verdict_asked",
    left="payment.verdict_left",
    judged="payment.judged",
    known=attempts.InvalidState,
    state=_state,
    request=_request,
    changes=_changes,
    may_be_answered=may_be_answered,
    hindrance=_hindrance,
    end=_end,
)

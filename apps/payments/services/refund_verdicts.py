"""What people say of a refund whose answer is lost for good: one says it with evidence, another agrees, and it ends so."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.access.selectors import limits as amount_limits
from apps.approvals.contracts import ApprovalStatus, Decided, NewRequest, payload_hash
from apps.approvals.selectors import requests as asked
from apps.approvals.services import requests
from apps.audit.services import records
from apps.integrations.ports import ProviderDeclined, RefundOutcome, RefundReport
from apps.kit import errors, ids
from apps.kit.actors import SYSTEM, Actor
from apps.payments import events
from apps.payments.contracts import RefundStatus
from apps.payments.contracts.verdicts import REFUND_VERDICT, RefundVerdict
from apps.payments.models import Refund
from apps.payments.services import attempts, receipts, refund_approvals, refund_limits, refunds, sendings

ANSWERS_WITHIN = timedelta(days=1)
"""How long a provider may still tell by itself what became of a refund."""

NOT_GIVEN_BACK = "refund_not_given_back"
FOUND_OUT = "No answer came, and the provider's statement shows no refund."
"""What partners are told; why somebody decided so is for the audit trail."""


class AnswerMayCome(errors.DomainError):
    """The provider may still tell what became of this refund: wait for a day, and for the questions that are planned."""

    code = "refund_answer_may_come"
    title = "An answer may come"
    retryable = True


class VerdictWaits(errors.DomainError):
    """Other people are asked whether this refund is closed; that is decided or withdrawn first."""

    code = "refund_verdict_waits"
    title = "Waits for approval"


class VerdictRuleMissing(errors.DomainError):
    """No approval rule says who may agree to the close of an unknown refund."""

    code = "refund_verdict_rule_missing"
    title = "Nobody may approve the close"


@transaction.atomic
def ask(
    *, refund_id: UUID, verdict: RefundVerdict, receipt: str, reason: str, actor: Actor, now: datetime
) -> Refund:
    """
    Say what became of a refund of which the provider tells nothing, and ask others to agree; until then nothing changes.

    ``receipt`` is that of the refund in the provider's statement, and only of one that was given back. Raises NotFound,
    InvalidState, AnswerMayCome, VerdictWaits, VerdictRuleMissing, ReasonMissing, LimitExceeded, and for the receipt ReceiptInvalid
    and ReceiptUsed. Locks as ``sendings.locked``.
    """
    refund = sendings.locked(refund_id)
    _require_lost(refund, now=now)
    reason = refund_limits.check_reason(reason)
    is_given_back = verdict is RefundVerdict.GIVEN_BACK
    receipt = receipts.of_refund(receipt, provider=refund.provider) if is_given_back else ""
    amount_limits.require_may_ask(actor=actor, money=refund.money)
    refund.say(verdict, receipt=receipt, reason=reason, by=str(actor))
    approval = requests.submit(request=_request(refund), actor=actor, now=now)
    if approval is None:
        raise VerdictRuleMissing("Make an approval rule for the close of unknown refunds first.")
    refund.verdict_approval_id = approval.id
    refund.save_progress()
    _audit("refund.verdict_asked", refund, actor=actor, now=now, reason=reason)
    return refund


def _require_lost(refund: Refund, *, now: datetime) -> None:
    """Raise InvalidState, AnswerMayCome or VerdictWaits for a refund of which people cannot say now what became of it."""
    if refund.status != RefundStatus.UNKNOWN:
        state = refund.status.lower().replace("_", " ")
        raise attempts.InvalidState(
            f"This refund is {state}: only one of which nobody knows is closed by people."
        )
    if refund.verdict:
        raise VerdictWaits("Other people have been asked already.")
    if may_be_answered(refund, now=now):
        raise AnswerMayCome(
            "The provider may still answer. Wait for a day, and for the questions that are planned."
        )


def may_be_answered(refund: Refund, *, now: datetime) -> bool:
    """Say whether a provider may still tell what became of an UNKNOWN refund: it is asked again, or has had no whole day."""
    is_planned = refund.next_query_at is not None
    return is_planned or refund.unknown_at is None or now < refund.unknown_at + ANSWERS_WITHIN


@transaction.atomic
def decide(*, decided: Decided, now: datetime) -> Refund:
    """
    End a refund as other people have agreed: booked under its receipt, or failed and its money free again.

    What they did not agree to is dropped, and so is what cannot be any more: the provider has answered or is asked again, or the receipt is
    another movement's. The audit trail says why, and the refund stays as it is. A repeat changes nothing. Raises NotFound.
    """
    refund = sendings.locked(decided.subject_id)
    if refund.verdict_approval_id != decided.request_id or refund.judged_at is not None:
        return refund
    why = _hindrance(refund, decided, now=now)
    if why:
        _audit("refund.verdict_left", refund, actor=SYSTEM, now=now, reason=why)
        refund.unsay()
        refund.save_progress()
        return refund
    maker = asked.maker_of(asked.within(None, None).get(id=decided.request_id))
    refund.judged_at = now
    _audit("refund.judged", refund, actor=maker, now=now, reason=refund.verdict_reason)
    if refund.verdict == RefundVerdict.GIVEN_BACK:
        report = RefundReport(
            ticket="", outcome=RefundOutcome.REFUNDED, money=refund.money, receipt=refund.verdict_receipt
        )
        refunds.went_back(refund, report, actor=maker, now=now)
    else:
        sendings.close(refund, refusal=ProviderDeclined(NOT_GIVEN_BACK, FOUND_OUT), now=now)
    return refund


def _hindrance(refund: Refund, decided: Decided, *, now: datetime) -> str:
    """Return why a verdict is not carried out, or an empty text."""
    if decided.status != ApprovalStatus.APPROVED:
        return decided.reason or f"The request is {decided.status.lower()}."
    if decided.payload_hash != payload_hash(_payload(refund)):
        return refunds.VOID
    if refund.status != RefundStatus.UNKNOWN:
        return "The provider has answered meanwhile."
    if may_be_answered(refund, now=now):
        return "The provider is asked again meanwhile."
    return _hindrance_of_receipt(refund)


def _hindrance_of_receipt(refund: Refund) -> str:
    """Return why money cannot be booked any more under the receipt that people told, or an empty text."""
    if refund.verdict == RefundVerdict.GIVEN_BACK:
        try:
            receipts.of_refund(refund.verdict_receipt, provider=refund.provider)
        except receipts.ReceiptUsed as refusal:
            return refusal.detail
    return ""


def _payload(refund: Refund) -> dict[str, str]:
    """Return everything that is approved of the close of a refund."""
    return {
        **refund_approvals.payload(refund),
        "verdict": refund.verdict.lower().replace("_", " "),
        "verdict_receipt": refund.verdict_receipt,
        "verdict_reason": refund.verdict_reason,
    }


def _request(refund: Refund) -> NewRequest:
    said = f"given back as {refund.verdict_receipt}" if refund.verdict_receipt else "not given back"
    return NewRequest(
        kind=REFUND_VERDICT,
        subject_id=refund.id,
        subject_reference=ids.encode("re", refund.id),
        payload=_payload(refund),
        names=refund_approvals.names(refund),
        branch_id=refund.branch_id,
        application_id=refund.application_id,
        summary=f"Unknown refund {refund.money} of receipt {refund.payment_receipt}, {said}: {refund.verdict_reason}",
        money=refund.money,
    )


def _audit(action: str, refund: Refund, *, actor: Actor, now: datetime, reason: str) -> None:
    records.write(
        action=action,
        object_type=events.REFUND_AGGREGATE,
        object_id=ids.encode("re", refund.id),
        actor=actor,
        now=now,
        changes={
            "verdict": [None, refund.verdict],
            "receipt": [None, refund.verdict_receipt],
            "amount": [None, refund.money.wire()],
        },
        reason=reason,
        branch=refund.branch_id,
        approval=refund.verdict_approval_id,
    )

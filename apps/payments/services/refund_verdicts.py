"""What people say of a refund whose answer is lost for good: one says it with evidence, another agrees, and it ends so."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.access.selectors import limits as amount_limits
from apps.approvals.contracts import Decided, NewRequest
from apps.approvals.services import verdicts
from apps.approvals.services.verdicts import AnswerMayCome, VerdictRuleMissing, VerdictWaits
from apps.integrations.ports import ProviderDeclined, RefundOutcome, RefundReport
from apps.kit import ids
from apps.kit.actors import Actor
from apps.payments.contracts.verdicts import REFUND_VERDICT, RefundVerdict
from apps.payments.models import Refund
from apps.payments.services import attempts, receipts, refund_approvals, refund_limits, refunds, sendings

__all__ = ["AnswerMayCome", "VerdictRuleMissing", "VerdictWaits", "ask", "decide", "may_be_answered"]

NOT_GIVEN_BACK = "refund_not_given_back"
FOUND_OUT = "No answer came, and the provider's statement shows no refund."
"""What partners are told; why somebody decided so is for the audit trail."""


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
    CLOSE.require_lost(refund, now=now)
    reason = refund_limits.check_reason(reason)
    is_given_back = verdict is RefundVerdict.GIVEN_BACK
    receipt = receipts.of_refund(receipt, provider=refund.provider) if is_given_back else ""
    amount_limits.require_may_ask(actor=actor, money=refund.money)
    refund.say(verdict, receipt=receipt, reason=reason, by=str(actor))
    return CLOSE.ask(refund, actor=actor, now=now)


def may_be_answered(refund: Refund, *, now: datetime) -> bool:
    """Say whether a provider may still tell what became of an UNKNOWN refund: it is asked again, or has had no whole day."""
    return refund.next_query_at is not None or verdicts.is_fresh(refund.unknown_at, now=now)


@transaction.atomic
def decide(*, decided: Decided, now: datetime) -> Refund:
    """
    End a refund as other people have agreed: booked under its receipt, or failed and its money free again.

    What they did not agree to is dropped, and so is what cannot be any more: the provider has answered or is asked again, or the receipt is
    another movement's. The audit trail says why, and the refund stays as it is. A repeat changes nothing. Raises NotFound.
    """
    return CLOSE.decide(sendings.locked(decided.subject_id), decided=decided, now=now)


def _hindrance(refund: Refund) -> str:
    """Return why money cannot be booked any more under the receipt that people told, or an empty text."""
    if refund.verdict == RefundVerdict.GIVEN_BACK:
        try:
            receipts.of_refund(refund.verdict_receipt, provider=refund.provider)
        except receipts.ReceiptUsed as refusal:
            return refusal.detail
    return ""


def _end(refund: Refund, maker: Actor, now: datetime) -> None:
    if refund.verdict == RefundVerdict.GIVEN_BACK:
        report = RefundReport(
            ticket="", outcome=RefundOutcome.REFUNDED, money=refund.money, receipt=refund.verdict_receipt
        )
        refunds.went_back(refund, report, actor=maker, now=now)
    else:
        sendings.close(refund, refusal=ProviderDeclined(NOT_GIVEN_BACK, FOUND_OUT), now=now)


def _request(refund: Refund) -> NewRequest:
    said = f"given back as {refund.verdict_receipt}" if refund.verdict_receipt else "not given back"
    return NewRequest(
        kind=REFUND_VERDICT,
        subject_id=refund.id,
        subject_reference=ids.encode("re", refund.id),
        payload={
            **refund_approvals.payload(refund),
            "verdict": refund.verdict.lower().replace("_", " "),
            "verdict_receipt": refund.verdict_receipt,
            "verdict_reason": refund.verdict_reason,
        },
        names=refund_approvals.names(refund),
        branch_id=refund.branch_id,
        application_id=refund.application_id,
        summary=f"Unknown refund {refund.money} of receipt {refund.payment_receipt}, {said}: {refund.verdict_reason}",
        money=refund.money,
    )


def _changes(refund: Refund) -> dict[str, Any]:
    return {
        "verdict": [None, refund.verdict],
        "receipt": [None, refund.verdict_receipt],
        "amount": [None, refund.money.wire()],
    }


CLOSE = verdicts.Close(
    noun="refund",
    asked="refund.verdict_asked",
    left="refund.verdict_left",
    judged="refund.judged",
    known=attempts.InvalidState,
    request=_request,
    changes=_changes,
    may_be_answered=may_be_answered,
    hindrance=_hindrance,
    end=_end,
)

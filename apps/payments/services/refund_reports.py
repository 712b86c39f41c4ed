"""Reports of refunds: whether one can be of its refund, and which answers to questions are believed."""

from dataclasses import replace
from datetime import datetime, timedelta

from apps.audit.services import records
from apps.integrations.ports import RefundOutcome, RefundReport
from apps.kit import ids
from apps.kit.actors import Actor
from apps.payments import events
from apps.payments.contracts import RefundStatus
from apps.payments.contracts.verdicts import RefundVerdict
from apps.payments.models import PaymentAttempt, Refund
from apps.payments.models.refund import TICKET_LENGTH
from apps.payments.services import payers
from apps.payments.services.reports import MoneyUnexplained, ReportContradicts

CLOCKS_DIFFER = timedelta(minutes=5)
NEVER_SENT = {RefundStatus.AWAITING_APPROVAL, RefundStatus.CANCELLED}


def check_agreement(refund: Refund, report: RefundReport) -> None:
    """
    Raise ReportContradicts for another ticket, collection or receipt than can be.

    What the provider says of money that went back otherwise than it was asked to, in another sum or a second time, is
    MoneyUnexplained: it may be true, and is for people.
    """
    if refund.ticket and report.ticket and refund.ticket != report.ticket:
        raise ReportContradicts("The report names another ticket than the provider gave us.")
    if len(report.ticket) > TICKET_LENGTH:
        raise ReportContradicts("The report names a ticket that no provider gives.")
    if report.ticket and not refund.ticket and _is_of_another(refund, report.ticket):
        raise ReportContradicts("The ticket belongs to another refund.")
    if report.payment_receipt not in ("", refund.payment_receipt):
        raise ReportContradicts("The report is of another payment.")
    if refund.status in NEVER_SENT or (refund.status == RefundStatus.REQUESTED and not refund.tries):
        raise ReportContradicts("This refund was not sent.")
    if report.outcome is RefundOutcome.REFUNDED:
        _check_receipt(refund, report.receipt)
        _check_sum(refund, report)


def _is_of_another(refund: Refund, ticket: str) -> bool:
    return Refund.objects.filter(provider_account_id=refund.provider_account_id, ticket=ticket).exists()


def _check_receipt(refund: Refund, receipt: str) -> None:
    if not receipt:
        return
    others = Refund.objects.filter(provider=refund.provider, provider_receipt=receipt).exclude(id=refund.id)
    if others.filter(verdict_receipt=receipt, judged_at__isnull=False).exists():
        raise MoneyUnexplained(f"People closed another refund as given back under receipt {receipt}.")
    payments = PaymentAttempt.objects.filter(provider=refund.provider, provider_receipt=receipt)
    if others.exists() or payments.exists():
        raise ReportContradicts("The receipt belongs to another movement.")
    if refund.provider_receipt not in ("", receipt):
        raise MoneyUnexplained(f"Receipt {receipt} came after {refund.provider_receipt} was booked.")


def _check_sum(refund: Refund, report: RefundReport) -> None:
    if report.money is not None and report.money != refund.money:
        raise MoneyUnexplained(f"The provider says that {report.money} went back in place of {refund.money}.")


def check_verdict(refund: Refund, outcome: RefundOutcome) -> None:
    """Raise MoneyUnexplained where the provider says that it refused a refund which people have closed as given back."""
    is_closed_so = refund.judged_at is not None and refund.verdict == RefundVerdict.GIVEN_BACK
    if is_closed_so and refund.is_refunded and outcome is RefundOutcome.DECLINED:
        raise MoneyUnexplained(
            f"People closed the refund as given back under {refund.verdict_receipt}; the provider refused it."
        )


def note_contradiction(refund: Refund, report: RefundReport, *, actor: Actor, now: datetime) -> None:
    """Put on the audit trail that a report which is about to be booked says otherwise than people did when they closed the refund."""
    is_given_back = report.outcome is not RefundOutcome.DECLINED
    if refund.judged_at is None or is_given_back == (refund.verdict == RefundVerdict.GIVEN_BACK):
        return
    records.write(
        action="refund.verdict_contradicted",
        object_type=events.REFUND_AGGREGATE,
        object_id=ids.encode("re", refund.id),
        actor=actor,
        now=now,
        changes={"verdict": [refund.verdict, report.outcome]},
        reason=report.receipt or report.message,
        branch=refund.branch_id,
        approval=refund.verdict_approval_id,
    )


def check_room(refund: Refund) -> None:
    """Raise MoneyUnexplained for money of a refund that had failed, where another one holds the sum or gave it back."""
    if not refund.is_live and refund.attempt.refundable_minor < refund.amount_minor:
        raise MoneyUnexplained("The payment is being refunded, or has been, by another refund.")


def is_own_reversal(refund: Refund) -> bool:
    """
    Say whether "reversed before" speaks of a sending of ours that is not booked: of this refund, or of another one of
    the same receipt, which may have been carried out although we were told otherwise or nothing.
    """
    others = Refund.objects.filter(
        provider_account_id=refund.provider_account_id,
        payment_receipt=refund.payment_receipt,
        sent_at__isnull=False,
        refunded_at__isnull=True,
    )
    return refund.may_have_been_made or others.exclude(id=refund.id).exists()


def believed(refund: Refund, report: RefundReport) -> RefundReport | None:
    """
    Return the answer to a question as a report of the refund, or None when it does not speak of this refund.

    We ask by the ticket; the answer then names it, or nothing else. A person may have claimed a receipt as well, and
    may hold the wrong one: only a movement of this sum to this payer after the sending (give or take five minutes
    between two clocks) is believed. Of a payer whose number is hidden what is told of it must fit.
    """
    is_of_ticket = bool(refund.ticket) and report.ticket == refund.ticket
    is_of_claim = bool(refund.claimed_receipt) and report.receipt == refund.claimed_receipt
    if is_of_ticket or (refund.ticket and not report.ticket and not refund.claimed_receipt):
        return report
    if not is_of_claim or report.money != refund.money:
        return None
    told, known = report.payer_phone or report.payer, payers.of_attempt(refund.attempt)
    if not payers.agree(refund.provider, known, told):
        return None
    began = refund.sent_at or refund.created_at
    if report.occurred_at is None or report.occurred_at < began - CLOCKS_DIFFER:
        return None
    return replace(report, ticket="")

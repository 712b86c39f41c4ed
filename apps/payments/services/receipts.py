"""Receipts that a person holds against a payment whose outcome is not known: claimed, asked about, believed or not."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from apps.integrations.contracts import provider_name
from apps.integrations.ports import (
    CollectionReport,
    Outcome,
    ProviderError,
    ProviderHeldBack,
    StatusPort,
    StatusRequest,
)
from apps.integrations.services import hooks, providers
from apps.kit import errors, jobs
from apps.payments.models import InboundReceipt, PaymentAttempt, Refund
from apps.payments.services import attempts, payers, polling
from apps.payments.services.reports import ReportContradicts

FORM = re.compile(r"[A-Z0-9]{8,20}")
LENGTH = 40
POINTER = "/receipt"
CLOCKS_DIFFER = timedelta(minutes=5)


class ReceiptInvalid(errors.Invalid):
    """The text has not the form of a receipt number."""

    code = "receipt_invalid"
    title = "Receipt invalid"


class ReceiptNotAsked(errors.Invalid):
    """The provider cannot be asked about a receipt."""

    code = "receipt_not_asked"
    title = "Receipts are not asked about"


class ReceiptUsed(errors.DomainError):
    """The receipt belongs to another payment or refund."""

    code = "receipt_used"
    title = "Receipt used before"


def claim(attempt: PaymentAttempt, *, receipt: str, now: datetime) -> None:
    """Write the receipt down as claimed; the caller holds the attempt's lock. Raises what ``admitted`` does."""
    attempt.claimed_receipt = admitted(receipt, provider=attempt.provider)
    attempt.asked_at = now
    attempt.save_progress()


def admitted(receipt: str, *, provider: str) -> str:
    """Return a receipt as the provider writes it; raise ReceiptNotAsked, ReceiptInvalid, or ReceiptUsed for one that is booked."""
    if not providers.offers(provider, StatusPort):
        message = f"{provider_name(provider)} cannot be asked about a receipt."
        raise ReceiptNotAsked(message, errors=[errors.FieldError(POINTER, ReceiptNotAsked.code, message)])
    text = receipt.strip().upper()
    if not FORM.fullmatch(text):
        raise _invalid("A receipt number has 8 to 20 letters and digits, as NLJ7RT61SV.")
    _check_unused(text, provider=provider)
    return text


def of_refund(receipt: str, *, provider: str) -> str:
    """
    Return the receipt of money that went back, which a person read in the provider's statement, as the provider writes it. Nobody
    is asked about it.

    Raises ReceiptInvalid, and ReceiptUsed for one that is booked or is of money that arrived.
    """
    if providers.offers(provider, StatusPort):
        text = admitted(receipt, provider=provider)
    else:
        text = receipt.strip()
        if not text or len(text) > LENGTH:
            raise _invalid(f"A receipt number has 1 to {LENGTH} characters.")
        _check_unused(text, provider=provider)
    if InboundReceipt.objects.filter(provider=provider, receipt=text).exists():
        raise _used("Under this receipt money arrived.")
    return text


def _check_unused(receipt: str, *, provider: str) -> None:
    refunded = Refund.objects.filter(provider=provider, provider_receipt=receipt)
    if PaymentAttempt.objects.bearing(receipt, provider=provider).exists() or refunded.exists():
        raise _used("This receipt belongs to another movement.")


def _invalid(message: str) -> ReceiptInvalid:
    return ReceiptInvalid(message, errors=[errors.FieldError(POINTER, ReceiptInvalid.code, message)])


def _used(message: str) -> ReceiptUsed:
    return ReceiptUsed(message, errors=[errors.FieldError(POINTER, ReceiptUsed.code, message)])


def ask(*, attempt_id: UUID, now: datetime) -> None:
    """
    Ask the provider for the fate of the claimed receipt; its answer is a callback of kind ``status``.

    What our own gate keeps back is asked later, for a day after it was claimed.
    """
    attempt = PaymentAttempt.objects.get(id=attempt_id)
    if attempt.provider_receipt or not attempt.claimed_receipt:
        return
    question = StatusRequest(
        receipt=attempt.claimed_receipt,
        callback_url=hooks.address(token=attempt.callback_token, kind=attempts.STATUS),
    )
    try:
        providers.status(attempt.provider_account_id, now=now, subject_id=attempt.id).request_status(question)
    except ProviderHeldBack as refusal:
        if polling.is_held_too_long(attempt, now=now):
            attempts.log_refusal("status_unasked", attempt, refusal)
            return
        pause = polling.PAUSE.total_seconds()
        jobs.enqueue("payments.request_status", countdown=pause, attempt_id=attempt.id)
    except ProviderError as refusal:
        attempts.log_refusal("status_unanswered", attempt, refusal)


def believed(attempt: PaymentAttempt, report: CollectionReport) -> CollectionReport | None:
    """
    Return the report of a claimed receipt as one of the attempt, or None when it does not speak of this payment.

    A person may hold the wrong receipt: only one that was collected, of this sum and this payer, after the attempt
    was begun (give or take five minutes between two clocks), is believed; of a payer whose number is hidden what is told of
    it must fit. What the provider does not tell does not count in its favour. Raises ReportContradicts for an answer to a question that nobody asked.
    """
    if not attempt.claimed_receipt:
        raise ReportContradicts("Nobody asked about this receipt.")
    if report.receipt not in (
        "",
        attempt.claimed_receipt,
    ):  # another was claimed since, or this one never was
        return None
    told, known = report.payer_phone or report.payer, payers.of_attempt(attempt)
    is_of_payer = payers.agree(attempt.provider, known, told)
    is_of_this_payment = report.money == attempt.money and is_of_payer
    if report.outcome is not Outcome.COLLECTED or not is_of_this_payment:
        return None
    if report.occurred_at is None or report.occurred_at < attempt.created_at - CLOCKS_DIFFER:
        return None
    return replace(report, ticket="", receipt=attempt.claimed_receipt)

"""Callbacks of providers: raw bytes are read, matched by their token, recorded, and marked with what came of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.integrations.contracts import CallbackStatus
from apps.integrations.ports import CollectionReport, MalformedCallback, ProviderDeclined, RefundReport
from apps.integrations.services import balances, providers
from apps.integrations.services import callbacks as inbox
from apps.kit.actors import PROVIDER
from apps.kit.compiled import Compiled
from apps.payments.contracts import Recorded
from apps.payments.models import InboundReceipt, PaymentAttempt, Refund
from apps.payments.services import (
    attempts,
    confirmations,
    intents,
    receipts,
    refund_reports,
    refunds,
    reports,
    sendings,
    unasked,
)
from apps.payments.services.reports import MoneyUnexplained, ReportContradicts

type Subject = PaymentAttempt | Refund | InboundReceipt
type Reader = Callable[[Mapping[str, object]], Any]
type Verdict = tuple[CallbackStatus, str]

_BY_TOKEN = Compiled(lambda token: PaymentAttempt.objects.filter(callback_token=token), str)
VERDICTS = {
    Recorded.APPLIED: CallbackStatus.APPLIED,
    Recorded.DUPLICATE: CallbackStatus.DUPLICATE,
    Recorded.IGNORED: CallbackStatus.IGNORED,
}


@dataclass(frozen=True, slots=True)
class Kind:
    """What a callback of one kind means: how its account reads it, and what is recorded of its subject."""

    reader: Callable[[Subject, datetime], Reader]
    record: Callable[[Any, Any, datetime], Verdict]


@transaction.atomic(savepoint=False)
def apply(*, callback_id: UUID, now: datetime) -> None:
    """
    Record what a stored callback reports, with its mark, in one transaction.

    Tokens are committed before a request leaves, so one that is not known was never ours: FORGED, as is a report that
    contradicts its attempt or refund; money that moved otherwise than can be explained stays UNMATCHED, for people.
    What cannot be read, or answers what the provider is never asked, is MALFORMED. What comes unasked to an account's
    own address tells of money under ``c2b``; any other kind is IGNORED there. What an account holds is read by those who
    keep it. None of these changes what is booked. Raises crypto.Unreadable, and marks nothing, while the account's
    credentials cannot be opened: the callback may be a true one. A transaction of the caller's is over with what it raises.
    """
    stored = inbox.get(callback_id)
    if stored.kind in balances.KINDS:
        balances.take(callback_id=stored.id, now=now)
        return
    subject = _subject(stored.token)
    if subject is None:
        unasked.apply(stored, now=now)
        return
    kind = KINDS[type(subject)].get(stored.kind, UNEXPECTED)
    try:
        read = kind.reader(subject, now)
    except ProviderDeclined as refusal:
        inbox.mark(stored.id, CallbackStatus.MALFORMED, refusal.message, now=now, subject_id=subject.id)
        return
    try:
        report = read(unasked.payload(stored))
    except ValueError as error:
        inbox.mark(stored.id, CallbackStatus.MALFORMED, str(error), now=now, subject_id=subject.id)
        return
    try:
        verdict, note = kind.record(subject, report, now)
    except ReportContradicts as contradiction:
        verdict, note = CallbackStatus.FORGED, contradiction.detail
    inbox.mark(stored.id, verdict, note, now=now, subject_id=subject.id)


def _subject(token: str) -> Subject | None:
    """Return the attempt, the refund or the money to be confirmed that was committed with this token."""
    return (
        _BY_TOKEN.first(token)
        or Refund.objects.filter(callback_token=token).first()
        or InboundReceipt.objects.filter(callback_token=token).first()
    )


def _unexpected(_: Subject, __: datetime) -> Reader:
    def read(_: Mapping[str, object]) -> None:
        raise MalformedCallback("No callback of this kind is expected here.")

    return read


def _collection(subject: Subject, now: datetime) -> Reader:
    return providers.collection(subject.provider_account_id, now=now, subject_id=subject.id).read_callback


def _collection_status(subject: Subject, now: datetime) -> Reader:
    return providers.status(subject.provider_account_id, now=now, subject_id=subject.id).read_result


def _refund(subject: Subject, now: datetime) -> Reader:
    return providers.refund(subject.provider_account_id, now=now, subject_id=subject.id).read_result


def _refund_timeout(subject: Subject, now: datetime) -> Reader:
    return providers.refund(subject.provider_account_id, now=now, subject_id=subject.id).read_timeout


def _refund_status(subject: Subject, now: datetime) -> Reader:
    return providers.status(subject.provider_account_id, now=now, subject_id=subject.id).read_refund


def _record_collection(attempt: PaymentAttempt, report: CollectionReport, now: datetime) -> Verdict:
    try:
        recorded = intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=now)
    except MoneyUnexplained as unexplained:
        reports.hold_unexplained(attempt_id=attempt.id, receipt=report.receipt, now=now)
        return CallbackStatus.UNMATCHED, f"{attempt.code}: {unexplained.detail}"
    return VERDICTS[recorded], ""


def _record_receipt(attempt: PaymentAttempt, report: CollectionReport, now: datetime) -> Verdict:
    believed = receipts.believed(attempt, report)
    if believed is None:
        return CallbackStatus.IGNORED, "The receipt is not of this payment."
    return _record_collection(attempt, believed, now)


def _record_confirmation(inbound: InboundReceipt, report: CollectionReport, now: datetime) -> Verdict:
    try:
        recorded = confirmations.record(inbound_id=inbound.id, report=report, now=now)
    except MoneyUnexplained as unexplained:
        confirmations.leave_to_people(inbound_id=inbound.id, reason=unexplained.detail, now=now)
        return CallbackStatus.UNMATCHED, unexplained.detail
    return VERDICTS[recorded], ""


def _record_refund(refund: Refund, report: RefundReport, now: datetime) -> Verdict:
    try:
        recorded = refunds.record(refund_id=refund.id, report=report, actor=PROVIDER, now=now)
    except MoneyUnexplained as unexplained:
        receipt = report.receipt or refund.payment_receipt
        reports.hold_unexplained(attempt_id=refund.attempt_id, receipt=receipt, now=now)
        return CallbackStatus.UNMATCHED, f"Refund of {refund.payment_receipt}: {unexplained.detail}"
    return VERDICTS[recorded], ""


def _record_refund_status(refund: Refund, report: RefundReport, now: datetime) -> Verdict:
    believed = refund_reports.believed(refund, report)
    if believed is None:
        return CallbackStatus.IGNORED, "The answer is not of this refund."
    return _record_refund(refund, believed, now)


UNEXPECTED = Kind(_unexpected, _record_collection)
KINDS: dict[type, dict[str, Kind]] = {
    PaymentAttempt: {
        attempts.COLLECTION: Kind(_collection, _record_collection),
        attempts.STATUS: Kind(_collection_status, _record_receipt),
    },
    InboundReceipt: {attempts.STATUS: Kind(_collection_status, _record_confirmation)},
    Refund: {
        sendings.RESULT: Kind(_refund, _record_refund),
        sendings.TIMEOUT: Kind(_refund_timeout, _record_refund),
        sendings.STATUS: Kind(_refund_status, _record_refund_status),
    },
}

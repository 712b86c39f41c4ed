"""Callbacks of providers: raw bytes are read, matched by their token, recorded, and marked with what came of them."""

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.integrations.contracts import CallbackStatus, StoredCallback
from apps.integrations.ports import CollectionReport, MalformedCallback
from apps.integrations.services import callbacks as inbox
from apps.integrations.services import providers
from apps.kit import http
from apps.kit.actors import PROVIDER
from apps.payments.contracts import Recorded
from apps.payments.models import PaymentAttempt
from apps.payments.services import attempts, intents, receipts, reports
from apps.payments.services.reports import MoneyUnexplained, ReportContradicts

type Reader = Callable[[Mapping[str, object]], CollectionReport]

VERDICTS = {
    Recorded.APPLIED: CallbackStatus.APPLIED,
    Recorded.DUPLICATE: CallbackStatus.DUPLICATE,
    Recorded.IGNORED: CallbackStatus.IGNORED,
}


@transaction.atomic
def apply(*, callback_id: UUID, now: datetime) -> None:
    """
    Record what a stored callback reports, with its mark, in one transaction.

    Tokens are committed before a request leaves, so one that is not known was never ours: FORGED, as is a report that
    contradicts its attempt; money that came a second time under another receipt stays UNMATCHED, for people. What cannot be read is MALFORMED. Neither changes a payment. Raises crypto.Unreadable, and
    marks nothing, while the account's credentials cannot be opened: the callback may be a true one.
    """
    stored = inbox.get(callback_id)
    attempt = PaymentAttempt.objects.filter(callback_token=stored.token).first()
    if attempt is None:
        _mark(stored, CallbackStatus.FORGED, "No payment was asked for with this token.", now=now)
        return
    read = _reader(stored, attempt, now=now)
    try:
        report = _read(stored, read)
    except ValueError as error:
        _mark(stored, CallbackStatus.MALFORMED, str(error), now=now, attempt=attempt)
        return
    try:
        verdict, note = _record(stored, attempt, report, now=now)
    except MoneyUnexplained as unexplained:
        reports.hold_unexplained(attempt_id=attempt.id, receipt=report.receipt, now=now)
        verdict, note = CallbackStatus.UNMATCHED, f"{attempt.code}: {unexplained.detail}"
    except ReportContradicts as contradiction:
        verdict, note = CallbackStatus.FORGED, contradiction.detail
    _mark(stored, verdict, note, now=now, attempt=attempt)


def _reader(stored: StoredCallback, attempt: PaymentAttempt, *, now: datetime) -> Reader | None:
    """Return what translates a callback of this kind, or None for a kind that nobody expects."""
    account_id, subject_id = attempt.provider_account_id, attempt.id
    if stored.kind == attempts.STATUS:
        return providers.status(account_id, now=now, subject_id=subject_id).read_result
    if stored.kind == attempts.COLLECTION:
        return providers.collection(account_id, now=now, subject_id=subject_id).read_callback
    return None


def _read(stored: StoredCallback, read: Reader | None) -> CollectionReport:
    """Translate the bytes; MalformedCallback, and what is no JSON, are ValueErrors."""
    if read is None:
        raise MalformedCallback(f"No callback of kind {stored.kind} is expected here.")
    payload = http.parse_json(stored.body)
    if not isinstance(payload, Mapping):
        raise MalformedCallback("The body is no JSON object.")
    return read(payload)


def _record(
    stored: StoredCallback, attempt: PaymentAttempt, report: CollectionReport, *, now: datetime
) -> tuple[CallbackStatus, str]:
    if stored.kind == attempts.STATUS:
        believed = receipts.believed(attempt, report)
        if believed is None:
            return CallbackStatus.IGNORED, "The receipt is not of this payment."
        report = believed
    recorded = intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=now)
    return VERDICTS[recorded], ""


def _mark(
    stored: StoredCallback,
    verdict: CallbackStatus,
    note: str,
    *,
    now: datetime,
    attempt: PaymentAttempt | None = None,
) -> None:
    inbox.mark(stored.id, verdict, note, now=now, subject_id=attempt.id if attempt else None)

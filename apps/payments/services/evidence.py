"""Evidence of last resort: a movement that a provider lists is kept, and recorded where it is of an attempt of ours."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.integrations.ports import CollectionReport, Outcome, StatementRow
from apps.integrations.selectors import accounts
from apps.kit import locks
from apps.kit.actors import PROVIDER
from apps.payments.models import PaymentAttempt, PulledTransaction
from apps.payments.models.pull import NOTE_LENGTH
from apps.payments.services import intents
from apps.payments.services.reports import ReportContradicts


@transaction.atomic
def take(*, account_id: UUID, row: StatementRow, now: datetime) -> PulledTransaction | None:
    """
    Keep a row once per account and receipt; None for one that is kept already, which is looked at again while it is
    nobody's: the provider may have confirmed the payment since, without a sum.

    A row under the code of an attempt goes the way of every report: it settles what was UNKNOWN, fills in a missing
    receipt, is a late success, or, of another sum than was asked for, goes to suspense. Any other stays unmatched, for
    people: nothing is booked by guess.
    """
    locks.advisory(f"payments:pulled:{account_id}:{row.receipt}")
    kept = PulledTransaction.objects.filter(provider_account_id=account_id, receipt=row.receipt).first()
    if kept is not None:
        if kept.attempt_id is None:
            _recorded(account_id, row, now=now)  # an answer that came since may have told whose it is
        return None
    attempt, note = _recorded(account_id, row, now=now)
    pulled = PulledTransaction(
        provider_account_id=account_id,
        branch_id=accounts.get(account_id).branch_id,
        receipt=row.receipt,
        amount_minor=row.money.minor,
        currency=row.money.currency,
        reference=row.reference,
        payer=row.payer,
        told_at=row.told_at,
        kind=row.kind,
        attempt=attempt,
        note=note[:NOTE_LENGTH],
        pulled_at=now,
    )
    pulled.save()
    return pulled


def _recorded(account_id: UUID, row: StatementRow, *, now: datetime) -> tuple[PaymentAttempt | None, str]:
    """Return the attempt that the row was recorded for, or None and the reason why there is none."""
    attempt = _named(account_id, row)
    if attempt is None:
        return None, "Nothing was asked for under this reference."
    if attempt.provider_receipt not in ("", row.receipt):
        return (
            None,
            f"{attempt.code} was paid under receipt {attempt.provider_receipt}: this money came beside it.",
        )
    report = CollectionReport(
        ticket="", outcome=Outcome.COLLECTED, money=row.money, receipt=row.receipt, provider_code="pull"
    )
    try:
        intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=now)
    except ReportContradicts as contradiction:
        return None, f"{attempt.code}: {contradiction.detail}"
    return attempt, ""


def _named(account_id: UUID, row: StatementRow) -> PaymentAttempt | None:
    """Return the attempt of this account that bears the receipt, or else the code."""
    own = PaymentAttempt.objects.filter(provider_account_id=account_id)
    return (
        own.filter(provider_receipt=row.receipt).first()
        or own.filter(code=row.reference.strip().upper()).first()
    )

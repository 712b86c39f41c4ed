"""What providers are asked of disputes: how one stands, and which were opened; their answers decide, whoever told of them."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.integrations.ports import (
    DisputePort,
    DisputeReport,
    ProviderDeclined,
    ProviderError,
    ProviderHeldBack,
)
from apps.integrations.selectors import accounts
from apps.integrations.services import providers
from apps.kit import errors, faults, jobs, logs
from apps.kit.actors import PROVIDER
from apps.payments.models import Dispute, PullCursor
from apps.payments.services import disputes, polling

OVERLAP = timedelta(days=1)
ASK_AGAIN = timedelta(minutes=10)
"""When a question is asked again that the provider did not answer."""

logger = logs.get(__name__)


def read(*, account_id: UUID, ticket: str, now: datetime) -> None:
    """
    Ask the provider about a dispute that somebody told of, and record what it says. Safe to repeat.

    One that is not known here and whose question is not answered is found by the list of disputes.
    """
    account = accounts.get(account_id)
    known = Dispute.objects.filter(provider=account.provider, ticket=ticket).first()
    try:
        report = providers.dispute(account_id, now=now, subject_id=known.id if known else None).read(ticket)
    except ProviderError as refusal:
        logger.warning("dispute_unanswered", account_id=str(account_id), code=refusal.code)
        return
    _take(account_id, report, now=now)


def query(*, dispute_id: UUID, now: datetime) -> None:
    """Ask the provider how a dispute stands, where that is due, and record what it says."""
    dispute = _claim(dispute_id=dispute_id, now=now)
    if dispute is None:
        return
    try:
        port = providers.dispute(dispute.provider_account_id, now=now, subject_id=dispute.id)
        report = port.read(dispute.ticket)
    except ProviderError as refusal:
        logger.warning("dispute_unanswered", dispute_id=str(dispute.id), code=refusal.code)
        _ask_again(dispute.id, refusal, now=now)
        return
    faults.reach("payments.after_dispute")
    _take(dispute.provider_account_id, report, now=now)


@transaction.atomic
def _claim(*, dispute_id: UUID, now: datetime) -> Dispute | None:
    dispute = disputes.locked(dispute_id)
    if dispute.next_query_at is None or dispute.next_query_at > now:
        return None
    dispute.next_query_at = now + ASK_AGAIN
    dispute.query_started_at = None
    dispute.save(update_fields=["next_query_at", "query_started_at"])
    return dispute


@transaction.atomic
def _ask_again(dispute_id: UUID, refusal: ProviderError, *, now: datetime) -> None:
    dispute = disputes.locked(dispute_id)
    if isinstance(refusal, ProviderDeclined):
        dispute.next_query_at = now + polling.ASKED_AT_LEAST_EVERY
    else:
        pause = refusal.pause if isinstance(refusal, ProviderHeldBack) else ASK_AGAIN
        dispute.next_query_at = now + max(pause, polling.PAUSE)
    dispute.save(update_fields=["next_query_at"])


def run() -> None:
    """Start one job for each account of this organisation whose provider lists disputes, enabled or not."""
    for account in accounts.everything():
        if providers.offers(account.provider, DisputePort):
            jobs.enqueue("payments.list_disputes_organisation", account_id=account.id)


def read_list(*, account_id: UUID, now: datetime) -> None:
    """
    Record the disputes that the provider lists since the last whole reading, a day of it again: so a lost message loses none.

    Safe to repeat and to run twice at once. Where one could not be read or recorded, the next reading begins where this one did:
    the others are known by then. Raises
    crypto.Unreadable for credentials that cannot be opened.
    """
    account = accounts.get(account_id)
    cursor = PullCursor.objects.filter(provider_account_id=account_id).first()
    since = (cursor.disputes_until if cursor else None) or account.created_at
    try:
        listed = providers.dispute(account_id, now=now).list(since - OVERLAP)
    except ProviderError as refusal:
        logger.warning("disputes_unlisted", account_id=str(account_id), code=refusal.code)
        return
    refused = [report for report in listed.reports if not _take(account_id, report, now=now)]
    if listed.unreadable:
        logger.error("disputes_unreadable", account_id=str(account_id), count=listed.unreadable)
    if not refused and not listed.unreadable:
        _advance(account_id, until=now)


def _take(account_id: UUID, report: DisputeReport, *, now: datetime) -> bool:
    """Record one report; say whether it could be. One that is refused, or breaks, keeps no other away."""
    try:
        disputes.record(account_id=account_id, report=report, asked_at=now, actor=PROVIDER, now=now)
    except Exception as failure:
        # Whatever breaks is wrong with this one: it is logged and read again, and the others of its list go on.
        code = failure.code if isinstance(failure, errors.DomainError) else type(failure).__name__
        logger.exception("dispute_refused", account_id=str(account_id), ticket=report.ticket, code=code)
        return False
    return True


@transaction.atomic
def _advance(account_id: UUID, *, until: datetime) -> None:
    PullCursor.objects.get_or_create(provider_account_id=account_id)
    cursor = PullCursor.objects.locked().get(provider_account_id=account_id)
    cursor.disputes_until = max(until, cursor.disputes_until or until)
    cursor.save(update_fields=["disputes_until"])

"""Pulls: the movements of an account are listed from time to time, and when nobody knows what became of a payment."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.integrations.ports import ProviderError, StatementPort, Window
from apps.integrations.selectors import accounts
from apps.integrations.services import providers
from apps.kit import faults, jobs, logs
from apps.payments.models import PullCursor
from apps.payments.services import evidence, hooks

OVERLAP = timedelta(minutes=30)
FARTHEST = timedelta(hours=48)
LEASE = timedelta(minutes=10)
KIND = "pull"

logger = logs.get(__name__)


def run() -> None:
    """Start one job for each account of this organisation whose movements are listed."""
    for account_id in accounts.pulled_ids():
        jobs.enqueue("payments.pull_organisation", account_id=account_id)


def pull(*, account_id: UUID, now: datetime) -> None:
    """
    Read what the provider lists since the last complete reading, half an hour of it again, at most 48 hours back.

    Safe to repeat and to run twice at once: each movement is taken once. Where the provider does not answer, what was
    taken stays and the next reading begins where this one did. Does nothing for an account that is not listed.
    """
    account = accounts.get(account_id)
    window = _begin(account_id, now=now) if account.is_pull_enabled else None
    if window is None:
        return
    try:
        port = providers.statement(account_id, now=now)
        _register(account_id, port, now=now)
        offset: int | None = 0
        while offset is not None:
            page = port.fetch(window, offset=offset)
            faults.reach("payments.after_pull")
            for row in page.rows:
                evidence.take(account_id=account_id, row=row, now=now)
            if page.unreadable:
                logger.warning("pulled_rows_unreadable", account_id=str(account_id), count=page.unreadable)
            offset = page.next_offset
    except ProviderError as refusal:
        logger.warning("pull_unanswered", account_id=str(account_id), code=refusal.code)
        _end(account_id, failure_code=refusal.code)
    else:
        _end(account_id, pulled_until=window.end)


@transaction.atomic
def _begin(account_id: UUID, *, now: datetime) -> Window | None:
    """Take the lease of the account's cursor and return the window to read; None while another reader holds it."""
    PullCursor.objects.get_or_create(provider_account_id=account_id)
    cursor = PullCursor.objects.locked().get(provider_account_id=account_id)
    if cursor.leased_until is not None and cursor.leased_until > now:
        return None
    cursor.leased_until = now + LEASE
    cursor.save(update_fields=["leased_until"])
    oldest = now - FARTHEST
    return Window(max(oldest, (cursor.pulled_until or oldest) - OVERLAP), now)


def _register(account_id: UUID, port: StatementPort, *, now: datetime) -> None:
    """Open the service at the provider, the first time."""
    if PullCursor.objects.filter(provider_account_id=account_id, registered_at__isnull=False).exists():
        return
    account = accounts.get(account_id)
    address = hooks.address(token=account.callback_token, kind=KIND)
    port.register(number=account.pull_number, callback_url=address)
    PullCursor.objects.filter(provider_account_id=account_id).update(registered_at=now)


@transaction.atomic
def _end(account_id: UUID, *, pulled_until: datetime | None = None, failure_code: str = "") -> None:
    cursor = PullCursor.objects.locked().get(provider_account_id=account_id)
    cursor.leased_until = None
    cursor.pulled_until = pulled_until or cursor.pulled_until
    cursor.failure_code = failure_code
    cursor.save(update_fields=["leased_until", "pulled_until", "failure_code"])

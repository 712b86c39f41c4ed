"""Pulls: the movements of an account are listed from time to time, and when nobody knows what became of a payment."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.integrations.ports import ProviderError, StatementPage, Window
from apps.integrations.selectors import accounts
from apps.integrations.services import hooks, providers
from apps.kit import crypto, errors, faults, jobs, logs
from apps.payments.models import PullCursor
from apps.payments.services import evidence

OVERLAP = timedelta(minutes=30)
FARTHEST = timedelta(hours=47)
"""An hour less than providers list: the question must still be within the limit when it arrives."""

LEASE = timedelta(minutes=10)
PAUSE = timedelta(minutes=1)
PAGES_MAX = 1_000
KIND = "pull"
CONFIGURATION = "configuration"
NOT_RECORDED = "not_recorded"
UNENDING = "list_without_end"

logger = logs.get(__name__)


def run() -> None:
    """Start one job for each account of this organisation whose movements are listed."""
    for account_id in accounts.pulled_ids():
        jobs.enqueue("payments.pull_organisation", account_id=account_id)


def pull(*, account_id: UUID, clock: Callable[[], datetime]) -> None:
    """
    Read what the provider lists since the last complete reading, half an hour of it again, at most 47 hours back.

    Safe to repeat and to run twice at once: each movement is taken once. Where a page did not come or a movement could
    not be recorded, what was taken stays and the next reading begins where this one did. Does nothing for an account
    that is not listed, nor within a minute of the last reading. A reading may take minutes, so it looks at the clock
    itself. Raises crypto.Unreadable for credentials that cannot be opened: nothing was asked then.
    """
    account = accounts.get(account_id)
    window = _begin(account_id, now=clock()) if account.is_pull_enabled else None
    if window is None:
        return
    try:
        _register(account_id, now=clock())
        failure_code = _read(account_id, window, clock)
    except ProviderError as refusal:
        logger.warning("pull_unanswered", account_id=str(account_id), code=refusal.code)
        _end(account_id, failure_code=refusal.code)
    except crypto.Unreadable:
        _end(account_id, failure_code=CONFIGURATION)
        raise
    else:
        _end(account_id, pulled_until=None if failure_code else window.end, failure_code=failure_code)


def _read(account_id: UUID, window: Window, clock: Callable[[], datetime]) -> str:
    """Take every movement of the window; return why the reading is not complete, or nothing."""
    failure_code = ""
    seen: set[str] = set()
    offset = 0
    for _ in range(PAGES_MAX):
        now = clock()
        page = providers.statement(account_id, now=now).fetch(window, offset=offset)
        faults.reach("payments.after_pull")
        failure_code = _take(account_id, page, now=now) or failure_code
        if page.next_offset is None:
            return failure_code
        receipts = {row.receipt for row in page.rows}
        if receipts and receipts <= seen:
            break
        seen |= receipts
        offset = page.next_offset
    logger.error("pull_without_end", account_id=str(account_id), offset=offset)
    return UNENDING


def _take(account_id: UUID, page: StatementPage, *, now: datetime) -> str:
    """Take the movements of a page; one that is refused keeps no other away. Return the code of the last refusal."""
    failure_code = ""
    for row in page.rows:
        try:
            evidence.take(account_id=account_id, row=row, now=now)
        except (errors.DomainError, IntegrityError) as refusal:
            failure_code = getattr(refusal, "code", NOT_RECORDED)
            logger.exception("pulled_row_refused", account_id=str(account_id), receipt=row.receipt)
    if page.unreadable:
        logger.warning("pulled_rows_unreadable", account_id=str(account_id), count=page.unreadable)
    return failure_code


@transaction.atomic
def _begin(account_id: UUID, *, now: datetime) -> Window | None:
    """
    Take the lease of the account's cursor and return the window to read.

    None while another reader holds it, and for a minute after one began: many payments may be lost at once.
    """
    PullCursor.objects.get_or_create(provider_account_id=account_id)
    cursor = PullCursor.objects.locked().get(provider_account_id=account_id)
    if cursor.leased_until is not None and cursor.leased_until > now:
        return None
    if cursor.started_at is not None and cursor.started_at + PAUSE > now:
        return None
    cursor.started_at = now
    cursor.leased_until = now + LEASE
    cursor.save(update_fields=["started_at", "leased_until"])
    oldest = now - FARTHEST
    return Window(max(oldest, (cursor.pulled_until or oldest) - OVERLAP), now)


def _register(account_id: UUID, *, now: datetime) -> None:
    """Open the service at the provider, the first time."""
    if PullCursor.objects.filter(provider_account_id=account_id, registered_at__isnull=False).exists():
        return
    account = accounts.get(account_id)
    address = hooks.address(token=account.callback_token, kind=KIND)
    providers.statement(account_id, now=now).register(number=account.pull_number, callback_url=address)
    PullCursor.objects.filter(provider_account_id=account_id).update(registered_at=now)


@transaction.atomic
def _end(account_id: UUID, *, pulled_until: datetime | None = None, failure_code: str = "") -> None:
    cursor = PullCursor.objects.locked().get(provider_account_id=account_id)
    cursor.leased_until = None
    cursor.pulled_until = pulled_until or cursor.pulled_until
    cursor.failure_code = failure_code
    cursor.save(update_fields=["leased_until", "pulled_until", "failure_code"])

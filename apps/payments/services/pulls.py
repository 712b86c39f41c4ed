"""Pulls: the movements of an account are listed from time to time, and when nobody knows what became of a payment."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.integrations.ports import ProviderError, StatementPage, StatementTerms, Window
from apps.integrations.selectors import accounts
from apps.integrations.services import hooks, providers
from apps.kit import crypto, errors, faults, jobs, logs
from apps.payments.models import PullCursor
from apps.payments.services import movements

if TYPE_CHECKING:
    from apps.integrations.models import ProviderAccount

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
    for account in accounts.everything():
        if _terms(account) is not None:
            jobs.enqueue("payments.pull_organisation", account_id=account.id)


def _terms(account: "ProviderAccount") -> StatementTerms | None:
    """Return how the account's movements are listed; None where they are not: a service that must be opened is asked for."""
    terms = providers.statement_terms(account.provider)
    return terms if terms is None or not terms.is_opened or accounts.is_listed(account) else None


def pull(*, account_id: UUID, clock: Callable[[], datetime]) -> None:
    """
    Read what the provider lists since the last complete reading, and the overlap of its terms again, as far back as it lists.

    Safe to repeat and to run twice at once: each movement is taken once. Where a page did not come or a movement could
    not be recorded, what was taken stays and the next reading begins where this one did. Does nothing for an account
    that is not listed, nor within a minute of the last reading. A reading may take minutes, so it looks at the clock
    itself. Raises crypto.Unreadable for credentials that cannot be opened: nothing was asked then.
    """
    account = accounts.get(account_id)
    terms = _terms(account)
    window = _begin(account, terms, now=clock()) if terms is not None else None
    if terms is None or window is None:
        return
    try:
        if terms.is_opened:
            _register(account_id, now=clock())
        failure_code, until = _read(account, window, clock)
    except ProviderError as refusal:
        logger.warning("pull_unanswered", account_id=str(account_id), code=refusal.code)
        _end(account_id, failure_code=refusal.code)
    except crypto.Unreadable:
        _end(account_id, failure_code=CONFIGURATION)
        raise
    else:
        _end(account_id, pulled_until=None if failure_code else until, failure_code=failure_code)


def _read(account: "ProviderAccount", window: Window, clock: Callable[[], datetime]) -> tuple[str, datetime]:
    """Take every movement of the window; return why the reading is not complete, or nothing, and up to when the list is."""
    failure_code, until = "", window.end
    seen: set[str] = set()
    name = ""
    for _ in range(PAGES_MAX):
        now = clock()
        page = providers.statement(account.id, now=now).fetch(window, page=name)
        faults.reach("payments.after_pull")
        failure_code = _take(account, page, now=now) or failure_code
        until = min(until, page.complete_until or until)
        if not page.next_page:
            return failure_code, until
        names = {row.nudge.event_id if row.nudge else row.receipt for row in page.rows}
        if names and names <= seen:
            break
        seen |= names
        name = page.next_page
    logger.error("pull_without_end", account_id=str(account.id), page=name)
    return UNENDING, until


def _take(account: "ProviderAccount", page: StatementPage, *, now: datetime) -> str:
    """Take the movements of a page; one that is refused keeps no other away. Return the code of the last refusal."""
    failure_code = ""
    for row in page.rows:
        try:
            movements.take(account=account, row=row, now=now)
        except (errors.DomainError, IntegrityError) as refusal:
            failure_code = getattr(refusal, "code", NOT_RECORDED)
            logger.exception("pulled_row_refused", account_id=str(account.id), receipt=row.receipt)
    if page.unreadable:
        logger.warning("pulled_rows_unreadable", account_id=str(account.id), count=page.unreadable)
    return failure_code


@transaction.atomic
def _begin(account: "ProviderAccount", terms: StatementTerms, *, now: datetime) -> Window | None:
    """
    Take the lease of the account's cursor and return the window to read, no longer than one question may be.

    The first reading begins as far back as the provider lists where we had the service opened, else with the account: what
    moved before that is not ours to explain. None while another reader holds it, and for a minute after one began: many payments may be lost at once.
    """
    PullCursor.objects.get_or_create(provider_account_id=account.id)
    cursor = PullCursor.objects.locked().get(provider_account_id=account.id)
    if cursor.leased_until is not None and cursor.leased_until > now:
        return None
    if cursor.started_at is not None and cursor.started_at + PAUSE > now:
        return None
    cursor.started_at = now
    cursor.leased_until = now + LEASE
    cursor.save(update_fields=["started_at", "leased_until"])
    oldest = now - terms.keeps
    begun = cursor.pulled_until or (oldest if terms.is_opened else min(account.created_at, now))
    start = max(oldest, begun - terms.overlap)
    return Window(start, min(now, start + terms.span))


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
    cursor.pulled_until = max(filter(None, (pulled_until, cursor.pulled_until)), default=None)
    cursor.failure_code = failure_code
    cursor.save(update_fields=["leased_until", "pulled_until", "failure_code"])

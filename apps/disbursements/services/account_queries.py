"""What providers are asked about connected accounts: to open one, once, whatever is lost on the way, and then how it stands."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.approvals.services import requests
from apps.audit.services import records
from apps.disbursements import events
from apps.disbursements.contracts import ConnectedStatus
from apps.disbursements.models import ConnectedAccount
from apps.disbursements.models.connected_account import ASKED_STATES, NEED_LENGTH, OPENED_STATES
from apps.disbursements.services import connected_accounts, orders
from apps.events.services import outbox
from apps.integrations.ports import (
    ConnectReport,
    ConnectRequest,
    ConnectStatus,
    ProviderDeclined,
    ProviderError,
    ProviderUnavailable,
    Ticket,
    Window,
)
from apps.integrations.services import providers
from apps.kit import crypto, faults, ids, jobs, logs
from apps.kit.actors import PROVIDER
from apps.payments.services import polling

CLOCKS_APART = timedelta(hours=1)
"""By how much the clocks of a provider and ours may differ."""
ANSWERED = "The provider has told what became of the opening."
NOT_OPENED = "The provider lists no account that it opened for this request, and no longer knows the request."
UNREADABLE = "The account's credentials cannot be opened."

logger = logs.get(__name__)


def follow(*, account_id: UUID, now: datetime) -> None:
    """
    Do what is due about an account: have the provider open it, look for one that it may have opened, or ask how it stands.

    Safe to repeat: it is asked for again under its code for as long as the provider knows that, and never afterwards. Then it is
    looked for in the provider's list, which ends it either way; one that people closed as not opened is looked for until the list
    has said so, or otherwise. Where no answer comes it is done again, at ever longer
    distances. Raises crypto.Unreadable for credentials that cannot be opened.
    """
    account = _claimed(account_id, now=now)
    if account is None:
        return
    faults.reach("disbursements.before_account")
    try:
        port = providers.connect(account.provider_account_id, now=now, subject_id=account.id)
        if account.status in OPENED_STATES:
            record(account_id=account.id, report=port.read(account.ticket), now=now)
        elif account.status in ASKED_STATES and now < _known_until(account, now=now):
            ticket = port.begin(_told(account))
            faults.reach("disbursements.after_account")
            accept(account_id=account.id, ticket=ticket, now=now)
        else:
            _found(account, port.find(account.code, _time_of(account, now=now)), now=now)
    except crypto.Unreadable:
        _unanswered(account.id, ProviderUnavailable("configuration", UNREADABLE), now=now)
        raise
    except ProviderError as refusal:
        code, said = refusal.code, refusal.provider_code
        logger.warning("account_unanswered", account_id=str(account.id), code=code, provider_code=said)
        _unanswered(account.id, refusal, now=now)


def _told(account: ConnectedAccount) -> ConnectRequest:
    return ConnectRequest(
        code=account.code,
        country=account.country,
        currency=account.currency,
        email=account.email,
    )


def _known_until(account: ConnectedAccount, *, now: datetime) -> datetime:
    """Return until when the provider surely knows the code, from the first request under it."""
    return (account.sent_at or now) + providers.connect_known_for(account.provider)


def looked_for_from(account: ConnectedAccount, *, now: datetime) -> datetime:
    """Return from when on nothing can come of a request under the code any more."""
    return _known_until(account, now=now) + orders.FORGOTTEN_AFTER


def _time_of(account: ConnectedAccount, *, now: datetime) -> Window:
    """Return the time in which the provider opened the account, if it did."""
    until = looked_for_from(account, now=now)
    return Window(account.created_at - CLOCKS_APART, until + CLOCKS_APART)


@transaction.atomic
def _claimed(account_id: UUID, *, now: datetime) -> ConnectedAccount | None:
    """Take what is due, and plan when it is done again where no answer comes; None where nothing is."""
    account = connected_accounts.locked(account_id)
    if account.next_query_at is None or account.next_query_at > now:
        return None
    account.query_started_at = None
    if account.status in OPENED_STATES:
        since = account.changed_at or account.created_at
        account.next_query_at = polling.next_patient(initiated_at=since, now=now)
    elif _known_until(account, now=now) <= now < looked_for_from(account, now=now):
        account.next_query_at = looked_for_from(account, now=now)
        account.save_progress()
        return None
    else:
        _plan_opening(account, now=now)
    account.save_progress()
    return account


def _plan_opening(account: ConnectedAccount, *, now: datetime) -> None:
    if now < _known_until(account, now=now):
        account.ask(at=now)
    due = polling.next_patient(initiated_at=account.sent_at or now, now=now)
    known_until = _known_until(account, now=now)
    is_forgotten_then = now < known_until <= due
    account.next_query_at = looked_for_from(account, now=now) if is_forgotten_then else due


@transaction.atomic
def accept(*, account_id: UUID, ticket: Ticket, now: datetime) -> None:
    """
    Store what the provider calls the account that it opened, the first time, and ask how it stands. One that people had closed as
    not opened stays closed, and is marked and told of.
    """
    account = connected_accounts.locked(account_id)
    if account.is_looked_for:
        _contradict(account, ticket, now=now)
    if account.status not in ASKED_STATES:
        return
    account.open(ticket=ticket.value, at=now)
    account.save_progress()
    _ask_nobody_more(account, now=now)
    outbox.publish(events.about_account(events.ACCOUNT_OPENED, account), now=now)
    jobs.enqueue("disbursements.follow_account", account_id=account.id)


@transaction.atomic
def record(*, account_id: UUID, report: ConnectReport, now: datetime) -> None:
    """Record how the provider says that an account stands; what it said before changes nothing."""
    account = connected_accounts.locked(account_id)
    if account.status not in OPENED_STATES:
        return
    before = (account.status, list(account.needs), account.due_by)
    if report.status is ConnectStatus.CLOSED:
        account.close(at=now)
    else:
        STANDINGS[report.status](account)
    account.needs = [need[:NEED_LENGTH] for need in report.needs]
    account.due_by = report.due_by
    if before != (account.status, account.needs, account.due_by):
        account.changed_at = now
        is_closed = account.status == ConnectedStatus.CLOSED
        told = events.ACCOUNT_CLOSED if is_closed else events.ACCOUNT_UPDATED
        outbox.publish(events.about_account(told, account), now=now)
    account.save_progress()


STANDINGS = {
    ConnectStatus.PENDING: ConnectedAccount.wait,
    ConnectStatus.ENABLED: ConnectedAccount.enable,
    ConnectStatus.RESTRICTED: ConnectedAccount.restrict,
}


def _found(account: ConnectedAccount, ticket: Ticket | None, *, now: datetime) -> None:
    """Take over what the provider's list has; end the request where the whole list has nothing."""
    if ticket is not None:
        accept(account_id=account.id, ticket=ticket, now=now)
        return
    with transaction.atomic():
        account = connected_accounts.locked(account.id)
        if account.status in ASKED_STATES:
            _fail(account, ProviderDeclined("not_found", NOT_OPENED), now=now)
        elif account.is_looked_for:
            account.next_query_at = None  # the list says what people said
            account.save_progress()


@transaction.atomic
def _unanswered(account_id: UUID, refusal: ProviderError, *, now: datetime) -> None:
    """
    Close a request that the provider refused; say of one that it may have carried out that nobody knows.

    Once it was sent again under its code, only the first answer given again is believed (``is_replayed``): the other sending may
    have been carried out.
    """
    account = connected_accounts.locked(account_id)
    if account.status not in ASKED_STATES:
        return
    is_only = account.repeated_at is None and now < _known_until(account, now=now)
    if is_only and isinstance(refusal, ProviderUnavailable):
        account.sent_at = None  # it never left
        account.save_progress()
    elif isinstance(refusal, ProviderDeclined) and (is_only or refusal.is_replayed):
        _fail(account, refusal, now=now)
    else:
        _lose(account, refusal, now=now)


def _lose(account: ConnectedAccount, refusal: ProviderError, *, now: datetime) -> None:
    """Say that nobody knows whether it was opened, the first time to partners too, and what stands in the way of knowing."""
    is_first = account.status == ConnectedStatus.REQUESTED
    account.lose(code=refusal.code, message=refusal.message, provider_code=refusal.provider_code)
    account.save_progress()
    if is_first:
        outbox.publish(events.about_account(events.ACCOUNT_UNKNOWN, account), now=now)


def _fail(account: ConnectedAccount, refusal: ProviderError, *, now: datetime) -> None:
    account.fail(code=refusal.code, message=refusal.message, provider_code=refusal.provider_code, at=now)
    account.save_progress()
    outbox.publish(events.about_account(events.ACCOUNT_FAILED, account), now=now)
    _ask_nobody_more(account, now=now)


def _ask_nobody_more(account: ConnectedAccount, *, now: datetime) -> None:
    """Call off what other people are asked about an opening whose provider has answered, and drop what was said of it."""
    if account.verdict_approval_id is not None:
        requests.call_off(request_id=account.verdict_approval_id, reason=ANSWERED, now=now)
        account.unsay()
        account.save_progress()


def _contradict(account: ConnectedAccount, ticket: Ticket, *, now: datetime) -> None:
    """Keep the id of an account that the provider has although people had agreed that it opened none, and tell of it, once."""
    account.find(ticket=ticket.value)
    account.save_progress()
    records.write(
        action="connected_account.verdict_contradicted",
        object_type=events.CONNECTED_ACCOUNT,
        object_id=ids.encode("ca", account.id),
        actor=PROVIDER,
        now=now,
        changes={"provider_reference": [None, account.ticket]},
        reason=account.verdict_reason,
        branch=account.branch_id,
        approval=account.verdict_approval_id,
    )
    outbox.publish(events.about_account(events.ACCOUNT_FOUND, account), now=now)

"""Balances: a provider is asked what it holds in an account, and what it answers is kept beside the books."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.audit.services import records
from apps.integrations.contracts import CallbackStatus, StoredCallback
from apps.integrations.models import ProviderAccount, ProviderBalanceReading
from apps.integrations.ports import BalanceReport, MalformedCallback, NamedBalance, ProviderError
from apps.integrations.selectors import accounts as stored_accounts
from apps.integrations.services import callbacks, hooks, providers
from apps.integrations.services.accounts import OBJECT_TYPE
from apps.kit import http, jobs, logs
from apps.kit.actors import Actor

RESULT = "balance"
TIMEOUT = "balance-timeout"
KINDS = frozenset({RESULT, TIMEOUT})
"""The kinds of address at which a provider says what it holds; they bear the account's own token."""
LONGEST_TICKET = 120

log = logs.get(__name__)


@transaction.atomic
def ask(*, account_id: UUID, actor: Actor, now: datetime) -> ProviderAccount:
    """Have a provider asked what it holds in an account, after the commit. Raises ProviderAccountMissing."""
    account = stored_accounts.get(account_id)
    records.write(
        action="provider_account.ask_balance",
        object_type=OBJECT_TYPE,
        object_id=str(account.id),
        actor=actor,
        now=now,
        changes={},
    )
    jobs.enqueue("integrations.ask_balance", account_id=account.id)
    return account


def watch() -> None:
    """Start one job for each account of this organisation whose balance is watched."""
    for account_id in stored_accounts.watched_ids():
        jobs.enqueue("integrations.ask_balance", account_id=account_id)


def request(*, account_id: UUID, now: datetime) -> None:
    """
    Ask the provider; the answer comes to the account's own address. A refusal is logged: the next question is due soon.

    Calls the provider, and refuses to do so inside a transaction.
    """
    account = stored_accounts.get(account_id)
    token = account.callback_token
    try:
        providers.balance(account.id, now=now).request(
            callback_url=hooks.address(token=token, kind=RESULT),
            timeout_url=hooks.address(token=token, kind=TIMEOUT),
        )
    except ProviderError as error:
        log.warning("balance_unanswered", account_id=str(account.id), code=error.code)


@transaction.atomic
def take(*, callback_id: UUID, now: datetime) -> None:
    """
    Read what a provider says that it holds, with the mark of its callback, in one transaction.

    A token that no account has was never told to anybody: FORGED. The same answer twice is one reading.
    """
    stored = callbacks.get(callback_id)
    account = stored_accounts.of_token(stored.token)
    if account is None:
        callbacks.mark(stored.id, CallbackStatus.FORGED, "No account has this token.", now=now)
        return
    try:
        report = providers.balance(account.id, now=now).read_result(_payload(stored))
    except MalformedCallback as error:
        callbacks.mark(stored.id, CallbackStatus.MALFORMED, str(error), now=now)
        return
    if not report.balances:
        note = f"{report.reason_code}: {report.message}"
        callbacks.mark(stored.id, CallbackStatus.APPLIED, note, now=now)
        return
    _, is_new = ProviderBalanceReading.objects.get_or_create(
        account=account,
        ticket=report.ticket[:LONGEST_TICKET],
        defaults={**_sums(report), "callback_id": stored.id, "told_at": report.told_at, "read_at": now},
    )
    verdict = CallbackStatus.APPLIED if is_new else CallbackStatus.DUPLICATE
    callbacks.mark(stored.id, verdict, now=now)


def _sums(report: BalanceReport) -> Mapping[str, object]:
    total = sum((purse.current for purse in report.balances[1:]), report.balances[0].current)
    purses = [_plain(purse) for purse in report.balances]
    return {"total_minor": total.minor, "currency": total.currency, "purses": purses}


def _plain(purse: NamedBalance) -> Mapping[str, object]:
    return {"name": purse.name, "current": purse.current.text, "available": purse.available.text}


def _payload(stored: StoredCallback) -> Mapping[str, object]:
    try:
        payload = http.parse_json(stored.body)
    except ValueError as error:
        raise MalformedCallback(str(error)) from error
    if not isinstance(payload, Mapping):
        raise MalformedCallback("The body is no JSON object.")
    return payload

"""Checks: a provider asks whether money may come in, and is answered at once, by whoever knows or by the account's default."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils.module_loading import import_string

from apps.integrations.contracts import CallbackStatus, StoredCallback
from apps.integrations.models import ProviderAccount
from apps.integrations.ports import (
    InboundCheck,
    InboundReport,
    MalformedCallback,
)
from apps.integrations.selectors import accounts as stored_accounts
from apps.integrations.services import callbacks, providers
from apps.integrations.services.registrations import CHECK
from apps.kit import http, logs
from apps.kit.errors import DomainError
from apps.kit.patience import long_statements

BUDGET = "1500ms"
"""For each statement of a decision: the provider waits eight seconds for the whole answer."""

log = logs.get(__name__)

type Decide = Callable[..., InboundCheck]


def answer(
    *, token: str, body: bytes, headers: Mapping[str, str], remote_ip: str, now: datetime
) -> Mapping[str, Any]:
    """
    Keep a check as it came, decide, and return the body of the answer; nothing for a token that no account has.

    Who decides is named in TREASURY["INBOUND_CHECK"]. Where nobody is, where the check cannot be read or the decision
    fails, the account's default answers: it is what the provider does, too, where no answer comes. No check books anything.
    """
    stored = callbacks.store(
        token=token,
        kind=CHECK,
        body=body,
        headers=headers,
        remote_ip=remote_ip,
        now=now,
        is_announced=False,
    )
    account = stored_accounts.of_token(token)
    if account is None:
        callbacks.mark(stored.id, CallbackStatus.FORGED, "No account has this token.", now=now)
        return {}
    port = providers.inbound(account.id, now=now)
    try:
        report = port.read_notice(_payload(stored))
    except ValueError as error:
        check = _default(account)
        callbacks.mark(stored.id, CallbackStatus.MALFORMED, f"Answered {check} by default: {error}", now=now)
        return port.check_answer(check, stored.id.hex)
    check, note = _decided(account, report, now)
    callbacks.mark(stored.id, CallbackStatus.APPLIED, note, now=now)
    return port.check_answer(check, stored.id.hex)


def _decided(account: ProviderAccount, report: InboundReport, now: datetime) -> tuple[InboundCheck, str]:
    path = settings.TREASURY["INBOUND_CHECK"]
    if not path:
        return _default(account), f"Answered {_default(account)} by default."
    decide: Decide = import_string(path)
    try:
        with transaction.atomic(), long_statements(BUDGET):
            check = decide(account_id=account.id, report=report, now=now)
    except (DomainError, DatabaseError) as error:
        log.exception("check_undecided", account_id=str(account.id), receipt=report.receipt)
        return _default(account), f"Answered {_default(account)} by default: {type(error).__name__}."
    return check, f"Answered {check}."


def _default(account: ProviderAccount) -> InboundCheck:
    return InboundCheck.ACCEPT if account.is_accepted_by_default else InboundCheck.OTHER


def _payload(stored: StoredCallback) -> Mapping[str, object]:
    payload = http.parse_json(stored.body)
    if not isinstance(payload, Mapping):
        raise MalformedCallback("The body is no JSON object.")
    return payload

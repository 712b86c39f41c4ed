"""Callbacks that come unasked to an account's own address: money that its payers sent of themselves."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from apps.integrations.contracts import CallbackStatus, StoredCallback
from apps.integrations.ports import MalformedCallback, ProviderDeclined
from apps.integrations.selectors import accounts
from apps.integrations.services import callbacks as inbox
from apps.integrations.services import providers, registrations
from apps.kit import http
from apps.kit.actors import PROVIDER
from apps.payments.contracts import InboundSource, Recorded
from apps.payments.services import inbound_receipts
from apps.payments.services.reports import MoneyUnexplained, ReportContradicts

if TYPE_CHECKING:
    from apps.integrations.models import ProviderAccount

VERDICTS = {
    Recorded.APPLIED: CallbackStatus.APPLIED,
    Recorded.DUPLICATE: CallbackStatus.DUPLICATE,
    Recorded.IGNORED: CallbackStatus.IGNORED,
}


@transaction.atomic
def apply(stored: StoredCallback, *, now: datetime) -> None:
    """Record what an account was told unasked, with the mark of the callback; see ``callbacks.apply``."""
    account = accounts.of_token(stored.token)
    if account is None:
        inbox.mark(stored.id, CallbackStatus.FORGED, "Nothing was asked for with this token.", now=now)
    elif stored.kind == registrations.NOTICE:
        _confirm(stored, account, now=now)
    else:
        inbox.mark(stored.id, CallbackStatus.IGNORED, "Nothing is read from this address.", now=now)


def payload(stored: StoredCallback) -> Mapping[str, object]:
    """Return the object of the body; what is no JSON is a ValueError."""
    found = http.parse_json(stored.body)
    if not isinstance(found, Mapping):
        raise MalformedCallback("The body is no JSON object.")
    return found


def _confirm(stored: StoredCallback, account: "ProviderAccount", *, now: datetime) -> None:
    try:
        port = providers.inbound(account.id, now=now)
        notice = port.read_notice(payload(stored))
    except (ProviderDeclined, ValueError) as error:
        inbox.mark(stored.id, CallbackStatus.MALFORMED, str(error), now=now)
        return
    try:
        recorded, inbound = inbound_receipts.record(
            account_id=account.id,
            notice=notice,
            phone=port.read_payer(notice.payer).phone,
            source=InboundSource.CONFIRMATION,
            actor=PROVIDER,
            now=now,
        )
    except MoneyUnexplained as unexplained:
        inbound_receipts.call_for_people(account_id=account.id, receipt=notice.receipt, now=now)
        inbox.mark(stored.id, CallbackStatus.UNMATCHED, unexplained.detail, now=now)
        return
    except ReportContradicts as contradiction:
        inbox.mark(stored.id, CallbackStatus.FORGED, contradiction.detail, now=now)
        return
    note = inbound.reason if inbound.is_waiting else ""
    inbox.mark(stored.id, VERDICTS[recorded], note, now=now, subject_id=inbound.attempt_id or inbound.id)

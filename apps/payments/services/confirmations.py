"""Confirmations: the provider is asked about large money that came unasked, before it is believed."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.audit.services import records
from apps.events.services import outbox
from apps.integrations.ports import CollectionReport, Outcome, ProviderError, ProviderHeldBack, StatusRequest
from apps.integrations.services import hooks, providers
from apps.kit import ids, jobs, logs
from apps.kit.actors import PROVIDER, Actor
from apps.payments import events
from apps.payments.contracts import Recorded
from apps.payments.models import InboundReceipt, PaymentAttempt
from apps.payments.models.inbound import DENIED, REASON_LENGTH
from apps.payments.services import attempts, inbound_receipts, polling
from apps.payments.services.reports import MoneyUnexplained
from apps.payments.services.resolutions import NotWaiting

ASKED_AGAIN = tuple(timedelta(minutes=minutes) for minutes in (2, 10, 60, 360))
ANSWERED_WITHIN = timedelta(minutes=10)
"""For how long an answer to the last question is waited for."""
SILENT = "The provider has not confirmed this money, however often it was asked."

logger = logs.get(__name__)


def ask(*, inbound_id: UUID, now: datetime) -> None:
    """
    Ask the provider whether money has come, where that is due; its answer is a callback of kind ``status``.

    It is asked again after two minutes, ten, an hour and six, and then by a person only, who is told once no answer has come
    ten minutes later. A provider that does not take the question changes nothing, and what our own gate keeps back counts
    as no question. Money that an attempt has in another sum is left to people.
    """
    try:
        inbound = _claim(inbound_id, now=now)
    except MoneyUnexplained as unexplained:
        leave_to_people(inbound_id=inbound_id, reason=unexplained.detail, now=now)
        return
    if inbound is None:
        return
    address = hooks.address(token=inbound.callback_token or "", kind=attempts.STATUS)
    question = StatusRequest(receipt=inbound.receipt, callback_url=address)
    try:
        providers.status(inbound.provider_account_id, now=now, subject_id=inbound.id).request_status(question)
    except ProviderHeldBack:
        _put_off(inbound_id, now=now)
    except ProviderError as refusal:
        logger.warning("confirmation_unanswered", inbound_id=str(inbound_id), code=refusal.code)


@transaction.atomic
def record(*, inbound_id: UUID, report: CollectionReport, now: datetime) -> Recorded:
    """
    Record what the provider says of money that is to be confirmed: it is booked once receipt and sum are confirmed.

    An answer that leaves it open changes nothing, and one that says otherwise is noted and left to people: nothing of it is
    booked. Money that has been confirmed is confirmed once. Raises MoneyUnexplained where an attempt is booked under its
    receipt with another sum; that is for ``leave_to_people``.
    """
    inbound = inbound_receipts.lock(inbound_id)
    if not inbound.is_unconfirmed:
        return Recorded.DUPLICATE
    if report.outcome is Outcome.PENDING or report.receipt not in ("", inbound.receipt):
        return Recorded.IGNORED
    if report.outcome is not Outcome.COLLECTED or report.money != inbound.money:
        said = report.money or report.reason_code
        _end(inbound, reason=DENIED % said, now=now)
        return Recorded.APPLIED
    inbound_receipts.place(inbound, phone=_phone(inbound, now=now), actor=PROVIDER, now=now)
    return Recorded.APPLIED


@transaction.atomic
def leave_to_people(*, inbound_id: UUID, reason: str, now: datetime) -> None:
    """Ask no more about money that an attempt has in another sum: people look at both, and nothing is booked."""
    inbound = inbound_receipts.lock(inbound_id)
    if not inbound.is_unconfirmed:
        return
    _end(inbound, reason=reason, now=now)
    inbound_receipts.call_for_people(account_id=inbound.provider_account_id, receipt=inbound.receipt, now=now)


@transaction.atomic
def ask_again(*, inbound_id: UUID, reason: str, actor: Actor, now: datetime) -> InboundReceipt:
    """Have the provider asked anew, from the beginning of the plan. Raises NotFound, and NotWaiting for what is decided."""
    inbound = inbound_receipts.lock(inbound_id)
    if not inbound.is_unconfirmed:
        raise NotWaiting("This money waits for no confirmation.")
    inbound.confirm_tries = 0
    inbound.next_confirm_at = now
    inbound.save_progress()
    records.write(
        action="money.confirmation_asked",
        object_type=events.INBOUND_AGGREGATE,
        object_id=ids.encode("ir", inbound.id),
        actor=actor,
        now=now,
        changes={"amount": [None, inbound.money.wire()]},
        reason=reason,
        branch=inbound.branch_id,
    )
    jobs.enqueue("payments.confirm_money", inbound_id=inbound.id)
    return inbound


@transaction.atomic
def _claim(inbound_id: UUID, *, now: datetime) -> InboundReceipt | None:
    """Take the question that is due and plan the next one; what an attempt was told of since needs none."""
    inbound = inbound_receipts.lock(inbound_id)
    if not inbound.is_unconfirmed or inbound.next_confirm_at is None or inbound.next_confirm_at > now:
        return None
    if PaymentAttempt.objects.bearing(inbound.receipt, provider=inbound.provider).exists():
        inbound_receipts.place(inbound, phone="", actor=PROVIDER, now=now)
        return None
    tries = inbound.confirm_tries
    if tries > len(ASKED_AGAIN):
        _end(inbound, reason=SILENT, now=now)
        return None
    inbound.confirm_tries = tries + 1
    inbound.next_confirm_at = now + (ASKED_AGAIN[tries] if tries < len(ASKED_AGAIN) else ANSWERED_WITHIN)
    inbound.save_progress()
    return inbound


def _end(inbound: InboundReceipt, *, reason: str, now: datetime) -> None:
    """Ask no more by ourselves, and say so: a person looks at it."""
    inbound.reason = reason[:REASON_LENGTH]
    inbound.next_confirm_at = None
    inbound.save_progress()
    outbox.publish(events.about_money(events.MONEY_UNCONFIRMED, inbound), now=now)


@transaction.atomic
def _put_off(inbound_id: UUID, *, now: datetime) -> None:
    inbound = inbound_receipts.lock(inbound_id)
    if inbound.is_unconfirmed:
        inbound.confirm_tries = max(0, inbound.confirm_tries - 1)
        inbound.next_confirm_at = now + polling.PAUSE
        inbound.save_progress()


def _phone(inbound: InboundReceipt, *, now: datetime) -> str:
    return providers.inbound(inbound.provider_account_id, now=now).read_payer(inbound.payer).phone

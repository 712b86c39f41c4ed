"""What a provider is asked of refunds: the order of one, the same however often it is sent, and what became of it."""

from datetime import datetime
from uuid import UUID

from apps.integrations.ports import (
    ProviderDeclined,
    ProviderError,
    ProviderHeldBack,
    RefundQueryPort,
    RefundReport,
    RefundRequest,
    StatusRequest,
)
from apps.integrations.services import hooks, providers
from apps.kit import jobs
from apps.payments.models import Refund
from apps.payments.services import polling, sendings

NOT_MADE = "The provider has no such refund and no longer knows the request: nothing went back."


def of(refund: Refund) -> RefundRequest:
    """Return what a provider is asked for: the same each time, for one that compares a repeated request with the first."""
    return RefundRequest(
        money=refund.money,
        receipt=refund.payment_receipt,
        ticket=refund.attempt.ticket,
        code=refund.attempt.code,
        number=refund.number,
        callback_url=hooks.address(token=refund.callback_token, kind=sendings.RESULT),
        timeout_url=hooks.address(token=refund.callback_token, kind=sendings.TIMEOUT),
    )


def repeat(*, refund_id: UUID, now: datetime) -> None:
    """
    Send once more what was sent and not answered, where that is due and the provider gives its first answer again.

    Only that one ends the refund: what refuses this sending for itself says nothing of the first one. What the provider no longer
    knows by its number is looked for among what went back of the payment, where it lists that.
    """
    refund = sendings.claim_repeat(refund_id=refund_id, now=now)
    if refund is None:
        return
    if not sendings.is_known(refund, now=now):
        _search(refund, now=now)
        return
    try:
        ticket = providers.refund(refund.provider_account_id, now=now, subject_id=refund.id).request(
            of(refund)
        )
    except ProviderHeldBack as refusal:
        sendings.put_off_query(refund_id=refund.id, refusal=refusal, now=now)
    except ProviderError as refusal:
        if isinstance(refusal, ProviderDeclined) and refusal.is_replayed:
            sendings.decline(refund_id=refund.id, refusal=refusal, now=now)
        else:
            sendings.log_refusal("refund_repetition_unanswered", refund, refusal)
    else:
        sendings.accept(refund_id=refund.id, ticket=ticket, now=now)


def _search(refund: Refund, *, now: datetime) -> None:
    """Look for a refund of which nothing can come any more: what is not in the provider's list has not gone back."""
    try:
        port = providers.refund_search(refund.provider_account_id, now=now, subject_id=refund.id)
        ticket = port.find(of(refund))
    except ProviderHeldBack as refusal:
        sendings.put_off_query(refund_id=refund.id, refusal=refusal, now=now)
    except ProviderError as refusal:
        sendings.log_refusal("refund_search_unanswered", refund, refusal)
    else:
        if ticket is not None:
            sendings.accept(refund_id=refund.id, ticket=ticket, now=now)
        else:
            unmade = ProviderDeclined("not_found", NOT_MADE, is_replayed=True)
            sendings.decline(refund_id=refund.id, refusal=unmade, now=now)


def ask(refund: Refund, *, now: datetime, ticket: str = "", receipt: str = "") -> RefundReport | None:
    """
    Ask the provider about a refund, by its ticket or by a receipt, and return what it says, where it answers at once.

    Else the answer comes as a callback of kind ``refund-status``. A provider that does not take the question changes nothing.
    """
    try:
        if ticket and providers.offers(refund.provider, RefundQueryPort):
            return providers.refund_query(refund.provider_account_id, now=now, subject_id=refund.id).query(
                ticket
            )
        question = StatusRequest(
            ticket=ticket,
            receipt=receipt,
            callback_url=hooks.address(token=refund.callback_token, kind=sendings.STATUS),
        )
        providers.status(refund.provider_account_id, now=now, subject_id=refund.id).request_status(question)
    except ProviderHeldBack as refusal:
        if ticket:
            sendings.put_off_query(refund_id=refund.id, refusal=refusal, now=now)
        elif not polling.is_held_too_long(refund, now=now):
            pause = polling.PAUSE.total_seconds()
            jobs.enqueue("payments.request_refund_status", countdown=pause, refund_id=refund.id)
    except ProviderError as refusal:
        sendings.log_refusal("refund_status_unanswered", refund, refusal)
    return None

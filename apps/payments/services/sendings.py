"""Sendings of refunds: what is recorded before and after each talk with a provider, every step a transaction of its own."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.approvals.services import requests
from apps.events.services import outbox
from apps.integrations.ports import (
    ProviderDeclined,
    ProviderError,
    ProviderHeldBack,
    ProviderUnavailable,
    RefundQueryPort,
    RefundSearchPort,
    Ticket,
)
from apps.integrations.selectors import callbacks
from apps.integrations.services import providers
from apps.kit import errors, jobs, logs
from apps.payments import events
from apps.payments.contracts import RefundStatus
from apps.payments.models import Dispute, Refund
from apps.payments.models.refund import SENT_STATES
from apps.payments.services import attempts, polling, returns, suspense

RETRY_AFTER = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1800, 7200, 21600))
TRIES_MAX = len(RETRY_AFTER) + 1
WAKE_UP_MAX = timedelta(minutes=2)
CLOCK_SLACK = timedelta(seconds=1)
RESULT = "refund"
TIMEOUT = "refund-timeout"
STATUS = "refund-status"
DISPUTED = "payment_disputed"
DISPUTED_SINCE = "The payer disputed this payment before its refund was sent."
ANSWERED = "The provider has told what became of the refund."
ACCEPTABLE_STATES = {RefundStatus.SENDING, RefundStatus.UNKNOWN}
LOSABLE_STATES = {RefundStatus.SENDING, RefundStatus.PENDING}

logger = logs.get(__name__)


def locked(refund_id: UUID) -> Refund:
    """
    Lock the receipt of a refund, its attempt, its intent, then the refund, and return it with both linked; inside a
    transaction.

    Raises NotFound.
    """
    found = Refund.objects.filter(id=refund_id).first()
    if found is None:
        raise errors.NotFound("There is no such refund.")
    suspense.only(found.payment_receipt)
    attempt = attempts.locked(found.attempt_id)
    refund = Refund.objects.locked().select_related("provider_account").get(id=refund_id)
    refund.attempt = attempt
    refund.intent = attempt.intent
    return refund


@transaction.atomic
def begin(*, refund_id: UUID, now: datetime) -> Refund | None:
    """
    Commit that a refund is being sent, before anything is.

    Returns None when nothing is due: it has ended, waits for its approval or its next try, or an earlier delivery of
    the same job has begun it. One whose payment was disputed since it was asked for fails: it would pay its payer twice.
    """
    refund = locked(refund_id)
    if refund.next_request_at is None or refund.next_request_at > now + CLOCK_SLACK:
        return None
    if Dispute.objects.against_refunds().filter(attempt_id=refund.attempt_id).exists():
        close(refund, refusal=ProviderDeclined(DISPUTED, DISPUTED_SINCE), now=now)
        return None
    refund.begin(at=now)
    refund.save_progress()
    return refund


@transaction.atomic
def accept(*, refund_id: UUID, ticket: Ticket, now: datetime) -> None:
    """Store the provider's handle; a report that came before this answer has the last word on the state."""
    refund = locked(refund_id)
    if refund.ticket and refund.ticket != ticket.value:
        logger.error("refund_ticket_contradicts_report", refund_id=str(refund.id))
        return
    refund.ticket = ticket.value
    refund.initiated_at = refund.initiated_at or now
    answers_at_once = providers.offers(refund.provider, RefundQueryPort)
    if refund.status in ACCEPTABLE_STATES:
        planned = polling.next_query(initiated_at=refund.initiated_at, now=now)
        refund.accept(next_query_at=now if answers_at_once else planned)
    refund.save_progress()
    if answers_at_once:
        jobs.enqueue("payments.query_refund", refund_id=refund.id)


@transaction.atomic
def decline(*, refund_id: UUID, refusal: ProviderDeclined, now: datetime) -> None:
    """
    Close a refund that the provider refused at once; it is final. Once the request was sent again under its number, only the first
    answer given again (``is_replayed``) is: the other sending may have been carried out.
    """
    refund = locked(refund_id)
    if refund.status in SENT_STATES and (refund.repeated_at is None or refusal.is_replayed):
        close(refund, refusal=refusal, now=now)


@transaction.atomic
def put_off(*, refund_id: UUID, refusal: ProviderUnavailable, now: datetime) -> None:
    """
    Try a refund that never left again, for nobody waits at a till: soon at first, then over hours.

    It fails with the provider's reason after the eighth try. What our own gate kept back is no try, and waits for the gate.
    The sweep finds what is due later than a wake-up keeps. That this sending never left says nothing of a request that was sent
    again meanwhile under its number.
    """
    refund = locked(refund_id)
    if refund.repeated_at is not None:
        return
    if refund.status == RefundStatus.UNKNOWN and not refund.ticket:
        # The sweep gave it up while its worker still waited: now we know.
        close(refund, refusal=refusal, now=now)
        return
    if refund.status != RefundStatus.SENDING:
        return
    is_try = not isinstance(refusal, ProviderHeldBack)
    if is_try and refund.tries >= TRIES_MAX:
        close(refund, refusal=refusal, now=now)
        return
    delay = _delay(refund, refusal)
    refund.put_off(at=now, after=delay, is_try=is_try)
    refund.save_progress()
    if delay <= WAKE_UP_MAX:
        jobs.enqueue("payments.request_refund", countdown=delay.total_seconds(), refund_id=refund.id)


def _delay(refund: Refund, refusal: ProviderUnavailable) -> timedelta:
    if isinstance(refusal, ProviderHeldBack):
        return max(refusal.pause, polling.PAUSE)
    return refusal.retry_after or RETRY_AFTER[refund.tries - 1]


@transaction.atomic
def lose(*, refund_id: UUID, now: datetime) -> None:
    """
    Say plainly that nobody knows what became of the request: the money may be gone. It is not sent again, but where the
    provider knows a repeated request by its number.
    """
    refund = locked(refund_id)
    if refund.status in LOSABLE_STATES:
        refund.next_query_at = None if refund.ticket else _next_repeat(refund, now=now)
        give_up(refund, now=now)


def give_up(refund: Refund, *, now: datetime) -> None:
    """Turn a refund UNKNOWN and say so; the caller holds its lock."""
    refund.lose(at=now)
    refund.save_progress()
    outbox.publish(events.about_refund(events.REFUND_UNKNOWN, refund), now=now)


def close(refund: Refund, *, refusal: ProviderError, now: datetime) -> None:
    """Fail a refund: the money stays with the collection, or waits again. The caller holds the locks."""
    refund.fail(code=refusal.code, message=refusal.message, provider_code=refusal.provider_code, at=now)
    refund.save_progress()
    release(refund, now=now)
    outbox.publish(events.about_refund(events.REFUND_FAILED, refund), now=now)
    returns.wait_again(refund, reason=refusal.message, now=now)


def release(refund: Refund, *, now: datetime) -> None:
    """
    Let go of the money that a refund held which ends, and ask nobody any more what became of it; the caller holds the locks.
    """
    if refund.verdict_approval_id is not None and refund.judged_at is None:
        requests.call_off(request_id=refund.verdict_approval_id, reason=ANSWERED, now=now)
    refund.attempt.release_refund(refund.money)
    refund.attempt.save_progress()


@transaction.atomic
def claim_query(*, refund_id: UUID, now: datetime) -> Refund | None:
    """
    Take the question that is due and plan the next one; None when nothing is due, there is no ticket to ask for, or the answer has
    come and is about to be read.

    Where the answer comes as a callback, a claim after the plan's end finds that none did, and the refund becomes UNKNOWN. A
    rail that answers at once is asked until it says how the refund ended, and for a month after that: its money may come back.
    """
    refund = locked(refund_id)
    is_open = refund.status in SENT_STATES or (may_come_back(refund) and refund.next_query_at is not None)
    if not is_open or not refund.ticket or not polling.is_due(refund, now=now):
        return None
    if callbacks.is_unread(refund.callback_token, now=now):
        return None
    if providers.offers(refund.provider, RefundQueryPort):
        refund.next_query_at = _next_at_once(refund, now=now)
        refund.query_started_at = None
        refund.save_progress()
        return refund
    is_losable = refund.status in LOSABLE_STATES
    if is_losable and polling.is_used_up(refund):
        lose(refund_id=refund_id, now=now)
        return None
    polling.advance(refund, may_be_lost=is_losable, now=now)
    refund.save_progress()
    return refund


def _next_at_once(refund: Refund, *, now: datetime) -> datetime | None:
    """Return when a rail that answers at once is asked next."""
    if refund.is_refunded and refund.refunded_at is not None:
        return polling.next_after_success(succeeded_at=refund.refunded_at, now=now)
    return polling.next_patient(initiated_at=refund.initiated_at or now, now=now)


def look_after(refund: Refund, *, now: datetime) -> None:
    """
    Plan to ask whether the money of a refund that has just succeeded comes back, where the rail tells and there is a ticket to ask
    by; the caller saves it.
    """
    if refund.ticket and may_come_back(refund):
        refund.next_query_at = _next_at_once(refund, now=now)


def may_come_back(refund: Refund) -> bool:
    """Say whether a refund that succeeded is of a rail that may say later that its money did not arrive."""
    return refund.is_refunded and providers.offers(refund.provider, RefundQueryPort)


@transaction.atomic
def claim_repeat(*, refund_id: UUID, now: datetime) -> Refund | None:
    """
    Take the repetition that is due of a request whose answer never came, and plan the next one. What the provider no longer knows
    (see ``is_known``) is looked for instead, where its rail can.

    None where none is due, the provider has answered since, or nothing can be done any more.
    """
    refund = locked(refund_id)
    is_open = refund.status == RefundStatus.UNKNOWN and not refund.ticket
    if not is_open or refund.next_query_at is None or refund.next_query_at > now:
        return None
    is_repeated = is_known(refund, now=now)
    refund.next_query_at = _next_repeat(refund, now=now)
    refund.query_started_at = None
    if is_repeated:
        refund.repeated_at = refund.repeated_at or now
    refund.save_progress()
    return refund if is_repeated or providers.offers(refund.provider, RefundSearchPort) else None


def _next_repeat(refund: Refund, *, now: datetime) -> datetime | None:
    """
    Return when to send again under the same number: at ever longer distances, as long as the provider knows it; when to look for
    it then, where the rail can.
    """
    known_until = _known_until(refund)
    due = polling.next_repeat(since=refund.sent_at or now, known_until=known_until, now=now)
    if due is not None or not providers.offers(refund.provider, RefundSearchPort):
        return due
    return max(known_until + attempts.FORGOTTEN_AFTER, now + polling.ASKED_AT_LEAST_EVERY / 6)


def is_known(refund: Refund, *, now: datetime) -> bool:
    """Say whether the provider still knows the request of a refund by its number."""
    return now < _known_until(refund)


def _known_until(refund: Refund) -> datetime:
    terms = providers.refund_terms(refund.provider)
    since = refund.sent_at or refund.created_at
    return since + terms.repeat_within if terms else since


@transaction.atomic
def put_off_query(*, refund_id: UUID, refusal: ProviderHeldBack, now: datetime) -> None:
    """Ask later what our own gate kept back: it was no question, so nothing is given up for it. What has ended meanwhile is not asked."""
    refund = locked(refund_id)
    if refund.status not in SENT_STATES and not may_come_back(refund):
        return
    if providers.offers(refund.provider, RefundQueryPort):
        refund.next_query_at = now + max(refusal.pause, polling.PAUSE)
        refund.save_progress()
    elif refund.ticket:
        is_losable = refund.status in LOSABLE_STATES
        polling.put_off(refund, pause=refusal.pause, may_be_lost=is_losable, now=now)
        refund.save_progress()


def log_refusal(event: str, refund: Refund, refusal: ProviderError) -> None:
    """Log that a provider did not answer as asked; codes only, no payer."""
    logger.warning(event, refund_id=str(refund.id), code=refusal.code, provider_code=refusal.provider_code)

"""Attempts: what is recorded before and after each talk with a provider, every step a transaction of its own."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from apps.events.contracts import NewEvent
from apps.events.services import outbox
from apps.integrations.contracts import ProviderAccountMissing
from apps.integrations.ports import (
    HELD_BACK,
    CapturePort,
    ProviderDeclined,
    ProviderError,
    ProviderHeldBack,
    ProviderUnavailable,
    Ticket,
)
from apps.integrations.selectors import callbacks, circuits
from apps.integrations.services import providers
from apps.kit import errors, faults, ids, jobs, logs
from apps.kit.actors import SYSTEM
from apps.kit.compiled import Compiled, Inserted, Read
from apps.kit.money import Money
from apps.payments import events
from apps.payments.contracts import AttemptStatus, IntentStatus
from apps.payments.models import PaymentAttempt, PaymentIntent
from apps.payments.models.attempt import NOT_SENT
from apps.payments.services import (
    pay_links,
    payables,
    polling,
    retries,
    routing,
    saved_charges,
    verdict_answers,
)

if TYPE_CHECKING:
    from apps.integrations.models import ProviderAccount

CLOCK_SLACK = timedelta(seconds=1)
COMPLETED_WITHIN = timedelta(days=1)
"""For how long a provider that tells its own fee is asked for it, once the money is booked."""
FORGOTTEN_AFTER = timedelta(hours=1)
"""How long after the provider has forgotten a request nothing comes of it any more."""
COLLECTION = "collection"
STATUS = "status"
ACCEPTABLE_STATES = {AttemptStatus.SENDING, AttemptStatus.UNKNOWN}
LOSABLE_STATES = {AttemptStatus.SENDING, AttemptStatus.PENDING, AttemptStatus.ACTION_REQUIRED}

logger = logs.get(__name__)


class InvalidState(errors.DomainError):
    """The payment or refund is in a state from which this is not possible."""

    code = "invalid_state_transition"
    title = "Not possible in this state"


_ATTEMPT = Compiled(
    lambda attempt_id: (
        PaymentAttempt.objects.locked().select_related("provider_account").filter(id=attempt_id)
    ),
    UUID,
)
_BEGUN = Inserted[PaymentAttempt]()
_LAST_NUMBER = Read(
    lambda intent_id: (
        PaymentAttempt.objects.filter(intent_id=intent_id).order_by("-number").values_list("number")[:1]
    ),
    UUID,
)
_INTENT = Compiled(lambda intent_id: PaymentIntent.objects.locked().filter(id=intent_id), UUID)


def locked(attempt_id: UUID) -> PaymentAttempt:
    """Lock an attempt, then its intent, and return the attempt with both linked; call it inside a transaction."""
    attempt = _ATTEMPT.one(attempt_id)
    attempt.intent = _INTENT.one(attempt.intent_id)
    if attempt.intent.current_attempt_id == attempt.id:
        attempt.intent.current_attempt = attempt
    faults.reach("payments.attempt_locked")
    return attempt


def begin(*, intent_id: UUID, now: datetime) -> PaymentAttempt | None:
    """
    Commit the row, token and code of a new attempt before anything is sent.

    Returns None when nothing is due: the intent is closed, or an earlier delivery of the same job has begun an
    attempt. An intent that no account can ask for fails with ``method_not_available``, one whose payable has been paid by another
    with ``already_paid``: nobody is asked for it twice; one whose saved method was forgotten with ``saved_method_not_active``.
    Which of several accounts are stopped is read while nothing is locked.
    """
    try:
        return _begun(intent_id, stopped=None, now=now)
    except routing.CircuitsUnread as unread:
        stopped = circuits.stopped_ids(unread.accounts, now=now)
    return _begun(intent_id, stopped=stopped, now=now)


@transaction.atomic
def _begun(intent_id: UUID, *, stopped: Collection[UUID] | None, now: datetime) -> PaymentAttempt | None:
    intent = _INTENT.one(intent_id)
    if (
        intent.status != IntentStatus.PROCESSING
        or intent.next_request_at is None
        or intent.next_request_at > now + CLOCK_SLACK
    ):
        return None
    if intent.saved_method_id is not None and not saved_charges.is_still_allowed(intent.saved_method_id):
        refusal = saved_charges.SavedMethodNotActive
        _end(intent, code=refusal.code, message=saved_charges.NOT_ACTIVE, now=now)
        return None
    try:
        routed = routing.choose(intent, stopped=stopped, now=now)
    except ProviderAccountMissing as missing:
        _end(intent, code="method_not_available", message=missing.detail, now=now)
        return None
    if payables.is_paid_otherwise(intent):
        _end(intent, code=payables.AlreadyPaid.code, message=payables.PAID_OTHERWISE, now=now)
        return None
    attempt = made(intent, account=routed.account, phone=intent.payer_phone, now=now)
    attempt.saved_method_id = intent.saved_method_id
    if attempt.asks_on_page:
        attempt.pay_page = pay_links.ensured(intent, actor=SYSTEM, now=now)
    _BEGUN.insert(attempt)
    routing.keep(attempt, routed.decision)
    intent.begin(attempt=attempt)
    intent.save_progress()
    return attempt


def _end(intent: PaymentIntent, *, code: str, message: str, now: datetime) -> None:
    """Close an intent whose payer is not to be asked."""
    intent.fail(code=code, message=message, at=now)
    intent.save_progress()
    outbox.publish(events.closed(intent), now=now)


def made(
    intent: PaymentIntent,
    *,
    account: "ProviderAccount",
    phone: str,
    now: datetime,
    part: Money | None = None,
) -> PaymentAttempt:
    """
    Return the next attempt of an intent that the caller has locked, not written yet; ``part`` is what it brings, where that is not
    the whole sum.
    """
    money = part or intent.money
    return PaymentAttempt(
        intent=intent,
        branch_id=intent.branch_id,
        application_id=intent.application_id,
        number=(_LAST_NUMBER.value(intent.id) or 0) + 1,
        provider=account.provider,
        provider_account=account,
        amount_minor=money.minor,
        currency=money.currency,
        phone=phone,
        email=intent.payer_email,
        is_captured=intent.is_captured,
        code=ids.code(),
        callback_token=ids.token(),
        created_at=now,
    )


@transaction.atomic
def accept(*, attempt_id: UUID, ticket: Ticket, now: datetime) -> None:
    """
    Store the provider's handle; a report that came before this answer has the last word on the state. Raises IntegrityError for one
    that another attempt at this account has: nothing is stored then, and nobody knows what became of the request.
    """
    attempt = locked(attempt_id)
    if attempt.ticket and attempt.ticket != ticket.value:
        logger.error("ticket_contradicts_report", attempt_id=str(attempt.id))
        return
    attempt.ticket = ticket.value
    if attempt.status in ACCEPTABLE_STATES:
        attempt.accept(ticket=ticket, next_query_at=polling.next_query(initiated_at=now, now=now))
        verdict_answers.heed(attempt, now=now)
        follow(attempt)
        if attempt.saved_method_id is not None:  # its bank or wallet has decided by now
            ask_soon(attempt, now=now)
        if providers.offers(attempt.provider, CapturePort) and not payables.is_wanted(attempt.intent):
            order(attempt, now=now)
    announced = initiation(attempt, now=now)
    attempt.save_progress()
    outbox.publish(*announced, now=now)


def initiation(attempt: PaymentAttempt, *, now: datetime) -> list[NewEvent]:
    """Mark that the provider has taken the request and return the event of it, the first time."""
    if attempt.initiated_at is not None:
        return []
    attempt.initiated_at = now
    return [events.about(events.INITIATED, attempt.intent)]


@transaction.atomic
def decline(*, attempt_id: UUID, refusal: ProviderDeclined, now: datetime) -> None:
    """
    Close an attempt that the provider refused at once; it is final. Once the request was sent again under its code, only the first
    answer given again (``is_replayed``) is: the other sending may have been carried out.
    """
    attempt = locked(attempt_id)
    if attempt.is_live and (attempt.repeated_at is None or refusal.is_replayed):
        closing = close(
            attempt,
            code=refusal.code,
            message=refusal.message,
            provider_code=refusal.provider_code,
            may_fall_back=refusal.may_fall_back,
            now=now,
        )
        outbox.publish(*closing, now=now)


@transaction.atomic
def withdraw(*, attempt_id: UUID, refusal: ProviderUnavailable, now: datetime) -> None:
    """
    Close an attempt that never left, and try again with a new one after 5 and 20 seconds, or as a rule says.

    The intent fails with the provider's reason after the third, and at once when somebody asked to cancel it. What our own
    gate kept back is no try: it waits for the gate, longer each time, and fails once a payer would wait no more. That this sending
    never left says nothing of a request that was sent again meanwhile under its code.
    """
    attempt = locked(attempt_id)
    if not attempt.is_live or attempt.repeated_at is not None:
        return
    intent = attempt.intent
    delay = retries.next_try(attempt, refusal, now=now)
    if delay is None:
        closing = close(
            attempt, code=refusal.code, message=refusal.message, provider_code=refusal.provider_code, now=now
        )
        outbox.publish(*closing, now=now)
        return
    code = HELD_BACK if isinstance(refusal, ProviderHeldBack) else NOT_SENT
    attempt.fail(code=code, message=refusal.message, provider_code=refusal.provider_code, at=now)
    attempt.save_progress()
    intent.retry(at=now, after=delay)
    intent.save_progress()
    jobs.enqueue("payments.request_collection", countdown=delay.total_seconds(), intent_id=intent.id)


@transaction.atomic
def lose(*, attempt_id: UUID, now: datetime) -> None:
    """
    Say plainly that nobody knows what became of the request: money may still arrive. It is not sent again, but where the
    provider knows a repeated request by its code: then it is asked again under the same one.
    """
    attempt = locked(attempt_id)
    if attempt.status not in LOSABLE_STATES:
        return
    attempt.lose(at=now)
    if not attempt.ticket:
        attempt.next_query_at = next_repeat(attempt, now=now)
    attempt.save_progress()
    if attempt.provider_account.is_pull_enabled:
        jobs.enqueue("payments.pull_organisation", account_id=attempt.provider_account_id)
    if follow(attempt):
        outbox.publish(events.about(events.UNKNOWN, attempt.intent), now=now)


def close(
    attempt: PaymentAttempt,
    *,
    code: str,
    message: str,
    provider_code: str,
    now: datetime,
    may_fall_back: bool = False,
) -> list[NewEvent]:
    """
    Fail a live attempt, and its intent unless another attempt has taken over; return what is to be said of it.

    Where the payer of a saved method is wanted himself, he is asked on a page. Where ``may_fall_back``, the account is at fault: another one asks the payer, once, if there is one. An intent with a
    pay page is not over: its payer may ask for another prompt.
    """
    attempt.fail(code=code, message=message, provider_code=provider_code, at=now)
    attempt.save_progress()
    verdict_answers.heed(attempt, now=now)
    intent = attempt.intent
    if not _is_current(attempt) or not intent.is_collecting:
        return []
    if retries.wants_holder(attempt, code):
        intent.ask_on_page(at=now)
        intent.save_progress()
        jobs.enqueue("payments.request_collection", intent_id=intent.id)
        return []
    if may_fall_back and retries.falls_back(attempt, now=now):
        intent.retry(at=now, after=timedelta())
        intent.save_progress()
        jobs.enqueue("payments.request_collection", intent_id=intent.id)
        return []
    if retries.may_be_asked_again(intent, now=now):
        intent.reopen(code=code, message=message)
        intent.save_progress()
        return []
    intent.fail(code=code, message=message, at=now)
    intent.save_progress()
    return [events.closed(intent)]


@transaction.atomic
def claim_query(*, attempt_id: UUID, now: datetime) -> PaymentAttempt | None:
    """
    Take the query that is due and plan the next one; None when nothing is due, there is no ticket to ask for, or the answer
    has come and is about to be read.

    After the last query SENDING_TIMEOUT is left to record its answer: a claim that comes then finds that nobody did,
    and the attempt becomes UNKNOWN without another question. What a payer does on a page of the provider's is asked for until
    it has ended, and once more a day at most for the fee of money that is booked.
    """
    attempt = locked(attempt_id)
    is_open = attempt.is_live or (attempt.is_patient and attempt.next_query_at is not None)
    if not is_open or not attempt.ticket or not polling.is_due(attempt, now=now):
        return None
    if callbacks.is_unread(attempt.callback_token, now=now):
        return None
    if attempt.is_patient:
        _plan_patiently(attempt, now=now)
        return attempt
    is_losable = attempt.status in LOSABLE_STATES
    if is_losable and polling.is_used_up(attempt):
        lose(attempt_id=attempt_id, now=now)
        return None
    polling.advance(attempt, may_be_lost=is_losable, now=now)
    attempt.save_progress()
    return attempt


def _plan_patiently(attempt: PaymentAttempt, *, now: datetime) -> None:
    began = attempt.booked_at or attempt.initiated_at or attempt.created_at
    is_asked_on = attempt.is_live or (attempt.is_incomplete and now < began + COMPLETED_WITHIN)
    attempt.next_query_at = polling.next_patient(initiated_at=began, now=now) if is_asked_on else None
    attempt.query_started_at = None
    attempt.save_progress()
    has_no_order = attempt.is_live and attempt.order_due_at is None
    can_be_let_go = has_no_order and providers.offers(attempt.provider, CapturePort)
    if can_be_let_go and not payables.is_wanted(attempt.intent):
        order(attempt, now=now)


def next_repeat(attempt: PaymentAttempt, *, now: datetime) -> datetime | None:
    """
    Return when to ask again under the same code, as long as the provider knows it; when to forget it then, where the payer
    needed the address of a page; None for what waits for people.
    """
    known_until = attempt.created_at + providers.repeat_within(attempt.provider)
    due = polling.next_repeat(since=attempt.created_at, known_until=known_until, now=now)
    return due or (known_until + FORGOTTEN_AFTER if attempt.asks_on_page else None)


def ask_soon(attempt: PaymentAttempt, *, now: datetime) -> None:
    """Have the provider asked now, whatever the plan says; the caller holds the lock."""
    attempt.next_query_at = now
    attempt.query_started_at = None
    attempt.save_progress()
    jobs.enqueue("payments.query_attempt", attempt_id=attempt.id)


def order(attempt: PaymentAttempt, *, now: datetime, capture: Money | None = None) -> None:
    """Have the provider told to take a sum of what is held, or without one to let go what is open; the caller holds the lock."""
    attempt.order(at=now, capture=capture)
    attempt.save_progress()
    jobs.enqueue("payments.order_attempt", attempt_id=attempt.id)


@transaction.atomic
def put_off_query(*, attempt_id: UUID, refusal: ProviderHeldBack, now: datetime) -> None:
    """Ask later what our own gate kept back: it was no question, so nothing is given up for it."""
    attempt = locked(attempt_id)
    if attempt.is_patient and attempt.next_query_at is not None:
        attempt.next_query_at = now + max(refusal.pause, polling.PAUSE)
        attempt.save_progress()
    elif attempt.is_live and attempt.ticket:
        is_losable = attempt.status in LOSABLE_STATES
        polling.put_off(attempt, pause=refusal.pause, may_be_lost=is_losable, now=now)
        attempt.save_progress()


def log_refusal(event: str, attempt: PaymentAttempt, refusal: ProviderError) -> None:
    """Log that a provider did not answer as asked; codes only, no payer."""
    logger.warning(event, attempt_id=str(attempt.id), code=refusal.code, provider_code=refusal.provider_code)


def _is_current(attempt: PaymentAttempt) -> bool:
    return attempt.intent.current_attempt_id == attempt.id


def follow(attempt: PaymentAttempt) -> bool:
    """Let the intent show the state of its current attempt; say whether it did."""
    intent = attempt.intent
    if not _is_current(attempt) or not intent.is_collecting:
        return False
    intent.follow(attempt)
    intent.save_progress()
    return True

"""Payment intents: create, confirm, cancel and expire them, ask providers, and record what providers report."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.audit.services import records
from apps.events.services import outbox
from apps.integrations.ports import (
    CollectionReport,
    Outcome,
    ProviderDeclined,
    ProviderError,
    ProviderHeldBack,
    ProviderUnavailable,
    ProviderUncertain,
)
from apps.integrations.services import providers
from apps.kit import crypto, errors, faults, ids, jobs
from apps.kit.actors import PROVIDER, Actor
from apps.kit.compiled import Inserted
from apps.payments import events
from apps.payments.contracts import Choice, IntentStatus, NewIntent, Recorded
from apps.payments.models import PaymentAttempt, PaymentIntent
from apps.payments.services import (
    attempts,
    authorizations,
    captures,
    choices,
    limits,
    orders,
    payables,
    polling,
    receipts,
    references,
    reports,
    settlings,
    silent,
    suspense,
)
from apps.payments.services.attempts import InvalidState

CONFIRM_WITHIN = timedelta(hours=24)

_CREATED = Inserted[PaymentIntent]()


def create(*, request: NewIntent, actor: Actor, now: datetime) -> PaymentIntent:
    """
    Ask for one sum; confirmed at once unless the request says otherwise.

    Raises AmountNotWhole, AmountTooSmall, AmountTooLarge, PhoneInvalid, MethodRequired, MethodNotAvailable,
    SavedMethodUnknown, SavedMethodNotActive, ConsentMissing, PayableInvalid, AlreadyPaid, PaymentInProgress, DuplicateSuspected or DuplicateReference, and then nothing is written. The provider is asked by a worker after the commit.
    """
    try:
        return _created(request, actor=actor, now=now)
    except IntegrityError:
        refusal = references.refusal(request)
        if refusal is None:
            raise
        raise refusal from None


@transaction.atomic
def _created(request: NewIntent, *, actor: Actor, now: datetime) -> PaymentIntent:
    if request.is_confirmed and request.choice is None:
        raise choices.MethodRequired
    limits.check_positive(money=request.money)
    is_repeat_refused = request.is_confirmed and request.is_repeat_refused
    if is_repeat_refused:
        payables.one_by_one(
            application_id=request.application_id, branch_id=request.branch_id, money=request.money
        )
    payables.check(request)
    choice = choices.admitted(request.choice, of=request)
    intent = PaymentIntent(
        branch_id=request.branch_id,
        application_id=request.application_id,
        code=ids.code(),
        amount_minor=request.money.minor,
        currency=request.money.currency,
        reference=request.reference,
        payable_type=request.payable_type,
        payable_id=request.payable_id,
        description=request.description,
        metadata=dict(request.metadata),
        is_captured=request.is_captured,
        created_by=str(actor),
        created_at=now,
        expires_at=now + CONFIRM_WITHIN,
    )
    if choice is not None:
        intent.choose(choice)
    if request.is_confirmed:
        intent.confirm(at=now)
    _CREATED.insert(intent)
    if is_repeat_refused:
        payables.require_no_repeat(intent, now=now)
    payables.require_free(request, but=intent)  # another one of it may have been paid since it was looked at
    outbox.publish(events.about(events.CREATED, intent), now=now, is_first=True)
    _send_when_due(intent)
    return intent


@transaction.atomic
def confirm(
    *,
    intent_id: UUID,
    actor: Actor,
    now: datetime,
    choice: Choice | None = None,
    is_repeat_refused: bool = False,
) -> PaymentIntent:
    """
    Start the collection of an intent that waits for it, with another choice of method and payer where one is given.

    Raises InvalidState once it has been started or closed, AlreadyPaid where another payment has paid its payable, and
    what ``create`` raises for the choice, DuplicateSuspected included.
    """
    if is_repeat_refused:
        asked = _intent(intent_id)
        payables.one_by_one(application_id=asked.application_id, branch_id=asked.branch_id, money=asked.money)
    intent = _locked(intent_id)
    if intent.status not in (IntentStatus.REQUIRES_METHOD, IntentStatus.REQUIRES_CONFIRMATION):
        raise _invalid_state(intent, "confirmed")
    if choice is None and intent.status == IntentStatus.REQUIRES_METHOD:
        raise choices.MethodRequired
    admitted = choices.admitted(choice, of=intent)
    if admitted is not None:
        intent.choose(admitted)
    if is_repeat_refused:
        payables.require_no_repeat(intent, now=now)
    payables.require_unpaid(intent)
    intent.confirm(at=now)
    intent.save_progress()
    _audit("payment.confirmed", intent, actor=actor, now=now)
    _send_when_due(intent)
    return intent


@transaction.atomic
def cancel(*, intent_id: UUID, actor: Actor, now: datetime) -> PaymentIntent:
    """
    Cancel what has not been sent; of what has, record the wish.

    Then ``cancel_requested_at`` is set and the state stays: a prompt on the payer's phone cannot be called back. A rail that
    can call a request back, or hold money, is told to let go, and the payment is cancelled when it says that it did.
    Nothing is sent again, a failure ends in CANCELLED, and money that arrives is booked all the same. What has been paid in part
    stays so, and no more pays it. A repeat changes nothing. Raises InvalidState for what has been paid or closed otherwise.
    """
    attempt_id = _intent(intent_id).current_attempt_id
    intent = attempts.locked(attempt_id).intent if attempt_id else _locked(intent_id)
    if intent.cancel_requested_at is not None and not intent.is_done:
        return intent
    if intent.is_in_flight or intent.is_partly_paid:
        if intent.is_in_flight:
            captures.let_go(intent.current_attempt, now=now)
        intent.cancel_requested_at = now
        intent.save_progress()
        _audit("payment.cancel_requested", intent, actor=actor, now=now)
        return intent
    if not intent.is_open:
        raise _invalid_state(intent, "cancelled")
    intent.cancel(at=now)
    intent.save_progress()
    _audit("payment.cancelled", intent, actor=actor, now=now)
    outbox.publish(events.closed(intent), now=now)
    return intent


@transaction.atomic
def expire(*, intent_id: UUID, now: datetime) -> PaymentIntent:
    """Close an intent that nobody confirmed in time; any other stays as it is."""
    intent = _locked(intent_id)
    if intent.is_unconfirmed and intent.expires_at <= now:
        intent.expire(at=now)
        intent.save_progress()
        outbox.publish(events.about(events.EXPIRED, intent), now=now)
    return intent


def request(*, intent_id: UUID, now: datetime) -> None:
    """
    Ask the provider for the money of a confirmed intent: commit the attempt, send, commit the answer.

    Safe to repeat: while an attempt is open nothing is sent again, whatever became of the worker that sent it. Raises
    crypto.Unreadable for credentials that cannot be opened: nothing has left then, and the attempt is withdrawn.
    """
    attempt = attempts.begin(intent_id=intent_id, now=now)
    if attempt is None:
        return
    faults.reach("payments.before_send")
    try:
        order = orders.of(attempt)
        port = providers.collection(attempt.provider_account_id, now=now, subject_id=attempt.id)
    except crypto.Unreadable:
        refusal = ProviderUnavailable("configuration", "The account's credentials cannot be opened.")
        attempts.withdraw(attempt_id=attempt.id, refusal=refusal, now=now)
        raise
    try:
        ticket = port.request(order)
    except ProviderDeclined as refusal:
        attempts.decline(attempt_id=attempt.id, refusal=refusal, now=now)
    except ProviderUnavailable as refusal:
        attempts.withdraw(attempt_id=attempt.id, refusal=refusal, now=now)
    except ProviderUncertain as refusal:
        attempts.log_refusal("collection_uncertain", attempt, refusal)
        attempts.lose(attempt_id=attempt.id, now=now)
    else:
        faults.reach("payments.after_send")
        attempts.accept(attempt_id=attempt.id, ticket=ticket, now=now)


def query(*, attempt_id: UUID, now: datetime) -> None:
    """
    Ask the provider what became of an attempt, where that is due, and record the answer.

    At the end of the plan an attempt without an answer becomes UNKNOWN. A provider that does not answer the question
    changes nothing; a question that our own gate keeps back is asked later and counts as none. A request whose answer never
    came is asked for again under its own code, where the provider knows it by that.
    """
    attempt = attempts.claim_query(attempt_id=attempt_id, now=now)
    if attempt is None:
        orders.repeat(attempt_id=attempt_id, now=now)
        return
    report = None
    try:
        port = providers.collection(attempt.provider_account_id, now=now, subject_id=attempt.id)
        report = port.query(attempt.ticket)
    except ProviderHeldBack as refusal:
        attempts.put_off_query(attempt_id=attempt.id, refusal=refusal, now=now)
        return
    except ProviderError as refusal:
        attempts.log_refusal("query_unanswered", attempt, refusal)
    faults.reach("payments.after_query")
    if report is not None and (report.outcome is not Outcome.PENDING or report.next_action is not None):
        record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=now)
        if report.outcome is Outcome.AUTHORIZED and not attempt.is_live:
            captures.let_go_late(attempt, now=now)
    elif not attempt.is_patient and polling.is_used_up(attempt):
        attempts.lose(attempt_id=attempt.id, now=now)


def carry_out(*, attempt_id: UUID, now: datetime) -> None:
    """Have the provider take or let go the money of an attempt, where that was ordered, and record what it reports."""
    if report := captures.carry_out(attempt_id=attempt_id, now=now):
        record(attempt_id=attempt_id, report=report, actor=PROVIDER, now=now)


@transaction.atomic
def record(*, attempt_id: UUID, report: CollectionReport, actor: Actor, now: datetime) -> Recorded:
    """
    Record what a provider reports of an attempt: by callback, by query or by the status of a receipt.

    Reports may repeat, cross and contradict each other. Money is booked once; a failure after money, or a second
    failure, changes nothing; a receipt or sum that an earlier report did not tell is filled in. Money that is told
    without a receipt books nothing where people look at an unexplained one, or where it may wait under one of several receipts in
    suspense, or have been taken from there (``silent``). Raises ReportContradicts for a report that cannot be of this attempt. Locks the receipt, the attempt,
    then its intent.
    """
    report, is_unnamed = silent.with_receipt(attempt_id, report, now=now)
    suspense.only(report.receipt)
    attempt = attempts.locked(attempt_id)
    reports.check_agreement(attempt, report)
    if report.outcome in (Outcome.PENDING, Outcome.AUTHORIZED):
        return authorizations.record(attempt, report, now=now)
    if reports.is_of_unexplained(attempt, report):
        return Recorded.IGNORED
    if report.outcome is Outcome.COLLECTED:
        return _collected(attempt, report, is_unnamed=is_unnamed, actor=actor, now=now)
    if not attempt.is_live:
        return Recorded.IGNORED if attempt.is_booked else Recorded.DUPLICATE
    attempt.ticket = attempt.ticket or report.ticket
    announced = attempts.initiation(attempt, now=now)
    told = {"code": report.reason_code, "message": report.message, "provider_code": report.provider_code}
    announced += attempts.close(attempt, **told, may_fall_back=report.may_fall_back, now=now)
    outbox.publish(*announced, now=now)
    return Recorded.APPLIED


def _collected(
    attempt: PaymentAttempt, report: CollectionReport, *, is_unnamed: bool, actor: Actor, now: datetime
) -> Recorded:
    if attempt.is_booked:
        return reports.complete(attempt, report, actor=actor, now=now)
    if is_unnamed:
        silent.hold_unnamed(attempt.id, now=now)
        return Recorded.IGNORED
    _settle(attempt, report, actor=actor, now=now)
    return Recorded.APPLIED


@transaction.atomic
def settle(*, attempt_id: UUID, report: CollectionReport, actor: Actor, now: datetime) -> PaymentIntent:
    """
    Record money that a provider has collected, post it and announce it, all or nothing.

    Providers repeat themselves, so a second report on the same attempt changes nothing. The money has already moved,
    so it is always booked: a wrong sum, or money for an intent that another attempt has settled, or for a payable that
    another intent has paid, goes to suspense;
    money after a failure or a cancellation is a late success. Money that waited in suspense under this receipt is taken
    from there. Raises MoneyUnexplained where another sum waits there.
    """
    suspense.only(report.receipt)
    attempt = attempts.locked(attempt_id)
    if not attempt.is_booked:
        _settle(attempt, report, actor=actor, now=now)
    return attempt.intent


def _settle(attempt: PaymentAttempt, report: CollectionReport, *, actor: Actor, now: datetime) -> None:
    """Take the money of an attempt that is not booked; the caller holds the locks of its receipt and of itself."""
    attempt.ticket = attempt.ticket or report.ticket
    announced = attempts.initiation(attempt, now=now)
    held = suspense.regained(attempt.provider, report.receipt, now=now)
    agreed = reports.agreed(attempt, report, held)
    settlings.take(attempt, agreed, held=held, announced=announced, actor=actor, now=now)
    if report.receipt:
        silent.name(attempt, actor=actor, now=now)


@transaction.atomic
def verify(*, intent_id: UUID, receipt: str, actor: Actor, now: datetime, reason: str = "") -> PaymentIntent:
    """
    Ask the provider about a receipt that a person holds against a payment without an answer.

    The answer comes later as a callback and settles the payment only if receipt, sum and payer agree. Raises
    InvalidState when nothing has been sent or the receipt is known, ReceiptNotAsked, ReceiptInvalid and ReceiptUsed. A
    payment that was booked without its receipt learns it so, and can be given back then.
    """
    attempt_id = _intent(intent_id).current_attempt_id
    if attempt_id is None:
        raise _invalid_state(_intent(intent_id), "verified")
    attempt = attempts.locked(attempt_id)
    if attempt.provider_receipt:
        raise _invalid_state(attempt.intent, "verified")
    receipts.claim(attempt, receipt=receipt, now=now)
    said = f"{attempt.claimed_receipt}: {reason}" if reason else attempt.claimed_receipt
    _audit("payment.verify_requested", attempt.intent, actor=actor, now=now, reason=said)
    jobs.enqueue("payments.request_status", attempt_id=attempt.id)
    return attempt.intent


@transaction.atomic
def ask(*, intent_id: UUID, actor: Actor, now: datetime, reason: str = "") -> PaymentIntent:
    """
    Ask the provider once more about what has been sent and has no answer, now, whatever the plan of questions says.

    Raises NotFound, and InvalidState where there is nothing to ask about, or no ticket to ask by.
    """
    attempt_id = _intent(intent_id).current_attempt_id
    if attempt_id is None:
        raise _invalid_state(_intent(intent_id), "asked about")
    attempt = attempts.locked(attempt_id)
    if not attempt.is_live:
        raise _invalid_state(attempt.intent, "asked about")
    if not attempt.ticket:
        raise InvalidState("The provider gave no ticket for this payment: ask by its receipt.")
    polling.bring_forward(attempt, now=now)
    attempt.save_progress()
    _audit("payment.query_requested", attempt.intent, actor=actor, now=now, reason=reason)
    jobs.enqueue("payments.query_attempt", attempt_id=attempt.id)
    return attempt.intent


def _intent(intent_id: UUID) -> PaymentIntent:
    intent = PaymentIntent.objects.select_related("current_attempt").filter(id=intent_id).first()
    if intent is None:
        raise errors.NotFound("There is no such payment.")
    return intent


def _locked(intent_id: UUID) -> PaymentIntent:
    intent = PaymentIntent.objects.locked().select_related("current_attempt").filter(id=intent_id).first()
    if intent is None:
        raise errors.NotFound("There is no such payment.")
    return intent


def _send_when_due(intent: PaymentIntent) -> None:
    if intent.next_request_at is not None:
        jobs.enqueue("payments.request_collection", intent_id=intent.id)


def _invalid_state(intent: PaymentIntent, deed: str) -> InvalidState:
    state = intent.status.lower().replace("_", " ")
    return InvalidState(f"This payment is {state} and cannot be {deed}.")


def _audit(action: str, intent: PaymentIntent, *, actor: Actor, now: datetime, reason: str = "") -> None:
    records.write(
        action=action,
        object_type=events.AGGREGATE,
        object_id=ids.encode("pi", intent.id),
        actor=actor,
        now=now,
        changes={"status": [None, intent.status], "amount": [None, intent.money.wire()]},
        reason=reason,
        branch=intent.branch_id,
    )

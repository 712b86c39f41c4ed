"""The gate that every new payment passes: one payment at a time for what is paid, and no prompt by mistake."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from apps.kit import errors, ids, locks
from apps.kit.compiled import Read
from apps.kit.money import Money
from apps.payments.contracts import IntentStatus, NewIntent
from apps.payments.models import PaymentIntent
from apps.payments.models.intent import COLLECTING_STATES, LIVE_STATES, PAID_STATES
from apps.payments.selectors import policies

REPEATED_WITHIN = timedelta(minutes=2)
PAYABLE = "/payable"
FORCE = "/force"
PAID_OTHERWISE = "Another payment has paid what this one is for."


class PayableInvalid(errors.Invalid):
    """What is paid is named by its type and its id, or not at all."""

    code = "payable_invalid"
    title = "Payable invalid"


class AlreadyPaid(errors.DomainError):
    """What is to be paid has been paid."""

    code = "already_paid"
    title = "Already paid"


class PaymentInProgress(errors.DomainError):
    """Another payment of the same thing has not ended."""

    code = "payment_in_progress"
    title = "Payment in progress"
    retryable = True


class DuplicateSuspected(errors.DomainError):
    """The same payer was asked for the same sum a moment ago; say ``force`` if that is meant."""

    code = "duplicate_suspected"
    title = "Duplicate suspected"


def check(request: NewIntent) -> None:
    """
    Raise PayableInvalid, AlreadyPaid or PaymentInProgress for what is paid; nothing where it is not named.

    Holds the payable until the transaction ends, so that two requests for it follow each other.
    """
    if bool(request.payable_type) != bool(request.payable_id):
        message = "Name both type and id of what is paid."
        raise PayableInvalid(message, errors=[errors.FieldError(PAYABLE, PayableInvalid.code, message)])
    if not request.payable_id:
        return
    _only(request.application_id, request.payable_type, request.payable_id)
    require_free(request)


def require_free(request: NewIntent, *, but: PaymentIntent | None = None) -> None:
    """
    Raise AlreadyPaid or PaymentInProgress where another intent than ``but`` has paid the payable, or may. One that was paid in
    part leaves the rest of it free for another one, no more than that unless its rest was cancelled.
    """
    if not request.payable_id:
        return
    others = PaymentIntent.objects.filter(
        application_id=request.application_id,
        payable_type=request.payable_type,
        payable_id=request.payable_id,
        status__in=[*LIVE_STATES, *PAID_STATES],
    )
    for other in others.exclude(id=but.id) if but else others:
        if _leaves(other, request.money):
            continue
        refusal = AlreadyPaid if other.is_settled else PaymentInProgress
        name = ids.encode("pi", other.id)
        message = f"{name} is the payment of this."
        if other.is_partly_paid:
            message = f"{name} has paid a part of this: {other.due} is due."
        raise refusal(message, errors=[errors.FieldError(PAYABLE, refusal.code, message)])


def _leaves(paid: PaymentIntent, money: Money) -> bool:
    """Say whether a payment that was paid in part leaves this sum to another one: not more than is due, or its rest was cancelled."""
    if not paid.is_partly_paid:
        return False
    is_due = money.currency == paid.currency and not money > paid.due
    return is_due or paid.cancel_requested_at is not None


def is_paid_otherwise(intent: PaymentIntent) -> bool:
    """
    Say whether another payment has paid what this one is for; one in review has not. A unique index says the same.

    Holds the payable until the transaction ends. It is the last lock before the books, after receipts and rows.
    """
    if not intent.payable_id:
        return False
    _only(intent.application_id, intent.payable_type, intent.payable_id)
    return seems_paid_otherwise(intent)


def seems_paid_otherwise(intent: PaymentIntent) -> bool:
    """Say what ``is_paid_otherwise`` says, for what people read: it holds nothing, and may change at once."""
    if not intent.payable_id:
        return False
    paid = PaymentIntent.objects.filter(
        application_id=intent.application_id,
        payable_type=intent.payable_type,
        payable_id=intent.payable_id,
        status=IntentStatus.SUCCEEDED,
    )
    return paid.exclude(id=intent.id).exists()


def is_paid_by(intent: PaymentIntent, money: Money) -> bool:
    """Say whether a sum that nobody asked for pays what is due of an intent, or a part of it, by the organisation's terms."""
    if intent.can_take(money, takes_parts=False):
        return True
    return intent.can_take(money, takes_parts=True) and policies.current().takes_parts


def is_wanted(intent: PaymentIntent) -> bool:
    """
    Say whether more money would still pay an intent: nobody has asked to cancel it, and neither it nor its payable is paid or
    closed. The caller holds its lock; holds the payable as ``is_paid_otherwise`` does.
    """
    is_over = intent.cancel_requested_at is not None or intent.is_settled or intent.is_closed_unpaid
    return not is_over and not is_paid_otherwise(intent)


def require_unpaid(intent: PaymentIntent) -> None:
    """Raise AlreadyPaid where another payment has paid what this one is for."""
    if is_paid_otherwise(intent):
        raise AlreadyPaid(
            PAID_OTHERWISE, errors=[errors.FieldError(PAYABLE, AlreadyPaid.code, PAID_OTHERWISE)]
        )


def _only(application_id: UUID, payable_type: str, payable_id: str) -> None:
    named = (application_id, payable_type, payable_id)
    locks.advisory(":".join(("payments:payable", *map(str, named))))


def one_by_one(*, application_id: UUID, branch_id: UUID, money: Money) -> None:
    """
    Let payments of one sum, application and branch be looked at one after the other; take it before any row is locked,
    and before a payable is held.
    """
    named = (application_id, branch_id, money.minor, money.currency)
    locks.advisory(":".join(("payments:repeat", *map(str, named))))


_ALIKE = Read(
    lambda application_id, branch_id, phone, email, minor, currency, since, but: (
        PaymentIntent.objects.filter(
            ~Q(payer_phone="") | Q(payer_email=email),
            application_id=application_id,
            branch_id=branch_id,
            payer_phone=phone,
            amount_minor=minor,
            currency=currency,
            confirmed_at__gt=since,
            status__in=[*COLLECTING_STATES, *PAID_STATES],
        )
        .exclude(id=but)
        .values_list("id")[:1]
    ),
    UUID,
    UUID,
    str,
    str,
    int,
    str,
    datetime,
    UUID,
)


def require_no_repeat(intent: PaymentIntent, *, now: datetime) -> None:
    """
    Raise DuplicateSuspected where another payment of the application and branch asks the same payer for the same sum since
    two minutes, or got it: who has the same phone or, where none is known, the same e-mail. Providers refuse such a prompt or,
    worse, show both. Of a payer who is named by neither nobody can say whether he is the same. The caller holds ``one_by_one``.
    """
    if not intent.payer_phone and not intent.payer_email:
        return
    other_id = _ALIKE.value(
        intent.application_id,
        intent.branch_id,
        intent.payer_phone,
        intent.payer_email,
        intent.amount_minor,
        intent.currency,
        now - REPEATED_WITHIN,
        intent.id,
    )
    if other_id is None:
        return
    message = (
        f"{ids.encode('pi', other_id)} asked the same payer for the same sum. Send force: true to ask again."
    )
    raise DuplicateSuspected(message, errors=[errors.FieldError(FORCE, DuplicateSuspected.code, message)])

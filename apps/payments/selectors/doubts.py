"""Payments that people should look at, whatever state they are in: stuck, paid twice, not in the books."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import (
    BigIntegerField,
    CharField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Value,
)
from django.db.models.functions import Cast, Concat

from apps.ledger.selectors import transactions
from apps.payments.contracts import Doubt, InboundStatus, IntentStatus
from apps.payments.models import InboundReceipt, PaymentAttempt, PaymentIntent, Refund
from apps.payments.postings import SOURCE

STUCK_AFTER = timedelta(minutes=10)
PAGE_OPEN = timedelta(hours=25)
LOOKED_BACK = timedelta(days=31)
"""How far back payments are compared with each other and with the books: in a list that people open all day."""
PARTLY = IntentStatus.PARTIALLY_PAID.value
MOVING_STATES = ["PROCESSING", "ACTION_REQUIRED", "UNKNOWN"]


def stuck(intents: QuerySet[PaymentIntent], *, now: datetime) -> QuerySet[PaymentIntent]:
    """
    Return those that were confirmed more than ten minutes ago and have no outcome. A payer who has a page to pay on may
    take a day.
    """
    moving = intents.filter(status__in=MOVING_STATES, confirmed_at__lte=now - STUCK_AFTER)
    return moving.exclude(
        status="ACTION_REQUIRED",
        current_attempt__next_action="REDIRECT",
        confirmed_at__gt=now - PAGE_OPEN,
    )


def doubled(intents: QuerySet[PaymentIntent], *, now: datetime) -> QuerySet[PaymentIntent]:
    """
    Return those that seem to be paid twice, while the second money is here: money that came a second time under another
    receipt, and of the last 31 days those whose payable another payment has paid too: where one of both
    was paid in part, those that have brought more together than either asked for.
    """
    waiting = InboundReceipt.objects.filter(status=InboundStatus.DUPLICATE_SUSPECTED, intent__isnull=False)
    beside = PaymentAttempt.objects.in_suspense().exclude(id=F("intent__current_attempt_id"))
    unexplained = PaymentAttempt.objects.exclude(unexplained_receipt="")
    same_payable = PaymentIntent.objects.filter(
        application=OuterRef("application"),
        payable_type=OuterRef("payable_type"),
        payable_id=OuterRef("payable_id"),
        settled_at__isnull=False,
    )
    others = same_payable.exclude(id=OuterRef("id"))
    both_whole = ~Q(status=PARTLY) & Exists(others.exclude(status=PARTLY))
    beyond = others.filter(paid_minor__gt=_less_own(F("amount_minor"))).filter(
        paid_minor__gt=_less_own(OuterRef("amount_minor"))
    )
    paid = Q(settled_at__isnull=False, created_at__gte=now - LOOKED_BACK) & ~Q(payable_id="")
    return intents.filter(
        Q(id__in=waiting.values("intent_id"))
        | Q(id__in=beside.values("intent_id"))
        | Q(id__in=unexplained.values("intent_id"))
        | (paid & (both_whole | Exists(beyond)))
    )


def _less_own(asked: F) -> ExpressionWrapper:
    """Return a sum less what has paid the payment that others are compared with."""
    return ExpressionWrapper(asked - OuterRef("paid_minor"), BigIntegerField())


def unposted(intents: QuerySet[PaymentIntent], *, now: datetime) -> QuerySet[PaymentIntent]:
    """
    Return those of the last 31 days with money that the books do not know: there should be none, ever.

    Money that waited in suspense is booked under its receipt, and stays so while its refund carries it back.
    """
    key = Concat(Value("collection:"), Cast(OuterRef("id"), CharField()))
    with_money = PaymentAttempt.objects.filter(
        intent_id=OuterRef("id"), booked_at__isnull=False, surrendered_at=None
    )
    held = InboundReceipt.objects.filter(attempt_id=OuterRef("id"), booked_at__isnull=False)
    let_go = Refund.objects.filter(attempt_id=OuterRef("id"), attempt__provider_receipt="")
    unknown_to_the_books = with_money.filter(
        ~transactions.is_booked(SOURCE, OuterRef("intent_id"), key), ~Exists(held), ~Exists(let_go)
    )
    return intents.filter(Exists(unknown_to_the_books), created_at__gte=now - LOOKED_BACK)


NARROWED: dict[Doubt, Callable[..., QuerySet[PaymentIntent]]] = {
    Doubt.STUCK: stuck,
    Doubt.DOUBLED: doubled,
    Doubt.UNPOSTED: unposted,
}


def of(doubt: str, intents: QuerySet[PaymentIntent], *, now: datetime) -> QuerySet[PaymentIntent]:
    """Return those about which there is this doubt; none for a word that names none."""
    return NARROWED[Doubt(doubt)](intents, now=now) if doubt in NARROWED else intents.none()

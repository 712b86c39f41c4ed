"""The guarantee behind every wake-up: what is due and was not done is found in the rows."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from apps.integrations.selectors import callbacks
from apps.kit import jobs, sweep
from apps.kit.sweep import DEFAULT, JOB_GRACE, PROVIDERS, Due
from apps.payments.models import (
    Dispute,
    InboundReceipt,
    ListedMovement,
    PaymentAttempt,
    PaymentIntent,
    Refund,
    SavedMethod,
)
from apps.payments.selectors import disputes as stored_disputes
from apps.payments.selectors import listed_movements as listed
from apps.payments.services import (
    attempts,
    disputes,
    intents,
    late_refunds,
    listed_movements,
    losses,
    sendings,
)


def run(*, now: datetime) -> None:
    """
    Start a job for each row of this organisation that is due; safe to run at any time and twice at once.

    Questions that are due are asked; attempts and refunds that were being sent and never recorded become UNKNOWN, for
    nobody may guess; confirmed intents and refunds whose job was lost are sent for again; intents that nobody
    confirmed expire; late money goes back where it is to; providers are told to take or let go what was ordered; people are
    told of disputes whose answer is due; listed movements are closed that are booked by now, and what lost disputes took leaves
    suspense. Each row is a job of its own, so that one that cannot be done stops no other. While a
    queue is backed up nothing is put into it from here: its jobs are late, not lost.
    """
    if not jobs.is_backed_up(PROVIDERS):
        start_queries(now=now)
        resend_lost_jobs(now=now)
    if not jobs.is_backed_up(DEFAULT):
        start_deeds(now=now)


def do(*, deed: str, row_id: UUID, now: datetime) -> None:
    """Do the deed to one row, unless it is no longer due; KeyError for a deed that does not exist."""
    sweep.do(DEEDS[deed], row_id=row_id, now=now)


def start_queries(*, now: datetime) -> None:
    """
    Start one job per question that is due, and leave it some time before another one is started.

    Nothing is asked of which the answer has come already and is only to be read, for as long as that takes its usual time.
    """
    is_answered = callbacks.are_unread("callback_token", now=now)
    asked = (
        ("payments.query_attempt", "attempt_id", PaymentAttempt.objects.exclude(is_answered)),
        ("payments.query_refund", "refund_id", Refund.objects.exclude(is_answered)),
        ("payments.query_dispute", "dispute_id", Dispute.objects.all()),
        ("payments.follow_method", "method_id", SavedMethod.objects.all()),
    )
    sweep.start_queries(asked, now=now)


def resend_lost_jobs(*, now: datetime) -> None:
    """Start the sending anew and move its due time, so that the next sweeps leave the job some time."""
    since = now - JOB_GRACE
    lost = (
        ("payments.request_collection", "intent_id", PaymentIntent.objects.waiting_to_be_sent(since=since)),
        ("payments.request_refund", "refund_id", Refund.objects.waiting_to_be_sent(since=since)),
    )
    sweep.resend(lost, now=now)


def start_deeds(*, now: datetime) -> None:
    """Start one job for each row that a deed is due for."""
    sweep.start_deeds("payments.sweep_organisation", DEEDS, now=now)


def _silent(now: datetime) -> QuerySet[PaymentAttempt]:
    since = now - timedelta(seconds=settings.TREASURY["SENDING_TIMEOUT"])
    return PaymentAttempt.objects.stuck_in_sending(since=since).order_by("created_at")


def _lose(attempt_id: UUID, now: datetime) -> None:
    attempts.lose(attempt_id=attempt_id, now=now)


def _silent_refunds(now: datetime) -> QuerySet[Refund]:
    since = now - timedelta(seconds=settings.TREASURY["SENDING_TIMEOUT"])
    return Refund.objects.stuck_in_sending(since=since).order_by("sent_at")


def _lose_refund(refund_id: UUID, now: datetime) -> None:
    sendings.lose(refund_id=refund_id, now=now)


def _unconfirmed(now: datetime) -> QuerySet[PaymentIntent]:
    return PaymentIntent.objects.overdue(now=now).order_by("expires_at")


def _expire(intent_id: UUID, now: datetime) -> None:
    intents.expire(intent_id=intent_id, now=now)


def _late(now: datetime) -> QuerySet[PaymentAttempt]:
    return PaymentAttempt.objects.to_give_back(since=now).order_by("refund_due_at")


def _refund_late(attempt_id: UUID, now: datetime) -> None:
    late_refunds.give_back(attempt_id=attempt_id, now=now)


def _unconfirmed_money(now: datetime) -> QuerySet[InboundReceipt]:
    return InboundReceipt.objects.to_confirm(since=now - JOB_GRACE).order_by("next_confirm_at")


def _confirm(inbound_id: UUID, now: datetime) -> None:  # noqa: ARG001 (the job asks the clock itself)
    jobs.enqueue("payments.confirm_money", inbound_id=inbound_id)


def _ordered(now: datetime) -> QuerySet[PaymentAttempt]:
    return PaymentAttempt.objects.with_order(since=now - JOB_GRACE).order_by("order_due_at")


def _carry_out(attempt_id: UUID, now: datetime) -> None:  # noqa: ARG001 (the job asks the clock itself)
    jobs.enqueue("payments.order_attempt", attempt_id=attempt_id)


def _answered(now: datetime) -> QuerySet[Dispute]:
    return Dispute.objects.to_answer(since=now - JOB_GRACE).order_by("answer_due_at")


def _send_answer(dispute_id: UUID, now: datetime) -> None:  # noqa: ARG001 (the job asks the clock itself)
    jobs.enqueue("payments.answer_dispute", dispute_id=dispute_id)


def _nearly_due(now: datetime) -> QuerySet[Dispute]:
    return Dispute.objects.to_remind(since=now).order_by("next_reminder_at")


def _remind(dispute_id: UUID, now: datetime) -> None:
    disputes.remind(dispute_id=dispute_id, now=now)


def _explained(now: datetime) -> QuerySet[ListedMovement]:  # noqa: ARG001 (what is booked is booked)
    return listed.explained().order_by("id")


def _explain(movement_id: UUID, now: datetime) -> None:
    listed_movements.explain(movement_id=movement_id, now=now)


def _lost(now: datetime) -> QuerySet[Dispute]:  # noqa: ARG001 (what is lost is lost until its provider says otherwise)
    return stored_disputes.to_cover().order_by("id")


def _cover(dispute_id: UUID, now: datetime) -> None:
    losses.cover(dispute_id=dispute_id, now=now)


DEEDS = {
    "lose": Due(_silent, _lose),
    "lose_refund": Due(_silent_refunds, _lose_refund),
    "expire": Due(_unconfirmed, _expire),
    "refund_late": Due(_late, _refund_late),
    "confirm": Due(_unconfirmed_money, _confirm),
    "order": Due(_ordered, _carry_out),
    "answer": Due(_answered, _send_answer),
    "remind": Due(_nearly_due, _remind),
    "explain": Due(_explained, _explain),
    "cover": Due(_lost, _cover),
}

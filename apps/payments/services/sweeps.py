"""The guarantee behind every wake-up: what is due and was not done is found in the rows."""

from datetime import datetime, timedelta

from django.conf import settings

from apps.kit import jobs
from apps.payments.models import PaymentAttempt, PaymentIntent
from apps.payments.services import attempts, intents

JOB_GRACE = timedelta(seconds=30)
BATCH = 500


def run(*, now: datetime) -> None:
    """
    Do or start what is due in this organisation; safe to run at any time and twice at once.

    Queries that are due are started; attempts that were being sent and never recorded become UNKNOWN, for nobody may
    guess; confirmed intents whose job was lost are sent for again; intents that nobody confirmed expire.
    """
    start_queries(now=now)
    lose_silent_attempts(now=now)
    resend_lost_jobs(now=now)
    expire_unconfirmed(now=now)


def start_queries(*, now: datetime) -> None:
    due = PaymentAttempt.objects.due_for_query(now=now).order_by("next_query_at")
    for attempt_id in due.values_list("id", flat=True)[:BATCH]:
        jobs.enqueue("payments.query_attempt", attempt_id=attempt_id)


def lose_silent_attempts(*, now: datetime) -> None:
    since = now - timedelta(seconds=settings.TREASURY["SENDING_TIMEOUT"])
    silent = PaymentAttempt.objects.stuck_in_sending(since=since).order_by("created_at")
    for attempt_id in list(silent.values_list("id", flat=True)[:BATCH]):
        attempts.lose(attempt_id=attempt_id, now=now)


def resend_lost_jobs(*, now: datetime) -> None:
    """Start the sending anew and move its due time, so that the next sweeps leave the job some time."""
    waiting = PaymentIntent.objects.waiting_to_be_sent(since=now - JOB_GRACE)
    for intent_id in list(waiting.order_by("next_request_at").values_list("id", flat=True)[:BATCH]):
        if waiting.filter(id=intent_id).update(next_request_at=now):
            jobs.enqueue("payments.request_collection", intent_id=intent_id)


def expire_unconfirmed(*, now: datetime) -> None:
    overdue = PaymentIntent.objects.overdue(now=now).order_by("expires_at")
    for intent_id in list(overdue.values_list("id", flat=True)[:BATCH]):
        intents.expire(intent_id=intent_id, now=now)

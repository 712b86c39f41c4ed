"""Sweep payments: what is due and was not done is found in the rows."""

from datetime import timedelta

import pytest
from celery import current_app
from celery.signals import before_task_publish
from django.db import connection
from kombu.transport.memory import Channel

from apps.integrations.services import callbacks as inbox
from apps.kit import clock, jobs
from apps.payments import tasks
from apps.payments.contracts import AttemptStatus, IntentStatus, RefundStatus
from apps.payments.models import PaymentIntent, Refund
from apps.payments.services import attempts, intents, sendings, sweeps
from tests.factories import payments
from tests.factories import refunds as made
from tests.payments.conftest import told

NOW = payments.NOW


def after(**times):
    return NOW + timedelta(**times)


class Broker:
    """Listens to what Celery publishes; the broker of the tests keeps it in memory and nobody takes it."""

    def __init__(self):
        self.jobs = []
        self.schemas = []

    def __call__(self, sender, body, headers, **_):
        _, arguments, _ = body
        self.jobs.append((sender, arguments))
        self.schemas.append(headers["_schema_name"])


@pytest.fixture
def started():
    """Return what has been published, as Celery's own signal tells it."""
    broker = Broker()
    before_task_publish.connect(broker, weak=False)
    yield broker
    before_task_publish.disconnect(broker)


@pytest.fixture
def sweep(acme, started, django_capture_on_commit_callbacks):
    """
    Return a function that sweeps at a time, does the rows that it started jobs for, and returns the other jobs, sorted: nothing
    orders the rows of a sweep.
    """

    def run(**times):
        known = len(started.jobs)
        with django_capture_on_commit_callbacks(execute=True):
            sweeps.run(now=after(**times))
        rows, jobs = [], []
        for name, arguments in started.jobs[known:]:
            (rows if name == "payments.sweep_organisation" else jobs).append((name, arguments))
        for _, arguments in rows:
            sweeps.do(**arguments, now=after(**times))
        return sorted(jobs, key=str)

    return run


def query_job(attempt):
    return "payments.query_attempt", {"attempt_id": str(attempt.id)}


def request_job(intent):
    return "payments.request_collection", {"intent_id": str(intent.id)}


def test_starts_the_queries_that_are_due(sweep):
    attempt = payments.waiting()

    assert sweep(seconds=24) == []
    assert sweep(seconds=25) == [query_job(attempt)]


def test_starts_one_job_for_a_query_and_another_when_that_was_lost(sweep):
    attempt = payments.waiting()

    assert [sweep(seconds=seconds) for seconds in (25, 30, 54)] == [[query_job(attempt)], [], []]
    assert sweep(seconds=55) == [query_job(attempt)]


def test_asks_nothing_whose_answer_has_come_and_is_only_to_be_read(sweep):
    attempt, other = payments.waiting(), payments.waiting()
    facts = {"kind": attempts.COLLECTION, "body": b"{}", "headers": {}, "remote_ip": ""}
    inbox.store(token=attempt.callback_token, now=after(seconds=3), **facts)

    assert sweep(seconds=25) == [query_job(other)]
    assert sweep(minutes=10, seconds=4) == sorted([query_job(attempt), query_job(other)], key=str)


def test_a_job_that_waited_asks_nothing_whose_answer_came_meanwhile(sweep):
    attempt = payments.waiting()
    sweep(seconds=25)
    facts = {"kind": attempts.COLLECTION, "body": b"{}", "headers": {}, "remote_ip": ""}
    inbox.store(token=attempt.callback_token, now=after(seconds=30), **facts)

    assert attempts.claim_query(attempt_id=attempt.id, now=after(seconds=31)) is None
    assert payments.reloaded(attempt).next_query_at == after(seconds=25)
    assert attempts.claim_query(attempt_id=attempt.id, now=after(minutes=11)) is not None


def test_a_refunds_job_that_waited_neither_asks_nor_gives_up_what_was_answered_meanwhile(acme):
    refund = made.pending()
    due = refund.next_query_at
    facts = {"kind": sendings.RESULT, "body": b"{}", "headers": {}, "remote_ip": ""}
    inbox.store(token=refund.callback_token, now=due, **facts)

    assert sendings.claim_query(refund_id=refund.id, now=due) is None
    assert made.reloaded(refund).next_query_at == due
    Refund.objects.update(next_query_at=due + timedelta(days=1))  # behind the plan's end
    inbox.store(token=refund.callback_token, now=due + timedelta(days=1), **facts)
    assert sendings.claim_query(refund_id=refund.id, now=due + timedelta(days=1)) is None
    assert made.reloaded(refund).status == RefundStatus.PENDING
    assert sendings.claim_query(refund_id=refund.id, now=due + timedelta(days=1, minutes=10)) is None
    assert made.reloaded(refund).status == RefundStatus.UNKNOWN  # nobody counts on it any more


def test_starts_the_next_query_when_the_last_job_took_its_own(sweep):
    attempt = payments.waiting()
    sweep(seconds=25)
    attempts.claim_query(attempt_id=attempt.id, now=after(seconds=26))

    assert sweep(seconds=34) == []
    assert sweep(seconds=35) == [query_job(attempt)]


def test_leaves_settled_attempts_alone(sweep):
    attempt = payments.waiting()
    intents.record(attempt_id=attempt.id, report=payments.collected(attempt), actor=payments.SYSTEM, now=NOW)

    assert sweep(minutes=60) == []


def test_says_plainly_that_a_silent_attempt_is_unknown(sweep):
    attempt = payments.sending()

    assert sweep(seconds=59) == []
    assert payments.reloaded(attempt).status == AttemptStatus.SENDING
    assert sweep(seconds=60) == []

    assert payments.reloaded(attempt).status == AttemptStatus.UNKNOWN
    assert payments.reload(attempt.intent_id).status == IntentStatus.UNKNOWN
    assert told(attempt.intent_id)[-1] == "payment_unknown"
    assert sweep(minutes=60) == []
    assert told(attempt.intent_id).count("payment_unknown") == 1


def test_does_not_give_up_an_attempt_that_was_answered_after_the_sweep(acme):
    attempt = payments.waiting()

    sweeps.do(deed="lose", row_id=attempt.id, now=after(minutes=5))

    assert payments.reloaded(attempt).status == AttemptStatus.ACTION_REQUIRED


def test_sends_for_an_intent_whose_job_was_lost(sweep):
    intent = payments.intent()

    assert sweep(seconds=29) == []
    assert sweep(seconds=30) == [request_job(intent)]
    assert sweep(seconds=35) == []
    assert sweep(seconds=61) == [request_job(intent)]


def test_puts_nothing_into_a_queue_that_is_backed_up(sweep):
    """Found by the bench: each payment that waited for its turn got another job every 30 seconds, and all waited longer."""
    intent, attempt = payments.intent(), payments.waiting()
    due = [query_job(attempt), request_job(intent)]
    for _ in range(jobs.BACKLOG):
        current_app.tasks["payments.request_refund"].apply_async(kwargs={"refund_id": str(attempt.id)})

    assert sweep(seconds=45) == []
    Channel.queues["providers"].get_nowait()
    assert sweep(seconds=45) == due


def test_a_backlog_of_our_own_work_keeps_no_question_back(sweep):
    attempt, expired = payments.waiting(), payments.intent(is_confirmed=False)
    for _ in range(jobs.BACKLOG):
        current_app.tasks["payments.sweep"].apply_async()

    assert sweep(hours=25) == [query_job(attempt)]
    assert payments.reload(expired.id).status == IntentStatus.REQUIRES_CONFIRMATION


def test_leaves_an_intent_with_an_attempt_alone(sweep):
    payments.sending()

    assert sweep(seconds=45) == []


def test_closes_what_nobody_confirmed(sweep):
    late = payments.intent(is_confirmed=False)
    confirmed = payments.intent()

    sweep(hours=23, minutes=59)
    assert payments.reload(late.id).status == IntentStatus.REQUIRES_CONFIRMATION
    sweep(hours=24)

    assert payments.reload(late.id).status == IntentStatus.EXPIRED
    assert told(late.id) == ["payment_intent_created", "payment_expired"]
    assert PaymentIntent.objects.get(id=confirmed.id).status == IntentStatus.PROCESSING


def test_gives_every_row_a_job_of_its_own(acme, started, django_capture_on_commit_callbacks):
    silent = [payments.sending(), payments.sending()]
    late = [payments.intent(is_confirmed=False), payments.intent(is_confirmed=False)]
    with django_capture_on_commit_callbacks(execute=True):
        sweeps.run(now=after(hours=24))

    rows = [("lose", attempt.id) for attempt in silent] + [("expire", intent.id) for intent in late]
    wanted = [("payments.sweep_organisation", {"deed": deed, "row_id": str(row_id)}) for deed, row_id in rows]
    assert sorted(started.jobs, key=str) == sorted(wanted, key=str)


def test_reaches_every_organisation(db, started):
    tasks.sweep()

    assert sorted(started.schemas) == ["org_acme", "org_zuri"]


def test_runs_inside_one_organisation(acme):
    intent = payments.intent()

    tasks.sweep_organisation()

    assert connection.schema_name == "org_acme"
    assert payments.reload(intent.id).status == IntentStatus.PROCESSING


def test_does_one_row_inside_one_organisation(acme):
    late = payments.intent(is_confirmed=False, now=clock.now() - timedelta(hours=25))

    tasks.sweep_organisation(deed="expire", row_id=str(late.id))

    assert payments.reload(late.id).status == IntentStatus.EXPIRED


def test_finds_lost_jobs_silent_workers_and_due_questions_of_refunds(sweep):
    waiting, silent, pending = made.requested(), made.sending(), made.pending()

    jobs = sweep(minutes=7)

    assert jobs == [
        ("payments.query_refund", {"refund_id": str(pending.id)}),
        ("payments.request_refund", {"refund_id": str(waiting.id)}),
    ]
    states = [made.reloaded(one).status for one in (waiting, silent, pending)]
    assert states == [RefundStatus.REQUESTED, RefundStatus.UNKNOWN, RefundStatus.PENDING]
    assert sweep(minutes=7) == []

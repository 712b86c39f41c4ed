"""Sweep payments: what is due and was not done is found in the rows."""

from datetime import timedelta

import pytest
from celery import current_app
from django.db import connection

from apps.payments import tasks
from apps.payments.contracts import AttemptStatus, IntentStatus
from apps.payments.models import PaymentIntent
from apps.payments.services import intents, sweeps
from tests.factories import payments
from tests.payments.conftest import told

NOW = payments.NOW


def after(**times):
    return NOW + timedelta(**times)


@pytest.fixture
def started(monkeypatch):
    """Keep what would go to the broker: the one thing here that leaves the process."""
    kept = []
    for name in ("payments.request_collection", "payments.query_attempt", "payments.sweep_organisation"):
        task = current_app.tasks[name]
        monkeypatch.setattr(
            task, "apply_async", lambda name=name, **said: kept.append((name, said)), raising=False
        )
    return kept


def sweep(capture, **times):
    with capture(execute=True):
        sweeps.run(now=after(**times))


def names(started):
    return [(name, next(iter(said["kwargs"].values()))) for name, said in started]


def test_starts_the_queries_that_are_due(acme, started, django_capture_on_commit_callbacks):
    attempt = payments.waiting()

    sweep(django_capture_on_commit_callbacks, seconds=24)
    assert started == []
    sweep(django_capture_on_commit_callbacks, seconds=25)

    assert names(started) == [("payments.query_attempt", str(attempt.id))]


def test_leaves_settled_attempts_alone(acme, started, django_capture_on_commit_callbacks):
    attempt = payments.waiting()
    intents.record(attempt_id=attempt.id, report=payments.collected(attempt), actor=payments.SYSTEM, now=NOW)

    sweep(django_capture_on_commit_callbacks, minutes=60)

    assert started == []


def test_says_plainly_that_a_silent_attempt_is_unknown(acme, started, django_capture_on_commit_callbacks):
    attempt = payments.sending()

    sweep(django_capture_on_commit_callbacks, seconds=59)
    assert payments.reloaded(attempt).status == AttemptStatus.SENDING
    sweep(django_capture_on_commit_callbacks, seconds=60)

    assert payments.reloaded(attempt).status == AttemptStatus.UNKNOWN
    assert payments.reload(attempt.intent_id).status == IntentStatus.UNKNOWN
    assert told(attempt.intent_id)[-1] == "payment_unknown"
    sweep(django_capture_on_commit_callbacks, minutes=60)
    assert told(attempt.intent_id).count("payment_unknown") == 1
    assert started == []


def test_sends_for_an_intent_whose_job_was_lost(acme, started, django_capture_on_commit_callbacks):
    intent = payments.intent()

    sweep(django_capture_on_commit_callbacks, seconds=29)
    assert started == []
    sweep(django_capture_on_commit_callbacks, seconds=30)
    sweep(django_capture_on_commit_callbacks, seconds=35)

    assert names(started) == [("payments.request_collection", str(intent.id))]
    sweep(django_capture_on_commit_callbacks, seconds=61)
    assert len(started) == 2


def test_leaves_an_intent_with_an_attempt_alone(acme, started, django_capture_on_commit_callbacks):
    payments.sending()

    sweep(django_capture_on_commit_callbacks, seconds=45)

    assert started == []


def test_closes_what_nobody_confirmed(acme, started, django_capture_on_commit_callbacks):
    late = payments.intent(is_confirmed=False)
    confirmed = payments.intent()

    sweep(django_capture_on_commit_callbacks, hours=23, minutes=59)
    assert payments.reload(late.id).status == IntentStatus.REQUIRES_CONFIRMATION
    sweep(django_capture_on_commit_callbacks, hours=24)

    assert payments.reload(late.id).status == IntentStatus.EXPIRED
    assert told(late.id) == ["payment_intent_created", "payment_expired"]
    assert PaymentIntent.objects.get(id=confirmed.id).status == IntentStatus.PROCESSING


def test_reaches_every_organisation(db, started):
    tasks.sweep()

    schemas = sorted(said["headers"]["_schema_name"] for _, said in started)
    assert schemas == ["org_acme", "org_zuri"]


def test_runs_inside_one_organisation(acme, started, django_capture_on_commit_callbacks):
    intent = payments.intent()
    with django_capture_on_commit_callbacks(execute=True):
        tasks.sweep_organisation()

    assert connection.schema_name == "org_acme"
    assert payments.reload(intent.id).status == IntentStatus.PROCESSING

"""Jobs: asked for at commit, and no reason for a request to fail."""

import socket
import time

import pytest
from celery import current_app
from celery.app.task import Task
from django.db import transaction
from structlog.testing import capture_logs

from apps.kit import ids, jobs, schema

TASK = "events.send_webhooks"


@pytest.fixture
def broker_down(monkeypatch):
    """Point Celery at a port of this machine where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setattr(current_app.conf, "broker_url", f"redis://127.0.0.1:{free.getsockname()[1]}/0")
    monkeypatch.setattr(current_app, "_pool", None)
    monkeypatch.setattr(current_app.amqp, "_producer_pool", None)


def test_a_broker_that_is_down_fails_nobody(acme, broker_down, django_capture_on_commit_callbacks):
    began, after = time.monotonic(), []

    with capture_logs() as lines, django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        jobs.enqueue(TASK, endpoint_id=ids.new())
        transaction.on_commit(lambda: after.append("and the next one still runs"))

    assert after == ["and the next one still runs"]
    assert [(line["event"], line["task"]) for line in lines] == [("job_not_started", TASK)]
    assert time.monotonic() - began < 5


def test_runs_where_it_was_asked_for_whatever_is_entered_by_the_commit(
    acme, monkeypatch, django_capture_on_commit_callbacks
):
    sent = []
    monkeypatch.setattr(Task, "apply_async", lambda *_, **options: sent.append(options["headers"]))

    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        jobs.enqueue(TASK, endpoint_id=ids.new())
        schema.leave()

    assert [headers["_schema_name"] for headers in sent] == ["org_acme"]


def test_a_name_that_no_task_has_fails_at_once(acme):
    with pytest.raises(KeyError):
        jobs.enqueue("events.no_such_task")


def test_a_shared_job_that_waits_to_begin_stands_for_the_next_ones(
    acme, monkeypatch, in_organisation, django_capture_on_commit_callbacks
):
    sent = []
    monkeypatch.setattr(Task, "apply_async", lambda _task, _args, kwargs, **_: sent.append(kwargs["lane"]))

    def ask(lane):
        with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
            jobs.enqueue("events.relay", is_shared=True, lane=lane)

    ask("events")
    ask("events")
    ask("documents")
    assert sent == ["events", "documents"]

    jobs.began("events.relay", lane="events")
    ask("events")
    assert sent == ["events", "documents", "events"]

    in_organisation("zuri")
    ask("events")
    assert sent[3:] == ["events"]


def test_shared_jobs_are_gathered_but_for_the_one_that_gathers(
    acme, monkeypatch, django_capture_on_commit_callbacks
):
    sent = []
    monkeypatch.setattr(Task, "apply_async", lambda _task, _args, kwargs, **_: sent.append(kwargs["lane"]))

    def ask(*lanes, is_shared=True):
        for lane in lanes:
            with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
                jobs.enqueue("events.relay", is_shared=is_shared, lane=lane)

    with jobs.gathering("events.relay", lane="events"):
        ask("documents", "events", "documents")
        assert sent == []
        ask("alone", is_shared=False)
        assert sent == ["alone"]
        ask("early")
        jobs.send_gathered()
        assert set(sent[1:]) == {"documents", "events", "early"}
        ask("events", "documents")
    assert sent[4:] == []
    jobs.began("events.relay", lane="documents")

    with jobs.gathering("events.relay", lane="events"):
        ask("events", "documents")
    assert sent[4:] == ["documents"]

    def fail() -> None:
        with jobs.gathering("events.relay", lane="events"):
            ask("webhooks", "events")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert sent[5:] == ["webhooks"]


def test_held_jobs_are_kept_after_their_commit_and_not_sent(
    acme, broker_down, django_capture_on_commit_callbacks
):
    with capture_logs() as lines, jobs.held() as kept:
        with django_capture_on_commit_callbacks(execute=True):
            jobs.enqueue("events.relay", countdown=5, lane="events", queue="events")
            assert kept == []
        held_jobs = list(kept)
    with django_capture_on_commit_callbacks(execute=True):
        jobs.enqueue("events.relay", lane="events")

    assert held_jobs == [jobs.Job("events.relay", {"lane": "events"}, 5)]
    assert kept == held_jobs
    assert lines == []


def test_a_held_job_is_run_as_a_worker_would(acme, monkeypatch):
    seen = []
    monkeypatch.setattr(current_app.tasks[TASK], "run", lambda **arguments: seen.append(arguments))

    jobs.run(jobs.Job(TASK, {"delivery_id": "one"}))

    assert seen == [{"delivery_id": "one"}]

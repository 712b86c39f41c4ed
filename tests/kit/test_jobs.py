"""Jobs: asked for at commit, and no reason for a request to fail."""

import socket
import time

import pytest
from celery import current_app
from django.db import transaction
from structlog.testing import capture_logs

from apps.kit import ids, jobs

TASK = "events.send_webhook"


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
        jobs.enqueue(TASK, delivery_id=ids.new())
        transaction.on_commit(lambda: after.append("and the next one still runs"))

    assert after == ["and the next one still runs"]
    assert [(line["event"], line["task"]) for line in lines] == [("job_not_started", TASK)]
    assert time.monotonic() - began < 5


def test_a_name_that_no_task_has_fails_at_once(acme):
    with pytest.raises(KeyError):
        jobs.enqueue("events.no_such_task")

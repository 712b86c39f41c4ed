"""Two workers: threads with connections of their own, on committed rows."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from apps.access.models import Application
from apps.jobs.contracts import JobStatus
from apps.jobs.services import jobs, runs
from apps.kit.actors import SYSTEM
from tests.factories import jobs as make

NOW = make.NOW


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run each call in a thread with its own connection, all released together."""
    organisation, gate = connection.tenant, threading.Barrier(len(calls))
    results: list[Any] = [None] * len(calls)

    def run(place: int, call: Callable[[], Any]) -> None:
        connection.set_tenant(organisation)
        try:
            gate.wait(10)
            results[place] = call()
        except jobs.JobOver as refusal:
            results[place] = refusal
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place, call)) for place, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def do(job):
    """Work as the task does, and say how many chunks were recorded."""

    def call() -> int:
        recorded = 0
        with runs.taken_up(job_id=job.id, now=NOW) as run:
            while run is not None and runs.go_on(run, read_clock=lambda: NOW):
                recorded += 1
        return recorded

    return call


def test_one_worker_does_the_whole_job(committed_acme):
    job = make.waiting(parameters={"chunks": 10})

    results = at_once(*[do(job)] * 5)

    assert sorted(results) == [0, 0, 0, 0, 10]
    assert Application.objects.filter(slug__startswith="chunk-").count() == 10
    assert (make.reloaded(job).status, make.reloaded(job).attempt) == (JobStatus.SUCCEEDED, 1)


@pytest.mark.parametrize("round_", range(3))
def test_stopping_and_working_agree(committed_acme, round_):
    job = make.waiting(parameters={"chunks": 5})

    recorded, stopped = at_once(do(job), lambda: jobs.cancel(job_id=job.id, actor=SYSTEM, now=NOW))

    ended = make.reloaded(job)
    assert Application.objects.filter(slug__startswith="chunk-").count() == ended.done
    if isinstance(stopped, jobs.JobOver):
        assert (ended.status, recorded) == (JobStatus.SUCCEEDED, 5)
    else:
        assert ended.status == JobStatus.CANCELLED

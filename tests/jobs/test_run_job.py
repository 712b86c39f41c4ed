"""Run job."""

from datetime import timedelta
from pathlib import Path

import pytest

from apps.access.models import Application
from apps.audit.models import AuditRecord
from apps.events.models import OutboxEvent
from apps.jobs.contracts import JobStatus
from apps.jobs.models import Job
from apps.jobs.services import jobs, runs, sweeps
from apps.kit import errors, storage
from apps.kit.actors import SYSTEM, Actor, ActorKind
from tests.factories import jobs as make

NOW = make.NOW
LATER = NOW + timedelta(minutes=2)
AMINA = Actor(ActorKind.USER, "amina", person="amina", application="portal")


def chunks_done():
    return sorted(Application.objects.filter(slug__startswith="chunk-").values_list("slug", flat=True))


def result_of(job):
    return storage.Stored(job.result_key, job.result_sha256, job.result_size)


def told(job):
    return [event.data["object"]["status"] for event in OutboxEvent.objects.filter(aggregate_id=job.id)]


def test_does_every_chunk_and_says_so(committed_acme):
    job = make.waiting()

    make.work(job)

    done = make.reloaded(job)
    assert (done.status, done.done, done.failed, done.total) == (JobStatus.SUCCEEDED, 3, 0, 3)
    assert (done.started_at, done.finished_at, done.locked_until) == (NOW, NOW, None)
    assert chunks_done() == ["chunk-0", "chunk-1", "chunk-2"]
    assert told(job) == ["succeeded"]
    records = AuditRecord.objects.filter(object_id=str(job.id)).order_by("id")
    assert list(records.values_list("action", flat=True)) == ["job.started", "job.succeeded"]


def test_leaves_a_file_with_its_checksum(committed_acme):
    job = make.waiting(kind=make.FILING)

    make.work(job)

    done = make.reloaded(job)
    assert (done.result_name, done.result_content_type, done.result_size) == ("lines.txt", "text/plain", 21)
    assert (done.done, done.failed) == (3, 1)
    assert b"".join(jobs.open_result(job=done, actor=SYSTEM, now=NOW)) == b"line 0\nline 1\nline 2\n"
    assert AuditRecord.objects.filter(action="job.result_downloaded").count() == 1


def test_does_not_give_out_a_file_that_was_changed(committed_acme):
    job = make.waiting(kind=make.FILING)
    make.work(job)
    done = make.reloaded(job)
    done.result_sha256 = "0" * 64

    with pytest.raises(storage.FileDamaged):
        jobs.open_result(job=done, actor=SYSTEM, now=NOW)


def test_goes_on_from_its_cursor_after_a_killed_worker(committed_acme):
    job = make.waiting()
    make.work(job, chunks=2)
    assert make.work(job, now=NOW) == 0  # somebody holds it

    sweeps.run(now=NOW)
    assert make.reloaded(job).status == JobStatus.RUNNING
    sweeps.run(now=LATER)
    assert make.reloaded(job).status == JobStatus.QUEUED
    make.work(job, now=LATER)

    done = make.reloaded(job)
    assert (done.status, done.attempt, done.done) == (JobStatus.SUCCEEDED, 2, 3)
    assert chunks_done() == ["chunk-0", "chunk-1", "chunk-2"]


def test_what_is_done_after_the_last_chunk_commits_with_the_end(committed_acme):
    job = make.waiting(parameters={"at_the_end": ["chunk-end"]})

    make.work(job)

    assert make.reloaded(job).status == JobStatus.SUCCEEDED
    assert chunks_done() == ["chunk-0", "chunk-1", "chunk-2", "chunk-end"]


def test_a_late_worker_keeps_nothing_of_what_it_did_after_the_last_chunk(committed_acme):
    job = make.waiting(parameters={"at_the_end": ["chunk-end"]})
    with runs.taken_up(job_id=job.id, now=NOW) as slow:
        for _ in range(3):
            assert runs.go_on(slow, read_clock=lambda: NOW)
        sweeps.run(now=LATER)
        assert runs.go_on(slow, read_clock=lambda: LATER) is False

    assert make.reloaded(job).status == JobStatus.QUEUED
    assert chunks_done() == ["chunk-0", "chunk-1", "chunk-2"]


def test_an_atomic_run_leaves_no_file(committed_acme):
    job = make.waiting(parameters={"at_the_end": ["chunk-end"], "with_file": True})

    with pytest.raises(runs.FileOfAtomicRun):
        make.work(job)

    assert (make.reloaded(job).status, make.reloaded(job).done) == (JobStatus.RUNNING, 3)
    assert chunks_done() == ["chunk-0", "chunk-1", "chunk-2"]


def test_holds_the_job_for_the_lease_of_its_kind_from_the_end_of_each_chunk(committed_acme):
    job = make.waiting(kind=make.FILING)
    after_a_slow_chunk = NOW + timedelta(minutes=1)

    with runs.taken_up(job_id=job.id, now=NOW) as run:
        assert make.reloaded(job).locked_until == NOW + make.LEASE
        assert runs.go_on(run, read_clock=lambda: after_a_slow_chunk)

    assert make.reloaded(job).locked_until == after_a_slow_chunk + make.LEASE


def test_records_nothing_of_a_worker_that_was_believed_dead(committed_acme):
    job = make.waiting()
    with runs.taken_up(job_id=job.id, now=NOW) as slow:
        assert runs.go_on(slow, read_clock=lambda: NOW)
        sweeps.run(now=LATER)
        with runs.taken_up(job_id=job.id, now=LATER) as second:
            assert runs.go_on(second, read_clock=lambda: LATER)
            assert runs.go_on(slow, read_clock=lambda: LATER) is False
            assert (make.reloaded(job).done, make.reloaded(job).attempt) == (2, 2)
            assert runs.go_on(second, read_clock=lambda: LATER)

    assert chunks_done() == ["chunk-0", "chunk-1", "chunk-2"]


def test_a_late_worker_does_not_finish_for_another(committed_acme):
    job = make.waiting(kind=make.FILING)
    with runs.taken_up(job_id=job.id, now=NOW) as slow:
        for _ in range(3):
            runs.go_on(slow, read_clock=lambda: NOW)
        sweeps.run(now=LATER)
        assert runs.go_on(slow, read_clock=lambda: LATER) is False

    left = make.reloaded(job)
    assert (left.status, left.result_key) == (JobStatus.QUEUED, "")
    assert told(job) == []


def test_fails_with_the_sentence_of_the_refusal_and_keeps_what_was_done(committed_acme):
    job = make.waiting(parameters={"stop_at": 1})

    make.work(job)

    failed = make.reloaded(job)
    assert (failed.status, failed.error, failed.done) == (JobStatus.FAILED, "The rows do not add up.", 1)
    assert chunks_done() == ["chunk-0"]
    assert told(job) == ["failed"]


def test_is_given_up_after_five_workers(committed_acme):
    job = make.waiting()
    now = NOW
    for _ in range(5):
        make.work(job, chunks=0, now=now)
        now += timedelta(minutes=2)
        sweeps.run(now=now)

    make.work(job, now=now)

    assert (make.reloaded(job).status, make.reloaded(job).error) == (JobStatus.FAILED, runs.WORN_OUT)
    assert chunks_done() == []


def test_a_lost_wake_up_is_repeated(committed_acme):
    job = make.waiting()

    sweeps.run(now=NOW + timedelta(seconds=29))
    assert make.reloaded(job).locked_until == NOW + timedelta(seconds=30)
    sweeps.run(now=NOW + timedelta(seconds=30))

    assert make.reloaded(job).locked_until == NOW + timedelta(seconds=60)


def test_a_waiting_job_stops_at_once(committed_acme):
    job = make.waiting()

    stopped = jobs.cancel(job_id=job.id, actor=AMINA, now=NOW)
    jobs.cancel(job_id=job.id, actor=AMINA, now=LATER)

    assert (stopped.status, stopped.cancelled_by) == (JobStatus.CANCELLED, str(AMINA))
    assert make.reloaded(job).finished_at == NOW
    assert make.work(job) == 0
    assert (chunks_done(), told(job)) == ([], ["cancelled"])


def test_a_running_job_stops_between_chunks(committed_acme):
    job = make.waiting()
    with runs.taken_up(job_id=job.id, now=NOW) as run:
        runs.go_on(run, read_clock=lambda: NOW)
        assert jobs.cancel(job_id=job.id, actor=AMINA, now=NOW).status == JobStatus.RUNNING
        assert runs.go_on(run, read_clock=lambda: LATER) is False

    assert make.reloaded(job).status == JobStatus.CANCELLED
    assert chunks_done() == ["chunk-0", "chunk-1"]
    assert told(job) == ["cancelled"]


def test_a_stop_after_the_last_chunk_holds_and_leaves_no_file(committed_acme):
    job = make.waiting(kind=make.FILING)
    with runs.taken_up(job_id=job.id, now=NOW) as run:
        for _ in range(3):
            assert runs.go_on(run, read_clock=lambda: NOW)
        jobs.cancel(job_id=job.id, actor=AMINA, now=NOW)
        assert runs.go_on(run, read_clock=lambda: NOW) is False

    assert (make.reloaded(job).status, make.reloaded(job).result_key) == (JobStatus.CANCELLED, "")


def test_a_stop_holds_when_the_worker_was_killed(committed_acme):
    job = make.waiting()
    make.work(job, chunks=1)
    jobs.cancel(job_id=job.id, actor=AMINA, now=NOW)

    sweeps.run(now=LATER)

    assert make.reloaded(job).status == JobStatus.CANCELLED


def test_what_has_ended_cannot_be_stopped(committed_acme):
    job = make.waiting()
    make.work(job)
    before = AuditRecord.objects.count()

    with pytest.raises(jobs.JobOver):
        jobs.cancel(job_id=job.id, actor=AMINA, now=NOW)
    with pytest.raises(errors.NotFound):
        jobs.cancel(job_id=job.branch_id, actor=AMINA, now=NOW)

    assert make.reloaded(job).cancel_requested_at is None
    assert AuditRecord.objects.count() == before


def test_results_expire_and_rows_stay(committed_acme):
    job = make.waiting(kind=make.FILING)
    make.work(job)
    done = make.reloaded(job)

    assert sweeps.expire(now=done.expires_at - timedelta(seconds=1)) == 0
    with pytest.raises(jobs.ResultExpired):
        jobs.open_result(job=done, actor=SYSTEM, now=done.expires_at)
    assert sweeps.expire(now=done.expires_at) == 1
    assert sweeps.expire(now=done.expires_at) == 0

    assert Job.objects.get().expired_at == done.expires_at
    with pytest.raises(storage.FileDamaged):
        storage.hand_out(result_of(done), name="lines.txt", content_type="text/plain")


def test_what_a_killed_worker_left_in_the_storage_goes_too(committed_acme):
    job = make.waiting(kind=make.FILING)
    make.work(job)
    orphan = storage.upload(path=Path(__file__), folder=jobs.folder(job.id), content_type="text/plain")

    sweeps.expire(now=make.reloaded(job).expires_at)

    with pytest.raises(storage.FileDamaged):
        storage.hand_out(orphan, name="orphan.txt", content_type="text/plain")


def test_results_that_cannot_be_deleted_are_tried_again(committed_acme, storage_away):
    job = make.waiting(kind=make.FILING)
    make.work(job)
    expires_at = make.reloaded(job).expires_at

    storage_away.begin()
    assert sweeps.expire(now=expires_at) == 0
    storage_away.end()

    assert sweeps.expire(now=expires_at) == 1


def test_waits_for_a_storage_that_is_away_and_goes_on_afterwards(committed_acme, storage_away):
    job = make.waiting(kind=make.FILING)
    storage_away.begin()

    with pytest.raises(storage.StorageUnavailable):
        make.work(job)
    left = make.reloaded(job)
    assert (left.status, left.result_key, told(job)) == (JobStatus.RUNNING, "", [])

    storage_away.end()
    sweeps.run(now=LATER)
    make.work(job, now=LATER)
    assert make.reloaded(job).status == JobStatus.SUCCEEDED
    assert b"".join(jobs.open_result(job=make.reloaded(job), actor=SYSTEM, now=LATER)).startswith(b"line 0")


def test_a_job_without_a_file_has_none(committed_acme):
    job = make.waiting()

    with pytest.raises(jobs.ResultMissing):
        jobs.open_result(job=job, actor=SYSTEM, now=NOW)

"""The jobs API: what a key sees, stops and downloads."""

import hashlib
import json
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from django.db import connection
from django.test import Client

from apps.audit.models import AuditRecord
from apps.jobs.contracts import JobStatus
from apps.jobs.models import Job
from apps.kit import bucket_storage, clock, ids
from tests.factories import access, payments
from tests.factories import jobs as make
from tests.loopback import NO_TLS

NOW = make.NOW
NOBODYS = UUID("01936000-0000-7000-8000-0000000000ff")


@pytest.fixture(autouse=True)
def at_that_time():
    with clock.fixed(NOW):
        yield


def ask(method, path, secret):
    """Return the answer and its body, bytes where it is a file; enter the organisation again, which a request leaves."""
    organisation = connection.tenant
    answer = Client().generic(method, f"/v1/acme/{path}", headers=access.bearer(secret))
    body = b"".join(answer.streaming_content) if answer.streaming else answer.json()
    connection.set_tenant(organisation)
    return answer, body


def shops(**facts):
    shop = access.application().id
    return make.waiting(**{"application_id": shop, "application_ids": frozenset({shop}), **facts})


def test_shows_progress_and_result(acme):
    secret = access.issued().secret
    job = shops(kind=make.FILING)
    make.work(job)

    answer, body = ask("GET", f"jobs/{ids.encode('job', job.id)}", secret)

    assert answer.status_code == 200
    assert body["status"] == "succeeded"
    assert body["progress"] == {"done": 3, "failed": 1, "total": 3}
    assert body["result"]["name"] == "lines.txt"
    assert body["result"]["sha256"] == make.reloaded(job).result_sha256
    assert body["result"]["expires_at"] == "2026-12-01T07:40:00.000Z"


def test_gives_the_file_as_a_download(acme):
    secret = access.issued().secret
    job = shops(kind=make.FILING)
    make.work(job)

    answer, body = ask("GET", f"jobs/{ids.encode('job', job.id)}/result", secret)

    assert body == b"line 0\nline 1\nline 2\n"
    assert answer["Content-Disposition"] == 'attachment; filename="lines.txt"'
    assert answer["ETag"] == f'"{make.reloaded(job).result_sha256}"'
    assert answer["Cache-Control"] == "no-store"
    assert AuditRecord.objects.filter(action="job.result_downloaded").count() == 1


def test_leads_to_a_long_file_in_a_bucket(acme, bucket, monkeypatch):
    monkeypatch.setattr(bucket_storage, "LINKED_FROM", 0)
    secret = access.issued().secret
    job = shops(kind=make.FILING)
    make.work(job)

    address = f"/v1/acme/jobs/{ids.encode('job', job.id)}/result"
    answer = Client().get(address, headers=access.bearer(secret))
    connection.set_tenant(acme)
    given = httpx.get(answer["Location"], verify=NO_TLS)

    assert answer.status_code == 302
    assert answer["Cache-Control"] == "no-store"
    assert given.content == b"line 0\nline 1\nline 2\n"
    assert hashlib.sha256(given.content).hexdigest() == make.reloaded(job).result_sha256
    assert AuditRecord.objects.filter(action="job.result_downloaded").count() == 1


def test_says_that_the_storage_is_away(acme, storage_away):
    secret = access.issued().secret
    job = shops(kind=make.FILING)
    make.work(job)
    storage_away.begin()

    answer, body = ask("GET", f"jobs/{ids.encode('job', job.id)}/result", secret)

    assert (answer.status_code, body["code"], body["retryable"]) == (503, "storage_unavailable", True)
    assert not AuditRecord.objects.filter(action="job.result_downloaded").exists()


def test_says_when_there_is_no_file_or_it_is_gone(acme):
    secret = access.issued().secret
    waiting, old = shops(), shops(kind=make.FILING)
    make.work(old, now=NOW - timedelta(days=8))

    for job, status, code in ((waiting, 409, "job_result_missing"), (old, 410, "job_result_expired")):
        answer, body = ask("GET", f"jobs/{ids.encode('job', job.id)}/result", secret)
        assert (answer.status_code, body["code"]) == (status, code)


def test_stops_a_job_and_refuses_to_stop_what_has_ended(acme):
    secret = access.issued().secret
    waiting, over = shops(), shops()
    make.work(over)

    answer, body = ask("POST", f"jobs/{ids.encode('job', waiting.id)}/cancel", secret)
    assert (answer.status_code, body["status"]) == (200, "cancelled")
    answer, body = ask("POST", f"jobs/{ids.encode('job', over.id)}/cancel", secret)
    assert (answer.status_code, body["code"]) == (409, "job_over")
    assert make.reloaded(over).status == JobStatus.SUCCEEDED


def test_lists_by_status_and_kind(acme):
    secret = access.issued().secret
    waiting, over = shops(), shops(kind=make.FILING)
    make.work(over)

    seen = {
        query: [row["id"] for row in ask("GET", f"jobs{query}", secret)[1]["data"]]
        for query in ("", "?status=queued", "?kind=test_filing")
    }

    assert seen == {
        "": [ids.encode("job", over.id), ids.encode("job", waiting.id)],
        "?status=queued": [ids.encode("job", waiting.id)],
        "?kind=test_filing": [ids.encode("job", over.id)],
    }


def test_hides_what_the_key_may_not_read(acme):
    """Another application's, a person's, one of other branches, one that needs a scope that the key lacks, one for people only."""
    cbd, west = access.branch(), access.branch("NBO-WST", "Westlands")
    bound = access.issued(("jobs:read", "jobs:write", "payments:read"), branch=cbd).secret
    own = shops(branch_ids=frozenset({cbd.id}))
    hidden = [
        make.waiting(application_id=access.portal().id, branch_ids=frozenset({cbd.id})),
        shops(application_ids=frozenset({access.application("other").id}), branch_ids=frozenset({cbd.id})),
        shops(application_ids=None, branch_ids=frozenset({cbd.id})),
        shops(branch_ids=frozenset({cbd.id, west.id})),
        shops(branch_ids=frozenset({west.id})),
        shops(branch_ids=None),
        shops(branch_ids=frozenset({cbd.id}), scope="receipts:read"),
        shops(branch_ids=frozenset({cbd.id}), scope=""),
    ]

    assert [row["id"] for row in ask("GET", "jobs", bound)[1]["data"]] == [ids.encode("job", own.id)]
    for job in hidden:
        for method, path in (("GET", ""), ("GET", "/result"), ("POST", "/cancel")):
            answer, _ = ask(method, f"jobs/{ids.encode('job', job.id)}{path}", bound)
            assert answer.status_code == 404
        assert make.reloaded(job).status == JobStatus.QUEUED


def post(path, body, secret, key="k-1"):
    organisation = connection.tenant
    answer = Client().post(
        f"/v1/acme/{path}",
        json.dumps(body),
        content_type="application/json",
        headers={"Idempotency-Key": key, **access.bearer(secret)},
    )
    connection.set_tenant(organisation)
    return answer


def test_exports_are_jobs(committed_acme):
    secret = access.issued().secret
    payments.intent(reference="ORD-1")

    answer = post("exports", {"source": "payments", "filters": {"status": ["processing"]}}, secret)
    again = post("exports", {"source": "payments", "filters": {"status": ["processing"]}}, secret)

    assert answer.status_code == again.status_code == 202
    assert again.json() == answer.json()
    assert (answer.json()["kind"], answer.json()["status"]) == ("export", "queued")
    job = Job.objects.get()
    make.work(job)
    _, body = ask("GET", f"jobs/{ids.encode('job', job.id)}", secret)
    assert (body["status"], body["result"]["rows"]) == ("succeeded", 1)
    assert body["result"]["control_totals"] == [
        {"column": "Paid", "total": {"amount": "0.00", "currency": "KES"}},
        {"column": "Amount", "total": {"amount": "1500.00", "currency": "KES"}},
    ]
    _, file = ask("GET", f"jobs/{ids.encode('job', job.id)}/result", secret)
    assert b"ORD-1" in file


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "validation_error"),
        ({"source": "secrets"}, 422, "export_unknown"),
        ({"source": "ledger_entries"}, 403, "export_forbidden"),
        ({"source": "payments", "format": "pdf"}, 422, "validation_error"),
        ({"source": "payments", "columns": ["payer"]}, 422, "validation_error"),
        ({"source": "payments", "filters": {"status": ["gone"]}}, 422, "export_filter_invalid"),
        ({"source": "payments", "branch_id": ids.encode("br", NOBODYS)}, 422, "branch_unknown"),
    ],
    ids=str,
)
def test_a_wrong_export_starts_nothing(committed_acme, body, status, code):
    answer = post("exports", body, access.issued().secret)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert Job.objects.count() == 0

"""Export the trail: a file of whole days that a stranger verifies without the treasury, and finds every change in."""

import io
import json
import subprocess
import sys
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from apps.audit.models import AuditLink, AuditRecord
from apps.audit.services import chain
from apps.jobs.contracts import JobStatus, NewAuditExport
from apps.jobs.models import Job
from apps.jobs.services import audit_exports, jobs
from apps.kit import clock
from apps.kit.actors import person
from tests.audit.test_chain import write
from tests.conftest import ROOT
from tests.factories import access
from tests.factories import jobs as make

TOOL = ROOT / "tools" / "verify_audit.py"


@pytest.fixture
def auditor(acme):
    access.head_office()
    access.portal()
    return access.member("auditor", "auditor@example.test").user


def export(user, request: NewAuditExport | None = None) -> Job:
    now = clock.now()
    job = audit_exports.start(
        request=request or NewAuditExport(), caller=user, actor=person(user.id), now=now
    )
    make.work(job, now=now)
    return make.reloaded(job)


def content(job: Job) -> bytes:
    return b"".join(jobs.open_result(job=job, actor=person("x"), now=clock.now()))


def verified(path: Path, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-I", TOOL, path, *arguments], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_a_stranger_verifies_it_and_finds_every_change(auditor, tmp_path):
    write("b1", "b2", changes={"name": ["Nairobi · Ünité", None], "depth": [1, 2]})
    write("b3", reason="moved")
    job = export(auditor)
    assert (job.status, job.error) == (JobStatus.SUCCEEDED, "")
    path = tmp_path / "audit.zip"
    path.write_bytes(content(job))
    with zipfile.ZipFile(path) as packed:
        manifest = json.loads(packed.read("manifest.json"))
        lines = packed.read("records.ndjson").splitlines(keepends=True)

    head = AuditLink.objects.get(seq=manifest["last_seq"])
    assert manifest["first_seq"] == 1
    assert manifest["count"] == len(lines) == job.result_rows
    assert manifest["head_hash"] == bytes(head.hash).hex()
    kept = f"{head.seq}:{manifest['head_hash']}"
    assert verified(path)[0] == 2
    assert verified(path, "--head", kept) == (0, verified(path, "--head", kept)[1])
    assert verified(path, "--head", f"{head.seq}:{'00' * 32}")[0] == 1
    assert verified(path, "--head", "nonsense")[0] == 64
    folder = tmp_path / "broken"
    folder.mkdir()
    at = next(place for place, line in enumerate(lines) if "Ünité".encode() in line)
    changed = lines[at].replace("Ünité".encode(), b"Unite")
    for broken, said in (
        ([*lines[:at], changed, *lines[at + 1 :]], f"number {at + 1}: is not what was sealed"),
        ([lines[0], *lines[2:]], "number 2 is missing"),
        (lines[:-1], "the file ends at number"),
        ([lines[1], lines[0], *lines[2:]], "number 1 is missing"),
        ([*lines, lines[-1]], "is missing, repeated or out of order"),
        ([b"{}\n"], "not an export"),
    ):
        (folder / "records.ndjson").write_bytes(b"".join(broken))
        (folder / "manifest.json").write_text(json.dumps(manifest))
        code, out = verified(folder)
        assert (code, said in out) == (1, True), out
    told = AuditRecord.objects.filter(object_id=str(job.id)).order_by("occurred_at", "id")
    assert list(told.values_list("action", flat=True)) == [
        "job.started",
        "job.succeeded",
        "job.result_downloaded",
    ]


def test_takes_whole_days_only(auditor):
    write("b1")
    chain.seal()
    tomorrow = (clock.now() + timedelta(days=1)).date()

    empty = export(auditor, NewAuditExport(from_date=tomorrow + timedelta(days=1)))
    full = export(auditor, NewAuditExport(to_date=tomorrow))

    assert (empty.status, "Nothing was recorded" in empty.error) == (JobStatus.FAILED, True)
    with zipfile.ZipFile(io.BytesIO(content(full))) as packed:
        assert json.loads(packed.read("manifest.json"))["to_date"] == tomorrow.isoformat()


def test_refuses_who_may_not_read_it_all(acme):
    branch = access.branch("CBD")
    access.portal()
    people = (
        access.member("accountant", "a@example.test").user,
        access.member("auditor", "b@example.test", (branch,)).user,
    )
    for user in people:
        with pytest.raises(audit_exports.AuditExportForbidden):
            audit_exports.start(request=NewAuditExport(), caller=user, actor=person(user.id), now=clock.now())
    assert Job.objects.exists() is False

"""A long job whose worker is killed half-way: it is taken up again, ends once, and adds up."""

import csv
import hashlib
import io
from pathlib import Path

from apps.jobs.models import Job
from apps.kit import clock, ids
from apps.kit.money import Money
from apps.payments.contracts import IntentStatus
from apps.payments.models import PaymentIntent
from tests.running import wait_for

POINT = "jobs.after_chunk"


def test_an_export_whose_worker_is_killed_ends_with_one_file_that_adds_up(world):
    armed = Path(world.treasury.variables["TREASURY_FAULT_PATH"], POINT)
    for amount in ("201.00", "202.00"):
        world.wait_status(world.pay("254700000000", amount), "succeeded")
    world.settle_down()
    armed.touch()

    started = world.call("POST", "/exports", {"source": "payments", "filters": {"status": ["succeeded"]}})
    assert started.status_code == 202, started.text
    job_id = started.json()["id"]
    paid = PaymentIntent.objects.filter(
        status=IntentStatus.SUCCEEDED, application_id=ids.decode("app", started.json()["application_id"])
    )
    minors = list(paid.values_list("amount_minor", flat=True))
    assert {201_00, 202_00} <= set(minors)
    wait_for(lambda: not armed.exists(), what="the worker to be killed")
    killed = job_of(job_id).get()
    assert (killed.status, killed.attempt, killed.done, killed.total) == ("RUNNING", 1, 0, len(minors))
    job_of(job_id).update(
        locked_until=clock.now()
    )  # its lease is over: a test does not wait a minute for that

    done = wait_for(lambda: finished(world, job_id), what="the job to end")
    assert done["status"] == "succeeded", done["error"]
    assert done["progress"] == {"done": len(minors), "failed": 0, "total": len(minors)}
    result, total = done["result"], Money(sum(minors), "KES")
    assert result["rows"] == len(minors)
    assert result["control_totals"] == [
        {"column": "Paid", "total": {"amount": total.text, "currency": "KES"}},
        {"column": "Amount", "total": {"amount": total.text, "currency": "KES"}},
    ]
    ended = job_of(job_id).get()
    assert ended.attempt == 2
    file = world.call("GET", f"/jobs/{job_id}/result").content
    assert hashlib.sha256(file).hexdigest() == result["sha256"]
    assert written(file) == sorted(Money(minor, "KES").text for minor in minors)
    kept = Path(world.treasury.variables["TREASURY_STORAGE_PATH"], ended.result_key)
    assert list(kept.parent.iterdir()) == [kept]


def job_of(job_id: str):
    return Job.objects.filter(id=ids.decode("job", job_id))


def finished(world, job_id: str):
    """Return the job as the API tells it, once it has ended."""
    job = world.call("GET", f"/jobs/{job_id}").json()
    return job if job["finished_at"] else None


def written(file: bytes) -> list[str]:
    """Return the amounts in the rows of the file."""
    lines = list(csv.reader(io.StringIO(file.decode())))
    gap = lines.index([])
    place = lines[gap + 1].index("Amount")
    return sorted(line[place] for line in lines[gap + 2 :])

"""What the tests of exports do: start one, do its work, and read its file."""

import csv
import io
from datetime import timedelta

from apps.jobs.contracts import JobStatus, NewExport
from apps.jobs.services import exports, jobs
from apps.kit.actors import SYSTEM
from tests.factories import jobs as make
from tests.factories.payments import NOW


def start(caller, source="payments", **facts):
    return exports.start(
        request=NewExport(source, **facts), caller=caller, actor=SYSTEM, now=NOW + timedelta(hours=1)
    )


def content(job):
    """Do the job and return its file."""
    make.work(job, now=NOW + timedelta(hours=1))
    done = make.reloaded(job)
    assert done.status == JobStatus.SUCCEEDED, done.error
    return b"".join(jobs.open_result(job=done, actor=SYSTEM, now=NOW + timedelta(hours=1)))


def parts(job):
    """Return the lines before the empty one, and the heads and rows after it."""
    lines = list(csv.reader(io.StringIO(content(job).decode("utf-8"))))
    gap = lines.index([])
    return lines[:gap], lines[gap + 1], lines[gap + 2 :]

"""Export other lists: a row of each as it is written, and nothing beyond the branches of who asks."""

import csv
import io
from datetime import timedelta

import pytest

from apps.jobs.contracts import JobStatus, NewExport
from apps.jobs.services import exports, jobs
from apps.kit.actors import SYSTEM
from tests.factories import access, approvals, parties, payments, refunds
from tests.factories import jobs as make

NOW = payments.NOW + timedelta(hours=1)


def written(source, caller):
    """Return the heads and the rows of what this person takes away."""
    job = exports.start(request=NewExport(source), caller=caller, actor=SYSTEM, now=NOW)
    make.work(job, now=NOW)
    done = make.reloaded(job)
    assert done.status == JobStatus.SUCCEEDED, done.error
    text = b"".join(jobs.open_result(job=done, actor=SYSTEM, now=NOW)).decode()
    lines = list(csv.reader(io.StringIO(text)))
    gap = lines.index([])
    return lines[gap + 1], lines[gap + 2 :]


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("refunds", {"Phone": "0712 ••• 678", "Status": "Requested", "Amount": "1500.00"}),
        ("approvals", {"Kind": "Refund", "Status": "Pending", "Amount": "25000.00"}),
        ("parties", {"Kind": "Customer", "Phone": "0712 ••• 678", "State": "In use", "External id": "C-1"}),
    ],
)
def test_a_row_is_what_the_screen_shows(committed_acme, source, shown):
    access.head_office()
    access.portal()
    owner = access.member().user
    clerk = access.member("owner", "clerk@example.test", (access.branch(),)).user
    approvals.rule()
    approvals.waiting()
    refunds.requested()
    parties.party(external_id="C-1")

    heads, [row] = written(source, owner)

    assert shown.items() <= dict(zip(heads, row, strict=True)).items()
    assert written(source, clerk)[1] == []

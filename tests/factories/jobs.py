"""Jobs for tests: one that waits, and one that is at work."""

from collections.abc import Callable, Generator
from datetime import datetime, timedelta
from typing import Any

from apps.jobs.contracts import NewJob, Progress, ResultFile, Work, declare
from apps.jobs.models import Job
from apps.jobs.services import jobs, runs
from apps.kit import errors
from apps.kit.actors import SYSTEM
from tests.factories import access

NOW = access.NOW
COUNTING = "test_counting"
FILING = "test_filing"
LEASE = timedelta(minutes=1, seconds=30)
CHUNKS = 3


def counting(work: Work) -> Generator[Progress, None, ResultFile | None]:
    """
    Make one application a chunk, named for its place, from where the cursor says to the number that was asked for,
    then those asked for at the end.
    """
    total = int(work.parameters.get("chunks", CHUNKS))
    for place in range(int(work.cursor or 0), total):
        if place == work.parameters.get("stop_at"):
            raise errors.DomainError("The rows do not add up.")
        access.application(f"chunk-{place}")
        yield Progress(done=place + 1, total=total, cursor=str(place + 1))
    for slug in work.parameters.get("at_the_end", ()):
        access.application(slug)
    return ResultFile(work.folder, "none", "text/plain") if work.parameters.get("with_file") else None


def filing(work: Work) -> Generator[Progress, None, ResultFile | None]:
    """Write one line a chunk into a file."""
    path = work.folder / "lines"
    for place in range(CHUNKS):
        with path.open("a") as file:
            file.write(f"{work.parameters.get('text', 'line')} {place}\n")
        yield Progress(done=place + 1, failed=1, total=CHUNKS)
    return ResultFile(path, "lines.txt", "text/plain")


declare(kind=COUNTING, title="Counting", runner=f"{__name__}.counting")
declare(kind=FILING, title="Filing", runner=f"{__name__}.filing", is_atomic=False, lease=LEASE)


def wanted(**facts: Any) -> NewJob:
    """Return the request for a job of head office that everybody who sees payments may see."""
    return NewJob(
        **{
            "kind": COUNTING,
            "title": "Count to three",
            "branch_id": access.head_office().id,
            "application_id": access.portal().id,
            "branch_ids": None,
            "application_ids": None,
            "permission": "payments.view",
            "scope": "payments:read",
            "actor": SYSTEM,
            **facts,
        }
    )


def waiting(*, now: datetime = NOW, **facts: Any) -> Job:
    return jobs.start(request=wanted(**facts), now=now)


def reloaded(job: Job) -> Job:
    return Job.objects.get(id=job.id)


def work(
    job: Job, *, chunks: int = 99, now: datetime = NOW, read_clock: Callable[[], datetime] | None = None
) -> int:
    """Do so many chunks as one worker would, and return how many calls said that there is more."""
    with runs.taken_up(job_id=job.id, now=now, read_clock=read_clock) as run:
        for turn in range(chunks):
            if run is None or not runs.go_on(run, read_clock=read_clock or (lambda: now)):
                return turn
    return chunks

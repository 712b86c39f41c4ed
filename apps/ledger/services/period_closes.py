"""Closes of periods as jobs: one at a time, started by a person in the portal or by a key, done by a worker."""

from collections.abc import Generator
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.access.contracts import Caller
from apps.access.selectors import branches, memberships, scope
from apps.jobs.contracts import NewJob, Progress, ResultFile, Work
from apps.jobs.selectors import jobs as stored_jobs
from apps.jobs.services import jobs
from apps.kit import errors, locks
from apps.kit.actors import Actor, ActorKind
from apps.ledger.contracts import PERIOD_CLOSE_JOB, PeriodState
from apps.ledger.selectors import books
from apps.ledger.selectors import periods as stored
from apps.ledger.services import periods, refusals

PERMISSION = "ledger.view"
SCOPE = "ledger:read"
"""What a person, and a key, need to see the job; who may start it is for the caller to ask."""
STARTING = "ledger.period_close_starting"


class CloseUnderWay(errors.DomainError):
    """A period is being closed already; one is closed at a time."""

    code = "ledger_close_under_way"
    title = "A close is under way"


class CloseGaveUp(errors.DomainError):
    """A posting did not end in time, and nobody may wait behind a close for long."""

    code = "ledger_close_gave_up"
    title = "The close gave up"


@transaction.atomic
def start(
    *,
    period_id: UUID,
    caller: scope.Principal,
    title: str,
    actor: Actor,
    now: datetime,
    is_carrying_holds: bool = False,
    reason: str = "",
) -> jobs.Job:
    """
    Have a worker close a period; ``title`` is what the job is called. What the books refuse now starts nothing.

    Raises NotFound, BookForbidden, CloseUnderWay where somebody else was first, PeriodStateWrong for a closed period and
    CloseRefused with every precondition that is not met. The close asks them again under its fence.
    """
    books.require_all_branches(caller)
    if not locks.try_advisory(STARTING) or stored_jobs.live().filter(kind=PERIOD_CLOSE_JOB).exists():
        raise CloseUnderWay(
            "Somebody is closing a period already. Nothing was started: look again in a moment."
        )
    period = stored.get(period_id)
    if period.state == PeriodState.CLOSED:
        raise refusals.PeriodStateWrong("This period is closed already.")
    periods.require_ready(period_id=period_id, now=now, is_carrying_holds=is_carrying_holds)
    membership = None if isinstance(caller, Caller) else memberships.of(caller)
    own_applications = scope.application_ids(caller)
    return jobs.start(
        request=NewJob(
            kind=PERIOD_CLOSE_JOB,
            title=title,
            branch_id=branches.head_office().id,
            application_id=scope.application_id(caller),
            branch_ids=None,
            application_ids=None if own_applications is None else frozenset(own_applications),
            permission=PERMISSION,
            scope=SCOPE,
            actor=actor,
            starter_id=None if membership is None else membership.id,
            parameters={
                "period_id": str(period_id),
                "is_carrying_holds": is_carrying_holds,
                "reason": reason,
                "actor": {
                    "kind": actor.kind.value,
                    "id": actor.id,
                    "person": actor.person,
                    "application": actor.application,
                },
            },
        ),
        now=now,
    )


def run(work: Work) -> Generator[Progress, None, ResultFile | None]:
    """
    Close the period in one step, in the name of who started it; whoever takes the job up again finds it closed or closes it.

    The job fails with the sentence of whatever ``periods.close`` refuses; nothing is kept then. One that waited in vain
    behind another worker's close of the same period has what it was asked for. The kind is not stoppable: nobody calls
    a job cancelled whose close has committed.
    """
    asked = work.parameters
    who = asked["actor"]
    yield Progress(done=0, total=1)
    try:
        periods.close(
            period_id=UUID(asked["period_id"]),
            actor=Actor(ActorKind(who["kind"]), who["id"], who["person"], who["application"]),
            now=work.taken_up_at,
            is_carrying_holds=asked["is_carrying_holds"],
            reason=asked["reason"],
        )
    except refusals.LedgerBusy as busy:
        if stored.get(UUID(asked["period_id"])).state != PeriodState.CLOSED:
            raise CloseGaveUp(
                "A posting did not end in time, and others wait behind it. Nothing was closed: close it again."
            ) from busy
    yield Progress(done=1, total=1)
    return None

"""Finding jobs, within what the caller may see."""

from uuid import UUID

from apps.access.contracts import Caller
from apps.access.selectors import memberships, scope
from apps.jobs.models import Job
from apps.jobs.models.job import JobQuerySet
from apps.kit import errors

READS_PARTIES = "parties.view"
"""What a person needs to see a job that reads parties alone."""
SEE_ALL = "jobs.view"
STOP_ALL = "jobs.cancel"


def visible_to(caller: scope.Principal) -> JobQuerySet:
    """
    Return the jobs that read nothing which the caller may not see.

    A key sees those of its own application whose scope it holds, none of a person, who reads all applications. A person sees what he started himself, and with the
    permission ``jobs.view`` what others did; both only while his role has the permission of what the job reads. What
    reads parties is seen as far as parties are.
    """
    applications = scope.application_ids(caller)
    jobs = Job.objects.within(branch_ids=scope.branch_ids(caller), application_ids=applications)
    of_parties = Job.objects.within(
        branch_ids=scope.party_branch_ids(caller), application_ids=applications
    ).filter(permission=READS_PARTIES)
    jobs |= of_parties
    if isinstance(caller, Caller):
        return jobs.filter(application_id=caller.application_id, scope__in=caller.scopes).exclude(scope="")
    membership = memberships.of(caller)
    if membership is None:
        return jobs.none()
    held = set(membership.role.permissions)
    jobs = jobs.filter(permission__in=held)
    return jobs if SEE_ALL in held else jobs.filter(starter_id=membership.id)


def get(caller: scope.Principal, job_id: UUID) -> Job:
    """Return one job; raise NotFound for one that does not exist or is not visible to the caller."""
    found = visible_to(caller).select_related("application", "branch", "starter__user")
    job = found.filter(id=job_id).first()
    if job is None:
        raise errors.NotFound("There is no such job.")
    return job


def live() -> JobQuerySet:
    """Return the jobs that wait or run, the oldest first. For internal use: no caller's scope is asked."""
    return Job.objects.filter(finished_at__isnull=True).order_by("id")


def ended() -> JobQuerySet:
    """Return the jobs that have ended, the newest first. For internal use: no caller's scope is asked."""
    return Job.objects.filter(finished_at__isnull=False).order_by("-id")


def may_stop(caller: scope.Principal, job: Job) -> bool:
    """Say whether the caller, who sees the job, may stop it: his own, or with ``jobs.cancel`` anybody's."""
    if isinstance(caller, Caller):
        return True
    membership = memberships.of(caller)
    return membership is not None and (
        job.starter_id == membership.id or STOP_ALL in membership.role.permissions
    )

"""Decisions: whether this person may decide this request now, and the row that says what he decided."""

from datetime import datetime
from uuid import UUID

from apps.access.selectors import memberships
from apps.access.selectors.branches import BranchForbidden
from apps.approvals.contracts import Verdict
from apps.approvals.models import ApprovalDecision, ApprovalRequest, RequestedStep
from apps.approvals.selectors import requests as stored
from apps.approvals.selectors.rules import DECIDE
from apps.kit import errors
from apps.kit.actors import Actor


class RequestClosed(errors.DomainError):
    """The request was decided, withdrawn or closed already."""

    code = "approval_closed"
    title = "Closed already"


class RequestExpired(errors.DomainError):
    """The time to decide is over."""

    code = "approval_expired"
    title = "Time is over"


class PayloadChanged(errors.DomainError):
    """The request was edited after the decider saw it."""

    code = "approval_payload_changed"
    title = "Changed meanwhile"


class OwnRequest(errors.Forbidden):
    """Who asks for a deed, or edits what was asked, does not decide it."""

    code = "approval_own_request"
    title = "Your own request"


class OwnChange(errors.Forbidden):
    """Who made or changed something that a request names does not decide it."""

    code = "approval_own_change"
    title = "You changed what it is about"


class DecidedBefore(errors.DomainError):
    """This person has decided this request already, at this step or an earlier one."""

    code = "approval_decided_before"
    title = "You have decided already"


class NotADecider(errors.Forbidden):
    """The person is not in the group of this step."""

    code = "approval_not_a_decider"
    title = "Not yours to decide"


def locked(request_id: UUID) -> ApprovalRequest:
    """Return the request under its lock; raise NotFound for one that does not exist."""
    request = ApprovalRequest.objects.locked().filter(id=request_id).first()
    if request is None:
        raise errors.NotFound("There is no such approval request.")
    return request


def open_request(request_id: UUID, *, now: datetime | None) -> ApprovalRequest:
    """
    Return a request that waits, under its lock; with ``now`` also one that is still in time.

    Raises NotFound, RequestClosed, RequestExpired.
    """
    request = locked(request_id)
    if not request.is_pending:
        raise RequestClosed(f"This request is {request.status.lower()} already.")
    if now is not None and request.expires_at <= now:
        raise RequestExpired("Nobody decided this request in time. Ask anew.")
    return request


def take(
    request: ApprovalRequest, *, digest: str, verdict: Verdict, reason: str, actor: Actor, now: datetime
) -> RequestedStep:
    """
    Keep what a person decides on a request that is locked, and return the step that it counts for.

    Raises PayloadChanged, OwnRequest, OwnChange, DecidedBefore, NotADecider and BranchForbidden, and then nothing is written.
    """
    if digest != request.payload_hash:
        raise PayloadChanged("This request was edited after you opened it. Read it again, then decide.")
    if actor.person in stored.makers(request):
        raise OwnRequest("You asked for this or edited it, so another person decides.")
    if stored.has_touched(request, actor.person):
        raise OwnChange(
            "You made or changed something that this request is about, so another person decides."
        )
    if stored.has_decided(request, actor.person):
        raise DecidedBefore("You have decided this request already. Another person goes on.")
    step = stored.present_step(request)
    member = memberships.of_person(actor.person)
    if member is None or member.role.code not in step.roles or DECIDE not in member.role.permissions:
        raise NotADecider(f"This step is decided by: {', '.join(step.roles)}.")
    places = {branch.id for branch in member.branches.all()}
    if places and request.branch_id not in places:
        raise BranchForbidden("You do not work for the branch of this request.")
    ApprovalDecision.objects.create(
        request=request,
        payload_version=request.payload_version,
        payload_hash=digest,
        step=step.sequence,
        verdict=verdict.value,
        membership=member,
        person=actor.person,
        role=member.role.code,
        decided_by=str(actor),
        reason=reason,
        decided_at=now,
    )
    return step


def is_complete(request: ApprovalRequest, step: RequestedStep) -> bool:
    """Say whether enough people have approved this step of the present version."""
    approved = stored.valid_decisions(request).filter(step=step.sequence, verdict=Verdict.APPROVED)
    return approved.count() >= step.needed

"""Authority: by what right a person decides a request now, his own or that of somebody who delegated it to him."""

from dataclasses import dataclass
from datetime import datetime

from apps.access.selectors import memberships, scope
from apps.access.selectors.branches import BranchForbidden
from apps.access.selectors.memberships import Membership
from apps.approvals.models import ApprovalDelegation, ApprovalRequest, RequestedStep
from apps.approvals.selectors import delegations
from apps.approvals.selectors import requests as stored
from apps.approvals.selectors.rules import DECIDE
from apps.kit import errors


class OwnRequest(errors.Forbidden):
    """Who asks for a deed, or edits what was asked, does not decide it."""

    code = "approval_own_request"
    title = "Your own request"


class OwnChange(errors.Forbidden):
    """Who made or changed something that a request names does not decide it."""

    code = "approval_own_change"
    title = "You changed what it is about"


class DecidedBefore(errors.DomainError):
    """This person has decided this request already, at this step or an earlier one, or another one has in his name."""

    code = "approval_decided_before"
    title = "You have decided already"


class NotADecider(errors.Forbidden):
    """The person is not in the group of this step."""

    code = "approval_not_a_decider"
    title = "Not yours to decide"


@dataclass(frozen=True, slots=True)
class Authority:
    """``decider`` decides with the role of ``holder``: himself, or who delegated it to him."""

    decider: Membership
    holder: Membership
    delegation: ApprovalDelegation | None = None

    @property
    def on_behalf_of(self) -> str:
        """The person in whose name it is decided; empty where that is the decider."""
        return str(self.holder.user_id) if self.delegation else ""


def find(request: ApprovalRequest, person: str, *, now: datetime) -> Authority:
    """
    Return by what right a person decides the present step: his own role where it may, else what was delegated to him.

    Raises OwnRequest, OwnChange, DecidedBefore, NotADecider and BranchForbidden.
    """
    step = stored.present_step(request)
    _require_free(request, person)
    member = memberships.of_person(person)
    if member is None or DECIDE not in member.role.permissions:
        raise _not_a_decider(step)
    _require_place(request, member)
    if step.admits(member.role.code, since=request.step_began_at, now=now):
        return Authority(member, member)
    for delegation in delegations.given_to(member, now=now):
        if _may_for(request, step, delegation, now=now):
            return Authority(member, delegation.delegator, delegation)
    raise _not_a_decider(step)


def is_anybody_else(person: str) -> bool:
    """Whether somebody but this person decides requests at all."""
    deciding = memberships.everybody().filter(is_active=True, role__permissions__contains=[DECIDE])
    return any(str(member.user_id) != person for member in deciding)


def decided_for(request: ApprovalRequest, person: str, *, now: datetime) -> str:
    """Return the name of whom this person would decide for; empty where he decides by himself or not at all."""
    try:
        right = find(request, person, now=now)
    except errors.DomainError:
        return ""
    return right.holder.user.name if right.delegation else ""


def _may_for(
    request: ApprovalRequest, step: RequestedStep, delegation: ApprovalDelegation, *, now: datetime
) -> bool:
    """Say whether who delegated might decide it himself, and has delegated this."""
    if not delegation.covers(kind=request.kind, money=request.money, application_id=request.application_id):
        return False
    try:
        _require_free(request, str(delegation.delegator.user_id))
        _require_able(request, step, delegation.delegator, now=now)
    except errors.DomainError:
        return False
    return True


def _require_able(
    request: ApprovalRequest, step: RequestedStep, holder: Membership, *, now: datetime
) -> None:
    """Refuse what somebody delegated whose own right does not reach this request."""
    is_admitted = step.admits(holder.role.code, since=request.step_began_at, now=now)
    if not is_admitted or DECIDE not in holder.role.permissions:
        raise _not_a_decider(step)
    _require_place(request, holder)


def _require_place(request: ApprovalRequest, member: Membership) -> None:
    places = scope.of_member(member)
    if places is not None and request.branch_id not in places:
        raise BranchForbidden("You do not work for the branch of this request.")


def _require_free(request: ApprovalRequest, person: str) -> None:
    """Refuse who has a hand in the request already: as its maker, by what he changed, or by a decision."""
    if person in stored.makers(request):
        raise OwnRequest("You asked for this or edited it, so another person decides.")
    if stored.has_touched(request, person):
        raise OwnChange(
            "You made or changed something that this request is about, so another person decides."
        )
    if stored.has_decided(request, person):
        raise DecidedBefore("You have decided this request already. Another person goes on.")


def _not_a_decider(step: RequestedStep) -> NotADecider:
    said = f"This step is decided by: {', '.join(step.roles)}."
    if step.further_roles:
        said += f" After {step.further_after_hours} hours also by: {', '.join(step.further_roles)}."
    return NotADecider(said)

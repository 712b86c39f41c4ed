"""Reading delegations."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.access.contracts import Caller
from apps.access.selectors import memberships, scope
from apps.access.selectors.memberships import Membership
from apps.approvals.models import ApprovalDelegation
from apps.approvals.selectors.rules import DECIDE, MANAGE


def visible_to(caller: scope.Principal) -> QuerySet[ApprovalDelegation]:
    """
    Return the delegations that a person gave or got; all of them for who manages approvals.

    A key sees those of its application, as who made it does; one that is bound to a branch sees none.
    """
    found = ApprovalDelegation.objects.select_related("delegator__user", "delegate__user")
    if isinstance(caller, Caller):
        member = memberships.of_person(caller.actor.person) if caller.branch_id is None else None
        found = found.filter(application_id=caller.application_id)
    else:
        member = memberships.remembered(caller)
    if member is None:
        return found.none()
    if MANAGE in member.role.permissions:
        return found
    return found.filter(Q(delegator=member) | Q(delegate=member))


def given_to(member: Membership, *, now: datetime) -> QuerySet[ApprovalDelegation]:
    """Return what holds now for a member who decides for others, with the role and branches of who delegated, the oldest first."""
    return (
        ApprovalDelegation.objects.in_force(now=now)
        .filter(delegate=member, delegator__is_active=True, delegator__role__permissions__contains=[DECIDE])
        .select_related("delegator__role", "delegator__user")
        .prefetch_related("delegator__branches")
        .order_by("id")
    )


def hold(delegation: ApprovalDelegation, *, now: datetime) -> bool:
    """Lock a delegation until the transaction ends, and say whether it is in force."""
    return ApprovalDelegation.objects.locked().in_force(now=now).filter(id=delegation.id).exists()


def colleagues(person: scope.Person) -> dict[str, str]:
    """Return by id whom a person may delegate to, with their names: other members whose role decides requests."""
    found = (
        memberships.everybody()
        .filter(is_active=True, role__permissions__contains=[DECIDE])
        .exclude(user_id=str(person.pk))
        .order_by("user__name")
    )
    return {str(member.id): f"{member.user.name}, {member.role.name}" for member in found}


def colleague(email: str) -> UUID | None:
    """Return who may decide for others, by the e-mail address; None where nobody does who has it."""
    member = (
        memberships.everybody()
        .filter(user__email__iexact=email, is_active=True, role__permissions__contains=[DECIDE])
        .first()
    )
    return member.id if member else None


def decides(membership_id: UUID) -> Membership | None:
    """Return an active member whose role decides requests."""
    member = memberships.everybody().filter(id=membership_id, is_active=True).first()
    return member if member and DECIDE in member.role.permissions else None

"""Reading the team: who belongs to the organisation, and who acts when a person does."""

import contextlib
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from apps.access.models import Membership
from apps.kit import actors, schema
from apps.kit.actors import Actor

MANAGE = "access.manage"
MANAGED_LATELY = timedelta(days=30)
"""How long who managed the team still counts; the trigger in sql/membership_confirmed.sql says the same."""
ALONE_AFTER = timedelta(days=1)
"""After how long who has nobody beside him confirms a person whom he let in himself; the trigger says the same."""
MEMORY = "memberships_read"
"""Where a user object keeps its memberships by schema: one object may meet two."""


def of(user: AbstractBaseUser | AnonymousUser) -> Membership | None:
    """Return the user's active membership with its role, or None for an outsider."""
    if user.pk is None:
        return None
    return Membership.objects.select_related("role").filter(user_id=user.pk, is_active=True).first()


def remembered(user: AbstractBaseUser | AnonymousUser) -> Membership | None:
    """Return the membership in this schema as it was when it was first asked for with this user object: a page asks often."""
    memory: dict[str, Membership | None] = getattr(user, MEMORY, {})
    if schema.name() not in memory:
        memory[schema.name()] = of(user)
        setattr(user, MEMORY, memory)
    return memory[schema.name()]


def permissions_of(user: AbstractBaseUser | AnonymousUser) -> frozenset[str] | None:
    """Return the permissions of the user's role, or None for an outsider."""
    membership = of(user)
    return None if membership is None else frozenset(membership.role.permissions)


def actor(user: AbstractBaseUser | AnonymousUser) -> Actor:
    """Return the actor that stands for a person in the portal."""
    return actors.person(user.pk)


def everybody() -> QuerySet[Membership]:
    """Return all memberships with user and role, ended ones included."""
    return Membership.objects.select_related("user", "role")


def waiting() -> QuerySet[Membership]:
    """Return the memberships that nobody has confirmed yet, without those whose person was turned away."""
    return everybody().filter(confirmed_at__isnull=True, turned_away_at__isnull=True)


def stands_alone(giver: Membership, *, at: datetime) -> bool:
    """
    Whether nobody else manages the team, nor did within ``MANAGED_LATELY``: who ends them all does not vouch alone the next day.

    Who acts upon it has locked the managers before.
    """
    holding = Membership.objects.filter(role__permissions__contains=[MANAGE], is_active=True)
    lately = Membership.objects.filter(managed_until__gt=at - MANAGED_LATELY)
    return not (holding | lately).exclude(id=giver.id).exists()


def user_ids() -> QuerySet[Membership, UUID]:
    """Return the users who have or had a membership: for lists that must show nobody else."""
    return Membership.objects.values_list("user_id", flat=True)


def of_person(person: str) -> Membership | None:
    """Return the active membership of the person behind an actor with role and branches; None without a person."""
    keys = _user_ids([person])
    if not keys:
        return None
    return everybody().filter(user_id__in=keys, is_active=True).prefetch_related("branches").first()


def ever_of_person(person: str) -> Membership | None:
    """Return the membership of the person behind an actor, an ended one too; None without a person."""
    return everybody().filter(user_id__in=_user_ids([person])).first()


def first_with(permission: str, *, branch_id: UUID) -> Membership | None:
    """
    Return who looks after something of a branch: the first active member whose role holds the permission.

    Who works for this branch by name comes before those who work for all; None where nobody may.
    """
    able = everybody().filter(is_active=True, role__permissions__contains=[permission])
    own = able.filter(branches=branch_id).order_by("id").first()
    return own or able.filter(branches=None).order_by("id").first()


def able(permission: str, *, branch_ids: Collection[UUID]) -> QuerySet[Membership]:
    """Return the active members whose role holds the permission and who work for every one of these branches, by name."""
    found = everybody().filter(is_active=True, role__permissions__contains=[permission])
    for branch_id in branch_ids:
        found = found.filter(Q(branches=None) | Q(branches=branch_id))
    return found.order_by("user__name", "id").distinct()


def first_owner() -> Membership | None:
    """Return the owner who was here first, or None."""
    return everybody().filter(role__code="owner", is_active=True).order_by("id").first()


def names_of(people: Collection[str]) -> dict[str, str]:
    """Return the name of each person of the team, former members included, by the text that actors carry."""
    team = everybody().filter(user_id__in=_user_ids(people))
    return {str(member.user_id): member.user.name for member in team}


def _user_ids(people: Collection[str]) -> list[UUID]:
    """Return the users that the texts name; what is no id of a user is nobody."""
    found = []
    for person in people:
        with contextlib.suppress(ValueError):
            found.append(UUID(person))
    return found

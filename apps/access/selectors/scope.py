"""What a caller may reach: the branches and applications whose rows he sees."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db import connection

from apps.access.contracts import PORTAL, Caller
from apps.access.models import Application, Membership
from apps.access.selectors import memberships
from apps.kit import errors
from apps.kit.actors import Actor
from apps.tenancy.contracts import BranchPolicy
from apps.tenancy.selectors import organisations

type Person = AbstractBaseUser | AnonymousUser
"""Who sits at the portal, or at its door."""

type Principal = Caller | Person
"""Who asks: the key of an API request or the person in the portal."""


CHOICE = "chosen_branch_id"
"""Where a person who sits at the portal carries the one branch that he wants to see."""


MEMORY = "own_branches_read"
"""Where a person, or a key, keeps the branches that were read for him in this request: every list asks several times."""

NAMED = """
SELECT place.branch_id, true FROM access_membership member
LEFT JOIN access_membership_branches place ON place.membership_id = member.id
WHERE member.user_id = %s AND member.is_active
"""
BELOW = """
WITH RECURSIVE reach (id, is_named) AS (
  {start} UNION SELECT branch.id, false FROM access_branch branch JOIN reach ON branch.parent_id = reach.id
) SELECT id, is_named FROM reach
"""
"""The branches that somebody was given, and all below them."""


def narrow(person: AbstractBaseUser | AnonymousUser, branch_id: UUID | None) -> None:
    """Let a person see one of his branches only, from now on in this request; None ends it."""
    setattr(person, CHOICE, branch_id)
    setattr(person, MEMORY, {})


def branch_ids(caller: Principal) -> set[UUID] | None:
    """
    Return the branches whose rows the caller may see, or None for all; an outsider gets the empty set.

    What a person chose in the portal narrows his branches and never widens them: this is the one place where it does,
    so that every list, page, figure and search follows.
    """
    own, wanted = own_branch_ids(caller), wanted_branch_id(caller)
    return {wanted} if wanted is not None and (own is None or wanted in own) else own


def wanted_branch_id(caller: Principal) -> UUID | None:
    """Return what a person asked to see, which he may have lost since."""
    return getattr(caller, CHOICE, None)


def own_branch_ids(caller: Principal) -> set[UUID] | None:
    """Return the branches that the caller works for whatever he chose to see, or None for all."""
    return _reach(caller).within


def named_branch_ids(caller: Principal) -> set[UUID] | None:
    """Return the branches that the caller was given by name, without those below them; None for all."""
    return _reach(caller).named


def party_branch_ids(caller: Principal) -> set[UUID] | None:
    """Return the branches whose parties the caller may see, or None for all; who works for none sees none."""
    mine = branch_ids(caller)
    is_shared = organisations.current().branch_policy == BranchPolicy.SHARED_PARTIES
    return None if mine and is_shared and wanted_branch_id(caller) not in mine else mine


def of_member(member: Membership) -> set[UUID] | None:
    """Return the branches that a member works for, or None for all; reads those that were prefetched."""
    named = {branch.id for branch in member.branches.all()}
    if not named or not _sees_children():
        return named or None
    return _descend("SELECT unnest(%s::uuid[]), true", [list(named)]).within


class BeyondOwnBranches(errors.Forbidden):
    """Who works for some branches gives nobody others, nor all of them."""

    code = "beyond_own_branches"
    title = "Beyond your branches"


@dataclass(frozen=True, slots=True)
class Reach:
    """The branches that somebody was given by name, and all that he works for; None for every branch."""

    named: set[UUID] | None
    within: set[UUID] | None


def require_all_branches(actor: Actor) -> None:
    """Refuse a person who works for some branches only what is about all of them. Raises BeyondOwnBranches."""
    require_branch(actor, None)


def require_branch(actor: Actor, branch_id: UUID | None) -> None:
    """Refuse a person what is about a branch that he does not work for, or (None) about all. Raises BeyondOwnBranches."""
    member = memberships.of_person(actor.person)
    own = of_member(member) if member else None
    if own is not None and branch_id not in own:
        which = "all branches" if branch_id is None else "that branch"
        raise BeyondOwnBranches(f"This is for somebody who works for {which}.")


def _reach(caller: Principal) -> Reach:
    """Return what is remembered of the caller in this request, read once."""
    if isinstance(caller, Caller):
        return _reach_of_key(caller)
    memory: dict[str, Reach] | None = getattr(caller, MEMORY, None)
    if memory is None:
        return _read(caller)
    if MEMORY not in memory:
        memory[MEMORY] = _read(caller)
    return memory[MEMORY]


def _reach_of_key(caller: Caller) -> Reach:
    if caller.branch_id is None:
        return Reach(None, None)
    if not _sees_children():
        return Reach({caller.branch_id}, {caller.branch_id})
    known: Reach | None = getattr(caller.key, MEMORY, None)
    if known is None:
        known = _descend("SELECT %s::uuid, true", [caller.branch_id])
        setattr(caller.key, MEMORY, known)
    return known


def _read(caller: AbstractBaseUser | AnonymousUser) -> Reach:
    if caller.pk is None:
        return Reach(set(), set())
    if _sees_children():
        return _descend(NAMED, [caller.pk])
    mine = Membership.objects.filter(user_id=caller.pk, is_active=True).values_list("branches__id", flat=True)
    found = set(mine)
    return Reach(None, None) if found == {None} else Reach(found, found)


def _sees_children() -> bool:
    return organisations.current().branch_policy == BranchPolicy.PARENT_SEES_CHILDREN


def _descend(start: str, parameters: Sequence[UUID | list[UUID]]) -> Reach:
    """Return the branches of a query with all that are below them, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(BELOW.replace("{start}", start), parameters)
        rows = cursor.fetchall()
    named = {key for key, is_named in rows if is_named}
    return Reach(None, None) if named == {None} else Reach(named, {key for key, _ in rows})


def application_ids(caller: Principal) -> set[UUID] | None:
    """Return the applications whose rows the caller may see, or None for all: a key sees its own, a person all."""
    return {caller.application_id} if isinstance(caller, Caller) else None


def application_id(caller: Principal) -> UUID:
    """Return the application that new rows of the caller belong to: that of the key, or the portal."""
    if isinstance(caller, Caller):
        return caller.application_id
    return Application.objects.values_list("id", flat=True).get(slug=PORTAL)

"""What a caller may reach: the branches and applications whose rows he sees."""

from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser

from apps.access.contracts import PORTAL, Caller
from apps.access.models import Application, Membership

type Person = AbstractBaseUser | AnonymousUser
"""Who sits at the portal, or at its door."""

type Principal = Caller | Person
"""Who asks: the key of an API request or the person in the portal."""


CHOICE = "chosen_branch_id"
"""Where a person who sits at the portal carries the one branch that he wants to see."""


MEMORY = "own_branches_read"
"""Where a person keeps the branches that were read for him in this request: every list asks several times."""


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
    if isinstance(caller, Caller):
        return None if caller.branch_id is None else {caller.branch_id}
    memory: dict[str, set[UUID] | None] | None = getattr(caller, MEMORY, None)
    if memory is None:
        return _read_branch_ids(caller)
    if MEMORY not in memory:
        memory[MEMORY] = _read_branch_ids(caller)
    return memory[MEMORY]


def _read_branch_ids(caller: AbstractBaseUser | AnonymousUser) -> set[UUID] | None:
    if caller.pk is None:
        return set()
    mine = Membership.objects.filter(user_id=caller.pk, is_active=True).values_list("branches__id", flat=True)
    found = set(mine)
    return None if found == {None} else found


def application_ids(caller: Principal) -> set[UUID] | None:
    """Return the applications whose rows the caller may see, or None for all: a key sees its own, a person all."""
    return {caller.application_id} if isinstance(caller, Caller) else None


def application_id(caller: Principal) -> UUID:
    """Return the application that new rows of the caller belong to: that of the key, or the portal."""
    if isinstance(caller, Caller):
        return caller.application_id
    return Application.objects.values_list("id", flat=True).get(slug=PORTAL)

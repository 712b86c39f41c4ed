"""The tree of branches for a reader: each with who is bound to it and what it holds."""

from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, QuerySet
from django.urls import reverse

from apps.access.selectors import branches, memberships
from apps.access.selectors.scope import Person
from apps.ledger.selectors import accounts
from apps.parties.selectors import parties
from apps.tenancy.contracts import BRANCH_POLICIES, BranchPolicy
from apps.tenancy.selectors import organisations

NAMED = 3
"""So many people are named beside a branch; the others are counted."""


@dataclass(frozen=True, slots=True)
class BranchLine:
    """
    One branch at its ``level`` of the tree. ``people`` are bound to it by name, ``more`` is how many others are; a count
    of parties or accounts is None for who may not see them. Addresses are empty for who changes no branches.
    """

    code: str
    name: str
    above: str
    level: int
    is_head_office: bool
    time_zone: str
    below: int
    people: str
    more: int
    parties: int | None
    accounts: int | None
    change_url: str
    add_url: str


@dataclass(frozen=True, slots=True)
class BranchTree:
    """The reader's branches, what of them people of one branch see, and how many people work for all."""

    lines: tuple[BranchLine, ...]
    policy: str
    everywhere: int


def tree(person: Person) -> BranchTree:
    """Return the branches that the reader may see, each below its parent as far as he sees that."""
    places, may = branches.tree(person), memberships.permissions_of(person) or frozenset()
    held = {
        "parties": _by_branch(parties.visible_to(person)) if "parties.view" in may else None,
        "accounts": _by_branch(accounts.visible_to(person)) if "ledger.view" in may else None,
    }
    bound, everywhere = _bound()
    below = Counter(place.branch.parent_id for place in places)
    return BranchTree(
        lines=tuple(
            BranchLine(
                code=place.branch.code,
                name=place.branch.name,
                above=place.path.rpartition(" / ")[0],
                level=place.level,
                is_head_office=place.branch.is_head_office,
                time_zone=place.branch.time_zone,
                below=below[place.branch.id],
                people=", ".join(bound.get(place.branch.id, [])[:NAMED]),
                more=max(len(bound.get(place.branch.id, [])) - NAMED, 0),
                change_url=reverse("admin:access_branch_change", args=[place.branch.id])
                if "access.manage" in may
                else "",
                add_url=f"{reverse('admin:access_branch_add')}?parent={place.branch.id}"
                if "access.manage" in may
                else "",
                **{
                    what: None if counts is None else counts.get(place.branch.id, 0)
                    for what, counts in held.items()
                },
            )
            for place in places
        ),
        policy=str(BRANCH_POLICIES[BranchPolicy(organisations.current().branch_policy)]),
        everywhere=everywhere,
    )


def _by_branch(rows: QuerySet) -> dict[UUID, int]:
    return dict(rows.order_by().values_list("branch_id").annotate(Count("pk")))


def _bound() -> tuple[dict[UUID, list[str]], int]:
    """Return the names of who is bound to each branch, and how many people are bound to none."""
    bound: dict[UUID, list[str]] = {}
    everywhere = 0
    team = memberships.everybody().filter(is_active=True).prefetch_related("branches")
    for member in team.order_by("user__name"):
        named = list(member.branches.all())
        everywhere += not named
        for branch in named:
            bound.setdefault(branch.id, []).append(member.user.name)
    return bound, everywhere

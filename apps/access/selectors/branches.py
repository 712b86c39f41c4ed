"""Reading branches, and choosing the branch of a new row."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import CharField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from apps.access.contracts import Caller
from apps.access.models import Branch, BranchExternalId
from apps.access.selectors.scope import (
    Principal,
    branch_ids,
    named_branch_ids,
    own_branch_ids,
    wanted_branch_id,
)
from apps.kit import errors
from apps.kit.compiled import Compiled


class BranchUnknown(errors.Invalid):
    """There is no such branch."""

    code = "branch_unknown"
    title = "Branch unknown"


class BranchForbidden(errors.Forbidden):
    """The caller may not act for this branch."""

    code = "branch_forbidden"
    title = "Branch not allowed"


_HEAD_OFFICE = Compiled(lambda: Branch.objects.filter(is_head_office=True))


def head_office() -> Branch:
    """Return the branch that stands for the organisation as a whole."""
    return _HEAD_OFFICE.one()


_BY_ID = Compiled(lambda branch_id: Branch.objects.filter(id=branch_id), UUID)


def get(branch_id: UUID) -> Branch:
    """Return one branch; raise NotFound for an unknown one. For internal use: the caller's scope is not asked."""
    branch = _BY_ID.first(branch_id)
    if branch is None:
        raise errors.NotFound("There is no such branch.")
    return branch


def names() -> dict[UUID, str]:
    """Return the name of every branch by its id."""
    return dict(Branch.objects.values_list("id", "name"))


def visible_to(caller: Principal) -> QuerySet[Branch]:
    """Return the branches whose rows the caller may see."""
    chosen = branch_ids(caller)
    return Branch.objects.all() if chosen is None else Branch.objects.filter(id__in=chosen)


def as_called_by(caller: Caller) -> QuerySet[Branch]:
    """
    Return the branches that a key may see, each with what its application calls it (``external_id``, "" for nothing) and
    the branch above as far as the key sees that (``above_id``).
    """
    visible = visible_to(caller)
    called = BranchExternalId.objects.filter(application_id=caller.application_id, branch=OuterRef("pk"))
    own = Subquery(called.values("external_id")[:1])
    above = visible.filter(id=OuterRef("parent_id")).values("id")[:1]
    return visible.annotate(
        external_id=Coalesce(own, Value(""), output_field=CharField()), above_id=Subquery(above)
    )


def external_ids(branch: Branch) -> list[BranchExternalId]:
    """Return what applications call a branch."""
    return list(branch.external_ids.select_related("application").order_by("application__name"))


@dataclass(frozen=True, slots=True)
class Choice:
    """The branches that a person may look at, by name, and the one that he chose; ``is_whole``: they are all there are."""

    branches: Sequence[Branch]
    chosen_id: UUID | None
    is_whole: bool


def choice_of(person: Principal) -> Choice:
    """Return what a person can choose from, whatever he looks at now."""
    own = own_branch_ids(person)
    found = Branch.objects.all() if own is None else Branch.objects.filter(id__in=own)
    rows = list(found.order_by("name"))
    wanted = wanted_branch_id(person)
    return Choice(rows, wanted if any(row.id == wanted for row in rows) else None, own is None)


def chosen(caller: Principal, branch_id: UUID | None) -> Branch:
    """
    Return the branch that a new row of the caller belongs to: the named one, else his only one, else head office.

    Raises BranchForbidden for a branch outside the caller's, known or not, and when he must name one of several
    that do not include head office; BranchUnknown when he may act for all and the branch does not exist.
    """
    allowed = branch_ids(caller)
    if branch_id is not None:
        if allowed is not None and branch_id not in allowed:
            refusal = _refusal(caller)
            raise BranchForbidden(
                refusal, errors=[errors.FieldError("/branch_id", "branch_forbidden", refusal)]
            )
        return existing(branch_id)
    named = allowed if allowed is None or len(allowed) == 1 else named_branch_ids(caller)
    if named is not None and len(named) == 1:
        return Branch.objects.get(id__in=named)
    office = head_office()
    if allowed is not None and office.id not in allowed:
        raise BranchForbidden("Name one of your branches: head office is not among them.")
    return office


def existing(branch_id: UUID) -> Branch:
    """Return the branch that a request names; raise BranchUnknown. The caller's scope is not asked."""
    branch = Branch.objects.filter(id=branch_id).first()
    if branch is None:
        refusal = "There is no such branch."
        raise BranchUnknown(refusal, errors=[errors.FieldError("/branch_id", "branch_unknown", refusal)])
    return branch


def _refusal(caller: Principal) -> str:
    who = (
        "This key is bound to another branch."
        if isinstance(caller, Caller)
        else "You do not work for this branch."
    )
    return f"{who} Leave the branch out or name one that is allowed."


@dataclass(frozen=True, slots=True)
class Place:
    """A branch in the tree: ``level`` counts from 0, ``path`` names what is above it, itself last."""

    branch: Branch
    level: int
    path: str


def tree(caller: Principal) -> list[Place]:
    """Return the caller's branches as a tree, each below its parent as far as he sees that, by name."""
    rows = list(visible_to(caller).order_by("-is_head_office", "name"))
    known = {row.id for row in rows}
    below: dict[UUID | None, list[Branch]] = {}
    for row in rows:
        below.setdefault(row.parent_id if row.parent_id in known else None, []).append(row)

    def walk(parent_id: UUID | None, level: int, above: str) -> list[Place]:
        found = []
        for row in below.get(parent_id, []):
            path = f"{above} / {row.name}" if above else row.name
            found += [Place(row, level, path), *walk(row.id, level + 1, path)]
        return found

    return walk(None, 0, "")

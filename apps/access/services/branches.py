"""Opening, changing and moving branches, and who sees which."""

import zoneinfo
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from apps.access.models import Branch
from apps.access.models.branch import DEPTH_MAX
from apps.access.selectors import scope
from apps.audit.services import records
from apps.kit import errors
from apps.kit.actors import Actor
from apps.tenancy.contracts import BranchPolicy
from apps.tenancy.selectors import organisations
from apps.tenancy.services import policies

CODE_LENGTH = 20


class BranchCodeTaken(errors.DomainError):
    """Another branch has this code, or there is a head office already."""

    code = "branch_exists"
    title = "Branch exists"


class BranchInvalid(errors.Invalid):
    """Code, time zone or place in the tree cannot be."""

    code = "branch_invalid"
    title = "Branch not valid"


@transaction.atomic
def create(
    *,
    code: str,
    name: str,
    is_head_office: bool = False,
    time_zone: str = "",
    parent_id: UUID | None = None,
    actor: Actor,
    now: datetime,
) -> Branch:
    """
    Open a branch below another one, or below head office when none is named.

    Head office is the root of the tree, and there is only one. Raises BranchInvalid and BranchCodeTaken.
    """
    _check(code, time_zone)
    parent = None if is_head_office else _parent(parent_id)
    branch = Branch(
        code=code,
        name=name,
        is_head_office=is_head_office,
        time_zone=time_zone,
        parent=parent,
        created_at=now,
    )
    _check_depth(branch)
    try:
        with transaction.atomic():
            branch.save(force_insert=True)
    except IntegrityError:
        raise BranchCodeTaken(f"A branch {code} or another head office exists already.") from None
    records.write(
        action="branch.created",
        object_type="branch",
        object_id=str(branch.id),
        branch=branch.id,
        actor=actor,
        now=now,
        changes={"code": [None, code], "name": [None, name], "parent": [None, parent.code if parent else ""]},
    )
    return branch


@transaction.atomic
def change(
    *, branch_id: UUID, name: str, time_zone: str, parent_id: UUID | None, actor: Actor, now: datetime
) -> Branch:
    """
    Rename a branch, give it another time zone or hang it below another one (None: below head office).

    Its code stays, because reports and receipts bear it. Who sees what below a branch may follow the tree, so only
    somebody who works for all branches moves one. Raises BranchInvalid and scope.BeyondOwnBranches.
    """
    branch = Branch.objects.select_for_update(no_key=True).get(id=branch_id)
    _check(branch.code, time_zone)
    before, parent = branch.parent, None if branch.is_head_office else _parent(parent_id)
    changes = {
        "name": [branch.name, name],
        "time_zone": [branch.time_zone, time_zone],
        "parent": [before.code if before else "", parent.code if parent else ""],
    }
    branch.name, branch.time_zone, branch.parent = name, time_zone, parent
    if before != parent:
        scope.require_all_branches(actor)
        _check_depth(branch)
    branch.save(update_fields=["name", "time_zone", "parent"])
    records.write(
        action="branch.changed",
        object_type="branch",
        object_id=str(branch.id),
        branch=branch.id,
        actor=actor,
        now=now,
        changes={field: pair for field, pair in changes.items() if pair[0] != pair[1]},
    )
    return branch


@transaction.atomic
def choose_policy(*, policy: BranchPolicy, reason: str, actor: Actor, now: datetime) -> None:
    """
    Choose what somebody who works for some branches sees of the others, from his next request on.

    Raises scope.BeyondOwnBranches: only somebody who works for all branches chooses.
    """
    scope.require_all_branches(actor)
    organisation_id = organisations.current().id
    before, after = policies.set_branch_policy(
        organisation_id=organisation_id, policy=policy, reason=reason, actor=actor, now=now
    )
    if before != after:
        records.write(
            action="organisation.branch_policy",
            object_type="organisation",
            object_id=str(organisation_id),
            actor=actor,
            now=now,
            changes={"branch_policy": [before, after]},
            reason=reason,
        )


def _parent(parent_id: UUID | None) -> Branch | None:
    """Return the branch of this id, or head office as far as there is one."""
    if parent_id is None:
        return Branch.objects.filter(is_head_office=True).first()
    parent = Branch.objects.filter(id=parent_id).first()
    if parent is None:
        raise _wrong_parent(_("There is no such branch."))
    return parent


def _check_depth(branch: Branch) -> None:
    """Refuse a branch below itself and a tree that grows too deep; the trigger refuses them whatever is asked here."""
    tree: dict[UUID, UUID | None] = dict(Branch.objects.values_list("id", "parent_id"))
    tree[branch.id] = branch.parent_id
    for start in tree:
        above: UUID | None = start
        for _level in range(DEPTH_MAX + 1):
            if above is None:
                break
            above = tree[above]
        else:
            raise _wrong_parent(
                _("A branch cannot be below itself, and the tree has %(most)d levels at most.")
                % {"most": DEPTH_MAX}
            )


def _wrong_parent(refusal: str) -> BranchInvalid:
    return BranchInvalid(refusal, errors=[errors.FieldError("/parent", BranchInvalid.code, refusal)])


def _check(code: str, time_zone: str) -> None:
    allowed = code.isascii() and code.replace("-", "").isalnum() and code == code.upper()
    if not allowed or code.startswith("-") or len(code) > CODE_LENGTH:
        message = "A code is 1 to 20 capital letters, digits and dashes."
        raise BranchInvalid(message, errors=[errors.FieldError("/code", "branch_invalid", message)])
    if time_zone and time_zone not in zoneinfo.available_timezones():
        message = f"{time_zone} is no time zone."
        raise BranchInvalid(message, errors=[errors.FieldError("/time_zone", "branch_invalid", message)])

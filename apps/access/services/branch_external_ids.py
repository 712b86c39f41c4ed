"""Branches that applications keep by their own ids of them: opened once, changed by the same id, linked by people."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.access.contracts import PORTAL, Caller
from apps.access.models import Application, Branch, BranchExternalId
from apps.access.models.branch_external_id import EXTERNAL_ID_LENGTH
from apps.access.selectors import branches as stored
from apps.access.selectors import scope
from apps.access.services import branches
from apps.audit.services import records
from apps.kit import errors
from apps.kit.actors import Actor

SLASH = "/"
OPENED_MAX = 1000


class BranchLimit(errors.DomainError):
    """The application has opened as many branches as it may."""

    code = "branch_limit"
    title = "Too many branches"


class ExternalIdTaken(errors.DomainError):
    """The application calls another branch so, or calls this branch something else."""

    code = "external_id_taken"
    title = "External id taken"


@dataclass(frozen=True, slots=True)
class KeptBranch:
    """
    What an application says of a branch; ``external_id`` is its own id of it, ``parent_external_id`` that of the branch above.

    None says nothing: a new branch is below head office and in its time zone, one that is known stays as it is.
    """

    external_id: str
    code: str
    name: str
    parent_external_id: str | None = None
    time_zone: str | None = None


@transaction.atomic
def keep(*, caller: Caller, said: KeptBranch, now: datetime) -> tuple[Branch, bool]:
    """
    Let a branch be as the caller's application says; return it and whether it is new.

    However often and from however many callers at once: one branch, and a repetition changes nothing. Only a branch
    that the application opened or that was linked to it is changed; its code stays. Raises BranchForbidden for a key
    that is bound to another branch, and to any branch where one is opened or moved; BranchInvalid, BranchCodeTaken,
    BeyondOwnBranches, BranchLimit (1000 that one application opened).
    """
    application = Application.objects.locked().get(id=caller.application_id)
    known = BranchExternalId.objects.select_related("branch", "branch__parent").filter(
        application=application
    )
    parent = _parent(known, said.parent_external_id)
    found = known.filter(external_id=said.external_id).first()
    if found is None:
        return _open(application, caller, said, parent, now), True
    branch = found.branch
    _require_within(caller, branch)
    if said.code != branch.code:
        raise _invalid("/code", f"Its code is {branch.code}, and stays that.")
    if parent is not None and branch.is_head_office:
        raise _invalid("/parent_external_id", "Head office is the root of all branches.")
    parent_id = branch.parent_id if parent is None else parent.id
    if parent_id != branch.parent_id:
        _require_unbound(caller)
    time_zone = branch.time_zone if said.time_zone is None else said.time_zone
    if (said.name, time_zone, parent_id) == (branch.name, branch.time_zone, branch.parent_id):
        return branch, False
    changed = branches.change(
        branch_id=branch.id,
        name=said.name,
        time_zone=time_zone,
        parent_id=parent_id,
        actor=caller.actor,
        now=now,
    )
    return changed, False


@transaction.atomic
def link(
    *, branch_id: UUID, application_id: UUID, external_id: str, actor: Actor, now: datetime
) -> BranchExternalId:
    """
    Let an application keep a branch that is there, by its own id of it; repeated, it changes nothing.

    Raises NotFound, BranchInvalid, ExternalIdTaken, and BeyondOwnBranches for a branch that the person does not work for.
    """
    scope.require_branch(actor, branch_id)
    if not external_id or len(external_id) > EXTERNAL_ID_LENGTH or SLASH in external_id:
        raise _invalid("/external_id", _("An external id has 1 to 64 characters, and no slash."))
    application = Application.objects.locked().exclude(slug=PORTAL).filter(id=application_id).first()
    if application is None:
        raise errors.NotFound("There is no such application.")
    branch = stored.get(branch_id)
    for known in BranchExternalId.objects.filter(application=application).select_related("branch"):
        if (known.branch_id, known.external_id) == (branch.id, external_id):
            return known
        if known.external_id == external_id:
            raise ExternalIdTaken(
                _("The application calls another branch so: %(name)s.") % {"name": known.branch}
            )
        if known.branch_id == branch.id:
            raise ExternalIdTaken(_("The application calls this branch %(id)s already.") % {"id": known})
    return _link(application, branch, external_id, actor, now)


@transaction.atomic
def unlink(*, branch_id: UUID, application_id: UUID, actor: Actor, now: datetime) -> None:
    """
    Let an application keep a branch no longer; the branch stays. A second time changes nothing.

    Waits for what the application says of it at that moment. Raises BeyondOwnBranches.
    """
    scope.require_branch(actor, branch_id)
    Application.objects.locked().filter(id=application_id).first()
    known = (
        BranchExternalId.objects.locked().filter(branch_id=branch_id, application_id=application_id).first()
    )
    if known is None:
        return
    known.delete()
    _record("branch.unlinked", known, [known.external_id, None], [known.application.slug, None], actor, now)


def _open(
    application: Application, caller: Caller, said: KeptBranch, parent: Branch | None, now: datetime
) -> Branch:
    _require_unbound(caller)
    scope.require_all_branches(caller.actor)
    if BranchExternalId.objects.filter(application=application, has_opened=True).count() >= OPENED_MAX:
        raise BranchLimit(
            f"An application opens {OPENED_MAX} branches at most. People open further ones and link them."
        )
    branch = branches.create(
        code=said.code,
        name=said.name,
        time_zone=said.time_zone or "",
        parent_id=parent.id if parent else None,
        actor=caller.actor,
        now=now,
    )
    _link(application, branch, said.external_id, caller.actor, now, has_opened=True)
    return branch


def _link(
    application: Application,
    branch: Branch,
    external_id: str,
    actor: Actor,
    now: datetime,
    *,
    has_opened: bool = False,
) -> BranchExternalId:
    made = BranchExternalId.objects.create(
        application=application,
        branch=branch,
        external_id=external_id,
        has_opened=has_opened,
        created_at=now,
    )
    _record("branch.linked", made, [None, external_id], [None, application.slug], actor, now)
    return made


def _parent(known: QuerySet[BranchExternalId], external_id: str | None) -> Branch | None:
    if external_id is None:
        return None
    found = known.filter(external_id=external_id).first()
    if found is None:
        raise _invalid("/parent_external_id", "The application keeps no branch by this id.")
    return found.branch


def _require_within(caller: Caller, branch: Branch) -> None:
    allowed = scope.branch_ids(caller)
    if allowed is not None and branch.id not in allowed:
        raise stored.BranchForbidden("This key is bound to another branch.")


def _require_unbound(caller: Caller) -> None:
    if caller.branch_id is not None:
        raise stored.BranchForbidden("A key that is bound to a branch opens none and moves none.")


def _invalid(pointer: str, detail: str) -> branches.BranchInvalid:
    return branches.BranchInvalid(
        detail, errors=[errors.FieldError(pointer, branches.BranchInvalid.code, detail)]
    )


def _record(
    action: str,
    row: BranchExternalId,
    external_id: list[str | None],
    application: list[str | None],
    actor: Actor,
    now: datetime,
) -> None:
    records.write(
        action=action,
        object_type="branch",
        object_id=str(row.branch_id),
        branch=row.branch_id,
        actor=actor,
        now=now,
        changes={"external_id": external_id, "application": application},
    )

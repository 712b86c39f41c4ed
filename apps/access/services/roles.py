"""Roles: the default ones of every organisation, those of its own, and what they may do."""

import re
from collections.abc import Collection
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.text import slugify
from django.utils.translation import gettext as _

from apps.access import contracts
from apps.access.contracts import PERMISSIONS
from apps.access.models import Role
from apps.access.selectors import memberships as team
from apps.access.selectors import scope
from apps.access.selectors.memberships import MANAGE
from apps.access.services import duties, memberships
from apps.audit.services import records
from apps.kit import errors
from apps.kit.actors import Actor, ActorKind
from apps.tenancy.selectors import organisations

CODE_LENGTH, NAME_LENGTH = 50, 120
CODE_FORM = re.compile(r"[a-z][a-z0-9_]{0,49}")

type Changes = dict[str, list[object]]

SEE_MONEY = (
    "payments.view",
    "disbursements.view",
    "ledger.view",
    "invoicing.view",
    "approvals.view",
    "parties.view",
)
MOVE_CURRENCIES = ("ledger.exchange", "ledger.rates")
MAKE_PAYMENTS = (
    "payments.create",
    "payments.capture",
    "payments.cancel",
    "payments.forget",
    "payments.verify",
    "payments.refund",
    "payments.dispute",
    "payments.resolve",
)
PAY_PARTIES = ("disbursements.connect", "disbursements.transfer")
SEE_ALL = tuple(name for name in PERMISSIONS if name.endswith(".view"))
DEFAULTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "owner": (
        "Owner",
        (
            *SEE_ALL,
            "access.manage",
            "approvals.manage",
            "keys.manage",
            "keys.money",
            "integrations.manage",
            "webhooks.manage",
            "jobs.cancel",
            "jobs.export",
            "views.share",
            "parties.manage",
            "ledger.chart",
        ),
    ),
    "treasury_officer": (
        "Treasury officer (maker)",
        (
            *SEE_MONEY,
            "webhooks.view",
            "jobs.export",
            "parties.manage",
            *MAKE_PAYMENTS,
            *PAY_PARTIES,
            *MOVE_CURRENCIES,
        ),
    ),
    "approver": ("Approver (checker)", (*SEE_MONEY, "approvals.decide")),
    "controller": (
        "Controller",
        (
            *SEE_MONEY,
            "approvals.decide",
            "approvals.manage",
            "integrations.view",
            "webhooks.view",
            "payments.verify",
            "ledger.adjust",
            "ledger.chart",
            "ledger.close",
            "ledger.rates",
            "jobs.view",
            "jobs.cancel",
            "jobs.export",
        ),
    ),
    "accountant": ("Accountant", (*SEE_MONEY, "payments.resolve", "ledger.adjust", "jobs.export")),
    "compliance": (
        "Compliance officer",
        ("payments.view", "invoicing.view", "audit.view", "parties.view"),
    ),
    "auditor": ("Auditor", (*SEE_ALL, "jobs.export")),
    "support": (
        "Support",
        (
            "payments.view",
            "payments.forget",
            "invoicing.view",
            "webhooks.view",
            "parties.view",
            "parties.manage",
        ),
    ),
    "developer": (
        "Developer",
        (
            "payments.view",
            "webhooks.view",
            "webhooks.manage",
            "integrations.view",
            "access.view",
            "keys.manage",
        ),
    ),
}
"""
Code to name and permissions; each keeps to ``contracts.CONFLICTS``. The owner runs the organisation and moves no money
himself; the auditor changes nothing, and may take lists away as files. Payments come from applications: only the owner
gives a key that makes them, a developer makes keys that read them.
"""


class PermissionUnknown(errors.Invalid):
    """A role was given a permission that does not exist."""

    code = "permission_unknown"
    title = "Permission unknown"


class PermissionNotHeld(errors.Forbidden):
    """Nobody gives a permission that he does not hold himself."""

    code = "permission_not_held"
    title = "Not yours to give"


class RoleInvalid(errors.Invalid):
    """The name cannot be that of a role."""

    code = "role_invalid"
    title = "Role not valid"


class RoleExists(errors.DomainError):
    """Another role has this name."""

    code = "role_exists"
    title = "Role exists"


class RoleRetired(errors.DomainError):
    """The role is retired: it changes no more and is given to nobody."""

    code = "role_retired"
    title = "Role retired"


class RoleInUse(errors.DomainError):
    """Somebody has the role still."""

    code = "role_in_use"
    title = "Role in use"


@transaction.atomic
def seed() -> None:
    """Create the default roles that are missing; safe to repeat, and roles that somebody changed stay as they are."""
    Role.objects.bulk_create(
        [
            Role(code=code, name=name, permissions=sorted(permissions), defaults=sorted(permissions))
            for code, (name, permissions) in DEFAULTS.items()
        ],
        ignore_conflicts=True,
    )


@transaction.atomic
def renew(*, actor: Actor, now: datetime) -> None:
    """
    Create the default roles that are missing, and give those that are there what their defaults have gained since.

    A permission that somebody took away stays away, and so does one that a role which was changed here may not hold
    beside its others; safe to repeat.
    """
    seed()
    for role in Role.objects.select_for_update().filter(code__in=DEFAULTS).order_by("code"):
        defaults = set(DEFAULTS[role.code][1])
        gained = defaults - set(role.defaults)
        if not gained:
            continue
        before, wanted = role.permissions, sorted(gained.union(role.permissions))
        if organisations.current().is_small_team or not contracts.conflicts(wanted):
            role.permissions = wanted
        role.defaults = sorted(defaults.union(role.defaults))
        role.save(update_fields=["permissions", "defaults"])
        if before != role.permissions:
            _record(role, "role.changed", {"permissions": [before, role.permissions]}, actor, now)


@transaction.atomic
def create(
    *, name: str, permissions: Collection[str], actor: Actor, now: datetime, copied_from: str = ""
) -> Role:
    """
    Make a role of the organisation's own; its code comes from the name and stays.

    What the editor does not hold himself may only come from the role that is copied. Raises PermissionUnknown,
    PermissionNotHeld, DutiesConflict, RoleInvalid and RoleExists.
    """
    code = _code(name)
    source = get(copied_from) if copied_from else None
    _check(permissions, kept=source.permissions if source else (), actor=actor)
    _require_free_name(name)
    role = Role(code=code, name=name.strip(), permissions=sorted(set(permissions)))
    try:
        with transaction.atomic():
            role.save(force_insert=True)
    except IntegrityError:
        raise _exists() from None
    changes: Changes = {"name": [None, role.name], "permissions": [[], role.permissions]}
    if source is not None:
        changes["copied_from"] = [None, source.code]
    _record(role, "role.created", changes, actor, now)
    return role


@transaction.atomic
def change(
    *, code: str, permissions: Collection[str], actor: Actor, now: datetime, name: str = "", reason: str = ""
) -> Role:
    """
    Give a role other permissions, and another name where one is given, from the next request of its people on.

    Raises PermissionUnknown, PermissionNotHeld for one that is new and the editor lacks, DutiesConflict, RoleRetired,
    RoleInvalid and RoleExists for the name, and LastOwner when nobody would be left to manage the team.
    """
    managers = memberships.managers()
    role = locked(code)
    _check(permissions, kept=role.permissions, actor=actor)
    if managers and MANAGE not in permissions and all(one.role_id == role.id for one in managers):
        raise memberships.LastOwner(_("Nobody else could manage the team. Give another role that first."))
    wanted = name.strip() or role.name
    if wanted != role.name:
        _require_free_name(wanted)
    changes: Changes = {
        "name": [role.name, wanted],
        "permissions": [role.permissions, sorted(set(permissions))],
    }
    if MANAGE in role.permissions and MANAGE not in permissions:
        memberships.note_managers(role, now=now)
    role.name, role.permissions = wanted, sorted(set(permissions))
    role.save(update_fields=["name", "permissions"])
    _record(role, "role.changed", changes, actor, now, reason)
    return role


@transaction.atomic
def retire(*, code: str, actor: Actor, now: datetime, reason: str = "") -> Role:
    """Give a role to nobody any more; a second time changes nothing. Raises RoleInUse while somebody has it or waits for it."""
    scope.require_all_branches(actor)
    role = Role.objects.locked().filter(code=code).first()
    if role is None:
        raise errors.NotFound(_("There is no such role."))
    if role.retired_at is not None:
        return role
    holders = role.memberships.filter(
        Q(is_active=True) | Q(confirmed_at__isnull=True, turned_away_at__isnull=True)
    ).count()
    if holders:
        raise RoleInUse(
            _("People have this role: %(count)d. Give them another one first.") % {"count": holders}
        )
    role.retired_at = now
    role.save(update_fields=["retired_at"])
    _record(role, "role.retired", {"retired_at": [None, now.isoformat()]}, actor, now, reason)
    return role


def get(code: str) -> Role:
    """Return a role by its code; raise NotFound for an unknown one."""
    role = Role.objects.filter(code=code).first()
    if role is None:
        raise errors.NotFound(_("There is no such role."))
    return role


def locked(code: str) -> Role:
    """Return a role that may still change, under its lock. Raises NotFound and RoleRetired."""
    role = Role.objects.locked().filter(code=code).first()
    if role is None:
        raise errors.NotFound(_("There is no such role."))
    if role.retired_at is not None:
        raise RoleRetired(_("This role is retired. Make a copy of it."))
    return role


def _check(permissions: Collection[str], *, kept: Collection[str], actor: Actor) -> None:
    """Refuse what does not exist, what the editor would give without holding it, and duties that are kept apart."""
    unknown = sorted(set(permissions) - set(PERMISSIONS))
    if unknown:
        raise PermissionUnknown(f"No such permission: {', '.join(unknown)}.")
    scope.require_all_branches(actor)
    held = held_by(actor)
    beyond = sorted(set(permissions) - set(kept) - held) if held is not None else []
    if beyond:
        refusal = _("You do not hold these yourself: %(names)s.") % {"names": ", ".join(beyond)}
        raise PermissionNotHeld(
            refusal, errors=[errors.FieldError("/permissions", PermissionNotHeld.code, refusal)]
        )
    duties.require_apart(permissions)


def held_by(actor: Actor) -> frozenset[str] | None:
    """Return the permissions of the person who acts; None for the system and for operators, who are of no team."""
    if actor.kind in {ActorKind.SYSTEM, ActorKind.OPERATOR}:
        return None
    member = team.of_person(actor.person)
    return frozenset(member.role.permissions) if member else frozenset()


def _code(name: str) -> str:
    code = slugify(name).replace("-", "_")[:CODE_LENGTH]
    if not CODE_FORM.fullmatch(code) or len(name.strip()) > NAME_LENGTH:
        refusal = _("A name begins with a letter of A to Z and has 120 characters at most.")
        raise RoleInvalid(refusal, errors=[errors.FieldError("/name", RoleInvalid.code, refusal)])
    return code


def _require_free_name(name: str) -> None:
    _code(name)
    if Role.objects.filter(name__iexact=name.strip()).exists():
        raise _exists()


def _exists() -> RoleExists:
    refusal = _("There is a role of this name already.")
    return RoleExists(refusal, errors=[errors.FieldError("/name", RoleExists.code, refusal)])


def _record(role: Role, action: str, changes: Changes, actor: Actor, now: datetime, reason: str = "") -> None:
    records.write(
        action=action,
        object_type="role",
        object_id=str(role.id),
        actor=actor,
        now=now,
        changes={field: pair for field, pair in changes.items() if pair[0] != pair[1]},
        reason=reason,
    )

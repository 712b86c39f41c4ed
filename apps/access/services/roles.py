"""Roles: the default ones of every organisation, and what they may do."""

from datetime import datetime

from django.db import transaction

from apps.access.contracts import PERMISSIONS
from apps.access.models import Role
from apps.audit.services import records
from apps.kit import errors
from apps.kit.actors import Actor

SEE_MONEY = ("payments.view", "ledger.view", "invoicing.view", "approvals.view", "parties.view")
MOVE_CURRENCIES = ("ledger.exchange", "ledger.rates")
MAKE_PAYMENTS = ("payments.create", "payments.cancel", "payments.verify", "payments.refund")
SEE_ALL = tuple(name for name in PERMISSIONS if name.endswith(".view"))
DEFAULTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "owner": (
        "Owner",
        (
            *SEE_ALL,
            "access.manage",
            "approvals.decide",
            "approvals.manage",
            "keys.manage",
            "integrations.manage",
            "webhooks.manage",
            "jobs.cancel",
            "jobs.export",
            "views.share",
            "parties.manage",
            "ledger.adjust",
            "ledger.chart",
            "ledger.close",
            "ledger.post",
            *MAKE_PAYMENTS,
            *MOVE_CURRENCIES,
        ),
    ),
    "treasury_officer": (
        "Treasury officer (maker)",
        (*SEE_MONEY, "webhooks.view", "jobs.export", "parties.manage", *MAKE_PAYMENTS, *MOVE_CURRENCIES),
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
            "audit.view",
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
    "accountant": ("Accountant", (*SEE_MONEY, "ledger.adjust", "jobs.export")),
    "compliance": (
        "Compliance officer",
        ("payments.view", "invoicing.view", "audit.view", "parties.view"),
    ),
    "auditor": ("Auditor", (*SEE_ALL, "jobs.export")),
    "support": (
        "Support",
        ("payments.view", "invoicing.view", "webhooks.view", "parties.view", "parties.manage"),
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
Code to name and permissions. The auditor changes nothing, and may take lists away as files. Payments come from
applications, and a key can do what its maker may do: only the owner gives a key that makes payments, a developer makes
keys that read them.
"""


class PermissionUnknown(errors.Invalid):
    """A role was given a permission that does not exist."""

    code = "permission_unknown"
    title = "Permission unknown"


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

    A permission that somebody took away stays away; safe to repeat.
    """
    seed()
    for role in Role.objects.select_for_update().filter(code__in=DEFAULTS).order_by("code"):
        defaults = set(DEFAULTS[role.code][1])
        gained = defaults - set(role.defaults)
        if not gained:
            continue
        before, role.permissions = role.permissions, sorted(gained.union(role.permissions))
        role.defaults = sorted(defaults.union(role.defaults))
        role.save(update_fields=["permissions", "defaults"])
        _record(role, before, actor, now)


@transaction.atomic
def change(*, code: str, permissions: list[str], actor: Actor, now: datetime) -> Role:
    """Give a role other permissions. Raises PermissionUnknown for a name that is not in ``contracts.PERMISSIONS``."""
    unknown = sorted(set(permissions) - set(PERMISSIONS))
    if unknown:
        raise PermissionUnknown(f"No such permission: {', '.join(unknown)}.")
    role = Role.objects.select_for_update().get(code=code)
    before, role.permissions = role.permissions, sorted(set(permissions))
    role.save(update_fields=["permissions"])
    _record(role, before, actor, now)
    return role


def _record(role: Role, before: list[str], actor: Actor, now: datetime) -> None:
    records.write(
        action="role.changed",
        object_type="role",
        object_id=str(role.id),
        actor=actor,
        now=now,
        changes={"permissions": [before, role.permissions]},
    )

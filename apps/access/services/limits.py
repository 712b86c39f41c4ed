"""Setting how much a role may ask for, or approve, at once."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from apps.access.contracts import LimitKind
from apps.access.models import Role, RoleLimit
from apps.access.selectors import limits, scope
from apps.access.selectors import memberships as team
from apps.access.services import memberships, roles
from apps.audit.services import records
from apps.kit import errors
from apps.kit.actors import Actor
from apps.kit.money import MINOR_UNITS_MAX, Money
from apps.tenancy.selectors import organisations

LIMITS_MAX = 50

type Wanted = Mapping[LimitKind, tuple[Money, ...]]


class LimitInvalid(errors.Invalid):
    """The limit cannot be."""

    code = "amount_limit_invalid"
    title = "Limit not valid"


@transaction.atomic
def put(*, code: str, wanted: Wanted, actor: Actor, now: datetime, reason: str = "") -> Role:
    """
    Let these be all limits of a role, from the next deed of its people on; a kind without any is not limited.

    Nobody changes the limits of his own role, unless the organisation is a small team. Raises NotFound, RoleRetired,
    LimitInvalid, BeyondOwnRole and BeyondOwnBranches.
    """
    role = roles.locked(code)
    _check(wanted)
    _check_editor(role, actor)
    before = _told(limits.of_roles([role.id])[role.id])
    rows = [
        RoleLimit(role=role, kind=kind.value, currency=money.currency, maximum_minor=money.minor)
        for kind, sums in wanted.items()
        for money in sums
    ]
    RoleLimit.objects.filter(role=role).delete()
    RoleLimit.objects.bulk_create(rows)
    after = _told(rows)
    if before != after:
        records.write(
            action="role.limits_changed",
            object_type="role",
            object_id=str(role.id),
            actor=actor,
            now=now,
            changes={kind: [before[kind], after[kind]] for kind in before if before[kind] != after[kind]},
            reason=reason,
        )
    return role


def _check(wanted: Wanted) -> None:
    for kind, sums in wanted.items():
        currencies = [money.currency for money in sums]
        if len(set(currencies)) != len(currencies):
            raise _wrong(kind, _("Name each currency once."))
        if len(sums) > LIMITS_MAX:
            raise _wrong(kind, _("Name %(most)d currencies at most.") % {"most": LIMITS_MAX})
        if any(not 0 <= money.minor <= MINOR_UNITS_MAX for money in sums):
            raise _wrong(kind, _("A limit is 0 or more."))


def _check_editor(role: Role, actor: Actor) -> None:
    scope.require_all_branches(actor)
    member = team.of_person(actor.person)
    if member is not None and member.role_id == role.id and not organisations.current().is_small_team:
        raise memberships.BeyondOwnRole(_("Somebody else sets the limits of your own role."))


def _wrong(kind: LimitKind, refusal: str) -> LimitInvalid:
    return LimitInvalid(refusal, errors=[errors.FieldError(f"/{kind.lower()}", LimitInvalid.code, refusal)])


def _told(rows: list[RoleLimit]) -> dict[str, list[str]]:
    """Return limits in JSON values, for the audit trail."""
    return {kind.lower(): sorted(str(row.maximum) for row in rows if row.kind == kind) for kind in LimitKind}

"""Keeping duties apart: what no role holds together, and the small team that is let off."""

from collections.abc import Collection
from datetime import datetime

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from apps.access import contracts
from apps.access.models import Membership
from apps.access.selectors import scope
from apps.audit.services import records
from apps.kit import errors
from apps.kit.actors import Actor
from apps.tenancy.selectors import organisations
from apps.tenancy.services import policies

log = structlog.get_logger(__name__)


class DutiesConflict(errors.DomainError):
    """The role would hold duties that different people have, and the organisation is no small team."""

    code = "duties_conflict"
    title = "Duties kept apart"


def require_apart(permissions: Collection[str]) -> None:
    """Refuse permissions that one person does not hold together. Raises DutiesConflict, which names them."""
    found = contracts.conflicts(permissions)
    if found and not policies.is_small_team(organisation_id=organisations.current().id):
        raise DutiesConflict(
            _("These are kept apart: %(duties)s.") % {"duties": "; ".join(described(one) for one in found)},
            errors=[errors.FieldError("/permissions", DutiesConflict.code, described(one)) for one in found],
        )


def described(conflict: contracts.Conflict) -> str:
    """Return a conflict in words: both duties, and the permissions that make them."""
    return _("“%(first)s” and “%(second)s” (%(permissions)s)") % {
        "first": conflict.first.title,
        "second": conflict.second.title,
        "permissions": ", ".join(conflict.held),
    }


@transaction.atomic
def choose_small_team(*, is_small_team: bool, reason: str, actor: Actor, now: datetime) -> None:
    """
    Let one person hold duties that are kept apart elsewhere, or no longer; both trails and the log tell.

    Raises DutiesConflict while somebody holds duties that would have to be apart.
    """
    scope.require_all_branches(actor)
    policies.is_small_team(organisation_id=organisations.current().id)
    if not is_small_team:
        _require_nobody_conflicts()
    before, after = policies.set_small_team(
        organisation_id=organisations.current().id,
        is_small_team=is_small_team,
        reason=reason,
        actor=actor,
        now=now,
    )
    if before == after:
        return
    log.warning("access.small_team", is_small_team=is_small_team)
    records.write(
        action="organisation.small_team",
        object_type="organisation",
        object_id=str(organisations.current().id),
        actor=actor,
        now=now,
        changes={"is_small_team": [before, after]},
        reason=reason,
    )


def _require_nobody_conflicts() -> None:
    team = Membership.objects.filter(is_active=True).select_related("role", "user").order_by("id")
    holding = [member for member in team if contracts.conflicts(member.role.permissions)]
    if holding:
        people = ", ".join(f"{member.user.name} ({member.role.name})" for member in holding)
        raise DutiesConflict(
            _("Give these people other roles first: %(people)s. They hold duties that are kept apart.")
            % {"people": people}
        )

"""What an organisation chooses about its people: whether duties are kept apart, and who sees which branch."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.accounts.services import platform_records
from apps.kit import schema
from apps.kit.actors import Actor
from apps.tenancy.contracts import BranchPolicy
from apps.tenancy.models import Organisation

SMALL_TEAM = "is_small_team"
BRANCHES = "branch_policy"


@transaction.atomic
def is_small_team(*, organisation_id: UUID) -> bool:
    """Return what holds, and keep it so until the caller's transaction ends: what is given rests on it."""
    organisation = Organisation.objects.select_for_update(no_key=True).get(id=organisation_id)
    return organisation.is_small_team


@transaction.atomic
def set_small_team(
    *, organisation_id: UUID, is_small_team: bool, reason: str, actor: Actor, now: datetime
) -> tuple[bool, bool]:
    """
    Let one person hold duties that are kept apart elsewhere, or no longer; return what held before and what holds.

    The platform's trail tells its operator; the organisation's own record is the caller's.
    """
    before = _set(organisation_id, SMALL_TEAM, is_small_team, reason, actor, now)
    return bool(before), is_small_team


@transaction.atomic
def set_branch_policy(
    *, organisation_id: UUID, policy: BranchPolicy, reason: str, actor: Actor, now: datetime
) -> tuple[str, str]:
    """Choose who sees which branch from the next request on; return what held before and what holds."""
    before = _set(organisation_id, BRANCHES, policy.value, reason, actor, now)
    return str(before), policy.value


def _set(
    organisation_id: UUID, field: str, value: object, reason: str, actor: Actor, now: datetime
) -> object:
    organisation = Organisation.objects.select_for_update().get(id=organisation_id)
    before = getattr(organisation, field)
    if before == value:
        return before
    setattr(organisation, field, value)
    organisation.save(update_fields=[field])
    if isinstance(schema.tenant(), Organisation) and schema.tenant().pk == organisation_id:
        setattr(schema.tenant(), field, value)
    platform_records.write(
        action=f"organisation.{field}",
        object_type="organisation",
        object_id=str(organisation_id),
        actor=actor,
        now=now,
        changes={field: [before, value]},
        reason=reason,
    )
    return before

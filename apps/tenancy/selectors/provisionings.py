"""How far new organisations are: step by step, for people."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.tenancy.models import Provisioning

__all__ = ["Provisioning", "Step", "of_organisation", "of_slug", "steps"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step: ``name`` is asked, restored, filled or ready; without ``at`` it is still to be done."""

    name: str
    at: datetime | None


def of_organisation(organisation_id: UUID) -> Provisioning | None:
    """Return the setting up of an organisation, or None for one that was made at the command line."""
    return Provisioning.objects.filter(organisation_id=organisation_id).first()


def of_slug(slug: str) -> Provisioning | None:
    return Provisioning.objects.select_related("organisation").filter(organisation__slug=slug).first()


def steps(asked: Provisioning) -> list[Step]:
    """Return the steps in their order; filling and opening are one transaction, so they have one time."""
    return [
        Step("asked", asked.created_at),
        Step("restored", asked.restored_at),
        Step("filled", asked.ready_at),
        Step("ready", asked.ready_at),
    ]

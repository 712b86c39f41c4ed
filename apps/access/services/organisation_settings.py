"""What the people of an organisation decide about it: its branding, with a record of who changed what, and why."""

from datetime import datetime

from django.db import transaction

from apps.audit.services import records
from apps.kit.actors import Actor
from apps.tenancy.contracts import Branding, Logo, Region
from apps.tenancy.selectors import organisations
from apps.tenancy.services import brandings


@transaction.atomic
def set_branding(*, branding: Branding, reason: str, actor: Actor, now: datetime) -> bool:
    """
    Change colour and sender names of the present organisation, from its next page and sheet on; say whether any changed.

    Raises brandings.BrandingInvalid.
    """
    changes = brandings.set_branding(organisation_id=organisations.current().id, branding=branding)
    return _record("organisation.branding_changed", changes, reason, actor, now)


@transaction.atomic
def set_logo(*, logo: Logo | None, reason: str, actor: Actor, now: datetime) -> bool:
    """Take a picture that is stored as the logo, or take the logo away; say whether that changed anything."""
    changes = brandings.set_logo(organisation_id=organisations.current().id, logo=logo)
    return _record("organisation.logo_changed", changes, reason, actor, now)


@transaction.atomic
def set_region(*, region: Region, reason: str, actor: Actor, now: datetime) -> bool:
    """
    Change what the present organisation counts in; whoever owns the book asks first, under ``brandings.hold_region``.

    Raises brandings.RegionInvalid.
    """
    changes = brandings.set_region(organisation_id=organisations.current().id, region=region)
    return _record("organisation.region_changed", changes, reason, actor, now)


def _record(action: str, changes: brandings.Changes, reason: str, actor: Actor, now: datetime) -> bool:
    if not changes:
        return False
    records.write(
        action=action,
        object_type="organisation",
        object_id=str(organisations.current().id),
        actor=actor,
        now=now,
        changes=changes,
        reason=reason,
    )
    return True

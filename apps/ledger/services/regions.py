"""The currency, the zone and the fiscal year of an organisation: changed as long as nothing was booked in them."""

from datetime import datetime

from django.db import transaction

from apps.access.services import organisation_settings
from apps.kit import errors
from apps.kit.actors import Actor
from apps.ledger.selectors import books
from apps.tenancy.contracts import Region
from apps.tenancy.selectors import organisations
from apps.tenancy.services import brandings


class RegionFixed(errors.DomainError):
    """The book is open: its amounts and days are those of its currency and zone."""

    code = "region_fixed"
    title = "Currency and zone are fixed"


@transaction.atomic
def change(*, region: Region, reason: str, actor: Actor, now: datetime) -> bool:
    """
    Change base currency, time zone and the month in which years begin before the first booking, which opens the book in
    them; say whether any changed. Whoever opens the book meanwhile opens it in these, or is first and they are refused.

    Raises RegionFixed afterwards, and brandings.RegionInvalid, which names the field.
    """
    brandings.hold_region(organisation_id=organisations.current().id)
    if books.of_organisation() is not None:
        raise RegionFixed("Something was booked already: the book keeps its currency and its time zone.")
    return organisation_settings.set_region(region=region, reason=reason, actor=actor, now=now)

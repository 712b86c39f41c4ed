"""The currency and the zone of an organisation: changed as long as nothing was booked in them."""

from datetime import datetime

from django.db import transaction

from apps.access.services import organisation_settings
from apps.kit import errors
from apps.kit.actors import Actor
from apps.ledger.selectors import books


class RegionFixed(errors.DomainError):
    """The book is open: its amounts and days are those of its currency and zone."""

    code = "region_fixed"
    title = "Currency and zone are fixed"


@transaction.atomic
def change(*, base_currency: str, time_zone: str, reason: str, actor: Actor, now: datetime) -> bool:
    """
    Change base currency and time zone before the first booking, which opens the book in them; say whether any changed.

    Raises RegionFixed afterwards, and brandings.RegionInvalid, which names the field.
    """
    if books.of_organisation() is not None:
        raise RegionFixed("Something was booked already: the book keeps its currency and its time zone.")
    return organisation_settings.set_region(
        base_currency=base_currency, time_zone=time_zone, reason=reason, actor=actor, now=now
    )

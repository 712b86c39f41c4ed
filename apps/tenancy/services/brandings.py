"""What an organisation looks like and whose name its messages bear, and in what it counts: checked and kept."""

import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import asdict
from uuid import UUID

from django.db import transaction

from apps.kit import brand, errors, money, schema
from apps.tenancy.contracts import Branding, Logo, Region
from apps.tenancy.models import Organisation

CONTRAST_MIN = 3.0
MONTHS = 12
EMAIL_SENDER_MAX = 64
SMS_SENDER = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9](?:[A-Za-z0-9 _-]{0,9}[A-Za-z0-9])?")
TAX_NUMBER = re.compile(r"[A-Za-z0-9]{6,20}")
CONTACT = re.compile(r"\+?[0-9][0-9 ]{5,19}|[^\s@<>\"',;:]{1,40}@[A-Za-z0-9.-]{3,60}")
NOT_IN_A_NAME = frozenset('<>@",;:\\')

type Changes = dict[str, list[object]]


class BrandingInvalid(errors.Invalid):
    """The colour cannot be read, or a sender's name cannot be shown."""

    code = "branding_invalid"
    title = "Branding not valid"


class RegionInvalid(errors.Invalid):
    """No such currency, time zone or month."""

    code = "region_invalid"
    title = "Region not valid"


@transaction.atomic
def set_branding(*, organisation_id: UUID, branding: Branding) -> Changes:
    """
    Keep what the organisation is known by and return what changed, field by field; the record of it is the caller's.

    Raises BrandingInvalid, which names every field: a colour needs a contrast of 3 to white paper, an SMS sender has 1
    to 11 letters, digits, blanks, dashes and underscores with one letter at least, a tax number 6 to 20 letters and
    digits, a contact is a phone number or an e-mail address; all but the colour may be empty.
    """
    wrong = list(_wrong(branding))
    if wrong:
        raise BrandingInvalid(" ".join(error.message for error in wrong), errors=wrong)
    chosen = {
        "brand_color": branding.brand_color.lower(),
        "email_sender": branding.email_sender.strip(),
        "sms_sender": branding.sms_sender,
        "tax_number": branding.tax_number.strip().upper(),
        "support_contact": branding.support_contact.strip(),
    }
    return _set(organisation_id, chosen)


@transaction.atomic
def set_logo(*, organisation_id: UUID, logo: Logo | None) -> Changes:
    """Keep which file is the logo, or that there is none, and return what changed, as ``set_branding``."""
    return _set(
        organisation_id,
        {
            "logo_id": logo.file_id if logo else None,
            "logo_width": logo.width if logo else None,
            "logo_height": logo.height if logo else None,
        },
    )


@transaction.atomic
def set_region(*, organisation_id: UUID, region: Region) -> Changes:
    """
    Keep the currency, the zone and the month that an organisation counts in and return what changed, as ``set_branding``.

    Whether its book is open already is the caller's question. Raises RegionInvalid.
    """
    wrong = []
    try:
        money.exponent(region.base_currency)
    except money.CurrencyUnknown as refusal:
        wrong.append(errors.FieldError("/base_currency", RegionInvalid.code, refusal.detail))
    if region.time_zone not in zoneinfo.available_timezones():
        message = f"{region.time_zone} is no time zone."
        wrong.append(errors.FieldError("/time_zone", RegionInvalid.code, message))
    if not 1 <= region.fiscal_year_start <= MONTHS:
        wrong.append(errors.FieldError("/fiscal_year_start", RegionInvalid.code, "A month is 1 to 12."))
    if wrong:
        raise RegionInvalid(" ".join(error.message for error in wrong), errors=wrong)
    return _set(organisation_id, asdict(region))


def set_fiscal_year_start(*, organisation_id: UUID, month: int) -> Changes:
    """Keep the month that the book, open already, has taken: both say the same at the end of one transaction."""
    return _set(organisation_id, {"fiscal_year_start": month})


def hold_region(*, organisation_id: UUID) -> Region:
    """Return what the book is to be opened in, as it stands now; nobody changes it until the transaction ends."""
    held = Organisation.objects.select_for_update().get(id=organisation_id)
    return Region(held.base_currency, held.time_zone, held.fiscal_year_start)


def _wrong(branding: Branding) -> list[errors.FieldError]:
    found = []
    if not brand.is_colour(branding.brand_color):
        found.append(("/brand_color", "A colour is # and six hex digits, as #0e5a6b."))
    elif (contrast := brand.contrast(branding.brand_color, brand.PAPER)) < CONTRAST_MIN:
        found.append(
            (
                "/brand_color",
                f"This colour can hardly be seen on white paper: its contrast is {contrast:.1f}, and must be {CONTRAST_MIN:.0f} or more.",
            )
        )
    name = branding.email_sender
    if len(name) > EMAIL_SENDER_MAX or not name.isprintable() or NOT_IN_A_NAME & set(name):
        found.append(
            (
                "/email_sender",
                f'A sender has at most {EMAIL_SENDER_MAX} characters on one line, without < > @ " , ; : \\.',
            )
        )
    if branding.sms_sender and not SMS_SENDER.fullmatch(branding.sms_sender):
        found.append(
            (
                "/sms_sender",
                "A sender of SMS has 1 to 11 letters, digits, blanks, dashes and underscores, one letter at least.",
            )
        )
    if branding.tax_number and not TAX_NUMBER.fullmatch(branding.tax_number.strip()):
        found.append(("/tax_number", "A tax number has 6 to 20 letters and digits, as P051234567X."))
    if branding.support_contact and not CONTACT.fullmatch(branding.support_contact.strip()):
        found.append(("/support_contact", "Write a phone number, as 0709 000 123, or an e-mail address."))
    return [errors.FieldError(pointer, BrandingInvalid.code, message) for pointer, message in found]


def _set(organisation_id: UUID, chosen: Mapping[str, str | int | UUID | None]) -> Changes:
    organisation = Organisation.objects.select_for_update().get(id=organisation_id)
    before = {name: getattr(organisation, name) for name in chosen}
    changes: Changes = {
        name: [_shown(before[name]), _shown(value)] for name, value in chosen.items() if before[name] != value
    }
    present = schema.tenant()
    for name in changes:
        setattr(organisation, name, chosen[name])
        if isinstance(present, Organisation) and present.pk == organisation_id:
            setattr(present, name, chosen[name])
    if changes:
        organisation.save(update_fields=list(changes))
    return changes


def _shown(value: object) -> object:
    return str(value) if isinstance(value, UUID) else value

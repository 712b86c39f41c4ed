"""What an organisation looks like, and whose name its messages bear: one reading for portal, pay pages, sheets and messages."""

from django.urls import reverse

from apps.kit import brand
from apps.tenancy.contracts import Logo, Look
from apps.tenancy.models import Organisation
from apps.tenancy.selectors import organisations

LOGO = "portal-logo"
"""The name of the address that gives the logo out, on the hosts of the organisation alone."""


def present() -> Look:
    """Return the look of the present organisation; raise NoOrganisation in the public schema."""
    return of(organisations.current())


def of(organisation: Organisation) -> Look:
    logo = _logo(organisation)
    return Look(
        name=organisation.name,
        initials=initials(organisation.name),
        color=organisation.brand_color,
        on_color=brand.on(organisation.brand_color),
        logo=logo,
        logo_path=reverse(LOGO, args=[logo.file_id], urlconf="treasury.urls_tenant") if logo else "",
        email_sender=organisation.email_sender or organisation.name,
        sms_sender=organisation.sms_sender,
        tax_number=organisation.tax_number,
        support_contact=organisation.support_contact,
    )


def initials(name: str) -> str:
    return "".join(word[0] for word in name.split()[:2]).upper()


def _logo(organisation: Organisation) -> Logo | None:
    if organisation.logo_id is None or organisation.logo_width is None or organisation.logo_height is None:
        return None
    return Logo(organisation.logo_id, organisation.logo_width, organisation.logo_height)

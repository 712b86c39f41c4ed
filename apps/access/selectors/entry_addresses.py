"""Where an entry link leads: the page at an organisation's host, or at the platform's."""

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse

from apps.tenancy.selectors import organisations

if TYPE_CHECKING:  # another app's model
    from apps.tenancy.models import Organisation

ENTER = "enter"
LINK = "link"


def at(organisation: "Organisation", secret: str) -> str:
    """Return the address to send to a person whom an organisation, or the platform for it, lets in."""
    path = reverse(f"admin:{ENTER}", urlconf=settings.ROOT_URLCONF)
    return f"{organisations.origin_of(organisation)}{path}?{urlencode({LINK: secret})}"


def at_platform(secret: str) -> str:
    """Return the address to send to a person who is in no team yet."""
    path = reverse(f"platform:{ENTER}", urlconf=settings.PUBLIC_SCHEMA_URLCONF)
    return f"{settings.TREASURY['PUBLIC_URL']}{path}?{urlencode({LINK: secret})}"

"""Where providers report: the address of a callback, made before anything is sent."""

from django.conf import settings

from apps.tenancy.selectors import organisations


def address(*, token: str, kind: str) -> str:
    """Return the address for callbacks of a kind: organisation and token, in hex, say whose answer it is."""
    organisation = organisations.current()
    return f"{settings.TREASURY['PUBLIC_URL']}/hooks/{organisation.id.hex}/{token}/{kind}"

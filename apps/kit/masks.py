"""What people are shown of an address or a tax number where the whole of it is nobody's business: enough to recognise it."""

from apps.kit.phones import HIDDEN

SHOWN = 1


def email(address: str) -> str:
    """Return ``n•••@example.com``; an empty text for none, and nothing but the sign of hiding for what is no address."""
    name, at, domain = address.partition("@")
    if not at:
        return HIDDEN if address else ""
    return f"{name[:SHOWN]}{HIDDEN}@{domain}"


def tax_pin(pin: str) -> str:
    """Return ``P•••7Q`` for a tax PIN, and an empty text for none."""
    return f"{pin[:SHOWN]}{HIDDEN}{pin[-2:]}" if pin else ""

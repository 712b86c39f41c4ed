"""The phone number of a payer, in the one form that the rails take, and as people are shown it."""

from django.utils.translation import gettext as _

from apps.kit import phones
from apps.kit.phones import HIDDEN, PhoneInvalid

__all__ = ["PhoneInvalid", "normalise", "shown"]
POINTER = "/payer/phone"
HASH_LENGTH = 64
"""How long a payer's number is that the provider tells as its SHA-256."""


def normalise(text: str) -> str:
    """Return a payer's number in E.164; raise PhoneInvalid."""
    return phones.normalise(text, pointer=POINTER)


def shown(payer: str) -> str:
    """Return who paid for people, from what a provider told: a number masked, the words for a hidden one, empty for none."""
    if len(payer) == HASH_LENGTH:
        return _("Number hidden by the provider")
    try:
        return phones.masked(normalise(payer))
    except PhoneInvalid:
        return f"{payer[:4]} {HIDDEN} {payer[-3:]}" if payer else ""

"""The phone number of a payer, in the one form that the rails take."""

from apps.kit import phones
from apps.kit.phones import PhoneInvalid

__all__ = ["PhoneInvalid", "normalise"]
POINTER = "/payer/phone"


def normalise(text: str) -> str:
    """Return a payer's number in E.164; raise PhoneInvalid."""
    return phones.normalise(text, pointer=POINTER)

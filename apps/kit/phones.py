"""Phone numbers, in the one form that is stored: E.164 of a Kenyan mobile number."""

import re

from apps.kit import errors

PREFIX = "254"
SUBSCRIBER = re.compile(r"^254(7|1)\d{8}$")
HIDDEN = "\N{BULLET}" * 3
PUNCTUATION = str.maketrans("", "", " -().\N{NO-BREAK SPACE}")


class PhoneInvalid(errors.Invalid):
    """The number is no Kenyan mobile number."""

    code = "phone_invalid"
    title = "Phone number invalid"


def normalise(text: str, *, pointer: str) -> str:
    """
    Return ``+2547XXXXXXXX`` or ``+2541XXXXXXXX`` for a number as people write it.

    Raises PhoneInvalid for others; ``pointer`` names the field that it stood in.
    """
    digits = text.translate(PUNCTUATION).removeprefix("+")
    if digits.startswith("0"):
        digits = PREFIX + digits[1:]
    elif len(digits) == 9:  # noqa: PLR2004 (a subscriber's number without its prefix)
        digits = PREFIX + digits
    if not SUBSCRIBER.match(digits) or not digits.isascii():
        message = "Write a Kenyan mobile number, as 0712 345 678 or +254712345678."
        raise PhoneInvalid(message, errors=[errors.FieldError(pointer, PhoneInvalid.code, message)])
    return f"+{digits}"


def masked(number: str) -> str:
    """Return ``0712 ••• 678`` for a number in the form that is stored."""
    return f"0{number[4:7]} {HIDDEN} {number[-3:]}"

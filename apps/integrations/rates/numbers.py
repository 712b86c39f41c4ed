"""Numbers and dates as sources of rates write them."""

import re
from datetime import date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

NUMBER = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,18})?")
"""What is read as a rate; whether it can be one is judged later. Longer ones are nobody's rate."""


def decimal(text: str) -> Decimal | None:
    """Return a plain decimal number, or None for anything else: an exponent, a group of thousands, NaN."""
    return Decimal(text) if NUMBER.fullmatch(text) else None


def day(text: str, *forms: str) -> date | None:
    """Return the date that a text spells in one of the forms, or None."""
    for form in forms:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 (a date has no zone)
        except ValueError:
            continue
    return None


def instant(day_: date, at: time, zone: ZoneInfo) -> datetime:
    """Return the instant at which a source's day counts."""
    return datetime.combine(day_, at, zone)

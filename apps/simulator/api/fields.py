"""The fields of Daraja's requests, each read and refused as Safaricom's sheet says."""

import re
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

from apps.simulator.services.clock import EAT

Body = Mapping[str, object]

REJECTED_WORDS = ("mpesa", "m-pesa", "safaricom", "exe", "exec", "cmd", "sql", "query")
LONGEST_URL = 2_000
TRANSACTION_TYPES = ("CustomerPayBillOnline", "CustomerBuyGoodsOnline")


class DarajaRefusal(Exception):
    """A synchronous refusal: Daraja's error code and message; the code begins with the HTTP status."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def invalid(name: str) -> DarajaRefusal:
    """Return the refusal of one field."""
    return DarajaRefusal("400.002.02", f"Bad Request - Invalid {name}")


def matching(body: Body, name: str, *, pattern: str) -> str:
    """Read a text or a whole number that must match the pattern."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int) or not re.fullmatch(pattern, str(value)):
        raise invalid(name)
    return str(value)


def shortcode(body: Body, name: str, *, longest: int = 6) -> str:
    """Read a shortcode of five digits or more."""
    return matching(body, name, pattern=rf"[0-9]{{5,{longest}}}")


def msisdn(body: Body, name: str) -> str:
    """Read a Kenyan phone number of 12 digits."""
    return matching(body, name, pattern=r"254[17][0-9]{8}")


def whole_shillings(body: Body) -> int:
    """Read the amount, whole shillings from 1, as cents."""
    return int(matching(body, "Amount", pattern=r"[1-9][0-9]{0,9}")) * 100


def timestamp(body: Body) -> str:
    """Read a time as YYYYMMDDHHmmss."""
    text = matching(body, "Timestamp", pattern=r"[0-9]{14}")
    try:
        datetime.strptime(text, "%Y%m%d%H%M%S")  # noqa: DTZ007 (the sheet has no zone; only the form counts)
    except ValueError as error:
        raise invalid("Timestamp") from error
    return text


def one_of(body: Body, name: str, *, choices: tuple[str, ...]) -> str:
    """Read a field that has a fixed list of values."""
    value = body.get(name)
    if str(value) not in choices or isinstance(value, bool):
        raise invalid(name)
    return str(value)


def wall_time(body: Body, name: str) -> int:
    """Read East Africa Time as YYYY-MM-DD H:MM:SS."""
    text = matching(body, name, pattern=r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{1,2}:[0-9]{2}:[0-9]{2}")
    try:
        at = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=EAT)
    except ValueError as error:
        raise invalid(name) from error
    return int(at.timestamp() * 1_000)


def words(body: Body, name: str, *, longest: int, shortest: int = 1, is_optional: bool = False) -> str:
    """Read a text that has a largest length."""
    value = body.get(name)
    if is_optional and value in (None, ""):
        return ""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise invalid(name)
    if not shortest <= len(value) <= longest:
        raise invalid(name)
    return value


def url(body: Body, name: str) -> str:
    """Read an address without the words that Safaricom rejects anywhere in it."""
    value = body.get(name)
    if (
        not isinstance(value, str)
        or len(value) > LONGEST_URL
        or any(word in value.lower() for word in REJECTED_WORDS)
    ):
        raise invalid(name)
    try:
        parts = urlsplit(value)
        is_usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise invalid(name) from error
    if not is_usable or not value.isascii() or any(character.isspace() for character in value):
        raise invalid(name)
    return value

"""What may stand in a log or an error report: telephone and card numbers, keys, passwords and tokens are taken out."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

REDACTED = "[redacted]"
CARD = "[card]"
PLAIN = (bool, float, type(None), UUID, Decimal, datetime)
SHORTEST_NUMBER = 10**8  # below, an integer is neither a telephone nor a card
KEPT_DIGITS = 3
LUHN_NINE = 9

HIDDEN_WORDS = (
    r"pass(?:word|wd|phrase|key|code)|secret|token|credentials?|authori[sz]ation|cookie|signature|"
    r"api[_-]?key|master[_-]?key|private[_-]?key|consumer[_-]?key|(?<![a-z])(?:pwd|pin|otp|cvv|cvc|session_?id)"
)
HIDDEN_NAME = re.compile(rf"(?:{HIDDEN_WORDS})$", re.IGNORECASE)
PHONE_NAME = re.compile(r"(?:phone|phone_?number|msisdn|mobile|party_?[ab])$", re.IGNORECASE)
HIDDEN_VALUE = re.compile(
    rf"((?:{HIDDEN_WORDS})\\*[\"']?\s*(?:=>|[:=])\s*(?:(?:bearer|basic|digest|token)\s+)?)"
    r"(?:[bru]*\\*\"(?:[^\"\\]|\\.)*\"?|[bru]*\\*'(?:[^'\\]|\\.)*'?|[^\s\"'][^\s]*)",
    re.IGNORECASE,
)
SCHEME = re.compile(r"\b(bearer\s+|basic\s+(?=\S*(?-i:[A-Z0-9=])))[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)
LOGIN = re.compile(r"(://[^/\s:@\"']*:)[^/\s@\"']+(?=@)")
CALLBACK = re.compile(r"(/(?:hooks|sandbox)/[0-9a-f]{32}/)[^/\s\"'\\]+")
PAY_PAGE = re.compile(r"((?:/|%2F)pay(?:/|%2F))[0-9a-f]{40}(?![0-9a-f])", re.IGNORECASE)
OUR_KEY = re.compile(r"(tsk_(?:live|test)_[0-9A-Za-z]{8})_[0-9A-Za-z]+")
KEY = re.compile(r"\b((?:[sr]k|whsec)_)[0-9A-Za-z+/=_-]{8,}")
JWT = re.compile(r"(?<![\w-])(?=[\w-]*\beyJ)[\w-]++\.[\w-]++\.[\w-]*")  # once per word: linear
PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
UUID_TEXT = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
DATE_TEXT = re.compile(
    r"(?<!\d)(?:\d\d?[-. ]\d\d?[-. ](?:19|2[01])\d\d|(?:19|2[01])\d\d[-. ]\d\d?[-. ]\d\d?)(?!\d)"
)
DECIMAL_TEXT = re.compile(r"[1-9]\d*\.\d+|0\.\d+")

GAP_CHARACTERS = " .()-\u00a0"
_GAP = r"[ .()\-\u00a0]{0,3}"
KENYAN = re.compile(
    rf"(?<![0-9A-Za-z+])(?<!\d[.,])((?:\+|00)?254{_GAP}(?:0{_GAP})?|\(?0)(?={_GAP}[17])((?:{_GAP}\d){{9}})(?![0-9A-Za-z]|\.\d)"
)
FOREIGN = re.compile(r"\+(?<![0-9A-Za-z+]\+)[1-9](?:[ .()\-\u00a0]{0,2}\d){7,14}(?![0-9A-Za-z])")
TICKET = re.compile(r"(ws_CO_\d{6,20}?[17]\d\d)\d{3}(\d{3})(?!\d)")
PAN = re.compile(
    r"[2-6](?<![0-9A-Za-z_].)(?<!\d[.,].)(?:\d{12,18}|\d{3}([ -])\d{4}\1\d{4}\1\d{1,4}(?:\1\d{1,3})?|(?<=3)\d{3}([ -])\d{6}\2\d{4,5})"
    r"(?![0-9A-Za-z_]|\.\d)"
)
ISSUED = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|3[47]\d{13}|3(?:0[0-59]|[689]\d)\d{11,16}|35(?:2[89]|[3-8]\d)\d{12,15}"
    r"|[56]\d{15,18}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12,15}"
)
LONG_NUMBER = re.compile(r"\d(?:[ .()\-\u00a0]{0,3}\d){7}")
HINTS = [
    "pass",
    "secret",
    "token",
    "credential",
    "authori",
    "cookie",
    "signature",
    "key",
    "pwd",
    "pin",
    "otp",
    "cv",
    "session",
]
SHAPES = re.compile(
    r"://|/hooks/|/sandbox/|/pay/|%2[Ff]pay%2[Ff]|sk_|rk_|whsec_|eyJ|-----|[Bb]earer|BEARER|[Bb]asic|BASIC"
)


def text(value: str) -> str:
    """
    Return the text without secrets: what stands under a secret name, keys by their form, logins in addresses, tokens
    of callback addresses, secrets of pay pages, card numbers that pass Luhn's check. Telephone numbers keep their last three digits.

    UUIDs, dates, times, decimals and numbers of up to 12 digits that are no Kenyan mobile number stay as they are.
    """
    if SHAPES.search(value):
        value = _without_shapes(value)
    lowered = value.lower()
    if any(hint in lowered for hint in HINTS):  # the full search is slow, and few lines need it
        value = HIDDEN_VALUE.sub(rf"\1{REDACTED}", value)
    return numbers(value) if LONG_NUMBER.search(value) else value


def has_card(value: str) -> bool:
    """Say whether a text holds the number of a card: 13 to 19 digits of an issued range that pass Luhn's check."""
    return bool(LONG_NUMBER.search(value)) and PAN.sub(_unless_id(_card), value) != value


def holds_card(value: Any) -> bool:
    """Say whether a text in a value holds the number of a card: those of lists and of what is noted under keys included."""
    if isinstance(value, Mapping):
        return any(holds_card(each) for pair in value.items() for each in pair)
    if isinstance(value, list | tuple):
        return any(map(holds_card, value))
    return isinstance(value, str | int) and has_card(str(value))


def is_phone_name(name: str) -> bool:
    """Say whether a field of this name holds a telephone number."""
    return PHONE_NAME.search(name) is not None


def numbers(value: str) -> str:
    """Return the text with telephone numbers masked and card numbers taken out, the rest as it is."""
    value = PAN.sub(_unless_id(_card), value)
    value = KENYAN.sub(_unless_id(_kenyan), value)
    value = FOREIGN.sub(_foreign, value)
    return TICKET.sub(r"\1***\2", value)


@lru_cache(maxsize=1024)
def is_secret_name(name: str) -> bool:
    """Say whether a field of this name holds something that nobody may read."""
    return HIDDEN_NAME.search(name) is not None


def values(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields for a log line: each value redacted by its name and its text, at any depth, ready for JSON."""
    return {name: _value(str(name), value) for name, value in fields.items()}


def _value(name: str, value: Any) -> Any:
    if value and is_secret_name(name):
        return REDACTED
    if isinstance(value, Mapping):
        return values(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_value(name, item) for item in value]
    return _plain(name, value)


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, int):
        return value if abs(value) < SHORTEST_NUMBER else _number(name, value)
    shown = value if isinstance(value, str) else repr(value)
    return _phone(shown) if PHONE_NAME.search(name) else text(shown)


def _number(name: str, value: int) -> int | str:
    plain = str(value)
    shown = _phone(plain) if PHONE_NAME.search(name) else numbers(plain)
    return value if shown == plain else shown


def _phone(value: str) -> str:
    return f"*****{value[-KEPT_DIGITS:]}" if len(value) > 2 * KEPT_DIGITS else value


def _without_shapes(value: str) -> str:
    value = PEM.sub(REDACTED, value)
    value = CALLBACK.sub(r"\1…", value)
    value = PAY_PAGE.sub(r"\1…", value)
    value = LOGIN.sub(rf"\1{REDACTED}", value)
    value = OUR_KEY.sub(rf"\1_{REDACTED}", value)
    value = KEY.sub(rf"\1{REDACTED}", value)
    value = JWT.sub(REDACTED, value)
    return SCHEME.sub(rf"\1{REDACTED}", value)


def _unless_id(replace: Callable[[re.Match[str]], str]) -> Callable[[re.Match[str]], str]:
    """Leave alone what is part of a UUID: it is looked for only around a number that would be replaced."""

    def replaced(found: re.Match[str]) -> str:
        start, end = found.span()
        first = max(0, start - 36)
        around = UUID_TEXT.finditer(found.string[first : end + 36])
        if any(first + near.start() < end and start < first + near.end() for near in around):
            return found[0]
        return replace(found)

    return replaced


def _card(found: re.Match[str]) -> str:
    plain = "".join(character for character in found[0] if character.isdigit())
    if not ISSUED.fullmatch(plain):
        return found[0]
    digits = [int(character) for character in plain]
    doubled = [2 * digit - LUHN_NINE * (digit > LUHN_NINE // 2) for digit in digits[-2::-2]]
    is_card = (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
    return CARD if is_card else found[0]


def _kenyan(found: re.Match[str]) -> str:
    whole = found[0]
    if DATE_TEXT.search(whole) or DECIMAL_TEXT.fullmatch(whole):
        return whole
    return f"{found[1]}{found[2].lstrip(GAP_CHARACTERS)[0]}*****{whole[-KEPT_DIGITS:]}"


def _foreign(found: re.Match[str]) -> str:
    return f"+*****{found[0][-KEPT_DIGITS:]}"

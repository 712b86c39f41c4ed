"""Identifiers that look like M-Pesa's, made from the seed and a counter that outlives restarts and resets."""

import hashlib
import hmac
import sqlite3
import string

from apps.simulator.store import read_setting, write_setting

COUNTER = "counter"
RECEIPT_ALPHABET = string.digits + string.ascii_uppercase
TOKEN_ALPHABET = string.ascii_letters + string.digits


def receipt(*, tx: sqlite3.Connection) -> str:
    """Return a receipt number: 10 capitals and digits, the first a letter, as in NLJ7RT61SV."""
    return "S" + _draw(tx=tx, alphabet=RECEIPT_ALPHABET, length=9)


def access_token(*, tx: sqlite3.Connection) -> str:
    """Return a bearer token of 28 characters."""
    return _draw(tx=tx, alphabet=TOKEN_ALPHABET, length=28)


def checkout_request(*, tx: sqlite3.Connection, msisdn: str) -> str:
    """Return a CheckoutRequestID, which ends in the last nine digits of the phone."""
    return f"ws_CO_{_draw(tx=tx, alphabet=string.digits, length=17)}{msisdn[-9:]}"


def merchant_request(*, tx: sqlite3.Connection) -> str:
    """Return a MerchantRequestID or another conversation started by a business."""
    drawn = _draw(tx=tx, alphabet="0123456789abcdef", length=28)
    return f"{drawn[:4]}-{drawn[4:8]}-{drawn[8:12]}-{drawn[12:]}"


def conversation(*, tx: sqlite3.Connection, day: str) -> str:
    """Return a ConversationID as in AG_20240706_20106e9209f64bebd05b."""
    return f"AG_{day}_{_draw(tx=tx, alphabet='0123456789abcdef', length=20)}"


def request(*, tx: sqlite3.Connection) -> str:
    """Return the requestId of an error envelope."""
    return merchant_request(tx=tx)


def alphanumeric(*, tx: sqlite3.Connection, length: int) -> str:
    """Return as many letters and digits, as other rails make their identifiers of."""
    return _draw(tx=tx, alphabet=TOKEN_ALPHABET, length=length)


def hexadecimal(*, tx: sqlite3.Connection, length: int) -> str:
    """Return as many hexadecimal digits."""
    return _draw(tx=tx, alphabet="0123456789abcdef", length=length)


def fraction(*, tx: sqlite3.Connection) -> float:
    """Return a number from 0 up to 1, drawn as identifiers are."""
    return int(_draw(tx=tx, alphabet=string.digits, length=9)) / 10**9


def _draw(*, tx: sqlite3.Connection, alphabet: str, length: int) -> str:
    number = int(read_setting(tx=tx, key=COUNTER) or 0) + 1
    write_setting(tx=tx, key=COUNTER, value=str(number))
    seed = read_setting(tx=tx, key="seed") or ""
    digest = hmac.digest(seed.encode(), str(number).encode(), hashlib.sha256)
    rest = int.from_bytes(digest)
    drawn = []
    for _ in range(length):
        rest, index = divmod(rest, len(alphabet))
        drawn.append(alphabet[index])
    return "".join(drawn)

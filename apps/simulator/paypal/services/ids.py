"""Identifiers that look like PayPal's: capitals and digits, drawn from the seed."""

import sqlite3

from apps.simulator.services import identifiers

LENGTHS = {
    "order": 17,
    "authorization": 17,
    "capture": 17,
    "refund": 17,
    "transaction": 17,
    "webhook": 17,
    "setup_token": 17,
    "payer": 13,
    "customer": 10,
}


def draw(*, tx: sqlite3.Connection, kind: str) -> str:
    """Return a new identifier; none comes twice, not even after a reset."""
    if kind == "event":
        return f"WH-{_capitals(tx, 17)}-{_capitals(tx, 17)}"
    if kind == "dispute":
        return f"PP-R-{_capitals(tx, 3)}-{_digits(tx, 8)}"
    if kind == "payment_token":
        return identifiers.alphanumeric(tx=tx, length=10).lower()
    return _capitals(tx, LENGTHS[kind])


def access_token(*, tx: sqlite3.Connection) -> str:
    """Return a bearer token."""
    return f"A21AA{identifiers.alphanumeric(tx=tx, length=40)}"


def debug(*, tx: sqlite3.Connection) -> str:
    """Return the number under which PayPal finds a call again."""
    return f"f{identifiers.hexadecimal(tx=tx, length=12)}"


def transmission(*, tx: sqlite3.Connection) -> str:
    """Return the identifier of one webhook on its way to one address."""
    drawn = identifiers.hexadecimal(tx=tx, length=32)
    return f"{drawn[:8]}-{drawn[8:12]}-{drawn[12:16]}-{drawn[16:20]}-{drawn[20:]}"


def _capitals(tx: sqlite3.Connection, length: int) -> str:
    return identifiers.alphanumeric(tx=tx, length=length).upper()


def _digits(tx: sqlite3.Connection, length: int) -> str:
    return str(int(identifiers.hexadecimal(tx=tx, length=length), 16))[:length].rjust(length, "0")

"""Identifiers: time-ordered UUIDs as keys, prefixed Crockford text at the edge, random tokens and codes."""

import secrets
import threading
import time
from uuid import UUID

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
TEXT_LENGTH = 26

_VALUES = {character: value for value, character in enumerate(CROCKFORD)}
_lock = threading.Lock()
_last = 0


class InvalidId(ValueError):
    """The text is not an identifier of the expected kind."""


def new() -> UUID:
    """
    Return a UUID of version 7 (RFC 9562): 48 bits of milliseconds, then 12 bits that keep the order within this process.

    Ids of one process are strictly increasing; ids of two processes are ordered to the millisecond.
    """
    global _last  # noqa: PLW0603 (one counter for the process, under its lock)
    with _lock:
        _last = max(_last + 1, (time.time_ns() // 1_000_000) << 12)
        stamp = _last
    value = (stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62 | secrets.randbits(62)
    return UUID(int=value)


def encode(prefix: str, value: UUID) -> str:
    """Return the public form: ``pi_`` and 26 Crockford characters."""
    number = value.int
    text = "".join(CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))
    return f"{prefix}_{text.lower()}"


def decode(prefix: str, text: str) -> UUID:
    """Return the UUID of a public identifier; raise InvalidId when the prefix or the form is another."""
    kind, _, body = text.partition("_")
    if kind != prefix or len(body) != TEXT_LENGTH or body[0] > "7":
        raise InvalidId(f"{text!r} is not an identifier that starts with {prefix}_")
    number = 0
    for character in body.upper():
        value = _VALUES.get(character)
        if value is None:
            raise InvalidId(f"{text!r} is not an identifier that starts with {prefix}_")
        number = number << 5 | value
    return UUID(int=number)


def token(size: int = 16) -> str:
    """Return an unguessable token of ``size`` bytes in hex: it cannot spell a word that a provider rejects in a URL."""
    return secrets.token_hex(size)


def code(length: int = 10) -> str:
    """Return a random code for people: capital letters and digits without look-alikes, the first one a letter."""
    return secrets.choice(CODE_ALPHABET[8:]) + "".join(
        secrets.choice(CODE_ALPHABET) for _ in range(length - 1)
    )

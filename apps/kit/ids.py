"""Identifiers: time-ordered UUIDs as keys, prefixed Crockford text at the edge, random tokens and codes."""

import random
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from apps.kit import clock

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
TEXT_LENGTH = 26

_VALUES = {character: value for value, character in enumerate(CROCKFORD)}


class Source:
    """Where time stamps and random bits come from; ids of one source are strictly increasing."""

    def __init__(self, bits: random.Random) -> None:
        self.bits = bits
        self._lock = threading.Lock()
        self._last = 0

    def stamp(self) -> int:
        """Return 48 bits of milliseconds and 12 bits that keep the order."""
        with self._lock:
            self._last = max(self._last + 1, (self.milliseconds() << 12))
            return self._last

    def milliseconds(self) -> int:
        return time.time_ns() // 1_000_000


class SeededSource(Source):
    """A source that repeats itself: its bits come from a seed, its time from the clock of the context."""

    def milliseconds(self) -> int:
        return int(clock.now().timestamp() * 1000)


_SYSTEM = Source(secrets.SystemRandom())
_source: ContextVar[Source] = ContextVar("id_source", default=_SYSTEM)


class InvalidId(ValueError):
    """The text is not an identifier of the expected kind."""


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """
    Make every id, token and code of this context repeatable: for the demo and for simulation, never for real money.

    The time in an id is that of ``clock``, so stop the clock with ``clock.fixed`` as well.
    """
    mark = _source.set(SeededSource(random.Random(seed)))  # noqa: S311 (repeatable is what is asked for)
    try:
        yield
    finally:
        _source.reset(mark)


def new() -> UUID:
    """
    Return a UUID of version 7 (RFC 9562): 48 bits of milliseconds, then 12 bits that keep the order within this process.

    Ids of one process are strictly increasing; ids of two processes are ordered to the millisecond.
    """
    source = _source.get()
    stamp = source.stamp()
    value = (stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62 | source.bits.getrandbits(62)
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
    return _source.get().bits.randbytes(size).hex()


def code(length: int = 10) -> str:
    """Return a random code for people: capital letters and digits without look-alikes, the first one a letter."""
    bits = _source.get().bits
    return bits.choice(CODE_ALPHABET[8:]) + "".join(bits.choice(CODE_ALPHABET) for _ in range(length - 1))

"""Circuit breakers: what fails again and again is left alone for a while; shared by all processes in Redis, or held in this one."""

import functools
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from apps.kit import errors, logs

LAST = 10
WINDOW = 60.0
FAILURES = 5
REST = 30.0
"""Seconds for which an open circuit lets nothing through; then one call tries."""
PATIENCE = 0.25
"""Seconds that a call waits for Redis at most."""
KEPT = 600
"""Seconds after which a circuit that nobody used is forgotten; one that a person opened stays."""

log = logs.get(__name__)


class Position(StrEnum):
    """HALF_OPEN: one call is trying; HELD_OPEN: a person opened it, and only a person closes it."""

    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"
    HELD_OPEN = "HELD_OPEN"


class CircuitOutOfReach(errors.DomainError):
    """Where circuits stand cannot be reached, so none was changed."""

    code = "circuit_out_of_reach"
    title = "Circuit out of reach"
    status = 503
    category = "internal"
    retryable = True


@dataclass(frozen=True, slots=True)
class Circuit:
    """
    One circuit: ``changed_at`` is when it came into its position, ``outcomes`` when calls ended and whether well.

    Times are seconds since 1970. Nothing is kept of calls that ended well before the first that did not.
    """

    position: Position = Position.CLOSED
    changed_at: float = 0.0
    outcomes: tuple[tuple[float, bool], ...] = ()

    @property
    def failures(self) -> int:
        return sum(not is_well for _, is_well in self.outcomes)

    def admit(self, at: float) -> tuple[bool, "Circuit"]:
        """Say whether a call may go, and return the circuit as it is then."""
        if self.position is Position.CLOSED:
            return True, self
        if self.position is Position.HELD_OPEN:
            return False, self
        if self.changed_at <= at < self.changed_at + REST:
            return False, self
        return True, Circuit(Position.HALF_OPEN, at)

    def note(self, at: float, *, is_well: bool) -> "Circuit":
        """Return the circuit after a call has ended: 5 of the last 10 within a minute open it, one that tries decides."""
        if self.position is Position.HALF_OPEN:
            return Circuit() if is_well else Circuit(Position.OPEN, at)
        if self.position is not Position.CLOSED or (is_well and not self.failures):
            return self
        recent = [outcome for outcome in self.outcomes if at - WINDOW < outcome[0] <= at + WINDOW]
        found = replace(self, outcomes=(*recent, (at, is_well))[-LAST:])
        return found if found.failures < FAILURES else Circuit(Position.OPEN, at)


type Change = Callable[[Circuit], Circuit]


class Circuits(Protocol):
    """Where circuits stand. ``change`` returns the circuit before and after."""

    def change(self, name: str, change: Change) -> tuple[Circuit, Circuit]: ...

    def look(self, names: Iterable[str]) -> list[Circuit]: ...


def admit(name: str, *, now: datetime) -> bool:
    """Say whether a call may go through a circuit. While Redis is away every call may."""
    said = []

    def ask(circuit: Circuit) -> Circuit:
        is_admitted, after = circuit.admit(now.timestamp())
        said.append(is_admitted)
        return after

    with _may_be_away():
        _circuits().change(name, ask)
        return said[-1]
    return True


def note(name: str, *, is_well: bool, now: datetime) -> None:
    """Take into account how a call ended; forgotten while Redis is away."""
    with _may_be_away():
        before, after = _circuits().change(name, lambda found: found.note(now.timestamp(), is_well=is_well))
        if before.position is not after.position:
            log.warning("circuit_changed", circuit=name, position=after.position)


def hold_open(name: str, *, now: datetime) -> None:
    """Let nothing through until a person closes it; raise CircuitOutOfReach."""
    _set(name, Circuit(Position.HELD_OPEN, now.timestamp()))


def close(name: str) -> None:
    """Let calls through, and forget how the last ones ended; raise CircuitOutOfReach."""
    _set(name, Circuit())


def look(names: Iterable[str]) -> dict[str, Circuit]:
    """Return the circuits of these names as they stand; nothing while Redis is away."""
    wanted = list(names)
    with _may_be_away():
        return dict(zip(wanted, _circuits().look(wanted), strict=True))
    return {}


def forget() -> None:
    """Empty what this process holds: for tests."""
    _HERE.clear()


def _set(name: str, circuit: Circuit) -> None:
    try:
        _circuits().change(name, lambda _: circuit)
    except redis.RedisError:
        raise CircuitOutOfReach("This cannot be done at the moment. Try again later.") from None


@contextmanager
def _may_be_away() -> Iterator[None]:
    try:
        yield
    except redis.RedisError as error:
        log.warning("circuits_unreachable", reason=type(error).__name__)


class CircuitsHere:
    """Circuits of this process alone."""

    def __init__(self) -> None:
        self._held: dict[str, Circuit] = {}
        self._lock = threading.Lock()

    def change(self, name: str, change: Change) -> tuple[Circuit, Circuit]:
        with self._lock:
            before = self._held.get(name, Circuit())
            after = self._held[name] = change(before)
        return before, after

    def look(self, names: Iterable[str]) -> list[Circuit]:
        return [self._held.get(name, Circuit()) for name in names]

    def clear(self) -> None:
        with self._lock:
            self._held.clear()


class CircuitsInRedis:
    """Circuits that all processes share. A call that finds everything well reads, and writes nothing."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(
            url,
            socket_timeout=PATIENCE,
            socket_connect_timeout=PATIENCE,
            retry=Retry(NoBackoff(), 1),  # a connection that was idle too long
        )

    def change(self, name: str, change: Change) -> tuple[Circuit, Circuit]:
        key = _key(name)
        before = _read(self._client.get(key))
        after = change(before)
        if after == before:
            return before, after

        def attempt(pipe: redis.client.Pipeline) -> None:
            nonlocal before, after
            before = _read(pipe.get(key))
            after = change(before)
            pipe.multi()
            kept = None if after.position is Position.HELD_OPEN else KEPT
            pipe.set(key, _written(after), ex=kept)

        self._client.transaction(attempt, key)
        return before, after

    def look(self, names: Iterable[str]) -> list[Circuit]:
        keys = [_key(name) for name in names]
        return [_read(found) for found in self._client.mget(keys)] if keys else []


def _key(name: str) -> str:
    return f"circuit:{name}"


def _written(circuit: Circuit) -> str:
    return json.dumps(asdict(circuit))


def _read(text: bytes | str | None) -> Circuit:
    if text is None:
        return Circuit()
    facts: Mapping[str, object] = json.loads(text)
    outcomes = tuple((float(at), bool(is_well)) for at, is_well in facts["outcomes"])  # type: ignore[attr-defined]
    return Circuit(Position(str(facts["position"])), float(str(facts["changed_at"])), outcomes)


_HERE = CircuitsHere()


def _circuits() -> Circuits:
    url = str(settings.TREASURY["RATE_LIMIT_URL"])
    return _shared(url) if url else _HERE


@functools.cache
def _shared(url: str) -> CircuitsInRedis:
    return CircuitsInRedis(url)

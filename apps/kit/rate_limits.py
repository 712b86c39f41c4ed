"""How often somebody may do something: token buckets, shared by all processes in Redis, or held in this one."""

import functools
import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto
from pathlib import Path
from typing import Any, Protocol

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from apps.kit import errors, logs

SCRIPT = (Path(__file__).parent / "rate_limits.lua").read_text(encoding="utf-8")
PATIENCE = 0.25
"""Seconds that a request waits for Redis at most."""
REST = 5.0
"""Seconds for which a Redis that did not answer is not asked again."""
BUCKETS_MAX = 10_000
"""How many buckets one process holds; beyond that the ones that were used longest ago start afresh."""

log = logs.get(__name__)


class RateLimited(errors.DomainError):
    """More was asked in a while than anybody may; ``Retry-After`` says when to ask again."""

    code = "rate_limited"
    title = "Too many requests"
    status = 429
    category = "rate"
    retryable = True

    def __init__(self, detail: str, *, wait: float) -> None:
        super().__init__(detail)
        self.wait = wait


class Uncounted(errors.DomainError):
    """What must be counted cannot be counted at the moment, so it is not done."""

    code = "busy"
    title = "Busy"
    status = 503
    category = "internal"
    retryable = True


class InOutage(Enum):
    """What becomes of a request while Redis is away: it goes on, this process counts for itself, or it is not done."""

    LET_IN = auto()
    COUNT_HERE = auto()
    REFUSE = auto()


@dataclass(frozen=True, slots=True)
class Limit:
    """
    A bucket of ``quota`` tokens that fills up within ``window`` seconds, and what is to be taken from it, or given back below zero.

    ``name`` is told to the caller, ``bucket`` says whose it is and carries the organisation.
    """

    name: str
    bucket: str
    quota: int
    window: int
    cost: int = 1

    @property
    def rate(self) -> float:
        return self.quota / self.window


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether it may be done, and what each bucket holds afterwards; nothing is known of them in an outage."""

    is_allowed: bool
    limits: Sequence[Limit] = ()
    tokens: Sequence[float] = ()

    @property
    def wait(self) -> float:
        """Seconds until the same would be allowed."""
        lacking = zip(self.limits, self.tokens, strict=True)
        return max((max(limit.cost - held, 0) / limit.rate for limit, held in lacking), default=0.0)

    @property
    def exhausted(self) -> list[str]:
        """The names of the limits that do not allow it."""
        if self.is_allowed:
            return []
        held = zip(self.limits, self.tokens, strict=True)
        return [limit.name for limit, tokens in held if tokens < limit.cost]

    @property
    def headers(self) -> dict[str, str]:
        """``RateLimit-Policy`` and ``RateLimit``, as draft-ietf-httpapi-ratelimit-headers writes them."""
        if not self.limits:
            return {}
        policies = (f'"{limit.name}";q={limit.quota};w={limit.window}' for limit in self.limits)
        states = (
            f'"{limit.name}";r={int(tokens)};t={math.ceil((limit.quota - tokens) / limit.rate)}'
            for limit, tokens in zip(self.limits, self.tokens, strict=True)
        )
        return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(states)}


def take(limits: Sequence[Limit], *, now: datetime, in_outage: InOutage) -> Verdict:
    """
    Take from every bucket what its limit costs, or nothing from any when one of them holds too little.

    One call of Redis, however many limits there are; none where ``TREASURY["RATE_LIMIT_URL"]`` is empty. Raises
    Uncounted in an outage where that is asked for.
    """
    if not limits:
        return Verdict(is_allowed=True)
    url = str(settings.TREASURY["RATE_LIMIT_URL"])
    if not url:
        return _HERE.take(limits, now.timestamp())
    try:
        return shared(url).take(limits, now.timestamp())
    except redis.RedisError:
        if in_outage is InOutage.REFUSE:
            raise Uncounted("This cannot be done at the moment. Try again later.") from None
        if in_outage is InOutage.LET_IN:
            return Verdict(is_allowed=True)
        return _HERE.take(limits, now.timestamp())


def require(limits: Sequence[Limit], *, now: datetime, in_outage: InOutage, refusal: str) -> None:
    """Take, or raise RateLimited with the refusal; see ``take``."""
    verdict = take(limits, now=now, in_outage=in_outage)
    if not verdict.is_allowed:
        raise RateLimited(refusal, wait=verdict.wait)


@contextmanager
def taken(limits: Sequence[Limit], *, now: datetime, in_outage: InOutage, refusal: str) -> Iterator[None]:
    """Take for what is done within, or raise RateLimited with the refusal; give back where that is refused itself."""
    require(limits, now=now, in_outage=in_outage, refusal=refusal)
    try:
        yield
    except errors.DomainError:
        take([replace(limit, cost=-limit.cost) for limit in limits], now=now, in_outage=in_outage)
        raise


def forget() -> None:
    """Empty what this process holds: for tests."""
    _HERE.clear()


class Buckets(Protocol):
    """Where the buckets stand."""

    def take(self, limits: Sequence[Limit], at: float) -> Verdict: ...


class BucketsHere:
    """Buckets of this process alone, by the same rules as the script's."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, limits: Sequence[Limit], at: float) -> Verdict:
        with self._lock:
            states = [self._filled(limit, at) for limit in limits]
            is_allowed = all(held >= limit.cost for limit, (held, _) in zip(limits, states, strict=True))
            left = []
            for limit, (held, since) in zip(limits, states, strict=True):
                left.append(held - limit.cost if is_allowed else held)
                self._held.pop(limit.bucket, None)
                self._held[limit.bucket] = (left[-1], since)
            while len(self._held) > BUCKETS_MAX:
                del self._held[next(iter(self._held))]
        return Verdict(is_allowed, limits, left)

    def clear(self) -> None:
        with self._lock:
            self._held.clear()

    def _filled(self, limit: Limit, at: float) -> tuple[float, float]:
        held, since = self._held.get(limit.bucket, (float(limit.quota), at))
        if since > at + limit.window:
            since = at
        grown = max(at - since, 0) * limit.rate
        return min(limit.quota, held + grown), max(at, since)


class BucketsInRedis:
    """Buckets that all processes share; after an outage Redis is left alone for a while, and it is told once."""

    def __init__(self, url: str) -> None:
        client = redis.Redis.from_url(
            url,
            socket_timeout=PATIENCE,
            socket_connect_timeout=PATIENCE,
            retry=Retry(NoBackoff(), 1),  # a connection that was idle too long
        )
        self._script = client.register_script(SCRIPT)
        self._resting_until = 0.0

    def take(self, limits: Sequence[Limit], at: float) -> Verdict:
        """Raise RedisError while Redis is away."""
        if at < self._resting_until <= at + REST:
            raise redis.ConnectionError("Redis was away a moment ago")
        facts: list[Any] = [repr(at)]
        for limit in limits:
            facts += [limit.quota, limit.window, limit.cost]
        try:
            said = self._script(keys=[f"rate:{limit.bucket}" for limit in limits], args=facts)
        except redis.RedisError as error:
            if not self._resting_until:
                log.warning("rate_limits_unavailable", reason=type(error).__name__)
            self._resting_until = at + REST
            raise
        if self._resting_until:
            log.warning("rate_limits_available")
            self._resting_until = 0.0
        return Verdict(bool(said[0]), limits, [float(tokens) for tokens in said[1:]])


_HERE = BucketsHere()


@functools.cache
def shared(url: str) -> BucketsInRedis:
    """Return the buckets behind an address, one object for each in a process."""
    return BucketsInRedis(url)

"""The one place that reads the time; only interfaces call it, everything below takes ``now`` as an argument."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_fixed: ContextVar[datetime | None] = ContextVar("fixed_time", default=None)


def now() -> datetime:
    """Return the present instant, aware, in UTC (or the instant that ``fixed`` set in this context)."""
    return _fixed.get() or datetime.now(UTC)


@contextmanager
def fixed(at: datetime) -> Iterator[None]:
    """Stop the clock at an aware instant within this context: for replay and tests."""
    if at.tzinfo is None:
        raise ValueError("an instant carries its zone")
    token = _fixed.set(at)
    try:
        yield
    finally:
        _fixed.reset(token)

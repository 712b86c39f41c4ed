"""Virtual time: the computer's time plus an offset that the control interface moves, or a moment that stands still."""

import sqlite3
import time
from datetime import UTC, datetime, timedelta, timezone

from apps.simulator.store import Store, read_setting, write_setting

EAT = timezone(timedelta(hours=3), "EAT")  # the sheets of M-Pesa print East Africa Time, without a zone
OFFSET = "clock_offset_ms"
STOPPED_AT = "clock_stopped_at_ms"
LARGEST_STEP_SECONDS = 366 * 24 * 3600
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


class StepRefused(Exception):
    """Time only goes forward, by a year at most; into the past only where nothing has happened yet."""


class MomentRefused(Exception):
    """The text is no moment that virtual time can go to."""


class VirtualClock:
    """Milliseconds since 1970 in virtual time; offset and standstill outlive a restart."""

    def __init__(self, *, store: Store) -> None:
        with store.transaction() as tx:
            self._offset_ms = int(read_setting(tx=tx, key=OFFSET) or 0)
            self._stopped_at = _whole(read_setting(tx=tx, key=STOPPED_AT))

    @property
    def offset_ms(self) -> int:
        """How far virtual time is ahead of the computer's."""
        return self._offset_ms if self._stopped_at is None else self._stopped_at - _real_time()

    @property
    def is_stopped(self) -> bool:
        """Whether time moves by `advance` only."""
        return self._stopped_at is not None

    def now(self) -> int:
        """Return the present virtual time."""
        return _real_time() + self._offset_ms if self._stopped_at is None else self._stopped_at

    def advance(self, *, tx: sqlite3.Connection, seconds: int) -> None:
        """Move virtual time forward."""
        if not 0 <= seconds <= LARGEST_STEP_SECONDS:
            raise StepRefused(f"seconds must lie between 0 and {LARGEST_STEP_SECONDS}.")
        self.set(tx=tx, at=self.now() + seconds * 1_000, is_stopped=self.is_stopped)

    def rewind(self, *, tx: sqlite3.Connection) -> None:
        """Return to the computer's time."""
        self._keep(tx=tx, offset_ms=0, stopped_at=None)

    def set(self, *, tx: sqlite3.Connection, at: int, is_stopped: bool) -> None:
        """Go to a moment and stand still there, or go on from it."""
        self._keep(tx=tx, offset_ms=at - _real_time(), stopped_at=at if is_stopped else None)

    def _keep(self, *, tx: sqlite3.Connection, offset_ms: int, stopped_at: int | None) -> None:
        write_setting(tx=tx, key=OFFSET, value=str(offset_ms))
        write_setting(tx=tx, key=STOPPED_AT, value="" if stopped_at is None else str(stopped_at))
        self._offset_ms, self._stopped_at = offset_ms, stopped_at


def read_iso(*, text: str) -> int:
    """Read an ISO 8601 moment with its zone, between 2000 and 2100; raise MomentRefused for anything else."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise MomentRefused("at is a moment as 2026-11-02T06:00:00+03:00.") from error
    if at.tzinfo is None or not EARLIEST <= at < LATEST:
        raise MomentRefused("at carries its zone and lies between 2000 and 2100.")
    return int(at.timestamp() * 1_000)


def moment(*, at: int) -> datetime:
    """Return a virtual time as an aware datetime in East Africa Time."""
    return (datetime.fromtimestamp(at // 1_000, tz=UTC) + timedelta(milliseconds=at % 1_000)).astimezone(EAT)


def iso(*, at: int | None) -> str | None:
    """Write a virtual time as ISO 8601 with milliseconds and zone."""
    return None if at is None else moment(at=at).isoformat(timespec="milliseconds")


def digits(*, at: int) -> int:
    """Write a virtual time as Daraja does in results: YYYYMMDDHHmmss as a number."""
    return int(moment(at=at).strftime("%Y%m%d%H%M%S"))


def _real_time() -> int:
    return time.time_ns() // 1_000_000


def _whole(text: str | None) -> int | None:
    return int(text) if text else None

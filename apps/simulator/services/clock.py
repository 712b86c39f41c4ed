"""Virtual time: the computer's time plus an offset that the control interface pushes forward."""

import sqlite3
import time
from datetime import UTC, datetime, timedelta, timezone

from apps.simulator.store import Store, read_setting, write_setting

EAT = timezone(timedelta(hours=3), "EAT")  # the sheets of M-Pesa print East Africa Time, without a zone
OFFSET = "clock_offset_ms"
LARGEST_STEP_SECONDS = 366 * 24 * 3600


class StepRefused(Exception):
    """Time only goes forward, by a year at most."""


class VirtualClock:
    """Milliseconds since 1970 in virtual time; the offset outlives a restart."""

    def __init__(self, *, store: Store) -> None:
        with store.transaction() as tx:
            self._offset_ms = int(read_setting(tx=tx, key=OFFSET) or 0)

    @property
    def offset_ms(self) -> int:
        """How far virtual time is ahead of the computer's."""
        return self._offset_ms

    def now(self) -> int:
        """Return the present virtual time."""
        return time.time_ns() // 1_000_000 + self._offset_ms

    def advance(self, *, tx: sqlite3.Connection, seconds: int) -> None:
        """Move virtual time forward."""
        if not 0 <= seconds <= LARGEST_STEP_SECONDS:
            raise StepRefused(f"seconds must lie between 0 and {LARGEST_STEP_SECONDS}.")
        self._set(tx=tx, offset_ms=self._offset_ms + seconds * 1_000)

    def rewind(self, *, tx: sqlite3.Connection) -> None:
        """Return to the computer's time."""
        self._set(tx=tx, offset_ms=0)

    def _set(self, *, tx: sqlite3.Connection, offset_ms: int) -> None:
        write_setting(tx=tx, key=OFFSET, value=str(offset_ms))
        self._offset_ms = offset_ms


def moment(*, at: int) -> datetime:
    """Return a virtual time as an aware datetime in East Africa Time."""
    return (datetime.fromtimestamp(at // 1_000, tz=UTC) + timedelta(milliseconds=at % 1_000)).astimezone(EAT)


def iso(*, at: int | None) -> str | None:
    """Write a virtual time as ISO 8601 with milliseconds and zone."""
    return None if at is None else moment(at=at).isoformat(timespec="milliseconds")


def digits(*, at: int) -> int:
    """Write a virtual time as Daraja does in results: YYYYMMDDHHmmss as a number."""
    return int(moment(at=at).strftime("%Y%m%d%H%M%S"))

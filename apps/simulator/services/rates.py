"""What sources of exchange rates publish: something plausible for the day, or what somebody put there."""

import json
import sqlite3
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from apps.simulator.contracts import RateSheet
from apps.simulator.store import read_setting, write_setting

SATURDAY = 5
LONGEST = 100


class SheetRefused(Exception):
    """The sheet is none that could be published."""


PLAUSIBLE = MappingProxyType(
    {
        "ecb": {"USD": "1.0921", "JPY": "157.43", "GBP": "0.8612", "HKD": "8.5391", "ZAR": "20.3512"},
        "cbk": {
            "US DOLLAR": "129.2406",
            "STG POUND": "163.8781",
            "EURO": "141.1436",
            "JPY (100)": "82.0940",
            "KES / USHS": "28.5314",
            "KES / TSHS": "20.4521",
        },
        "quotes": {"USD/KES": "129.31", "EUR/USD": "1.0918"},
    }
)
"""By source: units for a euro; the bank's table; pairs."""
PUBLISHED = MappingProxyType(
    {
        "ecb": (ZoneInfo("Europe/Berlin"), time(16)),
        "cbk": (ZoneInfo("Africa/Nairobi"), time(9, 30)),
        "quotes": (ZoneInfo("UTC"), time.min),
    }
)
"""When a source publishes the sheet of a working day."""


def sheet(*, tx: sqlite3.Connection, source: str, now: int) -> RateSheet:
    """Return what a source shows now: what was put there, or the plausible one of the last working day."""
    kept = read_setting(tx=tx, key=_key(source))
    if kept is not None:
        content = json.loads(kept)
        return RateSheet(content["day"] or _working_day(source, now).isoformat(), content["rates"])
    return RateSheet(_working_day(source, now).isoformat(), dict(PLAUSIBLE[source]))


def publish(*, tx: sqlite3.Connection, source: str, day: object, rates: object) -> None:
    """Put a sheet there, of a day (an empty one is the last working day); raise SheetRefused for what is none."""
    if not isinstance(day, str) or (day and not _is_day(day)):
        raise SheetRefused("day is a date as 2026-11-24, or left out.")
    if not isinstance(rates, dict) or not all(_is_text(text) for pair in rates.items() for text in pair):
        raise SheetRefused(f"rates is an object of texts of at most {LONGEST} printable characters.")
    write_setting(tx=tx, key=_key(source), value=json.dumps({"day": day, "rates": rates}))


def forget(*, tx: sqlite3.Connection) -> None:
    """Publish plausible sheets again."""
    for source in PLAUSIBLE:
        tx.execute("DELETE FROM setting WHERE key = ?", (_key(source),))


def _key(source: str) -> str:
    return f"rates_{source}"


def _working_day(source: str, now: int) -> date:
    zone, at = PUBLISHED[source]
    here = datetime.fromtimestamp(now / 1000, UTC).astimezone(zone)
    day = here.date() if here.time() >= at else here.date() - timedelta(days=1)
    return day - timedelta(days=max(day.weekday() - SATURDAY + 1, 0))


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value.isprintable() and len(value) <= LONGEST

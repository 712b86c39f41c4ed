"""Pull Transactions: a business registers once, then reads the payments of the last 48 hours."""

import sqlite3

from apps.simulator.contracts import StatementRow
from apps.simulator.services import statements

PAGE = 100
WINDOW_MS = 48 * 3_600_000


class NotRegistered(Exception):
    """The shortcode has not registered for pulls."""


def register(*, tx: sqlite3.Connection, shortcode: str, nominated_number: str, callback_url: str) -> bool:
    """Register a shortcode; return False where it already was, and change nothing then."""
    added = tx.execute(
        "INSERT INTO pull_registration (shortcode, nominated_number, callback_url) VALUES (?, ?, ?) "
        "ON CONFLICT (shortcode) DO NOTHING",
        (shortcode, nominated_number, callback_url),
    )
    return added.rowcount == 1


def page(
    *, tx: sqlite3.Connection, shortcode: str, span: tuple[int, int], offset: int, now: int
) -> list[StatementRow]:
    """Return at most a page of payments within the span, never older than the window; raise NotRegistered."""
    known = tx.execute("SELECT 1 FROM pull_registration WHERE shortcode = ?", (shortcode,)).fetchone()
    if known is None:
        raise NotRegistered(shortcode)
    starts, ends = span
    kept = (max(starts, now - WINDOW_MS), ends)
    return statements.payments_between(tx=tx, shortcode=shortcode, span=kept, offset=offset, limit=PAGE)

"""Forms that pay: each that was shown may be sent once, however often its button is pressed."""

import sqlite3

from apps.simulator.services import identifiers


def draw(*, tx: sqlite3.Connection) -> str:
    """Return the mark of a form that is about to be shown."""
    return identifiers.request(tx=tx)


def spend(*, tx: sqlite3.Connection, mark: str) -> bool:
    """Say whether a form is sent for the first time; one without a mark always is."""
    if not mark:
        return True
    added = tx.execute("INSERT INTO spent_form (mark) VALUES (?) ON CONFLICT (mark) DO NOTHING", (mark,))
    return added.rowcount == 1

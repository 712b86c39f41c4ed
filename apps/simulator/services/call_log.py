"""The record of every call of the Daraja face and of every callback, without secrets."""

import json
import sqlite3
from collections.abc import Mapping
from urllib.parse import parse_qsl

from apps.simulator.services.clock import iso

REDACTED = "[redacted]"
SECRET_NAMES = {
    "authorization",
    "password",
    "securitycredential",
    "passkey",
    "access_token",
    "cookie",
    "client_secret",
    "secret",
}


def record(*, tx: sqlite3.Connection, kind: str, entry: Mapping[str, object], now: int) -> int:
    """Append one entry, which must already be free of secrets, and return its number."""
    added = tx.execute(
        "INSERT INTO log_entry (at, kind, entry) VALUES (?, ?, ?) RETURNING id",
        (now, kind, json.dumps(entry)),
    )
    return int(added.fetchone()["id"])


def update(*, tx: sqlite3.Connection, number: int, changes: Mapping[str, object]) -> None:
    """Complete an entry, if a reset has not removed it."""
    row = tx.execute("SELECT entry FROM log_entry WHERE id = ?", (number,)).fetchone()
    if row is not None:
        entry = json.dumps({**json.loads(row["entry"]), **changes})
        tx.execute("UPDATE log_entry SET entry = ? WHERE id = ?", (entry, number))


def entries(*, tx: sqlite3.Connection, since: int) -> list[dict[str, object]]:
    """Return the entries after number `since`, oldest first."""
    return [
        {"id": row["id"], "at": iso(at=row["at"]), "kind": row["kind"], **json.loads(row["entry"])}
        for row in tx.execute("SELECT * FROM log_entry WHERE id > ? ORDER BY id", (since,))
    ]


def redacted(*, values: Mapping[str, object]) -> dict[str, object]:
    """Return the values with every secret replaced."""
    return {
        name: REDACTED if name.lower() in SECRET_NAMES and value is not None else value
        for name, value in values.items()
    }


def readable(*, body: bytes) -> object:
    """Return a body as it may be logged: an object without secrets, or a short text."""
    try:
        content = json.loads(body)
    except ValueError:
        text = body.decode(errors="replace")
        fields = dict(parse_qsl(text))
        return redacted(values=fields) if fields else text[:2_000]
    return redacted(values=content) if isinstance(content, dict) else content

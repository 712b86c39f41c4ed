"""PayPal objects in the store: JSON as PayPal shows it, and beside it what only the simulator knows."""

import json
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from apps.simulator.contracts import Plan
from apps.simulator.paypal.contracts import Body, PayPalRefusal, Scope
from apps.simulator.services import plans


def instant(at: int) -> str:
    """Write a moment as PayPal does: UTC, to the second."""
    return datetime.fromtimestamp(at // 1_000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stamps(scope: Scope) -> Body:
    """Return when something new was made and last changed."""
    return {"create_time": instant(scope.now), "update_time": instant(scope.now)}


def link(scope: Scope, path: str, rel: str, method: str = "GET") -> Body:
    """Return one link of an object."""
    return {"href": scope.address(path), "rel": rel, "method": method}


def add(
    scope: Scope, kind: str, body: Body, *, key: str = "id", due_at: int | None = None, **private: Any
) -> Body:
    """Keep a new object under the plan of the call, and return it; ``key`` names the field that identifies it."""
    held = {"plan": plans.dump(plan=scope.plan), "origin": scope.origin, "key": key, **private}
    scope.tx.execute(
        "INSERT INTO paypal_object (id, account, type, body, private, due_at) VALUES (?, ?, ?, ?, ?, ?)",
        (body[key], scope.account.id, kind, json.dumps(body), json.dumps(held), due_at),
    )
    return body


def find(scope: Scope, kind: str, identifier: str) -> Body | None:
    """Return the account's object, or None."""
    row = scope.tx.execute(
        "SELECT body FROM paypal_object WHERE id = ? AND account = ? AND type = ?",
        (identifier, scope.account.id, kind),
    ).fetchone()
    return None if row is None else json.loads(row["body"])


def get(scope: Scope, kind: str, identifier: str) -> Body:
    """Return the account's object, or refuse as PayPal does what it does not find."""
    found = find(scope, kind, identifier)
    if found is None:
        raise PayPalRefusal(404, "INVALID_RESOURCE_ID", "Specified resource ID does not exist.")
    return found


def any_of(scope: Scope, identifier: str) -> Body | None:
    """Return the account's object of whatever kind has this identifier, or None."""
    row = scope.tx.execute(
        "SELECT body FROM paypal_object WHERE id = ? AND account = ?", (identifier, scope.account.id)
    ).fetchone()
    return None if row is None else json.loads(row["body"])


def save(scope: Scope, identifier: str, body: Body) -> Body:
    """Keep what has changed about an object, with the time of it, and return it."""
    if "update_time" in body:
        body["update_time"] = instant(scope.now)
    scope.tx.execute("UPDATE paypal_object SET body = ? WHERE id = ?", (json.dumps(body), identifier))
    return body


def remove(scope: Scope, identifier: str) -> None:
    """Forget an object."""
    scope.tx.execute("DELETE FROM paypal_object WHERE id = ?", (identifier,))


def wake(scope: Scope, identifier: str, *, at: int | None) -> None:
    """Say when something next happens to the object by itself; None for never."""
    scope.tx.execute("UPDATE paypal_object SET due_at = ? WHERE id = ?", (at, identifier))


def private(scope: Scope, identifier: str) -> dict[str, Any]:
    """Return what only the simulator knows about an object."""
    row = scope.tx.execute("SELECT private FROM paypal_object WHERE id = ?", (identifier,)).fetchone()
    return json.loads(row["private"])


def note(scope: Scope, identifier: str, **values: Any) -> None:
    """Add to what only the simulator knows about an object."""
    held = private(scope, identifier) | values
    scope.tx.execute("UPDATE paypal_object SET private = ? WHERE id = ?", (json.dumps(held), identifier))


def plan_of(scope: Scope, identifier: str) -> Plan:
    """Return the plan of the call that made the object."""
    return plans.load(text=private(scope, identifier)["plan"])


def newest(scope: Scope, kind: str) -> list[Body]:
    """Return the account's objects of a kind, newest first."""
    rows = scope.tx.execute(
        "SELECT body FROM paypal_object WHERE account = ? AND type = ? ORDER BY number DESC",
        (scope.account.id, kind),
    )
    return [json.loads(row["body"]) for row in rows]


def everywhere(*, tx: sqlite3.Connection, kind: str) -> list[Body]:
    """Return the objects of a kind of all accounts, newest first."""
    rows = tx.execute("SELECT account, body FROM paypal_object WHERE type = ? ORDER BY number DESC", (kind,))
    return [json.loads(row["body"]) | {"account": row["account"]} for row in rows]


def counts(*, tx: sqlite3.Connection) -> Mapping[str, int]:
    """Return how many objects of each kind there are."""
    rows = tx.execute("SELECT type, count(*) AS n FROM paypal_object GROUP BY 1 ORDER BY 1")
    return {row["type"]: row["n"] for row in rows}


def moment(text: str) -> int:
    """Read what ``instant`` wrote, in milliseconds."""
    return int(datetime.fromisoformat(text).timestamp() * 1_000)


def of_order(scope: Scope, kind: str, order: str, unit: int) -> list[Body]:
    """Return what belongs to one purchase unit of an order, oldest first."""
    rows = scope.tx.execute(
        "SELECT body FROM paypal_object WHERE json_extract(private, '$.order') = ? AND type = ? "
        "AND json_extract(private, '$.unit') = ? ORDER BY number",
        (order, kind, unit),
    )
    return [json.loads(row["body"]) for row in rows]

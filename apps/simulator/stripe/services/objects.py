"""Stripe objects in the store: JSON as Stripe shows it, and beside it what only the simulator knows."""

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from apps.simulator.contracts import Plan
from apps.simulator.services import plans
from apps.simulator.stripe.contracts import Body, Scope, StripeRefusal

NAMES = {
    "checkout.session": "checkout.session",
    "payment_intent": "payment_intent",
    "payment_method": "PaymentMethod",
    "setup_intent": "setupintent",
}


def add(
    scope: Scope, body: Body, *, due_at: int | None = None, is_hidden: bool = False, **private: Any
) -> Body:
    """Keep a new object under the plan of the call, and return it."""
    scope.tx.execute(
        "INSERT INTO stripe_object (id, account, type, body, private, is_hidden, due_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            body["id"],
            scope.account.id,
            body["object"],
            json.dumps(body),
            json.dumps({"plan": plans.dump(plan=scope.plan), **private}),
            int(is_hidden),
            due_at,
        ),
    )
    return body


def find(scope: Scope, kind: str, identifier: str) -> Body | None:
    """Return the account's object, or None."""
    row = scope.tx.execute(
        "SELECT body FROM stripe_object WHERE id = ? AND account = ? AND type = ?",
        (identifier, scope.account.id, kind),
    ).fetchone()
    return None if row is None else json.loads(row["body"])


def get(scope: Scope, kind: str, identifier: str, *, param: str = "id", status: int = 404) -> Body:
    """Return the account's object, or refuse as Stripe does what it does not find."""
    found = find(scope, kind, identifier)
    if found is None:
        name = NAMES.get(kind, kind)
        raise StripeRefusal(status, f"No such {name}: '{identifier}'", code="resource_missing", param=param)
    return found


def any_of(scope: Scope, identifier: str) -> Body | None:
    """Return the account's object of whatever kind has this identifier, or None."""
    row = scope.tx.execute(
        "SELECT body FROM stripe_object WHERE id = ? AND account = ?", (identifier, scope.account.id)
    ).fetchone()
    return None if row is None else json.loads(row["body"])


def save(scope: Scope, body: Body) -> Body:
    """Keep what has changed about an object, and return it."""
    scope.tx.execute("UPDATE stripe_object SET body = ? WHERE id = ?", (json.dumps(body), body["id"]))
    return body


def remove(scope: Scope, identifier: str) -> None:
    """Forget an object."""
    scope.tx.execute("DELETE FROM stripe_object WHERE id = ?", (identifier,))


def wake(scope: Scope, identifier: str, *, at: int | None) -> None:
    """Say when something next happens to the object by itself; None for never."""
    scope.tx.execute("UPDATE stripe_object SET due_at = ? WHERE id = ?", (at, identifier))


def private(scope: Scope, identifier: str) -> dict[str, Any]:
    """Return what only the simulator knows about an object."""
    row = scope.tx.execute("SELECT private FROM stripe_object WHERE id = ?", (identifier,)).fetchone()
    return json.loads(row["private"])


def note(scope: Scope, identifier: str, **values: Any) -> None:
    """Add to what only the simulator knows about an object."""
    held = private(scope, identifier) | values
    scope.tx.execute("UPDATE stripe_object SET private = ? WHERE id = ?", (json.dumps(held), identifier))


def plan_of(scope: Scope, identifier: str) -> Plan:
    """Return the plan of the call that made the object."""
    return plans.load(text=private(scope, identifier)["plan"])


def newest(scope: Scope, kind: str, **fields: object) -> list[Body]:
    """Return the account's objects of a kind whose fields have these values, newest first; hidden ones are left out."""
    wanted = {name: value for name, value in fields.items() if value is not None}
    condition = "".join(f" AND json_extract(body, '$.{name}') = ?" for name in wanted)
    rows = scope.tx.execute(
        f"SELECT body FROM stripe_object WHERE account = ? AND type = ? AND is_hidden = 0{condition} "  # noqa: S608
        "ORDER BY number DESC",
        (scope.account.id, kind, *wanted.values()),
    )
    return [json.loads(row["body"]) for row in rows]


def everywhere(*, tx: sqlite3.Connection, kind: str) -> list[Body]:
    """Return the objects of a kind of all accounts, newest first."""
    rows = tx.execute("SELECT account, body FROM stripe_object WHERE type = ? ORDER BY number DESC", (kind,))
    return [json.loads(row["body"]) | {"account": row["account"]} for row in rows]


def counts(*, tx: sqlite3.Connection) -> Mapping[str, int]:
    """Return how many objects of each kind there are."""
    rows = tx.execute("SELECT type, count(*) AS n FROM stripe_object GROUP BY 1 ORDER BY 1")
    return {row["type"]: row["n"] for row in rows}

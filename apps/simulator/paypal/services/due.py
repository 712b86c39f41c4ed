"""What happens on the PayPal face by itself when its time has come."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace

from apps.simulator.paypal.contracts import Body, Scope
from apps.simulator.paypal.services import (
    accounts,
    authorizations,
    captures,
    disputes,
    objects,
    orders,
    refunds,
    vault,
)

SETTLERS: dict[str, Callable[[Scope, Body], None]] = {
    "order": orders.settle,
    "authorization": authorizations.settle,
    "capture": captures.settle,
    "refund": refunds.settle,
    "dispute": disputes.settle,
    "setup_token": vault.settle,
}


def next_due(*, tx: sqlite3.Connection) -> int | None:
    """Return when the next thing happens."""
    return tx.execute("SELECT min(due_at) FROM paypal_object WHERE due_at IS NOT NULL").fetchone()[0]


def settle_next(*, tx: sqlite3.Connection) -> None:
    """Let the thing happen that falls due next, at the time when it does."""
    row = tx.execute(
        "SELECT id, account, type, body, private, due_at FROM paypal_object WHERE due_at IS NOT NULL "
        "ORDER BY due_at, number LIMIT 1"
    ).fetchone()
    account = accounts.get(tx=tx, identifier=row["account"])
    scope = Scope(tx=tx, account=account, now=row["due_at"], origin=json.loads(row["private"])["origin"])
    objects.wake(scope, row["id"], at=None)
    SETTLERS[row["type"]](replace(scope, plan=objects.plan_of(scope, row["id"])), json.loads(row["body"]))

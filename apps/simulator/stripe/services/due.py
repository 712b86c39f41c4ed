"""What happens on the Stripe face by itself when its time has come."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace

from apps.simulator.stripe.contracts import Body, Scope
from apps.simulator.stripe.services import accounts, disputes, intents, objects, payouts, refunds, sessions

ORIGIN = "http://127.0.0.1"
SETTLERS: dict[str, Callable[[Scope, Body], None]] = {
    "checkout.session": sessions.settle,
    "payment_intent": intents.settle,
    "refund": refunds.settle,
    "dispute": disputes.settle,
    "payout": payouts.settle,
}


def next_due(*, tx: sqlite3.Connection) -> int | None:
    """Return when the next thing happens."""
    return tx.execute("SELECT min(due_at) FROM stripe_object WHERE due_at IS NOT NULL").fetchone()[0]


def settle_next(*, tx: sqlite3.Connection) -> None:
    """Let the thing happen that falls due next, at the time when it does."""
    row = tx.execute(
        "SELECT id, account, type, body, due_at FROM stripe_object WHERE due_at IS NOT NULL ORDER BY due_at, number LIMIT 1"
    ).fetchone()
    account = accounts.get(tx=tx, identifier=row["account"])
    scope = Scope(tx=tx, account=account, now=row["due_at"], origin=ORIGIN)
    objects.wake(scope, row["id"], at=None)
    SETTLERS[row["type"]](replace(scope, plan=objects.plan_of(scope, row["id"])), json.loads(row["body"]))

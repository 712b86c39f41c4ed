"""What persons do on the pages of the PayPal face: they agree, change their mind, or let a merchant keep their wallet."""

import json
import sqlite3

from apps.simulator.paypal.contracts import Body, Scope
from apps.simulator.paypal.services import accounts, orders


class Unknown(Exception):
    """There is no such object on any account."""


def find(
    *, tx: sqlite3.Connection, now: int, kinds: tuple[str, ...], identifier: str, origin: str
) -> tuple[Scope, Body]:
    """
    Return an object of whatever account, and the scope in which a person acts on it; raise Unknown where there is none.

    The plan of the object holds, but for what it would decide by itself: the person decides.
    """
    row = tx.execute("SELECT account, type, body FROM paypal_object WHERE id = ?", (identifier,)).fetchone()
    if row is None or row["type"] not in kinds:
        raise Unknown(identifier)
    account = accounts.get(tx=tx, identifier=row["account"])
    scope = Scope(tx=tx, account=account, now=now, origin=origin)
    return orders.by_person(scope, identifier), json.loads(row["body"])

"""Where businesses want to be told of payments that come unasked."""

import sqlite3

from apps.simulator.contracts import Account, Environment, Payment, Prompt, Registration


class AlreadyRegistered(Exception):
    """In production addresses are registered once; a person has to delete them first."""


def register(*, tx: sqlite3.Connection, account: Account, registration: Registration) -> None:
    """Keep the addresses of a shortcode; in the sandbox they replace what was there."""
    if account.environment is Environment.PRODUCTION and find(tx=tx, shortcode=account.shortcode):
        raise AlreadyRegistered(account.shortcode)
    forget(tx=tx, shortcode=account.shortcode)
    tx.execute(
        "INSERT INTO registration (shortcode, confirmation_url, validation_url, is_refused_by_default) "
        "VALUES (?, ?, ?, ?)",
        (
            registration.shortcode,
            registration.confirmation_url,
            registration.validation_url,
            int(registration.is_refused_by_default),
        ),
    )


def find(*, tx: sqlite3.Connection, shortcode: str) -> Registration | None:
    """Return what a shortcode has registered."""
    row = tx.execute("SELECT * FROM registration WHERE shortcode = ?", (shortcode,)).fetchone()
    if row is None:
        return None
    return Registration(**{**dict(row), "is_refused_by_default": bool(row["is_refused_by_default"])})


def told_of(*, tx: sqlite3.Connection, paid: Prompt | Payment) -> Registration | None:
    """Return who is asked before a payment and told of it: the shortcode that received it, else the store that it is a till of, or that asked."""
    row = tx.execute("SELECT store FROM account WHERE shortcode = ?", (paid.receiver,)).fetchone()
    store = row["store"] if row else ""
    asked = (paid.receiver, store, paid.shortcode)
    return next((found for each in asked if (found := find(tx=tx, shortcode=each))), None)


def forget(*, tx: sqlite3.Connection, shortcode: str) -> bool:
    """Delete the addresses, as a person at Safaricom does; return whether there were any."""
    return tx.execute("DELETE FROM registration WHERE shortcode = ?", (shortcode,)).rowcount == 1

"""Accounts of the PayPal face, and the tokens that open them."""

import json
import sqlite3
from dataclasses import asdict

from apps.simulator.paypal.contracts import Account
from apps.simulator.paypal.services import ids

COLUMNS = "id, name, client_id, client_secret, country, currency, fee_bps, fee_fixed, dispute_fee, rates"
TOKEN_SECONDS = 32_400

HAPPENINGS = "paypal_object WHERE type <> 'webhook'"
"""What tells that anything has happened on the face."""


class UnknownAccount(Exception):
    """No account has this merchant id."""


def save(*, tx: sqlite3.Connection, account: Account) -> Account:
    """Open the account, or replace everything about it; what happened on it stays."""
    tx.execute(
        f"INSERT INTO paypal_account ({COLUMNS}) VALUES "  # noqa: S608
        "(:id, :name, :client_id, :client_secret, :country, :currency, :fee_bps, :fee_fixed, :dispute_fee, :rates) "
        "ON CONFLICT (id) DO UPDATE SET name = excluded.name, client_id = excluded.client_id, "
        "client_secret = excluded.client_secret, country = excluded.country, currency = excluded.currency, "
        "fee_bps = excluded.fee_bps, fee_fixed = excluded.fee_fixed, dispute_fee = excluded.dispute_fee, "
        "rates = excluded.rates",
        asdict(account) | {"rates": json.dumps(account.rates)},
    )
    return account


def get(*, tx: sqlite3.Connection, identifier: str) -> Account:
    """Return the account, or raise UnknownAccount."""
    row = tx.execute(f"SELECT {COLUMNS} FROM paypal_account WHERE id = ?", (identifier,)).fetchone()  # noqa: S608
    if row is None:
        raise UnknownAccount(identifier)
    return _account(row)


def of_client(*, tx: sqlite3.Connection, client_id: str) -> Account | None:
    """Return the account whose app has this client id, or None."""
    query = f"SELECT {COLUMNS} FROM paypal_account WHERE client_id = ?"  # noqa: S608
    row = tx.execute(query, (client_id,)).fetchone()
    return None if row is None else _account(row)


def all_accounts(*, tx: sqlite3.Connection) -> list[Account]:
    """Return the accounts by merchant id."""
    return [_account(row) for row in tx.execute(f"SELECT {COLUMNS} FROM paypal_account ORDER BY id")]  # noqa: S608


def issue_token(*, tx: sqlite3.Connection, account: Account, now: int) -> str:
    """Return a new token of the account, good for nine hours."""
    token = ids.access_token(tx=tx)
    tx.execute(
        "INSERT INTO paypal_token (token, account, expires_at) VALUES (?, ?, ?)",
        (token, account.id, now + TOKEN_SECONDS * 1_000),
    )
    return token


def of_token(*, tx: sqlite3.Connection, token: str, now: int) -> Account | None:
    """Return the account that a token opens, or None where it is unknown or over."""
    row = tx.execute(
        "SELECT account FROM paypal_token WHERE token = ? AND expires_at > ?", (token, now)
    ).fetchone()
    return None if row is None else get(tx=tx, identifier=row["account"])


def revoke_token(*, tx: sqlite3.Connection, token: str) -> None:
    """End a token before its time."""
    tx.execute("DELETE FROM paypal_token WHERE token = ?", (token,))


def forget(*, tx: sqlite3.Connection, with_accounts: bool) -> None:
    """Forget what happened; accounts and the addresses that they tell stay unless they are to go as well."""
    for table in ("paypal_answer", "paypal_token", "paypal_movement"):
        tx.execute(f"DELETE FROM {table}")  # noqa: S608
    if with_accounts:
        tx.execute("DELETE FROM paypal_object")
        tx.execute("DELETE FROM paypal_account")
    else:
        tx.execute("DELETE FROM paypal_object WHERE type <> 'webhook'")


def _account(row: sqlite3.Row) -> Account:
    return Account(**{**dict(row), "rates": json.loads(row["rates"])})

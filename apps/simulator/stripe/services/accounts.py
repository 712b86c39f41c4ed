"""Accounts of the Stripe face and the keys that open them."""

import json
import sqlite3
from dataclasses import asdict

from apps.simulator.stripe.contracts import Account

COLUMNS = (
    "id, name, secret_key, country, currency, fee_bps, fee_fixed, dispute_fee, rates, platform, may_overdraw"
)

HAPPENINGS = "stripe_object WHERE type = 'event'"
"""What tells that anything has happened on the face."""


class UnknownAccount(Exception):
    """No account has this identifier."""


def save(*, tx: sqlite3.Connection, account: Account) -> Account:
    """Open the account, or replace everything about it; what happened on it stays."""
    tx.execute(
        f"INSERT INTO stripe_account ({COLUMNS}) VALUES "  # noqa: S608
        "(:id, :name, :secret_key, :country, :currency, :fee_bps, :fee_fixed, :dispute_fee, :rates, :platform, :may_overdraw) "
        "ON CONFLICT (id) DO UPDATE SET name = excluded.name, secret_key = excluded.secret_key, "
        "country = excluded.country, currency = excluded.currency, fee_bps = excluded.fee_bps, "
        "fee_fixed = excluded.fee_fixed, dispute_fee = excluded.dispute_fee, rates = excluded.rates, "
        "may_overdraw = excluded.may_overdraw",
        asdict(account) | {"rates": json.dumps(account.rates)},
    )
    return account


def get(*, tx: sqlite3.Connection, identifier: str) -> Account:
    """Return the account, or raise UnknownAccount."""
    row = tx.execute(f"SELECT {COLUMNS} FROM stripe_account WHERE id = ?", (identifier,)).fetchone()  # noqa: S608
    if row is None:
        raise UnknownAccount(identifier)
    return _account(row)


def part(*, tx: sqlite3.Connection, identifier: str) -> None:
    """Take a connected account out of the reach of its platform."""
    tx.execute("UPDATE stripe_account SET platform = id WHERE id = ?", (identifier,))


def of_key(*, tx: sqlite3.Connection, secret_key: str) -> Account | None:
    """Return the account that has this key, or None."""
    row = tx.execute(
        f"SELECT {COLUMNS} FROM stripe_account WHERE secret_key = ? AND platform = ''",  # noqa: S608
        (secret_key,),
    ).fetchone()
    return None if row is None else _account(row)


def all_accounts(*, tx: sqlite3.Connection) -> list[Account]:
    """Return the accounts by identifier."""
    return [_account(row) for row in tx.execute(f"SELECT {COLUMNS} FROM stripe_account ORDER BY id")]  # noqa: S608


def forget(*, tx: sqlite3.Connection, with_accounts: bool) -> None:
    """Forget what happened; accounts and the addresses that they tell stay unless they are to go as well."""
    tx.execute("DELETE FROM stripe_answer")
    if with_accounts:
        tx.execute("DELETE FROM stripe_object")
        tx.execute("DELETE FROM stripe_account")
    else:
        tx.execute("DELETE FROM stripe_object WHERE type NOT IN ('webhook_endpoint', 'account')")


def _account(row: sqlite3.Row) -> Account:
    told = {**dict(row), "rates": json.loads(row["rates"]), "may_overdraw": bool(row["may_overdraw"])}
    return Account(**told)

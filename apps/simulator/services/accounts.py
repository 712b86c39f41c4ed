"""Shortcodes of businesses, their access tokens, and the wallets of payers."""

import hmac
import sqlite3
from dataclasses import asdict

from apps.simulator.contracts import Account, AccountType, Environment, PayerForm
from apps.simulator.services import identifiers

FIRST_BALANCE_CENTS = 100_000_000_00
TOKEN_LIFE_SECONDS = 3_599


class UnknownShortcode(Exception):
    """No account has this shortcode."""


class WrongKeyPair(Exception):
    """No account has this consumer key and secret."""


class InvalidToken(Exception):
    """The token was never given out, or its time is over."""


def save(*, tx: sqlite3.Connection, account: Account) -> Account:
    """Create the account or replace everything about it but its balance."""
    tx.execute(
        """
        INSERT INTO account (shortcode, type, name, consumer_key, consumer_secret, passkey, initiator,
                             initiator_password, charge_bps, environment, payer_form, is_validating,
                             store, balance_cents)
        VALUES (:shortcode, :type, :name, :consumer_key, :consumer_secret, :passkey, :initiator,
                :initiator_password, :charge_bps, :environment, :payer_form, :is_validating, :store, 0)
        ON CONFLICT (shortcode) DO UPDATE SET
            type = excluded.type, name = excluded.name, consumer_key = excluded.consumer_key,
            consumer_secret = excluded.consumer_secret, passkey = excluded.passkey,
            initiator = excluded.initiator, initiator_password = excluded.initiator_password,
            charge_bps = excluded.charge_bps, environment = excluded.environment,
            payer_form = excluded.payer_form, is_validating = excluded.is_validating,
            store = excluded.store
        """,
        asdict(account),
    )
    return get(tx=tx, shortcode=account.shortcode)


def get(*, tx: sqlite3.Connection, shortcode: str) -> Account:
    """Return the account, or raise UnknownShortcode."""
    row = tx.execute("SELECT * FROM account WHERE shortcode = ?", (shortcode,)).fetchone()
    if row is None:
        raise UnknownShortcode(shortcode)
    return _account(row)


def all_accounts(*, tx: sqlite3.Connection) -> list[Account]:
    """Return the accounts by shortcode."""
    return [_account(row) for row in tx.execute("SELECT * FROM account ORDER BY shortcode")]


def change_balance(*, tx: sqlite3.Connection, shortcode: str, by_cents: int) -> int:
    """Add to the balance of a shortcode, which charges may bring below zero, and return the new one."""
    tx.execute(
        "UPDATE account SET balance_cents = balance_cents + ? WHERE shortcode = ?", (by_cents, shortcode)
    )
    return get(tx=tx, shortcode=shortcode).balance_cents


def issue_token(*, tx: sqlite3.Connection, consumer_key: str, consumer_secret: str, now: int) -> str:
    """Return a new token for the pair; older ones stay good until their own time is over."""
    rows = tx.execute(
        "SELECT consumer_secret FROM account WHERE consumer_key = ?", (consumer_key,)
    ).fetchall()
    given = consumer_secret.encode()
    if not any(hmac.compare_digest(row["consumer_secret"].encode(), given) for row in rows):
        raise WrongKeyPair
    token = identifiers.access_token(tx=tx)
    tx.execute(
        "INSERT INTO token (token, consumer_key, expires_at) VALUES (?, ?, ?)",
        (token, consumer_key, now + TOKEN_LIFE_SECONDS * 1_000),
    )
    return token


def consumer_of(*, tx: sqlite3.Connection, token: str, now: int) -> str:
    """Return the consumer key that a living token belongs to, or raise InvalidToken."""
    row = tx.execute(
        "SELECT consumer_key FROM token WHERE token = ? AND expires_at > ?", (token, now)
    ).fetchone()
    if row is None:
        raise InvalidToken
    return row["consumer_key"]


def revoke_token(*, tx: sqlite3.Connection, token: str) -> None:
    """End a token before its time."""
    tx.execute("DELETE FROM token WHERE token = ?", (token,))


def wallet_cents(*, tx: sqlite3.Connection, msisdn: str) -> int:
    """Return what a payer holds; a phone that is seen for the first time gets a full wallet."""
    tx.execute(
        "INSERT INTO payer (msisdn, balance_cents) VALUES (?, ?) ON CONFLICT (msisdn) DO NOTHING",
        (msisdn, FIRST_BALANCE_CENTS),
    )
    return tx.execute("SELECT balance_cents FROM payer WHERE msisdn = ?", (msisdn,)).fetchone()[0]


def draw_from_wallet(*, tx: sqlite3.Connection, msisdn: str, amount_cents: int) -> None:
    """Take money from a payer who has been seen to hold it."""
    tx.execute("UPDATE payer SET balance_cents = balance_cents - ? WHERE msisdn = ?", (amount_cents, msisdn))


def return_to_wallet(*, tx: sqlite3.Connection, msisdn: str, amount_cents: int) -> None:
    """Give a payer money back."""
    tx.execute("UPDATE payer SET balance_cents = balance_cents + ? WHERE msisdn = ?", (amount_cents, msisdn))


def _account(row: sqlite3.Row) -> Account:
    values = {
        **dict(row),
        "type": AccountType(row["type"]),
        "environment": Environment(row["environment"]),
        "payer_form": PayerForm(row["payer_form"]),
        "is_validating": bool(row["is_validating"]),
    }
    return Account(**values)

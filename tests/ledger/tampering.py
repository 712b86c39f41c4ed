"""Changing the books as somebody would who may do everything: past every trigger, and with the balances put right again."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.db import connection

from script.devkit import passwords
from tests.conftest import owner

TABLES = [
    "ledger_account",
    "ledger_balance",
    "ledger_entry",
    "ledger_hold",
    "ledger_movement",
    "ledger_seal",
    "ledger_sealleaf",
    "ledger_transaction",
]
REPAIR = (
    "UPDATE ledger_entry SET version = version + 1000000",
    """
    UPDATE ledger_entry e SET version = right_.version, net_after = right_.net
    FROM (
      SELECT transaction_id, seq, row_number() OVER running AS version,
        sum(CASE WHEN layer = 0 THEN amount * direction ELSE 0 END) OVER running AS net
      FROM ledger_entry WINDOW running AS (PARTITION BY account_id, shard ORDER BY version)
    ) AS right_ WHERE (right_.transaction_id, right_.seq) = (e.transaction_id, e.seq)""",
    """
    UPDATE ledger_balance b SET version = right_.version,
      posted_debits = right_.posted_debits, posted_credits = right_.posted_credits
    FROM (
      SELECT own.account_id, own.shard, count(e.version) AS version,
        coalesce(sum(e.amount) FILTER (WHERE e.layer = 0 AND e.direction = 1), 0) AS posted_debits,
        coalesce(sum(e.amount) FILTER (WHERE e.layer = 0 AND e.direction = -1), 0) AS posted_credits
      FROM ledger_balance own LEFT JOIN ledger_entry e USING (account_id, shard) GROUP BY own.account_id, own.shard
    ) AS right_ WHERE (right_.account_id, right_.shard) = (b.account_id, b.shard)""",
    "DELETE FROM ledger_movement",
    """
    INSERT INTO ledger_movement (account_id, effective_date, layer, debits, credits, entries)
    SELECT account_id, effective_date, layer, coalesce(sum(amount) FILTER (WHERE direction = 1), 0),
      coalesce(sum(amount) FILTER (WHERE direction = -1), 0), count(*)
    FROM ledger_entry JOIN ledger_sealleaf USING (transaction_id) GROUP BY account_id, effective_date, layer""",
)
"""Running balances, totals and daily sums, as they follow from the entries that are there now."""


@contextmanager
def unguarded(schema: str = "org_acme") -> Iterator[psycopg.Connection]:
    """
    Yield a connection on which no trigger fires; committed at the end.

    It is the superuser's with ``session_replication_role = replica``, or, on a server that is not ours, the owner's
    with the triggers switched off and on again.
    """
    try:
        database = _superuser()
    except psycopg.OperationalError:
        with owner() as database:
            database.execute(f"SET search_path = {schema}")
            _switch(database, "DISABLE")
            yield database
            _switch(database, "ENABLE")
        return
    with database:
        database.execute("SET session_replication_role = replica")
        database.execute(f"SET search_path = {schema}")
        yield database


def tamper(*statements: str, schema: str = "org_acme") -> None:
    """Change rows past the guards, and put right whatever follows from entries."""
    with unguarded(schema) as database:
        for statement in (*statements, *REPAIR):
            database.execute(statement)


def _superuser() -> psycopg.Connection:
    settings = connection.settings_dict
    secrets = passwords.load(Path(os.environ["TREASURY_VAR"]) / "secrets.env")
    return psycopg.connect(
        host=settings["HOST"],
        port=settings["PORT"],
        user="postgres",
        password=secrets["POSTGRES_SUPERUSER_PASSWORD"],
        dbname=settings["NAME"],
    )


def _switch(database: psycopg.Connection, verb: str) -> None:
    for table in TABLES:
        database.execute(f"ALTER TABLE {table} {verb} TRIGGER USER")

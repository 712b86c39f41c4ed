"""Advisory locks of PostgreSQL that end with the transaction; names are private to the present schema."""

from django.db import connection, transaction

from apps.kit import schema
from apps.kit.compiled import numbered, run


def advisory(name: str, *, shared: bool = False) -> None:
    """Wait for the lock; it is held until the transaction ends. Raises TransactionManagementError outside one."""
    function = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
    _call(function, name)


def try_advisory(name: str) -> bool:
    """Take the lock if it is free and say whether it was taken; never waits. Re-entrant on one connection."""
    return bool(_call("pg_try_advisory_xact_lock", name))


def _call(function: str, name: str) -> object:
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("an advisory lock needs a transaction to end with")
    sql = f"SELECT {function}(hashtextextended(%s, 0))"
    found: object = run(sql, numbered(sql), [f"{schema.name()}:{name}"]).fetchone()[0]
    return found

"""What takes away what tests have committed: the owner puts the organisations back and empties the tables that have rows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection, connections
from psycopg import sql
from psycopg.pq import TransactionStatus
from psycopg.types.json import Jsonb

SLUGS = ("acme", "zuri")
SCHEMAS = [f"org_{slug}" for slug in SLUGS]
DIRTY = """
    SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relname <> 'django_migrations' AND pg_relation_size(c.oid) > 0
      AND (n.nspname = ANY (%s) OR (n.nspname = 'public' AND c.relname = ANY (%s)))"""
GUARDED = """
    SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger
    WHERE NOT tgisinternal AND tgrelid = ANY (%s::regclass[])"""
ALL_GUARDED = """
    SELECT DISTINCT t.tgrelid::regclass::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE t.tgtype & 32 = 32 AND (n.nspname = ANY (%s) OR (n.nspname = 'public' AND c.relname = ANY (%s)))"""
RESTART = """
    SELECT setval(s.seqrelid::regclass, s.seqstart, false) FROM pg_sequence s
    JOIN pg_depend d ON d.objid = s.seqrelid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY (%s::regclass[])"""
ORGANISATIONS = "SELECT slug, to_jsonb(row) FROM tenancy_organisation row WHERE slug = ANY (%s)"
PUBLIC_TABLES = [
    "accounts_authenticator",
    "accounts_platformlink",
    "accounts_platformrecord",
    "accounts_platformsession",
    "accounts_recoverycode",
    "accounts_trailhead",
    "accounts_user",
    "axes_accessattempt",
    "accounts_waitingplatformrecord",
    "django_session",
    "tenancy_handover",
    "tenancy_invite",
    "tenancy_linkrequest",
    "tenancy_organisationhistory",
    "tenancy_organisationrequest",
    "tenancy_registeredapplication",
    "tenancy_offboarding",
    "tenancy_provisioning",
    "tenancy_userorganisation",
]
_as_built: dict[str, dict[str, Any]] = {}


class Emptier:
    """
    The owner's connection that empties after each test. It is kept: a new one reads the whole catalogue again, which takes
    longer than the emptying.
    """

    def __init__(self, connect: Callable[[], psycopg.Connection]) -> None:
        self._connect = connect
        self._kept: psycopg.Connection | None = None

    def put_right(self) -> None:
        """Give the organisations back what they were built with, and take away what has been committed."""
        database = self._connected()
        settle(database)
        empty(database)

    def close(self) -> None:
        if self._kept is not None:
            self._kept.close()

    def _connected(self) -> psycopg.Connection:
        name = connection.settings_dict["NAME"]
        try:
            if self._kept is not None and self._kept.info.dbname == name:
                self._kept.execute("SELECT")
                return self._kept
        except psycopg.OperationalError:
            pass  # a test has ended it
        self.close()
        self._kept = self._connect()
        self._kept.autocommit = True
        return self._kept


AS_NEW = (
    "CLOSE ALL; RESET SESSION AUTHORIZATION; RESET ALL; UNLISTEN *; SELECT pg_advisory_unlock_all();"
    " DISCARD PLANS; DISCARD SEQUENCES; DISCARD TEMP"
)
"""What DISCARD ALL does, but that prepared statements stay: psycopg does not notice each time that they are gone."""


def leave_as_new() -> None:
    """
    Leave Django's connection as a new one would be. It stays where it can: a new one reads the catalogue and compiles
    every function anew.
    """
    own = connection.connection
    is_idle = own is not None and not own.closed and own.info.transaction_status == TransactionStatus.IDLE
    if not is_idle or not own.autocommit or connection.in_atomic_block or connection.run_on_commit:
        connections.close_all()
        return
    try:
        own.execute(AS_NEW)
    except psycopg.OperationalError:  # the test has ended it
        connections.close_all()
        return
    connection.set_schema_to_public()
    connection.init_connection_state()


def remember(database: psycopg.Connection) -> None:
    """Note what the organisations are like before any test."""
    _as_built.update(dict(database.execute(ORGANISATIONS, [list(SLUGS)]).fetchall()))


def settle(database: psycopg.Connection) -> None:
    """Give the organisations back what they were built with: the next test counts on it."""
    found = dict(database.execute(ORGANISATIONS, [list(SLUGS)]).fetchall())
    for slug in (slug for slug, row in _as_built.items() if found.get(slug) not in (None, row)):
        names = sql.SQL(", ").join(map(sql.Identifier, sorted(_as_built[slug])))
        restore = sql.SQL(
            "UPDATE tenancy_organisation SET ({0}) = "
            "(SELECT {0} FROM jsonb_populate_record(NULL::tenancy_organisation, %s)) WHERE slug = %s"
        )
        database.execute(restore.format(names), [Jsonb(_as_built[slug]), slug])


def empty(database: psycopg.Connection) -> None:
    """
    Empty every table of the organisations that has rows, as the owner, past the append-only triggers.

    To truncate a table takes with it all that refer to it, of both organisations, and a new file for each index: to
    delete what there is and to give the pages back takes a fraction of the time. What something else refers to is
    truncated all the same.
    """
    if not database.autocommit:
        database.commit()
        database.autocommit = True
    dirty = [row[0] for row in database.execute(DIRTY, [SCHEMAS, PUBLIC_TABLES])]
    if not dirty:
        return
    try:
        with database.transaction():
            _delete(database, dirty)
    except psycopg.errors.IntegrityError:
        with database.transaction():
            _truncate(database, dirty)
    else:
        database.execute(f"VACUUM (INDEX_CLEANUP ON, TRUNCATE ON) {', '.join(dirty)}")


def _delete(database: psycopg.Connection, dirty: list[str]) -> None:
    """Delete in one statement, so that no order of the tables breaks a foreign key; sequences begin anew."""
    with _unguarded(database, [row[0] for row in database.execute(GUARDED, [dirty])]):
        deletions = ", ".join(f"d{place} AS (DELETE FROM {table})" for place, table in enumerate(dirty))
        database.execute(f"WITH {deletions} SELECT")
        database.execute("SET CONSTRAINTS ALL IMMEDIATE")
    database.execute(RESTART, [dirty])


def _truncate(database: psycopg.Connection, dirty: list[str]) -> None:
    guarded = [row[0] for row in database.execute(ALL_GUARDED, [SCHEMAS, PUBLIC_TABLES])]
    with _unguarded(database, guarded):
        database.execute("TRUNCATE " + ", ".join(dirty) + " RESTART IDENTITY CASCADE")


@contextmanager
def _unguarded(database: psycopg.Connection, tables: list[str]) -> Iterator[None]:
    for table in tables:
        database.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    for table in tables:
        database.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")

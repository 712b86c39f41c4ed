"""What takes away what tests have committed: the owner puts the organisations back and empties the tables that have rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
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

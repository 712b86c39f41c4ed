"""I11: triggers, functions and privileges of the present schema, held to the SQL files and lists of this build."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import connection

from apps.kit import schema
from apps.ledger.services.verification.invariants import Finding, Invariant

SQL_FOLDER = Path(__file__).resolve().parents[2] / "sql"
APP_ROLE = "treasury_app"
HINTS = {"plan_cache_mode=force_generic_plan", "random_page_cost=0.01"}
"""What a function may set beside its search path: how its statements are planned."""
FUNCTION = re.compile(
    r"CREATE OR REPLACE FUNCTION \{s\}\.(\w+)\s*\((?:(?!\$body\$).)*\$body\$(.*?)\$body\$", re.DOTALL
)
TRIGGER = re.compile(
    r"TRIGGER (\w+)\s+(BEFORE|AFTER)\s+([^;]+?)\s+ON\s+(?:[^\s;.]+\.)?(\w+)\b[^;]*?FOR EACH (ROW|STATEMENT)\b"
    r"([^;]*?)EXECUTE FUNCTION (?:[^\s;.]+\.)?(\w+)\("
)

TRIGGERS = """
    SELECT c.relname, t.tgname, t.tgenabled::text, t.tgisinternal, f.pronamespace = c.relnamespace, pg_get_triggerdef(t.oid)
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_proc f ON f.oid = t.tgfoid
    WHERE n.nspname = %s AND c.relname LIKE 'ledger\\_%%' ORDER BY c.relname, t.tgname"""
FUNCTIONS = """
    SELECT p.proname, p.prosrc, p.prosecdef, array_to_string(p.proconfig, ';'), p.proowner = own.relowner,
      has_function_privilege(%s, p.oid, 'EXECUTE')
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_class own ON own.relnamespace = n.oid AND own.relname = 'ledger_transaction'
    WHERE n.nspname = %s AND (p.proname LIKE 'ledger%%' OR p.proname = ANY (%s)) ORDER BY p.proname"""
RIGHTS = """
    SELECT c.relname, right_ FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) AS right_
    WHERE n.nspname = %s AND c.relkind IN ('r', 'p') AND c.relname LIKE 'ledger\\_%%'
      AND CASE WHEN right_ IN ('INSERT', 'UPDATE') THEN has_any_column_privilege(%s, c.oid, right_)
               ELSE has_table_privilege(%s, c.oid, right_) END
    ORDER BY c.relname, right_"""
SWITCHED_OFF = """
    SELECT coalesce('role ' || nullif(setrole, 0)::regrole::text, 'database'), setting
    FROM pg_db_role_setting CROSS JOIN unnest(setconfig) AS setting
    WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
      AND setting LIKE 'session\\_replication\\_role=%%' AND setting NOT LIKE '%%=origin'"""
OWNERS = """
    SELECT DISTINCT c.relowner::regrole::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = %s AND c.relkind IN ('r', 'p') AND c.relname LIKE 'ledger\\_%%'
      AND pg_has_role(%s, c.relowner, 'MEMBER')"""


class Trigger(NamedTuple):
    """What a trigger does, whoever wrote it down."""

    moment: str
    deeds: frozenset[str]
    level: str
    is_conditional: bool
    function: str


def search() -> Iterator[Finding]:
    for row, problem in (*_triggers(), *_functions(), *_rights(), *_settings()):
        yield Finding(Invariant.INSTALLATION, row, problem)


def _triggers() -> Iterator[tuple[str, str]]:
    expected = _parsed_triggers(_sources())
    present: set[tuple[str, str]] = set()
    for table, name, enabled, is_internal, is_ours, definition in _rows(TRIGGERS, schema.name()):
        what = f"a foreign key of {table}" if is_internal else f"trigger {name} of {table}"
        present.add((table, name))
        known = {key: trigger for key, trigger in expected.items() if key == (table, name)}
        if enabled not in {"O", "A"}:
            yield what, "is switched off"
        elif known and (not is_ours or _parsed_triggers(definition) != known):
            yield what, "is not the one of this build"
    for table, name in sorted(expected.keys() - present):
        yield f"trigger {name} of {table}", "is missing"


def _functions() -> Iterator[tuple[str, str]]:
    quoted = connection.ops.quote_name(schema.name())
    expected = {name: body.replace("{s}", quoted) for name, body in FUNCTION.findall(_sources())}
    bound = [{f"search_path=pg_catalog, {name}, pg_temp"} for name in (quoted, schema.name())]
    present: set[str] = set()
    for name, body, is_definer, options, is_owners, may_call in _rows(
        FUNCTIONS, APP_ROLE, schema.name(), list(expected)
    ):
        what = f"function {name}"
        present.add(name)
        if expected.get(name) != body or not is_owners:
            yield what, "is not the one of this build"
        if not is_definer or not options or set(options.split(";")) - HINTS not in bound:
            yield what, "is not bound to its owner and schema"
        if may_call != (name in settings.APP_FUNCTIONS):
            yield what, f"{'may' if may_call else 'may not'} be called by the application"
    for name in sorted(expected.keys() - present):
        yield f"function {name}", "is missing"


def _rights() -> Iterator[tuple[str, str]]:
    for table, right in _rows(RIGHTS, schema.name(), APP_ROLE, APP_ROLE):
        if right not in _granted(table):
            yield f"table {table}", f"lets the application {right}"
    for (owner,) in _rows(OWNERS, schema.name(), APP_ROLE):
        yield f"role {APP_ROLE}", f"can become {owner}, which owns the tables"


def _granted(table: str) -> set[str]:
    if table in settings.NO_WRITE_TABLES:
        return set()
    if table in settings.INSERT_ONLY_TABLES:
        return {"INSERT"}
    return {"INSERT", "UPDATE"} if table in settings.NO_DELETE_TABLES else {"INSERT", "UPDATE", "DELETE"}


def _settings() -> Iterator[tuple[str, str]]:
    for whose, setting in _rows(SWITCHED_OFF):
        yield whose, f"has {setting}, which switches triggers off"


def _sources() -> str:
    """Return the SQL of the ledger; of two versions of a function the later file counts."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(SQL_FOLDER.glob("*.sql")))


def _parsed_triggers(text: str) -> dict[tuple[str, str], Trigger]:
    return {
        (table, name): Trigger(
            moment, frozenset(re.split(r"\s+OR\s+", deeds)), level, "WHEN" in condition, function
        )
        for name, moment, deeds, table, level, condition, function in TRIGGER.findall(text)
    }


def _rows(query: str, *values: str | list[str]) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchall()

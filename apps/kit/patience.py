"""How long a statement may take: seconds for everything that somebody waits for, more for work that reads whole books."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

LONG = "10min"


@contextmanager
def long_statements(span: str = LONG) -> Iterator[None]:
    """
    Give each statement ten minutes, or ``span``, until the block ends, instead of what settings/database.py allows.

    For jobs, checks and closes, never for what a page or the API reads. Inside a transaction it ends with it at the latest.
    """
    is_local = connection.in_atomic_block
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout')")
        (usual,) = cursor.fetchone()
    _allow(span, is_local=is_local)
    try:
        yield
    except BaseException:
        if not is_local and connection.is_usable():  # a rollback takes the local one back
            _allow(usual, is_local=False)
        raise
    _allow(usual, is_local=is_local)


def _allow(span: str, *, is_local: bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, %s)", [span, is_local])

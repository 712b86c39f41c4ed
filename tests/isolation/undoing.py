"""Requests that leave nothing behind, so that each finds the organisations as they were made."""

import contextlib
from collections.abc import Iterator

from django.db import transaction


@contextlib.contextmanager
def undone() -> Iterator[None]:
    """Undo what is done inside; what is durable may run there, as it may in a test's own transaction."""
    block = transaction.atomic()
    block._from_testcase = True
    with block:
        yield
        transaction.set_rollback(True)

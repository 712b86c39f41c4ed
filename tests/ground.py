"""
The ground of a file of tests: what all of them build upon, written once.

It lies in a transaction around the tests of the file which is never committed; each test goes back to it as one that rolls
back does. The tests of the file that build upon nothing come before, those that commit afterwards.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import groupby

import pytest
from django.db import connection, transaction

from apps.tenancy.models import Organisation

_lain = ExitStack()


def lay[T](write: Callable[[], T], *, slug: str = "acme") -> T:
    """Write something in an organisation, for all tests from now on until ``clear``; return what ``write`` returns."""
    if not connection.in_atomic_block:
        _lain.enter_context(_never_committed())
    connection.set_schema_to_public()
    connection.set_tenant(Organisation.objects.get(slug=slug))
    written = write()
    connection.check_constraints()  # now, and not again for each test
    connection.set_schema_to_public()
    return written


def clear() -> None:
    """Take it away again."""
    _lain.close()


def sort(items: list[pytest.Item]) -> None:
    """Put the tests that build upon nothing before the others of their file."""
    items[:] = [
        one for _, file in groupby(items, key=lambda one: one.path) for one in sorted(file, key=needs)
    ]


def needs(item: pytest.Item) -> bool:
    return "lay" in getattr(item, "fixturenames", ())


@contextmanager
def _never_committed() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)

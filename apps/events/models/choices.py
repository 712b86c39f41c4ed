"""Conditions on choice columns in the form that the database gives back unchanged."""

from collections.abc import Iterable
from functools import reduce
from operator import or_

from django.db.models import Q


def one_of(field: str, values: Iterable[str]) -> Q:
    """
    Return ``field = a OR field = b …`` for constraints and partial indexes.

    PostgreSQL rewrites ``IN`` on a varchar column each time that a dump is restored, so that a restored schema would
    differ from its template.
    """
    return reduce(or_, (Q(**{field: str(value)}) for value in values))

"""Reads and changes whose SQL is made once for each process: only their values differ."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections, models
from django.db.models.query import ModelIterable
from django.db.models.sql.compiler import SQLCompiler
from django.db.transaction import TransactionManagementError

STAND_INS: dict[type, Callable[[int], Any]] = {
    str: lambda number: f"the value {number} of a compiled read",
    int: lambda number: 32_100 + number,
    UUID: lambda number: UUID(int=0xC0DE_D001_0000_4000_8000_0000_0000_0000 + number),
    datetime: lambda number: datetime(1871, 3, 5, tzinfo=UTC) + timedelta(seconds=number),
}
"""For each kind of value one that nobody asks for and every field takes: where it stands in the text's parameters, the value goes."""


class NotCompilable(TypeError):
    """The read does not hand each of its values to the database as it is."""


@dataclass(frozen=True, slots=True)
class _Text:
    """What was made of a read: its SQL, the parameters that stay, which value goes where, and how columns are converted."""

    compiler: SQLCompiler
    converters: Any
    sql: str
    parameters: tuple[Any, ...]
    places: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class _Query:
    """Hands out the compiler that has its text already."""

    compiler: SQLCompiler

    def get_compiler(self, **_: Any) -> SQLCompiler:
        return self.compiler


@dataclass(frozen=True, slots=True)
class _Source:
    """As much of a query set as Django needs to turn rows into models."""

    query: _Query
    model: type[models.Model]
    db: str = DEFAULT_DB_ALIAS
    _known_related_objects: dict[Any, Any] = field(default_factory=dict)


class Compiled[Row: models.Model]:
    """
    A read that is asked very often: to build a query and its SQL takes the ORM several times as long as to run it.

    ``build`` returns a query set of whole models for its values, whose kinds are named beside it; it is called once, with
    stand-ins, so it may not look at them. A value goes to the database as it is: a str, int, UUID or datetime that the field
    itself would store. Raises NotCompilable at the first use where a value is changed on its way, or not used.
    """

    def __init__(self, build: Callable[..., models.QuerySet[Row]], *kinds: type) -> None:
        self._build = build
        self._kinds = kinds
        self._text: _Text | None = None

    def all(self, *values: Any) -> list[Row]:
        """Return the rows; raise TransactionManagementError where they are to be locked and no transaction is open."""
        text = self._text = self._text or self._compile()
        connection = connections[DEFAULT_DB_ALIAS]
        if text.compiler.query.select_for_update and connection.get_autocommit():
            raise TransactionManagementError("rows are locked inside a transaction")
        parameters = list(text.parameters)
        for place, number in text.places:
            parameters[place] = values[number]
        compiler: Any = copy.copy(text.compiler)
        compiler.connection = connection
        compiler.as_sql = lambda *_, **__: (text.sql, tuple(parameters))
        compiler.get_converters = lambda _: text.converters
        source: Any = _Source(_Query(compiler), compiler.query.model)
        return list(ModelIterable(source))

    def first(self, *values: Any) -> Row | None:
        """Return the first row or None; a read of which there may be many limits itself."""
        rows = self.all(*values)
        return rows[0] if rows else None

    def one(self, *values: Any) -> Row:
        """Return the row that there is; raise the model's DoesNotExist."""
        row = self.first(*values)
        if row is None:
            model: Any = self._build(*values).model
            raise model.DoesNotExist(f"no row for {values}")
        return row

    def _compile(self) -> _Text:
        stand_ins = [STAND_INS[kind](number) for number, kind in enumerate(self._kinds)]
        query = self._build(*stand_ins).query
        compiler = query.get_compiler(DEFAULT_DB_ALIAS)
        sql, parameters = compiler.as_sql()
        places = tuple(
            (place, stand_ins.index(value)) for place, value in enumerate(parameters) if value in stand_ins
        )
        if {number for _, number in places} != set(range(len(stand_ins))):
            raise NotCompilable(f"a value of this read does not reach the database as it is: {sql}")
        converters = compiler.get_converters([column[0] for column in compiler.select])
        return _Text(compiler, converters, sql, tuple(parameters), places)


class Saved[Row: models.Model]:
    """
    A change of some fields of whole rows that is made very often: what ``save(update_fields=...)`` would do, but for signals.

    Raises DatabaseError where a row is not there any more.
    """

    def __init__(self, *fields: str) -> None:
        self._names = fields
        self._made: tuple[str, Sequence[Any]] | None = None

    def save(self, *rows: Row) -> None:
        """Write the fields of these rows, which are of one model."""
        if not rows:
            return
        sql, fields = self._made = self._made or self._compile(type(rows[0]))
        connection = connections[DEFAULT_DB_ALIAS]
        changes = [
            [*(one.get_db_prep_save(one.pre_save(row, add=False), connection) for one in fields), row.pk]
            for row in rows
        ]
        with connection.cursor() as cursor:
            for change in changes:
                cursor.execute(sql, change)
                if cursor.rowcount != 1:
                    raise DatabaseError(f"a {type(rows[0]).__name__} to be changed is not there")

    def _compile(self, model: type[Row]) -> tuple[str, Sequence[Any]]:
        quote, meta = connections[DEFAULT_DB_ALIAS].ops.quote_name, model._meta
        by_name: dict[str, Any] = {one.name: one for one in meta.concrete_fields}
        fields = [by_name[name] for name in self._names]
        columns = ", ".join(f"{quote(one.column)} = %s" for one in fields)
        key: Any = meta.pk
        return f"UPDATE {quote(meta.db_table)} SET {columns} WHERE {quote(key.column)} = %s", fields  # noqa: S608 (names of the model)

"""Reads and changes whose SQL is made once for each process, and reads that PostgreSQL plans once: only their values differ."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain, count
from typing import Any, Self
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections, models, transaction
from django.db.models.query import get_related_populators
from django.db.models.sql import Query
from django.db.transaction import TransactionManagementError
from psycopg.sql import Literal
from psycopg.types.numeric import Int8

from apps.kit import schema

STAND_INS: dict[type, Callable[[int], Any]] = {
    str: lambda number: f"the value {number} of a compiled read",
    int: lambda number: 32_100 + number,
    UUID: lambda number: UUID(int=0xC0DE_D001_0000_4000_8000_0000_0000_0000 + number),
    datetime: lambda number: datetime(1871, 3, 5, tzinfo=UTC) + timedelta(seconds=number),
}
"""For each kind of value one that nobody asks for and every field takes: where it stands in the text's parameters, the value goes."""


KEPT_ROWS = 3
"""For more new rows than these in one statement PostgreSQL keeps no plan: each number of them would be another statement."""


class NotCompilable(TypeError):
    """The read does not hand each of its values to the database as it is."""


@dataclass(frozen=True, slots=True)
class _Text:
    """What was made of a read: its SQL, as Django and as PostgreSQL write it, which value goes where, and how columns are converted."""

    query: Query
    sql: str
    prepared: bytes
    order: tuple[int, ...]
    converters: tuple[tuple[int, Sequence[Callable[..., Any]], Any], ...]
    klass_info: Mapping[str, Any] | None
    select: Sequence[Any]


class Read:
    """
    A read that is asked very often: to build a query and its SQL takes the ORM several times as long as to run it.

    ``build`` returns a query set for its values, whose kinds are named beside it; it is called once, with stand-ins, so it
    may not look at them. A value goes to the database as it is: a str, int, UUID or datetime that the field itself would
    store. Raises NotCompilable at the first use where a value is changed on its way, or not used.
    """

    def __init__(self, build: Callable[..., models.QuerySet[Any, Any]], *kinds: type) -> None:
        self._build = build
        self._kinds = kinds
        self._made: _Text | None = None

    def rows(self, *values: Any) -> list[Sequence[Any]]:
        """Return the rows as Django would read them; raise TransactionManagementError where they are to be locked outside a transaction."""
        text = self._text
        connection = connections[DEFAULT_DB_ALIAS]
        if text.query.select_for_update and connection.get_autocommit():
            raise TransactionManagementError("rows are locked inside a transaction")
        ordered = [values[number] for number in text.order]
        found: list[Sequence[Any]] = run(text.sql, text.prepared, ordered).fetchall()
        if not text.converters:
            return found
        rows: list[Any] = [list(row) for row in found]
        for row in rows:
            for place, converters, column in text.converters:
                for convert in converters:
                    row[place] = convert(row[place], column, connection)
        return rows

    def is_any(self, *values: Any) -> bool:
        """Say whether there is a row; a read of which there may be many limits itself."""
        return bool(self.rows(*values))

    def value(self, *values: Any) -> Any:
        """Return the first column of the first row, None where there is no row."""
        rows = self.rows(*values)
        return rows[0][0] if rows else None

    @property
    def _text(self) -> _Text:
        self._made = self._made or self._compile()
        return self._made

    def _compile(self) -> _Text:
        stand_ins = [STAND_INS[kind](number) for number, kind in enumerate(self._kinds)]
        query = self._build(*stand_ins).query
        compiler = query.get_compiler(DEFAULT_DB_ALIAS)
        sql, parameters = compiler.as_sql()
        if "%%" in sql:
            raise NotCompilable(f"a sign of per cent cannot be told from the place of a value: {sql}")
        order = tuple(stand_ins.index(value) for value in parameters if value in stand_ins)
        if set(order) != set(range(len(stand_ins))):
            raise NotCompilable(f"a value of this read does not reach the database as it is: {sql}")
        said = [None if value in stand_ins else _literal(value) for value in parameters]
        django = _joined(sql, [text.replace("%", "%%") if text else "%s" for text in said])
        converters = compiler.get_converters([column[0] for column in compiler.select])
        return _Text(
            query=query,
            sql=django,
            prepared=numbered(sql, said),
            order=order,
            converters=tuple((place, *found) for place, found in converters.items()),
            klass_info=compiler.klass_info,
            select=compiler.select,
        )


def _literal(value: Any) -> str:
    """
    Write out a value that stays. PostgreSQL plans a prepared read for all values that may come, and takes a partial index
    only where its condition stands in the text.
    """
    return Literal(value).as_string(schema.driver())


def numbered(sql: str, said: Sequence[str | None] = ()) -> bytes:
    """Return the text with ``$1``, ``$2`` and so on for the places of its values, but for what is said in their stead."""
    numbers = count(1)
    places = said or [""] * sql.count("%s")
    return _joined(sql, [text or f"${next(numbers)}" for text in places]).encode()


def run(sql: str, prepared: bytes, values: Sequence[Any], *, is_kept: bool = True) -> Any:
    """Run a statement and return its cursor: prepared, but as Django sends it where somebody looks at what Django sends."""
    connection = connections[DEFAULT_DB_ALIAS]
    if not connection.execute_wrappers and not connection.queries_logged:
        return schema.prepared(prepared, values, is_kept=is_kept)
    cursor = connection.cursor()
    cursor.execute(sql, values)
    return cursor


def _stored(column: Any, row: models.Model, connection: Any, *, is_new: bool) -> Any:
    """Return what goes to the database for a field; whole numbers as one type, so that their size makes no other statement."""
    value = column.get_db_prep_save(column.pre_save(row, add=is_new), connection)
    return Int8(value) if type(value) is int else value


def _joined(sql: str, told: Sequence[str]) -> str:
    pieces = sql.split("%s")
    return "".join(chain.from_iterable(zip(pieces, [*told, ""], strict=True)))


class Compiled[Row: models.Model](Read):
    """A read of whole models, those of ``select_related`` with them."""

    _make: "_Make | None" = None

    def __init__(self, build: Callable[..., models.QuerySet[Row]], *kinds: type) -> None:
        super().__init__(build, *kinds)

    def all(self, *values: Any) -> list[Row]:
        """Return the rows as models; see ``rows``."""
        rows = self.rows(*values)
        make = self._make = self._make or _Make.of(self._text)
        return [make(row) for row in rows]

    def first(self, *values: Any) -> Row | None:
        """Return the first row or None; a read of which there may be many limits itself."""
        rows = self.all(*values)
        return rows[0] if rows else None

    def one(self, *values: Any) -> Row:
        """Return the row that there is; raise the model's DoesNotExist."""
        row = self.first(*values)
        if row is None:
            model: Any = self._text.query.model
            raise model.DoesNotExist(f"no row for {values}")
        return row


@dataclass(frozen=True, slots=True)
class _Make:
    """Turns a row into its model and those joined to it, by Django's own hands."""

    model: type[models.Model]
    names: Sequence[str]
    columns: slice
    related: Sequence[Any]

    @classmethod
    def of(cls, text: _Text) -> Self:
        if text.klass_info is None or not text.query.default_cols or text.query.annotation_select:
            raise NotCompilable(f"this read is of no whole models: {text.sql}")
        of_model = text.klass_info["select_fields"]
        columns = slice(of_model[0], of_model[-1] + 1)
        populators: Any = get_related_populators  # later versions of Django, and its types, take more
        return cls(
            model=text.klass_info["model"],
            names=[column[0].target.attname for column in text.select[columns]],
            columns=columns,
            related=populators(text.klass_info, text.select, DEFAULT_DB_ALIAS),
        )

    def __call__(self, row: Sequence[Any]) -> Any:
        made = self.model.from_db(DEFAULT_DB_ALIAS, self.names, row[self.columns])
        for one in self.related:
            one.populate(row, made)
        return made


class Inserted[Row: models.Model]:
    """
    New rows that are written very often: what ``save(force_insert=True)`` or ``bulk_create`` would do, but for signals.

    What the database fills (an identity, a default of its own) is read back.
    """

    def __init__(self) -> None:
        self._made: _Insert | None = None

    def insert(self, *rows: Row) -> None:
        """Write these rows, which are of one model and new; raise IntegrityError as the ORM would."""
        if not rows:
            return
        text = self._made = self._made or _Insert.of(type(rows[0]))
        connection = connections[DEFAULT_DB_ALIAS]
        values = [_stored(one, row, connection, is_new=True) for row in rows for one in text.fields]
        with transaction.mark_for_rollback_on_error(DEFAULT_DB_ALIAS):
            cursor = run(*text.sql(len(rows)), values, is_kept=len(rows) <= KEPT_ROWS)
            filled = cursor.fetchall() if text.filled else [()] * len(rows)
        for row, found in zip(rows, filled, strict=True):
            for one, value in zip(text.filled, found, strict=True):
                setattr(row, one.attname, value)
            row._state.adding = False
            row._state.db = DEFAULT_DB_ALIAS


@dataclass(frozen=True, slots=True)
class _Insert:
    """What was made of the INSERT of a model: its head, the place of one row, which fields go in and which come back."""

    head: str
    place: str
    tail: str
    fields: Sequence[Any]
    filled: Sequence[Any]
    made: dict[int, tuple[str, bytes]] = field(default_factory=dict)

    @classmethod
    def of(cls, model: type[models.Model]) -> Self:
        connection, meta = connections[DEFAULT_DB_ALIAS], model._meta
        quote: Callable[[Any], str] = connection.ops.quote_name
        filled = list(meta.db_returning_fields)
        fields: list[Any] = [one for one in meta.concrete_fields if one not in filled]
        marks = (
            one.get_placeholder(None, None, connection) if hasattr(one, "get_placeholder") else "%s"
            for one in fields
        )
        return cls(
            head=f"INSERT INTO {quote(meta.db_table)} ({', '.join(quote(one.column) for one in fields)}) VALUES ",  # noqa: S608 (names of the model)
            place=f"({', '.join(marks)})",
            tail=f" RETURNING {', '.join(quote(one.column) for one in filled)}" if filled else "",
            fields=fields,
            filled=filled,
        )

    def sql(self, rows: int) -> tuple[str, bytes]:
        """Return the statement for so many rows, as Django and as PostgreSQL write it."""
        if rows not in self.made:
            sql = self.head + ", ".join([self.place] * rows) + self.tail
            self.made[rows] = sql, numbered(sql)
        return self.made[rows]


class Saved[Row: models.Model]:
    """
    A change of some fields of whole rows that is made very often: what ``save(update_fields=...)`` would do, but for signals.

    Raises DatabaseError where a row is not there any more. ``held`` names fields by which ``save_held`` tells whether a row is
    still as it was.
    """

    def __init__(self, *fields: str, held: tuple[str, ...] = ()) -> None:
        self._names = fields
        self._held = held
        self._made: tuple[str, bytes, Sequence[Any]] | None = None

    def save(self, *rows: Row) -> None:
        """Write the fields of these rows, which are of one model."""
        for row in rows:
            if not self._is_written(row, [row.pk]):
                raise DatabaseError(f"a {type(row).__name__} to be changed is not there")

    def save_held(self, row: Row, *values: Any) -> bool:
        """Write the fields of a row while those of ``held`` have these values, and lock it; say whether it was so."""
        return self._is_written(row, [row.pk, *values])

    def _is_written(self, row: Row, where: Sequence[Any]) -> bool:
        sql, prepared, fields = self._made = self._made or self._compile(type(row))
        connection = connections[DEFAULT_DB_ALIAS]
        told = [_stored(one, row, connection, is_new=False) for one in fields]
        return run(sql, prepared, [*told, *where]).rowcount == 1

    def _compile(self, model: type[Row]) -> tuple[str, bytes, Sequence[Any]]:
        quote, meta = connections[DEFAULT_DB_ALIAS].ops.quote_name, model._meta
        by_name: dict[str, Any] = {one.name: one for one in meta.concrete_fields}
        fields = [by_name[name] for name in self._names]
        columns = ", ".join(f"{quote(one.column)} = %s" for one in fields)
        key: Any = meta.pk
        where = " AND ".join(
            f"{quote(one.column)} = %s" for one in (key, *(by_name[name] for name in self._held))
        )
        sql = f"UPDATE {quote(meta.db_table)} SET {columns} WHERE {where}"  # noqa: S608 (names of the model)
        return sql, numbered(sql), fields

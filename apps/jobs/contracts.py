"""What crosses the border of jobs: kinds of work and their runners, what a runner reports, and the lists to export."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from apps.kit.actors import Actor
from apps.kit.money import Money

LEASE = timedelta(seconds=60)


class JobStatus(StrEnum):
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class Progress:
    """
    How far the work is, told after each chunk; all numbers count from the beginning of the job.

    ``cursor`` is where whoever takes the job up again goes on; ``total`` stays as it was when it is None.
    """

    done: int
    failed: int = 0
    total: int | None = None
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class ResultFile:
    """
    A file in the run's folder that the job leaves behind; ``name`` is what a person saves it as.

    ``rows`` and ``totals`` (name of a column and its sum) are shown beside it, to compare with what was downloaded.
    """

    path: Path
    name: str
    content_type: str
    rows: int | None = None
    totals: tuple[tuple[str, Money], ...] = ()


@dataclass(frozen=True, slots=True)
class Work:
    """
    What a runner is given: its parameters, where to go on, and whose eyes it may use.

    ``branch_ids`` and ``application_ids`` are those whose rows the starter saw when he started it, None for all.
    ``folder`` is the run's own and is gone when the run ends. ``taken_up_at`` is for work that is of one instant; what
    is done by steps reads the clock for each: a long job ends long after it was taken up.
    """

    job_id: UUID
    parameters: Mapping[str, Any]
    cursor: str
    done: int
    failed: int
    branch_ids: frozenset[UUID] | None
    application_ids: frozenset[UUID] | None
    folder: Path
    taken_up_at: datetime
    read_clock: Callable[[], datetime]


type Runner = Callable[[Work], Generator[Progress, None, ResultFile | None]]
"""Does one chunk after another: yields after each, and returns the file, if the work makes one."""


@dataclass(frozen=True, slots=True)
class Kind:
    """
    A kind of long work. ``runner`` is a dotted path; a chunk, and the end, must not take longer than ``lease``.

    An atomic runner's chunk commits together with its cursor, and what it does after the last one with the end of the
    job: each part counts exactly once, whoever is killed. It leaves no file, which would be stored in a transaction.
    One that is not atomic runs outside any transaction and may do a chunk twice. One that is not stoppable does its work
    in one deed: once a worker has taken it up nobody stops it, lest it be called cancelled when the deed is done.
    ``queue`` is for work that others wait behind, which must not take only the processor time that nobody else wants.
    """

    name: str
    title: Any
    runner: str
    is_atomic: bool = True
    lease: timedelta = LEASE
    is_stoppable: bool = True
    queue: str | None = None


KINDS: dict[str, Kind] = {}


class DeclaredTwice(ValueError):
    """Two modules declare the same name in different ways."""


def declare(
    *,
    kind: str,
    title: Any,
    runner: str,
    is_atomic: bool = True,
    lease: timedelta = LEASE,
    is_stoppable: bool = True,
    queue: str | None = None,
) -> Kind:
    """Enter a kind of work in the catalogue and return it; call it at import of an app's ``tasks`` module."""
    declared = Kind(kind, title, runner, is_atomic, lease, is_stoppable, queue)
    if KINDS.setdefault(kind, declared) != declared:
        raise DeclaredTwice(f"the kind of job {kind} is declared twice")
    return declared


@dataclass(frozen=True, slots=True)
class NewJob:
    """
    Long work to start.

    ``branch_ids`` and ``application_ids`` bound what the runner reads and who may see the job: only who sees all of
    them (None: all there are). ``permission`` and ``scope`` are what a person, and a key, need beside that; an empty
    scope shows it to no key.
    """

    kind: str
    title: str
    branch_id: UUID
    application_id: UUID
    branch_ids: frozenset[UUID] | None
    application_ids: frozenset[UUID] | None
    permission: str
    scope: str
    actor: Actor
    starter_id: UUID | None = None
    parameters: Mapping[str, Any] | None = None


class FileFormat(StrEnum):
    CSV = "CSV"
    XLSX = "XLSX"


class ValueKind(StrEnum):
    """What a column holds, and so how it is written: numbers as numbers, instants in the organisation's zone."""

    TEXT = "TEXT"
    MONEY = "MONEY"
    INSTANT = "INSTANT"
    DATE = "DATE"
    COUNT = "COUNT"


@dataclass(frozen=True, slots=True)
class Column:
    """
    One column of an exported list, read from ``field`` of the rows (a path, as ``branch__name``).

    Money is minor units in ``field`` beside its currency in ``currency``; it becomes two columns and is totalled.
    ``shown`` turns a value into what the screen shows, as a masked phone.
    """

    title: Any
    field: str
    kind: ValueKind = ValueKind.TEXT
    currency: str = ""
    shown: Callable[[Any], str] | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """
    A filter by one or more of named values; ``values`` maps a value of ``field`` to its word, or returns that map.

    Where the rows cannot be told by one field, ``narrow(rows, values, now)`` returns those that fit; it is asked with no
    values too, for a list that hides something unless it is asked for.
    """

    name: str
    title: Any
    field: str
    values: Mapping[str, Any] | Callable[[], Mapping[str, Any]]
    narrow: Callable[["QuerySet[Any]", tuple[str, ...], datetime], "QuerySet[Any]"] | None = None

    def words(self) -> Mapping[str, Any]:
        """Return every value that may be chosen now, with its word."""
        return self.values() if callable(self.values) else self.values


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose rows an export may read; None means all."""

    branch_ids: frozenset[UUID] | None
    application_ids: frozenset[UUID] | None


@dataclass(frozen=True, slots=True)
class Source:
    """
    A list that can be exported.

    ``rows`` returns the rows within a reach in the order of the file, and ``search`` those of them that a term finds.
    ``day_field`` is filtered by days of the organisation's zone. A person needs ``permission``, a key ``scope`` (none:
    no key exports it). ``list_names`` translates the names of the portal's list filters: to ``branch_id``,
    ``from_date``, ``to_date``, ``search`` or the name of a choice. ``is_of_parties``: it reads parties and nothing else,
    which an organisation may share between its branches.
    """

    name: str
    title: Any
    permission: str
    scope: str
    columns: tuple[Column, ...]
    rows: Callable[[Reach], "QuerySet[Any]"]
    branch_field: str
    day_field: str
    is_day_an_instant: bool = True
    choices: tuple[Choice, ...] = ()
    search: Callable[["QuerySet[Any]", str], "QuerySet[Any]"] | None = None
    list_names: Mapping[str, str] = field(default_factory=dict)
    is_of_parties: bool = False

    @property
    def totalled(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.kind == ValueKind.MONEY)


SOURCES: dict[str, Source] = {}


def declare_source(source: Source) -> Source:
    """Enter a list in the catalogue of exports and return it; call it at import of an app's ``exports`` module."""
    if SOURCES.setdefault(source.name, source) != source:
        raise DeclaredTwice(f"the export {source.name} is declared twice")
    return source


@dataclass(frozen=True, slots=True)
class NewExport:
    """Which list to export, what of it, and as what; ``choices`` maps the name of a choice to the values wanted."""

    source: str
    file_format: FileFormat = FileFormat.CSV
    with_bom: bool = False
    branch_id: UUID | None = None
    from_date: date | None = None
    to_date: date | None = None
    search: str = ""
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewAuditExport:
    """Of which days somebody wants the audit trail, both included; what is None bounds nothing."""

    from_date: date | None = None
    to_date: date | None = None

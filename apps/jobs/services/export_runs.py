"""How an export runs: one snapshot is counted and summed in the database, written, and compared with what was written."""

from collections.abc import Generator, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from apps.jobs.contracts import (
    SOURCES,
    Column,
    FileFormat,
    Progress,
    Reach,
    ResultFile,
    Source,
    ValueKind,
    Work,
)
from apps.jobs.rendering import csv, xlsx
from apps.jobs.rendering.cells import About, Cell, Writer
from apps.jobs.selectors import export_rows
from apps.jobs.selectors.export_rows import Snapshot, Totals
from apps.kit import errors
from apps.kit.money import Money
from apps.tenancy.selectors import organisations

WRITERS: dict[FileFormat, tuple[type[csv.CsvWriter | xlsx.XlsxWriter], str]] = {
    FileFormat.CSV: (csv.CsvWriter, "text/csv; charset=utf-8"),
    FileFormat.XLSX: (
        xlsx.XlsxWriter,
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
}


class ControlTotalsDiffer(errors.DomainError):
    """What was written is not what the database had summed up."""

    code = "export_totals_differ"
    title = "Control totals differ"
    status = 500
    category = "internal"


class TooManyRows(errors.DomainError):
    """The file could not hold the list."""

    code = "export_too_large"
    title = "Too many rows"


class Control:
    """Counts and sums what is written, from the values that are written."""

    def __init__(self) -> None:
        self.rows = 0
        self.totals: Totals = {}

    def add(self, money: Sequence[Money | None]) -> None:
        self.rows += 1
        for place, value in enumerate(money):
            if value is not None:
                key = place, value.currency
                self.totals[key] = self.totals.get(key, Money.zero(value.currency)) + value

    def check(self, frozen: Snapshot) -> None:
        """Raise ControlTotalsDiffer unless rows and every total are those of the snapshot."""
        if (self.rows, self.totals) != (frozen.count, frozen.totals):
            raise ControlTotalsDiffer(
                "What was written is not what the books hold, so the file is not given out. Tell the operators."
            )


def run(work: Work) -> Generator[Progress, None, ResultFile | None]:
    """
    Write the file of an export. Whoever takes the job up again starts a new file on a new snapshot.

    Raises TooManyRows before and ControlTotalsDiffer after writing: a file is whole and adds up, or there is none.
    """
    source = SOURCES[work.parameters["source"]]
    zone = ZoneInfo(organisations.current().time_zone)
    file_format = FileFormat(work.parameters["format"])
    writer_class, content_type = WRITERS[file_format]
    reach = Reach(work.branch_ids, work.application_ids)
    rows = export_rows.asked_for(source, work.parameters, reach, zone, work.taken_up_at)
    local = work.taken_up_at.astimezone(zone)
    name = f"{source.name.replace('_', '-')}-{local:%Y-%m-%d-%H%M}.{file_format.lower()}"
    control = Control()
    with export_rows.snapshot(source, rows) as frozen:
        if frozen.count > writer_class.rows_max:
            raise TooManyRows(
                f"The list has {frozen.count:,} rows, and {file_format} holds {writer_class.rows_max:,}. Narrow the filters."
            )
        yield Progress(done=0, total=frozen.count)
        with writer_class(
            work.folder / name,
            about=_about(work, source, frozen, local),
            heads=_heads(source, zone, local),
            with_bom=work.parameters["with_bom"],
        ) as writer:
            for chunk in frozen.chunks():
                for row in chunk:
                    control.add(_write(writer, source, dict(zip(frozen.fields, row, strict=True)), zone))
                yield Progress(done=control.rows, total=frozen.count)
    control.check(frozen)
    totals = tuple((str(source.totalled[place].title), money) for (place, _c), money in frozen.totals.items())
    return ResultFile(work.folder / name, name, content_type, frozen.count, totals)


def _write(writer: Writer, source: Source, row: dict[str, Any], zone: ZoneInfo) -> list[Money | None]:
    """Write one row and return its money."""
    cells: list[Cell] = []
    summed: list[Money | None] = []
    for column in source.columns:
        value = row[column.field]
        if column.kind == ValueKind.MONEY:
            money = None if value is None else Money(int(value), row[column.currency])
            summed.append(money)
            cells += [money.currency if money else "", money]
        else:
            cells.append(_cell(column, value, zone))
    writer.write(cells)
    return summed


def _cell(column: Column, value: Any, zone: ZoneInfo) -> Cell:
    if value is None:
        return None
    if column.kind == ValueKind.INSTANT:
        return value.astimezone(zone).replace(microsecond=0)
    if column.kind in {ValueKind.DATE, ValueKind.COUNT}:
        return value
    return column.shown(value) if column.shown else str(value)


def _heads(source: Source, zone: ZoneInfo, at: datetime) -> list[str]:
    heads = []
    for column in source.columns:
        if column.kind == ValueKind.MONEY:
            heads.append(_("Currency"))
        zoned = column.kind == ValueKind.INSTANT
        heads.append(f"{column.title} ({at.astimezone(zone):%Z})" if zoned else str(column.title))
    return heads


def _about(work: Work, source: Source, frozen: Snapshot, at: datetime) -> About:
    return About(
        title=str(source.title),
        facts=(
            (_("Organisation"), organisations.current().name),
            (_("List"), str(source.title)),
            *((label, text) for label, text in work.parameters["asked_for"]),
            (_("Made by"), work.parameters["made_by"]),
            (_("As of"), at),
            (_("Rows"), frozen.count),
        ),
        totals=tuple(
            (_("Total, %(column)s") % {"column": source.totalled[place].title}, money)
            for (place, _c), money in frozen.totals.items()
        ),
    )

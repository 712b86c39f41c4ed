"""Tables: rows that another app has at hand become a file, written as exports are."""

import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from apps.jobs.contracts import FileFormat
from apps.jobs.rendering.cells import About
from apps.jobs.services.export_runs import WRITERS
from apps.kit.money import Money

type Cell = str | int | Money | date | None

OLDEST_IN_A_ZIP = (1980, 1, 1, 0, 0, 0)
CORE = "docProps/core.xml"
INSTANT = re.compile(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z?(?=</dcterms:)")


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """
    What a file holds: its title, what it says of itself, its totals, and below their heads the rows.

    ``at`` is the instant that the file is of; it stands in place of when it was made.
    """

    title: str
    facts: tuple[tuple[str, Cell], ...]
    totals: tuple[tuple[str, Money], ...]
    heads: tuple[str, ...]
    rows: Iterable[Sequence[Cell]]
    at: datetime


def write(path: Path, file: File, file_format: FileFormat) -> str:
    """Write the file and return its content type. The same content makes the same bytes, whenever it is written."""
    writer_class, content_type = WRITERS[file_format]
    about = About(file.title, file.facts, file.totals)
    with writer_class(path, about=about, heads=file.heads, with_bom=False) as writer:
        for row in file.rows:
            writer.write(row)
    if file_format == FileFormat.XLSX:
        _fix_times(path, file.at)
    return content_type


def _fix_times(path: Path, at: datetime) -> None:
    """Pack a workbook again: its parts under one old time, and made at ``at`` by its own word."""
    fresh = path.with_name(f"{path.name}.part")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == CORE:
                content = INSTANT.sub(f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}".encode(), content)
            part = zipfile.ZipInfo(name, OLDEST_IN_A_ZIP)
            part.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(part, content)
    fresh.replace(path)

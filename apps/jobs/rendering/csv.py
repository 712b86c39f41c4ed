"""CSV: UTF-8, commas, CRLF, amounts as plain decimals and instants with their offset."""

import csv
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self

from apps.jobs.rendering.cells import About, Cell, safe_when_split
from apps.kit.money import Money


class CsvWriter:
    """Facts and totals come first, a line each, then an empty line, the heads and the rows."""

    rows_max = 10_000_000

    def __init__(self, path: Path, *, about: About, heads: Sequence[str], with_bom: bool) -> None:
        self._file = path.open("w", encoding="utf-8-sig" if with_bom else "utf-8", newline="")
        self._csv = csv.writer(self._file)
        for label, fact in about.facts:
            self.write([label, fact])
        for label, money in about.totals:
            self.write([label, money.currency, money])
        self._csv.writerow([])
        self.write(heads)

    def write(self, cells: Sequence[Cell]) -> None:
        self._csv.writerow([_text(cell) for cell in cells])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def _text(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case str():
            return safe_when_split(cell)
        case Money():
            return cell.text
        case date():
            return cell.isoformat()
        case _:
            return str(cell)

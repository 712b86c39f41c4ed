"""XLSX: numbers are numbers and dates are dates; one sheet says what the file is, the other one holds the rows."""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from apps.jobs.rendering.cells import About, Cell, safe
from apps.kit.money import Money, exponent

DIGITS_MAX = 15
TEXT_MAX = 32_767
WIDTH = 22
HEADS = 1


class XlsxWriter:
    """Rows go to disk as they come. An amount of more digits than a spreadsheet can hold is written as text."""

    rows_max = 1_048_576 - HEADS

    def __init__(self, path: Path, *, about: About, heads: Sequence[str], with_bom: bool) -> None:  # noqa: ARG002 (for CSV)
        self._path = path
        self._book = Workbook(write_only=True)
        self._about(about, len(heads))
        self._rows = self._sheet(about.title, len(heads))
        self._rows.freeze_panes = "A2"
        self._rows.append([self._bold(self._rows, head) for head in heads])

    def write(self, cells: Sequence[Cell]) -> None:
        self._rows.append([self._cell(cell) for cell in cells])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._book.save(self._path)
            return
        for sheet in self._book.worksheets:  # what they wrote so far lies in temporary files of their own
            sheet.close()
            sheet._writer.cleanup()  # noqa: SLF001 (openpyxl does it on saving only)

    def _about(self, about: About, columns: int) -> None:
        sheet = self._sheet(_("About"), columns)
        for label, fact in about.facts:
            sheet.append([self._bold(sheet, label), self._cell(fact)])
        for label, money in about.totals:
            sheet.append([self._bold(sheet, label), self._cell(money.currency), self._cell(money)])

    def _sheet(self, title: str, columns: int) -> Any:
        sheet = self._book.create_sheet(title[:31])
        for place in range(columns):
            sheet.column_dimensions[get_column_letter(place + 1)].width = WIDTH
        return sheet

    def _bold(self, sheet: Any, text: str) -> Any:
        cell = self._text(text, sheet)
        cell.font = Font(bold=True)
        return cell

    def _text(self, text: str, sheet: Any = None) -> Any:
        cell = WriteOnlyCell(sheet or self._book.worksheets[0], value="")
        cell._value = safe(text)[:TEXT_MAX]  # noqa: SLF001 (its setter would guess: a formula, an error code, a number)
        cell.data_type = "s"
        return cell

    def _cell(self, cell: Cell) -> Any:
        match cell:
            case None:
                return None
            case str():
                return self._text(cell)
            case Money():
                return self._money(cell)
            case date():
                return self._dated(cell)
            case _:
                return self._formatted(cell, "#,##0")

    def _dated(self, value: date) -> Any:
        """A spreadsheet knows no zones: the head of the column names it."""
        if isinstance(value, datetime):
            return self._formatted(value.replace(tzinfo=None), "yyyy-mm-dd hh:mm:ss")
        return self._formatted(value, "yyyy-mm-dd")

    def _money(self, money: Money) -> Any:
        if len(str(abs(money.minor))) > DIGITS_MAX:
            return self._text(money.text)
        decimals = exponent(money.currency)
        return self._formatted(money.decimal, "#,##0" + (f".{'0' * decimals}" if decimals else ""))

    def _formatted(self, value: Any, number_format: str) -> Any:
        cell = WriteOnlyCell(self._book.worksheets[0], value=value)
        cell.number_format = number_format
        return cell

"""Tables that people fill in, read whole from CSV or XLSX: every problem is found, by row and column, before anything is done."""

import csv
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from apps.kit import errors

BYTES_MAX = 5_000_000
UNPACKED_MAX = 50_000_000
ROWS_MAX = 10_000
CELL_MAX = 500
WIDTH_MAX, HEIGHT_MAX = 32, ROWS_MAX * 2
NO_WORKBOOK = (
    zipfile.BadZipFile, zlib.error, EOFError, ParseError, InvalidFileException, KeyError, IndexError, TypeError, ValueError,
    OSError, NotImplementedError,
)  # fmt: skip
"""What reading raises on a file that only begins like a workbook."""
XLSX_SIGN = b"PK\x03\x04"
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


class FileInvalid(errors.Invalid):
    """A file cannot be taken over; ``errors`` has every problem with its row and column."""

    code = "ledger_file_invalid"
    title = "File not valid"


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it stands in the file: ``number`` counts from 1 and includes the heads."""

    number: int
    cells: dict[str, str]

    def wrong(self, column: str, message: str, code: str = "invalid") -> errors.FieldError:
        return errors.FieldError(
            f"/rows/{self.number}/{column}", code, f"Row {self.number}, {column}: {message}"
        )


def read(content: bytes, *, columns: Sequence[str]) -> list[Row]:
    """
    Return the rows of a file whose first row names exactly these columns, in any order; rows without text are left out.

    Raises FileInvalid for a file that is empty, too large, not UTF-8, no CSV or XLSX, has other columns, more than 10,000
    rows, or a cell that is or would become a formula.
    """
    if not content:
        raise FileInvalid("The file is empty.")
    if len(content) > BYTES_MAX:
        message = f"The file has {len(content):,} bytes, and {BYTES_MAX:,} are taken."
        raise FileInvalid(message, errors=[errors.FieldError("/file", FileInvalid.code, message)])
    table = _xlsx(content) if content.startswith(XLSX_SIGN) else _csv(content)
    heads = [head.strip().lower() for head in next(table, [])]
    while heads and not heads[-1]:
        heads.pop()
    if sorted(heads) != sorted(columns):
        raise FileInvalid(f"The first row names these columns: {', '.join(columns)}.")
    rows = list(_rows(heads, table))
    if not rows:
        raise FileInvalid("The file has no rows below its heads.")
    refuse([problem for row in rows for problem in _formulas(row)])
    return rows


def refuse(problems: Sequence[errors.FieldError]) -> None:
    """Raise FileInvalid with every problem, if there is one."""
    if problems:
        more = f" And {len(problems) - 1} more." if len(problems) > 1 else ""
        raise FileInvalid(problems[0].message + more, errors=problems)


def _rows(heads: Sequence[str], table: Iterable[list[str]]) -> Iterator[Row]:
    count = 0
    for number, cells in enumerate(table, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        count += 1
        if count > ROWS_MAX:
            raise FileInvalid(f"The file has more than {ROWS_MAX} rows.")
        if any(cell.strip() for cell in cells[len(heads) :]):
            raise FileInvalid(f"Row {number} has more cells than there are columns.")
        padded = [*cells, *[""] * (len(heads) - len(cells))]
        yield Row(number, {head: cell.strip() for head, cell in zip(heads, padded, strict=False)})


def _formulas(row: Row) -> Iterator[errors.FieldError]:
    for column, cell in row.cells.items():
        if cell.startswith(FORMULA_SIGNS):
            yield row.wrong(column, "a formula is not taken over; write the value.", "formula")
        elif len(cell) > CELL_MAX or "\0" in cell:
            yield row.wrong(column, f"the text is longer than {CELL_MAX} characters or holds a NUL.", "text")


def _csv(content: bytes) -> Iterator[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileInvalid("The file is not UTF-8. Save it as CSV UTF-8, or as XLSX.") from None
    try:
        yield from csv.reader(io.StringIO(text, newline=""), strict=True)
    except csv.Error as error:
        raise FileInvalid(f"The file is no CSV: {error}.") from None


def _xlsx(content: bytes) -> Iterator[list[str]]:
    """Return the rows of the first sheet; a formula comes as it is written, so that it is refused."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(part.file_size for part in packed.infolist()) > UNPACKED_MAX:
                raise FileInvalid("The file is too large when it is unpacked.")
        book = load_workbook(io.BytesIO(content), read_only=True)
        table = book.worksheets[0].iter_rows(values_only=True, max_col=WIDTH_MAX)
        rows = [["" if cell is None else str(cell) for cell in cells] for cells in islice(table, HEIGHT_MAX)]
        book.close()
    except NO_WORKBOOK:
        raise FileInvalid("The file is no XLSX.") from None
    return iter(rows)

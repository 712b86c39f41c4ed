"""Import and export the chart: the whole file is checked, shown, then taken over or nothing of it."""

import io
import zipfile

import pytest
from openpyxl import Workbook, load_workbook

from apps.audit.models import AuditRecord
from apps.kit.actors import SYSTEM
from apps.ledger.importers import ROWS_MAX, FileInvalid
from apps.ledger.models import ChartLine
from apps.ledger.services import chart_files, charts
from apps.ledger.services.refusals import LineInvalid
from tests.factories import ledger

HEADS = "code,name,type,parent,role,heading"


@pytest.fixture(autouse=True)
def chart(acme) -> None:
    charts.install(actor=SYSTEM, now=ledger.NOW)


def file(*rows: str) -> bytes:
    return "\n".join([HEADS, *rows]).encode()


def sheet(*rows: list[object]) -> bytes:
    book = Workbook()
    for row in [HEADS.split(","), *rows]:
        book.active.append(row)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def take_over(content: bytes):
    return chart_files.take_over(content=content, actor=SYSTEM, now=ledger.NOW)


def test_what_is_written_reads_back_as_no_change():
    assert chart_files.plan(content=chart_files.as_csv().encode()) == []
    assert chart_files.plan(content=chart_files.as_xlsx()) == []
    assert chart_files.as_csv().splitlines()[1] == "1,Assets,asset,,,yes"
    cells = load_workbook(io.BytesIO(chart_files.as_xlsx())).active.values
    assert list(cells)[1] == ("1", "Assets", "asset", None, None, "yes")


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_adds_renames_and_moves(kind):
    rows = [
        ["6155", "Parking", "expense", "615", "", "no"],
        ["615", "Vehicles", "expense", "6", "", "yes"],
        ["6110", "Office rent", "expense", "61", "", "no"],
        ["6310", "Fuel", "expense", "615", "", ""],
    ]
    content = file(*(",".join(row) for row in rows)) if kind == "csv" else sheet(*rows)
    before = ChartLine.objects.count()

    shown = chart_files.plan(content=content)
    assert ChartLine.objects.count() == before
    done = take_over(content)

    assert done == shown
    assert [(change.row, change.code, change.change) for change in done] == [
        (2, "6155", "added"), (3, "615", "added"), (4, "6110", "renamed"), (5, "6310", "moved"),
    ]  # fmt: skip
    assert ChartLine.objects.get(code="6155").parent.code == "615"
    assert ChartLine.objects.get(code="6310").parent.code == "615"
    assert ChartLine.objects.get(code="6110").name == "Office rent"
    assert AuditRecord.objects.filter(action="chart.imported").count() == 1
    assert take_over(content) == []


@pytest.mark.parametrize(
    ("rows", "problems"),
    [
        (["6155,Parking,expense,61,,no", "6155,Tolls,expense,61,,no"], [("/rows/3/code", "duplicate")]),
        (["6155,Parking,costs,,,no"], [("/rows/2/type", "invalid")]),
        (["6155,Parking,expense,10,,no"], [("/rows/2/parent", "invalid")]),
        (["6155,Parking,expense,nowhere,,no"], [("/rows/2/parent", "invalid")]),
        (["6155,Parking,expense,61,,perhaps"], [("/rows/2/heading", "invalid")]),
        (["6155,Parking,expense,61,money,no"], [("/rows/2/role", "invalid")]),
        (["6155,Parking,expense,61,rounding,no"], [("/rows/2/role", "duplicate")]),
        (["6110,Rent,asset,,,no"], [("/rows/2/type", "fixed")]),
        (["6110,Rent,expense,61,,yes"], [("/rows/2/heading", "fixed")]),
        (["1010,Provider balance,asset,10,,no"], [("/rows/2/role", "fixed")]),
        (["6,Operating expenses,expense,61,,yes"], [("/rows/2/parent", "cycle")]),
        (["6155,=1+1,expense,61,,no"], [("/rows/2/name", "formula")]),
        (["6155,@SUM(A1),expense,61,,no"], [("/rows/2/name", "formula")]),
        (["x x,,expense,61,,no"], [("/rows/2/code", "invalid"), ("/rows/2/name", "invalid")]),
    ],
)
def test_every_problem_is_named_by_row_and_column_and_nothing_is_taken_over(rows, problems):
    before = chart_files.as_csv()

    with pytest.raises(FileInvalid) as refusal:
        take_over(file(*rows))

    assert [(error.pointer, error.code) for error in refusal.value.errors] == problems
    assert chart_files.as_csv() == before


@pytest.mark.parametrize(
    "content",
    [
        b"",
        HEADS.encode(),
        b"code,name\n1,x",
        "6155,Café".encode("latin-1"),
        f"{HEADS}\n6155,Caf\xe9,expense,61,,no".encode("latin-1"),
        f'{HEADS}\n6155,"open'.encode(),
        f"{HEADS}\n6155,Parking,expense,61,,no,more".encode(),
        b"PK\x03\x04 no workbook",
        ("\n".join([HEADS, *(f"X{number},A,expense,61,,no" for number in range(ROWS_MAX + 1))])).encode(),
        b"x" * 5_000_001,
    ],
    ids=["empty", "heads", "columns", "latin", "latin-row", "quote", "cells", "zip", "10001", "large"],
)
def test_a_bad_file_is_refused_whole(content):
    before = chart_files.as_csv()

    with pytest.raises(FileInvalid):
        take_over(content)

    assert chart_files.as_csv() == before


def test_a_formula_in_a_workbook_is_refused():
    with pytest.raises(FileInvalid) as refusal:
        take_over(sheet(["6155", '=HYPERLINK("x")', "expense", "61", "", "no"]))

    assert [error.code for error in refusal.value.errors] == ["formula"]


def test_a_damaged_workbook_is_refused():
    damaged, whole = (
        io.BytesIO(),
        zipfile.ZipFile(io.BytesIO(sheet(["6155", "Parking", "expense", "61", "", "no"]))),
    )
    with zipfile.ZipFile(damaged, "w") as packed:
        for name in whole.namelist():
            part = whole.read(name)
            packed.writestr(name, part[: len(part) // 2] if "sheet1" in name else part)

    with pytest.raises(FileInvalid):
        take_over(damaged.getvalue())

    assert not ChartLine.objects.filter(code="6155").exists()


@pytest.mark.parametrize(
    "other",
    ["asset,1,,no", "expense,60,,no", "expense,61,,yes", "expense,,,no"],
)
def test_what_is_shown_of_a_new_line_is_all_that_it_will_be(other):
    shown = chart_files.plan(content=file("6155,Parking,expense,61,,no"))
    before = chart_files.as_csv()
    assert shown[0].after == "Parking (expense, below 61)"

    with pytest.raises(chart_files.ChartChanged):
        chart_files.take_over(
            content=file(f"6155,Parking,{other}"),
            shown=chart_files.fingerprint(shown),
            actor=SYSTEM,
            now=ledger.NOW,
        )

    assert chart_files.as_csv() == before


def test_numbers_of_another_line_leave_nothing_behind():
    before = chart_files.as_csv()

    with pytest.raises(LineInvalid):
        take_over(file("6155,Parking,expense,61,,no", "1015,Other,asset,10,,no"))

    assert chart_files.as_csv() == before

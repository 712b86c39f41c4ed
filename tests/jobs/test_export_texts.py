"""Hostile texts in an export stay texts."""

import io

import openpyxl
import pytest

from apps.jobs.contracts import FileFormat
from apps.jobs.rendering.cells import About, safe
from apps.jobs.rendering.csv import CsvWriter
from apps.payments.models import PaymentIntent
from tests.factories import payments
from tests.jobs.exporting import content, parts, start

HOSTILE = [
    "=cmd|'/c calc'!A1", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "\uff1d1+1", "=1", '",=1,"',
    "a\x00b", "#N/A", "1e9", "O'Brien; \"quoted\", and\nlines",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=repr)
def test_no_text_of_a_stranger_becomes_a_formula(text):
    kept = safe(text)

    assert kept.lstrip(" \u00a0")[0] not in "=+-@\t\r\n\uff1d"
    assert kept.lstrip("'").replace("\N{REPLACEMENT CHARACTER}", "\x00") == text


@pytest.mark.parametrize("separator", [";", "\t", "\n"], ids=repr)
@pytest.mark.parametrize("text", [*HOSTILE[:4], '"=1"', "\u2212 1"], ids=repr)
def test_no_part_of_a_text_becomes_a_formula_where_lines_are_split_in_another_way(tmp_path, separator, text):
    path = tmp_path / "x.csv"
    with CsvWriter(path, about=About("Rows", (), ()), heads=["Payer"], with_bom=False) as writer:
        writer.write([f"Njeri{separator} {text}", "Fees; 20 - 3"])

    written = path.read_text().split("Payer\n")[1]
    assert written.split(separator, 1)[1].lstrip(' "').startswith("'")
    assert "Fees; 20 - 3" in written


def test_hostile_texts_stay_texts_in_both_formats(amina):
    for place, text in enumerate(HOSTILE):
        intent = payments.intent(reference=f"R-{place}")
        PaymentIntent.objects.filter(id=intent.id).update(payer_name=text.replace("\x00", "\x1f")[:120])

    _, heads, rows = parts(start(amina))
    book = openpyxl.load_workbook(io.BytesIO(content(start(amina, file_format=FileFormat.XLSX))))

    place = heads.index("Payer")
    in_csv = [row[place] for row in rows][::-1]
    in_sheet = [row[place] for row in book["Payments"].iter_rows(min_row=2)][::-1]
    assert in_csv[0] == "'=cmd|'/c calc'!A1"
    assert [cell.data_type for cell in in_sheet] == ["s"] * len(HOSTILE)
    assert in_csv[-1] == HOSTILE[-1] == in_sheet[-1].value
    assert in_sheet[13].value == "#N/A"

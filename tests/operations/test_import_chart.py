"""Import a chart as its how-to page says: print it, rehearse a file, take it over, refuse a bad one."""

import pytest
from django.db import connection

from apps.kit import schema
from apps.kit.actors import SYSTEM
from apps.ledger.models import ChartLine
from apps.ledger.services import charts
from tests.factories import ledger
from tests.operations.operate import change, operate
from tests.operations.stage import TENANT

HEADS = "code,name,type,parent,role,heading"


@pytest.fixture(autouse=True)
def chart(acme):
    charts.install(actor=SYSTEM, now=ledger.NOW)
    connection.set_schema_to_public()


def taken_over(path, *words: str):
    return change("ledger", "chart-import", str(path), *TENANT, *words)


def test_what_is_printed_is_read_back(tmp_path):
    printed = operate("ledger", "chart-export", *TENANT)
    path = tmp_path / "chart.csv"
    path.write_text(printed.out + "615,Vehicles,expense,6,,yes\n6155,Parking,expense,615,,no\n")

    rehearsed, done = taken_over(path, "--dry-run"), taken_over(path)

    assert (printed.code, rehearsed.code, done.code) == (0, 0, 0), done.err
    assert "2 changes of the chart" in done.out
    schema.visit("org_acme")
    assert ChartLine.objects.get(code="6155").parent.code == "615"


def test_a_bad_file_is_refused_by_row_and_column(tmp_path):
    path = tmp_path / "chart.csv"
    path.write_text(f"{HEADS}\n6155,Parking,costs,61,,no\n")

    done = taken_over(path)

    assert done.code != 0
    assert "Row 2, type" in done.err
    schema.visit("org_acme")
    assert not ChartLine.objects.filter(code="6155").exists()

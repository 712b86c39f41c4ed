"""Lay a chart out and import one as its how-to page says: print it, rehearse a file, take it over, refuse a bad one."""

import pytest
from django.db import connection

from apps.audit.models import AuditRecord
from apps.kit import schema
from apps.kit.actors import SYSTEM
from apps.ledger.contracts import AccountRole
from apps.ledger.models import ChartLine
from apps.ledger.services import charts
from tests.factories import access, ledger
from tests.operations.operate import change, operate
from tests.operations.stage import TENANT

HEADS = "code,name,type,parent,role,heading"


@pytest.fixture
def chart(acme):
    charts.install(actor=SYSTEM, now=ledger.NOW)
    connection.set_schema_to_public()


def taken_over(path, *words: str):
    return change("ledger", "chart-import", str(path), *TENANT, *words)


def test_what_is_printed_is_read_back(chart, tmp_path):
    printed = operate("ledger", "chart-export", *TENANT)
    path = tmp_path / "chart.csv"
    path.write_text(printed.out + "615,Vehicles,expense,6,,yes\n6155,Parking,expense,615,,no\n")

    rehearsed, done = taken_over(path, "--dry-run"), taken_over(path)

    assert (printed.code, rehearsed.code, done.code) == (0, 0, 0), done.err
    assert "2 changes of the chart" in done.out
    schema.visit("org_acme")
    assert ChartLine.objects.get(code="6155").parent.code == "615"


def test_a_bad_file_is_refused_by_row_and_column(chart, tmp_path):
    path = tmp_path / "chart.csv"
    path.write_text(f"{HEADS}\n6155,Parking,costs,61,,no\n")

    done = taken_over(path)

    assert done.code != 0
    assert "Row 2, type" in done.err
    schema.visit("org_acme")
    assert not ChartLine.objects.filter(code="6155").exists()


def test_an_organisation_that_began_without_a_chart_gets_one_and_keeps_what_it_has(acme):
    sales = ledger.ref(AccountRole.REVENUE, access.head_office().id)
    cash = ledger.ref(AccountRole.CASH, access.head_office().id)
    ledger.post(ledger.transfer(cash, sales, 5_00))
    ChartLine.objects.filter(role="REVENUE").update(name="Our sales")
    connection.set_schema_to_public()

    rehearsed = change("ledger", "chart-install", *TENANT, "--dry-run")
    schema.visit("org_acme")
    assert ChartLine.objects.count() == 2
    connection.set_schema_to_public()
    done, again = (change("ledger", "chart-install", *TENANT) for _ in range(2))

    assert (rehearsed.code, done.code, again.code) == (0, 0, 0), done.err
    schema.visit("org_acme")
    added = ChartLine.objects.count() - 2
    assert f"{added} lines of the chart were added" in rehearsed.out
    assert f"{added} lines of the chart were added" in done.out
    assert "0 lines of the chart were added" in again.out
    line = ChartLine.objects.select_related("parent").get(role="REVENUE")
    assert (line.name, line.parent.code) == ("Our sales", "40")
    assert AuditRecord.objects.filter(action="chart.installed").count() == 1

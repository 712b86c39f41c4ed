"""Change the chart: the template once, own lines with their accounts, and what no line can be."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from apps.audit.models import AuditRecord
from apps.kit import schema
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import CHART, AccountType, credit, debit
from apps.ledger.models import Account, ChartLine
from apps.ledger.services import chart_template, charts
from apps.ledger.services.charts import LineInvalid, LineUnknown
from apps.tenancy.models import Organisation
from tests.factories import ledger

RENT = "6110"


@pytest.fixture
def chart(acme) -> None:
    charts.install(actor=SYSTEM, now=ledger.NOW)


def add(**facts):
    asked = {"code": "6150", "name": "Parking", "type": AccountType.EXPENSE, "parent": "61", **facts}
    return charts.add(**asked, actor=SYSTEM, now=ledger.NOW)


def test_the_template_has_every_role_below_a_heading_of_its_type(chart):
    lines = {
        line.role: line for line in ChartLine.objects.filter(role__isnull=False).select_related("parent")
    }

    assert set(lines) == set(CHART)
    for role, line in lines.items():
        assert (line.code, line.type) == (str(CHART[role].code), CHART[role].type)
        assert (line.parent.is_heading, line.parent.type) == (True, line.type)
    assert ChartLine.objects.filter(parent__isnull=True).values_list("is_heading", flat=True).distinct().get()


def test_the_template_is_laid_out_once(chart):
    assert charts.install(actor=SYSTEM, now=ledger.NOW) == 0

    assert ChartLine.objects.count() == len(chart_template.lines())
    assert AuditRecord.objects.filter(action="chart.installed").count() == 1


def test_the_template_adopts_the_lines_of_accounts_that_are_there(branch, suspense, balance):
    ledger.post(ledger.transfer(balance, suspense, 5_00))
    before = Account.objects.matching([suspense]).get()

    charts.install(actor=SYSTEM, now=ledger.NOW)

    after = Account.objects.matching([suspense]).get()
    assert (after.line_id, after.line.parent.code) == (before.line_id, "21")


def test_an_own_line_is_opened_and_posted_to(chart, branch, balance):
    rent = charts.open_account(code=RENT, branch_id=branch.id, currency="KES", actor=SYSTEM, now=ledger.NOW)
    again = charts.open_account(code=RENT, branch_id=branch.id, currency="KES", actor=SYSTEM, now=ledger.NOW)
    paid = Money(35_000_00, "KES")

    ledger.post(ledger.draft(legs=(debit(rent.ref, paid), credit(balance, paid))))

    assert (again.id, rent.code, rent.name, rent.role, rent.type) == (
        rent.id, "6110", "Rent", "GENERAL", "EXPENSE",
    )  # fmt: skip
    assert Account.objects.matching([rent.ref]).with_net().get().net == 35_000_00


@pytest.mark.parametrize(
    ("facts", "pointer"),
    [
        ({"code": ""}, "/code"),
        ({"code": "61 50"}, "/code"),
        ({"code": "x" * 17}, "/code"),
        ({"code": "6110"}, "/code"),
        ({"name": " "}, "/name"),
        ({"name": "a\nb"}, "/name"),
        ({"name": "x" * 121}, "/name"),
        ({"parent": "6110"}, "/parent"),
        ({"parent": "10"}, "/parent"),
        ({"parent": "nowhere"}, "/parent"),
    ],
)
def test_a_line_that_cannot_be_names_its_field_and_leaves_nothing(chart, facts, pointer):
    before = ChartLine.objects.count()

    with pytest.raises(LineInvalid) as refusal:
        add(**facts)

    assert [error.pointer for error in refusal.value.errors] == [pointer]
    assert ChartLine.objects.count() == before


def test_a_number_of_another_lines_block_is_refused(chart):
    with pytest.raises(LineInvalid):
        add(code="1015", type=AccountType.ASSET, parent="10")

    assert not ChartLine.objects.filter(code="1015").exists()


def test_a_line_is_renamed_and_moved(chart):
    add()

    charts.rename(code="6150", name="Parking and tolls", actor=SYSTEM, now=ledger.NOW)
    charts.move(code="6150", parent="63", actor=SYSTEM, now=ledger.NOW)

    line = ChartLine.objects.get(code="6150")
    assert (line.name, line.parent.code) == ("Parking and tolls", "63")
    actions = AuditRecord.objects.filter(object_id="6150").order_by("id").values_list("action", flat=True)
    assert list(actions) == ["chart.line_added", "chart.line_renamed", "chart.line_moved"]


def test_a_heading_does_not_stand_below_itself(chart):
    with pytest.raises(LineInvalid):
        charts.move(code="6", parent="61", actor=SYSTEM, now=ledger.NOW)

    assert ChartLine.objects.get(code="6").parent is None


@pytest.mark.parametrize("code", ["61", "1010"])
def test_headings_and_lines_of_roles_open_no_account_by_hand(chart, branch, code):
    with pytest.raises(LineInvalid):
        charts.open_account(code=code, branch_id=branch.id, currency="KES", actor=SYSTEM, now=ledger.NOW)

    assert not Account.objects.exists()


def test_an_unknown_line_is_refused(chart):
    with pytest.raises(LineUnknown):
        charts.rename(code="7777", name="Nothing", actor=SYSTEM, now=ledger.NOW)


@pytest.mark.parametrize(
    "change", ["code = '6199'", "type = 'ASSET', parent_id = NULL", "is_heading = true", "width = 2"]
)
def test_the_database_keeps_what_accounts_stand_on(chart, branch, change):
    charts.open_account(code=RENT, branch_id=branch.id, currency="KES", actor=SYSTEM, now=ledger.NOW)

    with (
        pytest.raises(DatabaseError, match="has accounts"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"UPDATE ledger_chartline SET {change} WHERE code = '6110'")

    assert ChartLine.objects.get(code=RENT).type == AccountType.EXPENSE


def test_the_database_keeps_the_type_of_a_heading_with_lines(chart):
    with (
        pytest.raises(DatabaseError, match="lines below"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE ledger_chartline SET is_heading = false WHERE code = '61'")

    assert ChartLine.objects.get(code="61").is_heading


def test_two_at_once_add_one_line(committed_acme):
    organisation = Organisation.objects.get(slug="acme")
    charts.install(actor=SYSTEM, now=ledger.NOW)

    def attempt(_: int) -> str:
        schema.enter(organisation)
        try:
            return add().code
        except LineInvalid:
            return "refused"
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        results = sorted(pool.map(attempt, range(2)))

    assert results == ["6150", "refused"]
    assert ChartLine.objects.filter(code="6150").count() == 1


def test_the_page_lists_every_role_with_its_numbers_and_type():
    page = (settings.BASE_DIR / "docs" / "accounting.md").read_text()

    for role, line in CHART.items():
        row = f"| `{role}` | {line.code}-{line.code + line.width - 1} | {line.type.lower()} |"
        assert row in page, row

"""Compare periods: profit and loss side by side, with the sums of the single reports, on the page's table and in files."""

import csv
import io
from datetime import date, timedelta
from decimal import Decimal

import pytest
from pypdf import PdfReader

from apps.kit.money import Money
from apps.ledger.contracts import AccountRole, TransactionKind, credit, debit
from apps.ledger.selectors.reports import comparison, profit_and_loss
from apps.ledger.selectors.reports.basis import DatesInvalid
from apps.ledger.selectors.reports.comparison import Against, Span
from apps.ledger.services import reports
from apps.ledger.services.reports import NewReport, ReportFormat, ReportName
from tests.factories import ledger
from tests.factories.ledger import NOW

NOVEMBER, LAST = date(2026, 11, 1), date(2026, 11, 30)
KNOWN = NOW + timedelta(hours=1)
LATER = NOW + timedelta(hours=2)


def kes(minor: int) -> Money:
    return Money(minor, "KES")


@pytest.fixture
def mombasa(branch):
    return ledger.branch(name="Mombasa")


@pytest.fixture
def books(branch, mombasa):
    """Sales of three months in two branches and two currencies, and a fee of one month that has no sales."""

    def book(debited, credited, minor, day, place=branch, currency="KES", **facts):
        refs = [ledger.ref(role, place.id, currency) for role in (debited, credited)]
        return ledger.post(ledger.transfer(*refs, minor, effective_date=day, **facts))

    cash, sales, fees = AccountRole.CASH, AccountRole.REVENUE, AccountRole.PROVIDER_FEES
    book(cash, sales, 300_00, date(2025, 11, 20))
    book(fees, cash, 7_00, date(2026, 9, 20))
    book(cash, sales, 500_00, date(2026, 10, 31))
    book(cash, sales, 900_00, date(2026, 11, 3))
    book(fees, cash, 20_00, date(2026, 11, 4))
    book(cash, sales, 70_00, date(2026, 11, 5), mombasa)
    book(cash, sales, 11_00, date(2026, 11, 6), branch, "USD")
    return book


def read(against: Against, *, since=NOVEMBER, as_of=LAST, **facts):
    return comparison.read(since=since, as_of=as_of, known_at=KNOWN, against=against, **facts)


@pytest.mark.parametrize(
    ("against", "since", "as_of", "expected"),
    [
        ("BEFORE", NOVEMBER, LAST, [Span(date(2026, 10, 1), date(2026, 10, 31))]),
        ("BEFORE", date(2026, 1, 1), date(2026, 3, 31), [Span(date(2025, 10, 1), date(2025, 12, 31))]),
        ("BEFORE", date(2026, 11, 2), date(2026, 11, 8), [Span(date(2026, 10, 26), date(2026, 11, 1))]),
        ("YEAR", date(2024, 2, 1), date(2024, 2, 29), [Span(date(2023, 2, 1), date(2023, 2, 28))]),
        ("YEAR", date(2025, 2, 1), date(2025, 2, 28), [Span(date(2024, 2, 1), date(2024, 2, 29))]),
        ("YEAR", date(2026, 11, 3), date(2026, 11, 9), [Span(date(2025, 11, 3), date(2025, 11, 9))]),
    ],
)
def test_months_are_compared_with_months_and_days_with_as_many_days(against, since, as_of, expected):
    assert list(comparison.spans(Against(against), since=since, as_of=as_of)) == [
        Span(since, as_of),
        *expected,
    ]


def test_months_stand_in_order_and_then_all_of_them():
    assert comparison.spans(Against.MONTHS, since=date(2026, 9, 15), as_of=date(2026, 11, 10)) == (
        Span(date(2026, 9, 15), date(2026, 9, 30)),
        Span(date(2026, 10, 1), date(2026, 10, 31)),
        Span(date(2026, 11, 1), date(2026, 11, 10)),
        Span(date(2026, 9, 15), date(2026, 11, 10)),
    )


@pytest.mark.parametrize(
    ("against", "since", "as_of"),
    [
        ("MONTHS", date(2025, 11, 30), LAST),
        ("BEFORE", LAST, NOVEMBER),
        ("BEFORE", date(1, 1, 1), date(1, 1, 31)),
        ("YEAR", date(1, 3, 4), date(1, 3, 5)),
    ],
)
def test_days_that_cannot_be_compared_are_refused(against, since, as_of):
    with pytest.raises(DatesInvalid) as refused:
        comparison.spans(Against(against), since=since, as_of=as_of)

    assert refused.value.errors[0].pointer == "/since"


@pytest.mark.parametrize("against", list(Against))
def test_every_column_is_the_report_of_its_days(books, against):
    found = read(against, since=date(2026, 9, 1))

    for span, report in zip(found.spans, found.reports, strict=True):
        alone = profit_and_loss.read(since=span.since, as_of=span.as_of, known_at=KNOWN)
        assert (report.totals, report.branches, report.income, report.expenses) == (
            alone.totals,
            alone.branches,
            alone.income,
            alone.expenses,
        )


def test_an_account_of_one_month_alone_has_nothing_in_the_others(books, branch):
    found = read(Against.BEFORE)

    usd = [row for row in found.income if row.currency == "USD"]
    assert found.nets(usd) == (Money(-11_00, "USD"), Money(0, "USD"))
    assert [[own.profit for own in line] for line in found.results()] == [
        [kes(950_00), kes(500_00)],
        [Money(11_00, "USD"), Money(0, "USD")],
    ]
    assert [(line[0].branch_name, [own.profit for own in line]) for line in found.branch_results()] == [
        (branch.name, [kes(880_00), kes(500_00)]),
        (branch.name, [Money(11_00, "USD"), Money(0, "USD")]),
        ("Mombasa", [kes(70_00), kes(0)]),
    ]


def test_a_month_by_month_adds_up_to_the_whole(books):
    found = read(Against.MONTHS, since=date(2026, 9, 1))

    (shillings, _dollars) = found.results()
    assert [own.profit for own in shillings] == [kes(-7_00), kes(500_00), kes(950_00), kes(1_443_00)]
    assert sum((own.profit for own in shillings[:-1]), kes(0)) == shillings[-1].profit


def test_closings_are_left_out_of_every_column(books, branch):
    before = [[own.profit for own in line] for line in read(Against.BEFORE).results()]
    legs = (
        debit(ledger.ref(AccountRole.REVENUE, branch.id), kes(500_00)),
        credit(ledger.ref(AccountRole.RETAINED_EARNINGS, branch.id), kes(500_00)),
    )
    closing = ledger.draft(legs=legs, kind=TransactionKind.CLOSING, effective_date=date(2026, 10, 31))
    ledger.post(closing, now=NOW)

    assert [[own.profit for own in line] for line in read(Against.BEFORE).results()] == before


def asked(against: Against, file_format=ReportFormat.CSV, **facts) -> NewReport:
    days = {"since": NOVEMBER, "as_of": LAST, "known_at": KNOWN, **facts}
    return NewReport(name=ReportName.PROFIT_AND_LOSS, against=against, file_format=file_format, **days)


@pytest.mark.parametrize("against", list(Against))
def test_three_files_have_the_totals_of_one_table(books, tmp_path, against):
    table = reports.tabulate(asked(against, since=date(2026, 9, 1)), within=None, now=LATER)

    lines = list(
        csv.reader(io.StringIO(reports.write(table, ReportFormat.CSV, folder=tmp_path).path.read_text()))
    )
    text = " ".join(
        page.extract_text()
        for page in PdfReader(reports.write(table, ReportFormat.PDF, folder=tmp_path).path).pages
    )

    gap = lines.index([])
    above, (heads, *rows) = lines[:gap], lines[gap + 1 :]
    for label, money in table.totals:
        assert [label, money.currency, money.text] in above
        assert str(money).partition(" ")[2].replace("-", "\N{MINUS SIGN}") in text
    for label, money in table.totals:
        kind, _, column = label.partition(", ")
        if kind == "Income":
            place = heads.index(column)
            own = [
                Decimal(row[place]) for row in rows if row[0].startswith("Income") and money.currency in row
            ]
            assert sum(own, Decimal()) == money.decimal


def test_the_change_stands_beside_two_columns(books):
    table = reports.tabulate(asked(Against.BEFORE), within=None, now=LATER)

    assert [column.title for column in table.columns[4:]] == ["Nov 2026", "Oct 2026", "Change"]
    (profit,) = [line for line in table.lines if line.cells[0] == "Profit" and line.cells[3] == "KES"]
    assert profit.cells[4:] == (kes(950_00), kes(500_00), kes(450_00))


def test_what_is_posted_later_changes_no_column(books, branch):
    before = reports.tabulate(asked(Against.BEFORE), within=None, now=LATER)

    cash, sales = (ledger.ref(role, branch.id) for role in (AccountRole.CASH, AccountRole.REVENUE))
    ledger.post(ledger.transfer(cash, sales, 9_00, effective_date=date(2026, 10, 3)), now=LATER)

    assert reports.tabulate(asked(Against.BEFORE), within=None, now=LATER) == before


def test_a_reader_compares_his_branches_alone(books, mombasa):
    table = reports.tabulate(asked(Against.BEFORE), within=frozenset({mombasa.id}), now=LATER)

    assert [money for label, money in table.totals if label.startswith("Profit")] == [kes(70_00), kes(0)]


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (
            NewReport(name=ReportName.TRIAL_BALANCE, as_of=LAST, known_at=KNOWN, against=Against.YEAR),
            "/against",
        ),
        (asked(Against.MONTHS, ReportFormat.PDF, since=date(2026, 1, 1)), "/format"),
    ],
)
def test_what_no_report_holds_is_refused_by_field(acme, request_, field):
    with pytest.raises(reports.ReportInvalid) as refused:
        reports.tabulate(request_, within=None, now=LATER)

    assert refused.value.errors[0].pointer == field

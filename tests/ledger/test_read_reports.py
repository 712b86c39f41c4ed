"""Read reports: they foot, by branch and by heading, state what was known when, and print again what they printed."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.access.selectors import branches
from apps.kit import ids
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole, TransactionKind, credit, debit
from apps.ledger.models import ChartLine, Transaction
from apps.ledger.selectors import statements
from apps.ledger.selectors.accounts import get
from apps.ledger.selectors.reports import (
    balance_sheet,
    basis,
    changes,
    general_ledger,
    ledger_pages,
    profit_and_loss,
    trial_balance,
)
from apps.ledger.services import seals
from tests.factories import access, ledger
from tests.factories.ledger import NOW

NOVEMBER, LAST = date(2026, 11, 1), date(2026, 11, 30)
KNOWN = NOW + timedelta(hours=1)
LATER = NOW + timedelta(hours=2)


def kes(minor: int) -> Money:
    return Money(minor, "KES")


def usd(minor: int) -> Money:
    return Money(minor, "USD")


@pytest.fixture
def mombasa(branch):
    return ledger.branch(name="Mombasa")


@pytest.fixture
def books(branch, mombasa):
    """Sales in two branches and two currencies, October's and November's, fees, and a shift of cash between branches."""
    heading = {"type": "ASSET", "is_heading": True, "width": 1, "shards": 1}
    assets = ChartLine.objects.create(code="1000", name="Assets", **heading)
    liquid = ChartLine.objects.create(code="1200", name="Cash and banks", parent=assets, **heading)
    line = {"type": "ASSET", "is_heading": False, "width": 40, "shards": 1, "parent": liquid}
    ChartLine.objects.create(code="1210", name="Cash", role=AccountRole.CASH, **line)

    def ref(role, place=branch, currency="KES"):
        return ledger.ref(role, place.id, currency)

    def book(debited, credited, minor, day, **facts):
        return ledger.post(ledger.transfer(debited, credited, minor, effective_date=day, **facts))

    cash, sales, fees = AccountRole.CASH, AccountRole.REVENUE, AccountRole.PROVIDER_FEES
    book(ref(cash), ref(sales), 500_00, date(2026, 10, 20))
    book(ref(cash), ref(sales), 900_00, date(2026, 11, 3))
    book(ref(fees), ref(cash), 20_00, date(2026, 11, 4))
    book(ref(cash, mombasa), ref(sales, mombasa), 70_00, date(2026, 11, 5))
    book(ref(cash, branch, "USD"), ref(sales, branch, "USD"), 11_00, date(2026, 11, 6))
    book(ref(cash, mombasa), ref(cash), 100_00, date(2026, 11, 7))
    return ref


def close(ref) -> None:
    """Carry November's and October's result to equity on the last day, as a year end does, and take it back once."""
    legs = (
        debit(ref(AccountRole.REVENUE), kes(1_400_00)),
        credit(ref(AccountRole.PROVIDER_FEES), kes(20_00)),
        credit(ref(AccountRole.RETAINED_EARNINGS), kes(1_380_00)),
    )
    ledger.post(ledger.draft(legs=legs, kind=TransactionKind.CLOSING, effective_date=LAST), now=NOW)


def test_the_trial_balance_is_equal_per_currency(books):
    report = trial_balance.read(as_of=LAST, known_at=KNOWN)

    assert [(row.code, row.branch_name, str(row.net)) for row in report.rows if row.type == "ASSET"] == [
        ("1210", report.rows[0].branch_name, "KES 1,280.00"),
        ("1211", "Mombasa", "KES 170.00"),
        ("1212", report.rows[0].branch_name, "USD 11.00"),
    ]
    assert [(total.debits, total.credits) for total in report.totals] == [
        (kes(1_470_00), kes(1_470_00)),
        (usd(11_00), usd(11_00)),
    ]
    assert report.is_balanced


def test_headings_sum_what_stands_below_them_per_currency(books):
    report = trial_balance.read(as_of=LAST, known_at=KNOWN)

    found = [(group.depth, group.heading.code, group.totals) for group in basis.groups(report.rows)]

    assert found == [
        (0, "1000", (kes(1_450_00), usd(11_00))),
        (1, "1200", (kes(1_450_00), usd(11_00))),
    ]


def test_a_branch_is_a_part_of_the_whole(books, branch, mombasa):
    whole = trial_balance.read(as_of=LAST, known_at=KNOWN)
    parts = [
        trial_balance.read(as_of=LAST, known_at=KNOWN, branch_id=place.id) for place in (branch, mombasa)
    ]

    assert {row for part in parts for row in part.rows} == set(whole.rows)
    assert [part.totals[0].difference for part in parts] == [kes(-100_00), kes(100_00)]
    assert not parts[0].is_balanced


def test_a_reader_sees_his_branches(books, mombasa):
    reader = access.member("accountant", "juma@example.test", branches=(mombasa,)).user

    report = trial_balance.read(as_of=LAST, known_at=KNOWN, caller=reader)

    assert {row.branch_name for row in report.rows} == {"Mombasa"}
    with pytest.raises(branches.BranchForbidden):
        trial_balance.read(as_of=LAST, known_at=KNOWN, caller=reader, branch_id=ids.new())


def test_the_balance_sheet_holds_with_the_result(books, mombasa):
    report = balance_sheet.read(as_of=LAST, known_at=KNOWN)

    shillings, dollars = report.totals
    assert (shillings.assets, shillings.result, shillings.elsewhere) == (kes(1_450_00), kes(1_450_00), kes(0))
    assert (dollars.assets, dollars.result) == (usd(11_00), usd(11_00))
    (own,) = balance_sheet.read(as_of=LAST, known_at=KNOWN, branch_id=mombasa.id).totals
    assert (own.assets, own.result, own.elsewhere) == (kes(170_00), kes(70_00), kes(100_00))


def test_a_closing_carries_the_result_to_equity_and_changes_no_total(books):
    before = balance_sheet.read(as_of=LAST, known_at=KNOWN).totals[0]

    close(books)

    after = balance_sheet.read(as_of=LAST, known_at=KNOWN).totals[0]
    assert (after.equity, after.result) == (kes(1_380_00), kes(70_00))
    assert after.equity + after.result == before.equity + before.result
    assert after.assets == before.assets


def test_profit_and_loss_is_of_its_days_and_by_branch(books, branch, mombasa):
    report = profit_and_loss.read(since=NOVEMBER, as_of=LAST, known_at=KNOWN)

    assert [(total.income, total.expenses, total.profit) for total in report.totals] == [
        (kes(970_00), kes(20_00), kes(950_00)),
        (usd(11_00), usd(0), usd(11_00)),
    ]
    assert {(own.branch_id, own.profit) for own in report.branches} == {
        (branch.id, kes(880_00)),
        (branch.id, usd(11_00)),
        (mombasa.id, kes(70_00)),
    }
    whole = profit_and_loss.read(since=date(2026, 1, 1), as_of=LAST, known_at=KNOWN)
    assert whole.totals[0].profit == kes(1_450_00)


@pytest.mark.parametrize("is_sealed", [False, True])
def test_profit_and_loss_leaves_closings_and_their_reversals_out(books, is_sealed):
    before = profit_and_loss.read(since=NOVEMBER, as_of=LAST, known_at=KNOWN)
    close(books)
    if is_sealed:
        seals.run(now=LATER)

    assert profit_and_loss.read(since=NOVEMBER, as_of=LAST, known_at=KNOWN) == before
    assert trial_balance.read(as_of=LAST, known_at=KNOWN).is_balanced


def test_the_general_ledger_runs_from_opening_to_closing(books):
    report = general_ledger.read(since=NOVEMBER, as_of=LAST, known_at=KNOWN)

    cash = report.accounts[0]
    assert (cash.opening, cash.closing) == (kes(500_00), kes(1_280_00))
    assert [line.balance for line in cash.lines] == [kes(1_400_00), kes(1_380_00), kes(1_280_00)]
    assert [(moved.debits, moved.credits) for moved in report.totals] == [
        (kes(1_090_00), kes(1_090_00)),
        (usd(11_00), usd(11_00)),
    ]


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
def test_the_general_ledger_page_by_page_is_the_whole_one(books, limit):
    asked = {"since": NOVEMBER, "as_of": LAST, "known_at": KNOWN}
    whole = general_ledger.read(**asked)
    parts, cursor, is_done = [], "", False

    while not is_done:
        page = ledger_pages.page(**asked, after=cursor, limit=limit)
        assert len(page.accounts) <= limit
        assert sum(len(part.lines) for part in page.accounts) <= limit
        parts, cursor, is_done = [*parts, *page.accounts], page.next, not page.next

    for account in whole.accounts:
        own = [part for part in parts if part.row == account.row]
        assert tuple(line for part in own for line in part.lines) == account.lines
        assert {(part.opening, part.closing) for part in own} == {(account.opening, account.closing)}
        assert [part.brought_forward for part in own] == [
            account.opening,
            *(part.lines[-1].balance if part.lines else part.brought_forward for part in own[:-1]),
        ]
    assert list(dict.fromkeys(part.row for part in parts)) == [account.row for account in whole.accounts]
    assert page.totals == whole.totals


def test_a_page_of_the_general_ledger_asks_as_often_for_many_accounts_as_for_one(books):
    def asked(count: int, **facts) -> int:
        with CaptureQueriesContext(connection) as captured:
            page = ledger_pages.page(**{"since": NOVEMBER, "as_of": LAST, "known_at": KNOWN, **facts})
        assert len(page.accounts) == count
        return len(captured)

    one, many = asked(1, limit=1), asked(7)
    first = ledger_pages.page(since=NOVEMBER, as_of=LAST, known_at=KNOWN, limit=2).next

    assert one == many == 3
    assert asked(7, after=first) - many == asked(1, after=first, limit=1) - one


def test_a_row_leads_to_its_statement(books):
    report = profit_and_loss.read(since=NOVEMBER, as_of=LAST, known_at=KNOWN)

    for row in (*report.income, *report.expenses):
        page = statements.page(get(row.uid), since=NOVEMBER, as_of=LAST, known_at=KNOWN)
        assert page.closing - page.opening == row.balance


def test_too_many_entries_are_refused(books, monkeypatch):
    monkeypatch.setattr(general_ledger, "ENTRIES_MAX", 3)

    with pytest.raises(general_ledger.TooManyEntries):
        general_ledger.read(since=NOVEMBER, as_of=LAST, known_at=KNOWN)


def test_days_that_run_backwards_are_refused(books):
    with pytest.raises(basis.DatesInvalid) as refusal:
        profit_and_loss.read(since=LAST, as_of=NOVEMBER, known_at=KNOWN)

    assert refusal.value.errors[0].pointer == "/since"


def test_what_comes_later_changes_no_report_and_is_listed(books):
    def read() -> list[object]:
        return [
            trial_balance.read(as_of=LAST, known_at=KNOWN),
            balance_sheet.read(as_of=LAST, known_at=KNOWN),
            profit_and_loss.read(since=NOVEMBER, as_of=LAST, known_at=KNOWN),
            general_ledger.read(since=NOVEMBER, as_of=LAST, known_at=KNOWN),
        ]

    before = read()
    fresh = books(AccountRole.SUSPENSE)
    late = [
        ledger.post(
            ledger.transfer(books(AccountRole.CASH), fresh, 3_00, effective_date=day), now=LATER
        ).number
        for day in (date(2026, 10, 1), date(2026, 11, 15), date(2026, 12, 1))
    ]

    assert read() == before
    listed = changes.since(KNOWN, as_of=LAST)
    assert [change.id for change in listed] == late[:2]
    assert changes.since(KNOWN, as_of=LAST, until=KNOWN + timedelta(minutes=1)).count() == 0
    assert Transaction.objects.count() == 9


def test_a_report_known_within_the_minute_is_provisional(books):
    report = trial_balance.read(as_of=LAST, known_at=NOW)

    assert report.basis.is_provisional(NOW + timedelta(seconds=59))
    assert not report.basis.is_provisional(NOW + timedelta(seconds=60))


def test_each_report_is_one_statement(books):
    for read in (
        lambda: trial_balance.read(as_of=LAST, known_at=KNOWN),
        lambda: balance_sheet.read(as_of=LAST, known_at=KNOWN),
        lambda: profit_and_loss.read(since=NOVEMBER, as_of=LAST, known_at=KNOWN),
        lambda: general_ledger.read(since=NOVEMBER, as_of=LAST, known_at=KNOWN),
    ):
        with CaptureQueriesContext(connection) as captured:
            read()
        assert len(captured) == 1

"""Report pages: figures that foot, lead to their entries and stay the same, and files with the totals of the page."""

import re
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.jobs.contracts import JobStatus
from apps.jobs.models import Job
from apps.kit import clock
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole
from apps.ledger.models import Account
from apps.tenancy.selectors import organisations
from tests import dialogs
from tests.factories import access, ledger
from tests.factories import jobs as job_factory
from tests.factories.ledger import NOW

TRIAL = "/portal/ledger/reports/trial-balance/"
LATER = NOW + timedelta(hours=2)
LAST = date(2026, 11, 30)
BELOW = "/portal/ledger/reports/"
REPORTS = ("trial-balance", "balance-sheet", "profit-and-loss", "general-ledger")
DATES = "as_of=2026-11-30"
ICON = re.compile(r'<a class="p-explain".*?</a>', re.DOTALL)


def kes(minor: int) -> Money:
    return Money(minor, "KES")


@pytest.fixture
def branch(acme):
    return access.head_office()


@pytest.fixture
def mombasa(branch):
    return ledger.branch(name="Mombasa")


@pytest.fixture
def books(branch, mombasa):
    """Sales in two branches and two currencies, and fees."""
    cash, sales, fees = AccountRole.CASH, AccountRole.REVENUE, AccountRole.PROVIDER_FEES
    for debited, credited, minor, currency, place, day in (
        (cash, sales, 900_00, "KES", branch, date(2026, 11, 3)),
        (fees, cash, 20_00, "KES", branch, date(2026, 11, 4)),
        (cash, sales, 70_00, "KES", mombasa, date(2026, 11, 5)),
        (cash, sales, 11_00, "USD", branch, date(2026, 11, 6)),
    ):
        refs = [ledger.ref(role, place.id, currency) for role in (debited, credited)]
        ledger.post(ledger.transfer(*refs, minor, effective_date=day))
    access.portal()
    with clock.fixed(LATER):
        yield


def again() -> None:
    """Come back to the organisation that a request has left."""
    connection.set_tenant(organisations.everything().get(slug="acme"))


def html(client, url: str, status: int = 200) -> str:
    response = client.get(url)
    again()
    assert response.status_code == status, url
    return response.content.decode()


def cells(page: str) -> list[list[str]]:
    """Return the rows of a page's table as texts."""
    rows = re.findall(r'<tr class="is-\w+">(.*?)</tr>', page, re.DOTALL)
    return [
        [
            " ".join(re.sub(r"<[^>]+>", "", ICON.sub("", cell)).split())
            for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)
        ]
        for row in rows
    ]


def book(minor: int, day: date, branch, *, now=NOW) -> None:
    refs = [ledger.ref(role, branch.id) for role in (AccountRole.CASH, AccountRole.REVENUE)]
    ledger.post(ledger.transfer(*refs, minor, effective_date=day), now=now)


def test_shows_every_account_and_equal_totals_by_currency(books, enter):
    page = html(enter("accountant"), f"{TRIAL}?{DATES}")

    assert ["Total", "KES", "970.00", "970.00"] in cells(page)
    assert ["Total", "USD", "11.00", "11.00"] in cells(page)
    assert ["5210", "Provider fees", "Head office", "KES", "20.00", ""] in cells(page)
    assert page.count("Equal</span>") == 2
    assert "30 Nov 2026" in page
    assert "A branch by itself need not balance" not in page


def test_a_row_leads_to_its_account_at_the_same_times(books, enter):
    client = enter("accountant")
    page = html(client, f"{TRIAL}?{DATES}&known_at=2026-11-24T11:00:00")

    cash = Account.objects.get(role="CASH", currency="KES", branch__name="Mombasa")
    link = (
        f"{reverse('portal-account', args=[cash.uid])}?as_of=2026-11-30&amp;known_at=2026-11-24T11%3A00%3A00"
    )
    assert page.count(f'href="{link}"') == 3
    assert link.replace("/?", "/explain/?") in page
    assert "Cash" in html(client, link.replace("&amp;", "&"))


def test_what_is_dated_back_later_changes_nothing_that_was_known(books, branch, enter):
    client = enter("accountant")
    known = f"{TRIAL}?{DATES}&known_at=2026-11-24T12:00:00"
    before = cells(html(client, known))

    book(5_000_00, date(2026, 11, 2), branch, now=LATER - timedelta(minutes=1))

    assert cells(html(client, known)) == before
    assert ["Total", "KES", "5,970.00", "5,970.00"] in cells(html(client, f"{TRIAL}?{DATES}"))


def test_the_page_says_that_it_may_still_change(books, branch, enter):
    client = enter("accountant")

    assert "Something may still be booked as of this instant." in html(client, f"{TRIAL}?{DATES}")
    known = f"{TRIAL}?{DATES}&known_at=2026-11-24T12:00:00"
    assert "Something may still be booked as of this instant." not in html(client, known)


def test_narrows_to_a_branch_and_says_so(books, mombasa, enter):
    page = html(enter("accountant"), f"{TRIAL}?{DATES}&branch={mombasa.id}")

    assert ["Total", "KES", "70.00", "70.00"] in cells(page)
    assert "900.00" not in page
    assert "A branch by itself need not balance" in page


def test_a_member_of_a_branch_sees_that_branch_alone(books, branch, mombasa, enter):
    client = enter("accountant", branches=(mombasa,))

    page = html(client, f"{TRIAL}?{DATES}")
    refused = html(client, f"{TRIAL}?{DATES}&branch={branch.id}", 422)

    assert ["Total", "KES", "70.00", "70.00"] in cells(page)
    assert "900.00" not in page + refused
    assert "Head office" not in page


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("as_of=2026-13-01", "Enter a day, as 2026-11-24."),
        ("as_of=0001-01-01", "Enter a year from 1900 to 2999."),
        ("known_at=yesterday", "Enter a day and a time, as 2026-11-24T10:41:00."),
        ("known_at=2026-12-24T10:41:00", "This is still to come"),
        ("branch=nowhere", "Select a valid choice."),
    ],
)
def test_what_cannot_be_read_is_said_beside_its_field(books, enter, query, sentence):
    page = html(enter("accountant"), f"{TRIAL}?{query}", 422)

    assert sentence in page
    assert "<table" not in page


def test_empty_books_say_so(branch, enter):
    access.portal()

    assert "Nothing was booked" in html(enter("accountant"), TRIAL)


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize(
    ("role", "opens"),
    [
        ("owner", 200),
        ("controller", 200),
        ("accountant", 200),
        ("developer", 403),
        ("support", 403),
        ("compliance", 403),
    ],
)
def test_who_may_open_and_who_may_take_away(books, enter, role, opens, report):
    client = enter(role)
    download = reverse("portal-report-download", args=[report])

    assert client.get(f"{BELOW}{report}/?{DATES}").status_code == opens
    again()
    assert dialogs.open_at(client, f"{download}?{DATES}").status_code == opens


@pytest.mark.parametrize("report", REPORTS)
def test_a_branch_and_an_organisation_see_their_own(books, branch, mombasa, enter, report):
    client = enter("accountant", branches=(mombasa,))

    page = html(client, f"{BELOW}{report}/?{DATES}")

    assert "70.00" in page
    assert "900.00" not in page
    assert "900.00" not in html(client, f"{BELOW}{report}/?{DATES}&branch={branch.id}", 422)


def test_another_organisation_has_its_own_books(books, zuri):
    access.head_office()
    access.portal()
    access.member("owner", "zawadi@example.test")
    client = Client(headers={"host": "zuri.testserver"})
    assert client.login(username="zawadi@example.test", password=access.PASSWORD)

    assert "900.00" not in client.get(f"{TRIAL}?{DATES}").content.decode()


def take_away(client, query: str, file_format: str, report: str = "trial-balance") -> Job:
    """Send the dialog and let a worker make the file."""
    url = f"{reverse('portal-report-download', args=[report])}?{query}"
    assert dialogs.send(client, url, file_format=file_format).status_code == 204
    again()
    job = Job.objects.order_by("id").last()
    job_factory.work(job, now=clock.now())
    job = job_factory.reloaded(job)
    assert job.status == JobStatus.SUCCEEDED
    return job


def test_every_file_has_the_totals_of_the_page(books, enter):
    client = enter("controller")
    page = html(client, f"{TRIAL}?{DATES}")
    (query,) = set(re.findall(r'/do/download/\?([^"]+)"', page))

    for file_format in ("CSV", "XLSX", "PDF"):
        job = take_away(client, query.replace("&amp;", "&"), file_format)

        assert [(label, money) for label, money in job.totals] == [
            ("Total debit", kes(970_00)),
            ("Total credit", kes(970_00)),
            ("Total debit", Money(11_00, "USD")),
            ("Total credit", Money(11_00, "USD")),
        ]
        told = html(client, reverse("portal-job", args=[job.id]))
        assert "30 Nov 2026" in told
        assert f"Format</dt><dd>{file_format}" in told


def test_the_same_dates_give_the_same_bytes_whatever_is_dated_back(books, branch, enter):
    client = enter("controller")
    query = f"{DATES}&known_at=2026-11-24T12:00:00"
    first = take_away(client, query, "CSV")

    book(5_000_00, date(2026, 11, 2), branch, now=LATER - timedelta(minutes=1))

    assert take_away(client, query, "CSV").result_sha256 == first.result_sha256


def test_a_member_of_a_branch_takes_that_branch_away(books, branch, mombasa, enter):
    client = enter("controller", branches=(mombasa,))
    url = reverse("portal-report-download", args=["trial-balance"])

    assert take_away(client, DATES, "CSV").totals[0] == ("Total debit", kes(70_00))
    assert dialogs.open_at(client, f"{url}?{DATES}&branch={branch.id}").status_code == 404


def test_a_report_that_nobody_knows_is_not_found(books, enter):
    client = enter("controller")

    url = reverse("portal-report-download", args=["nonsense"])
    assert dialogs.open_at(client, url).status_code == 404
    again()
    assert Job.objects.exists() is False


def test_the_balance_sheet_says_assets_and_what_they_stand_against(books, enter):
    page = cells(html(enter("accountant"), f"{BELOW}balance-sheet/?{DATES}"))

    assert ["Assets in all", "KES", "950.00"] in page
    assert ["Result not yet closed", "KES", "950.00"] in page
    assert ["Liabilities, equity and result", "USD", "11.00"] in page


def test_profit_and_loss_begins_with_the_month_and_tells_branches_apart(books, branch, mombasa, enter):
    client = enter("accountant")
    page = html(client, f"{BELOW}profit-and-loss/?{DATES}")
    none = html(client, f"{BELOW}profit-and-loss/?since=2026-11-07&{DATES}")

    assert "1 Nov 2026" in page
    assert ["Profit", "KES", "950.00"] in cells(page)
    assert ["Head office", "KES", "880.00"] in cells(page)
    assert ["Mombasa", "KES", "70.00"] in cells(page)
    assert "Nothing was booked" not in page
    assert "950.00" not in none


def test_periods_stand_side_by_side_and_so_they_do_in_the_files(books, branch, enter):
    book(500_00, date(2026, 10, 31), branch)
    client = enter("controller")

    page = html(client, f"{BELOW}profit-and-loss/?{DATES}&against=BEFORE")

    assert re.findall(r'<th scope="col" class="r">([^<]+)</th>', page) == ["Nov 2026", "Oct 2026", "Change"]
    assert ["Profit", "KES", "950.00", "500.00", "450.00"] in cells(page)
    (query,) = set(re.findall(r'/do/download/\?([^"]+)"', page))
    assert "against=BEFORE" in query
    for file_format in ("CSV", "XLSX", "PDF"):
        job = take_away(client, query.replace("&amp;", "&"), file_format, "profit-and-loss")
        assert ("Profit, Nov 2026", kes(950_00)) in job.totals
        assert ("Profit, Oct 2026", kes(500_00)) in job.totals


def test_more_than_twelve_months_and_days_that_run_backwards_are_refused_at_their_field(books, enter):
    client = enter("accountant")
    url = f"{BELOW}profit-and-loss/?{DATES}"

    assert "Twelve months are shown" in html(client, f"{url}&since=2025-11-30&against=MONTHS", 422)
    assert "The first day is after the last one." in html(client, f"{url}&since=2026-12-01", 422)
    assert "Select a valid choice" in html(client, f"{url}&against=NEVER", 422)


def test_the_general_ledger_runs_from_opening_to_closing_page_by_page(books, branch, enter, monkeypatch):
    monkeypatch.setattr("apps.portal.selectors.general_ledger.ROWS", 2)
    client = enter("accountant")
    url, seen, pages = f"{BELOW}general-ledger/?since=2026-11-04&{DATES}", "", 0

    while url:
        page = html(client, url)
        seen, pages = seen + page, pages + 1
        found = re.search(r'rel="next" href="([^"]+)"', page)
        url = f"{BELOW}general-ledger/{found[1].replace('&amp;', '&')}" if found else ""

    assert pages > 1
    assert seen.count('Opening balance</td><td class="r"><span class="t-money">900.00') == 2
    assert seen.count("Closing balance</td>") == 7
    assert html(client, f"{BELOW}general-ledger/?{DATES}&after=nonsense")


def test_the_general_ledger_asks_as_often_for_many_accounts_as_for_few(books, branch, enter):
    client = enter("accountant")
    html(client, f"{BELOW}general-ledger/?{DATES}")

    def asked() -> tuple[int, int]:
        with CaptureQueriesContext(connection) as captured:
            page = client.get(f"{BELOW}general-ledger/?{DATES}")
        again()
        return len(captured), page.content.decode().count("Opening balance</td>")

    few, shown = asked()
    for place in (branch, ledger.branch(name="Kisumu"), ledger.branch(name="Nakuru")):
        roles = (AccountRole.SUSPENSE, AccountRole.UNAPPLIED_COLLECTIONS)
        ledger.post(ledger.transfer(*(ledger.ref(role, place.id) for role in roles), 5_00))

    assert asked() == (few, shown + 6)


@pytest.mark.parametrize("report", ["balance-sheet", "profit-and-loss", "general-ledger"])
def test_a_page_and_its_file_have_one_set_of_totals(books, enter, report):
    client = enter("controller")
    page = html(client, f"{BELOW}{report}/?{DATES}")
    (query,) = set(re.findall(r'/do/download/\?([^"]+)"', page))

    job = take_away(client, query.replace("&amp;", "&"), "CSV", report)

    assert job.totals
    for _label, money in job.totals:
        assert str(money).partition(" ")[2] in page

"""Files of the ledger explorer: the totals of the page, the same bytes at the same dates, and only what the person sees."""

import csv
import re
from datetime import date, timedelta
from decimal import Decimal
from itertools import product

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from apps.jobs.contracts import JobStatus
from apps.jobs.models import Job
from apps.kit import clock, storage
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole
from apps.ledger.selectors import accounts
from apps.ledger.services import charts
from apps.tenancy.selectors import organisations
from tests import dialogs
from tests.factories import access, ledger
from tests.factories import jobs as job_factory
from tests.portal.story import NOW

LATER = NOW + timedelta(hours=1)
CHART = "/portal/ledger/accounts/"
DOWNLOAD = "/portal/ledger/accounts/do/download/"
KNOWN = "as_of=2026-11-24&known_at=2026-11-24T11:30:00"


@pytest.fixture(autouse=True)
def later(story):
    charts.install(actor=SYSTEM, now=NOW)
    access.portal()
    with clock.fixed(LATER):
        yield


def again() -> None:
    """Come back to the organisation that a request has left."""
    connection.set_tenant(organisations.everything().get(slug="acme"))


def html(client, url: str) -> str:
    response = client.get(url)
    again()
    assert response.status_code == 200, url
    return response.content.decode()


def suspense(branch):
    return next(
        one for one in accounts.with_balances(role=AccountRole.SUSPENSE) if one.branch_id == branch.id
    )


def page_of(account) -> str:
    return reverse("portal-account", args=[account.uid])


def button(page: str) -> str:
    """Return the address of the one button that takes the page away."""
    (url,) = set(re.findall(r'hx-get="(/portal/ledger/accounts/[^"]*do/download/[^"]*)"', page))
    return url.replace("&amp;", "&")


def take_away(client, url: str, file_format: str = "CSV") -> Job:
    """Send the dialog and let a worker make the file."""
    assert dialogs.send(client, url, file_format=file_format).status_code == 204
    again()
    job = Job.objects.order_by("id").last()
    job_factory.work(job, now=clock.now())
    job = job_factory.reloaded(job)
    assert job.status == JobStatus.SUCCEEDED
    return job


def book_late(branch, minor: int = 5_00, day: date = date(2026, 11, 2)) -> None:
    refs = [ledger.ref(role, branch.id) for role in (AccountRole.CASH, AccountRole.SUSPENSE)]
    ledger.post(ledger.transfer(*refs, minor, effective_date=day), now=LATER)


@pytest.mark.parametrize("file_format", ["CSV", "XLSX", "PDF"])
def test_the_chart_has_the_totals_of_its_page(story, enter, file_format):
    client = enter("controller")
    page = html(client, CHART)

    job = take_away(client, button(page), file_format)

    assert job.totals == [
        ("1 Assets", Money(17_412_50, "KES")),
        ("2 Liabilities", Money(17_500_00, "KES")),
        ("5 Cost of sales and payments", Money(87_50, "KES")),
    ]
    for _, money in job.totals:
        assert f'data-minor="{money.minor}"' in page


def test_a_narrowed_chart_is_taken_away_as_narrowed(story, enter):
    client = enter("controller")

    job = take_away(client, button(html(client, f"{CHART}?role=SUSPENSE&currency=KES")))

    assert job.totals == [("2 Liabilities", Money(13_500_00, "KES"))]
    told = html(client, reverse("portal-job", args=[job.id]))
    assert "Role</dt><dd>Suspense" in told
    assert "Currency</dt><dd>KES" in told


def test_the_dialog_and_the_file_of_a_narrowed_chart_say_what_narrows_it(story, enter):
    client = enter("controller")
    branch = story.head_office
    url = button(
        html(client, f"{CHART}?{KNOWN}&type=LIABILITY&role=SUSPENSE&currency=KES&branch={branch.id}")
    )
    narrowed = [("Branch", branch.name), ("Currency", "KES"), ("Type", "Liability"), ("Role", "Suspense")]

    shown = dialogs.open_at(client, url).content.decode()
    again()
    above = above_and_rows(take_away(client, url))[0]

    for label, word in narrowed:
        assert re.search(rf"<dt>{label}</dt><dd[^>]*>{word}<", shown), label
        assert above[label] == [word]
    assert above["Known at"] == ["24 Nov 2026, 11:30:00 EAT"]
    assert above["Rows"] == ["1"]
    whole = dialogs.open_at(client, button(html(client, CHART))).content.decode()
    assert not re.search(r"<dt>(Branch|Currency|Type|Role)</dt>", whole)


def above_and_rows(job: Job) -> tuple[dict[str, list[str]], list[dict[str, str]]]:
    """Return what stands above the rows of a file in CSV, by label, and its rows."""
    content = storage.read(key=job.result_key, sha256=job.result_sha256).decode()
    lines = list(csv.reader(content.splitlines()))
    gap = lines.index([])
    heads, *rows = lines[gap + 1 :]
    return {line[0]: line[1:] for line in lines[:gap]}, [dict(zip(heads, row, strict=True)) for row in rows]


LINE = re.compile(
    r'<tr><td[^>]*>([^<]+)</td>.*?<td class="r">(.*?)</td><td class="r">(.*?)</td><td class="r t-strong">(.*?)</td></tr>'
)
FOOTING = re.compile(r'<span class="v"[^>]*>(.*?)</span><span class="n">')


def sum_of(shown: str) -> Decimal:
    """Read a sum as the page draws it, or as a file writes it."""
    text = re.sub(r"<[^>]+>|,|KES", "", shown).replace("\N{MINUS SIGN}", "-").strip()
    return Decimal(text or 0)


def test_a_statement_has_the_entries_of_its_page_whatever_is_asked_for(story, enter):
    client = enter("controller")
    for day, sum_ in ((date(2026, 10, 31), 5_00), (date(2026, 11, 1), 6_00), (date(2026, 12, 31), 7_00)):
        book_late(story.head_office, sum_, day)
        book_late(story.other_branch, sum_ * 2, day)
    days = ("", "as_of=2026-11-01", "since=2026-10-01", "since=2026-11-24&as_of=2026-12-31")
    found = []

    for branch, asked, known_at in product(
        (story.head_office, story.other_branch), days, ("", "known_at=2026-11-24T11:30:00")
    ):
        page = html(client, f"{page_of(suspense(branch))}?{asked}&{known_at}")
        above, rows = above_and_rows(take_away(client, button(page)))

        entries = [tuple(map(sum_of, cells)) for _day, *cells in LINE.findall(page)]
        assert entries[::-1] == [
            tuple(sum_of(row[head]) for head in ("Debit", "Credit", "Balance")) for row in rows
        ]
        footing = [sum_of(shown) for shown in FOOTING.findall(page)]
        assert footing == [
            sum_of(above[label][1])
            for label in ("Opening balance", "Total debit", "Total credit", "Closing balance")
        ]
        assert (footing[0] - footing[1] + footing[2], len(rows)) == (footing[3], int(above["Rows"][0]))
        found.append((str(footing[0]), len(rows)))
    assert found[:8] == [
        ("5.00", 2), ("0.00", 1), ("5.00", 1), ("0.00", 0), ("0.00", 3), ("0.00", 1), ("11.00", 2), ("0.00", 1),
    ]  # fmt: skip


@pytest.mark.parametrize("file_format", ["CSV", "XLSX", "PDF"])
def test_a_statement_has_the_balances_of_its_page(story, enter, file_format):
    client = enter("controller")
    book_late(story.head_office, day=date(2026, 10, 2))
    url = f"{page_of(suspense(story.head_office))}?since=2026-11-01&as_of=2026-11-24"

    page = html(client, url)
    job = take_away(client, button(page), file_format)

    assert 'data-amount="13505.00"' in page
    assert [(label, money.text) for label, money in job.totals] == [
        ("Opening balance", "5.00"),
        ("Total debit", "0.00"),
        ("Total credit", "13500.00"),
        ("Closing balance", "13505.00"),
    ]


def test_the_dialog_says_what_will_be_in_the_file(story, enter):
    client = enter("controller")
    url = f"{page_of(suspense(story.head_office))}?{KNOWN}&since=2026-11-01"

    shown = dialogs.open_at(client, button(html(client, url))).content.decode()

    assert "Download the statement of 2150 Suspense" in shown
    assert "1 Nov 2026 to 24 Nov 2026, as known at 24 Nov 2026, 11:30:00 EAT" in shown
    assert "13,500.00" in shown


@pytest.mark.parametrize("of", ["chart", "statement"])
def test_the_same_dates_give_the_same_bytes_whatever_is_dated_back(story, enter, of):
    client = enter("controller")
    url = DOWNLOAD
    if of == "statement":
        url = reverse("portal-account-download", args=[suspense(story.head_office).uid])
    first = take_away(client, f"{url}?{KNOWN}")

    book_late(story.head_office)

    assert take_away(client, f"{url}?{KNOWN}").result_sha256 == first.result_sha256
    assert take_away(client, f"{url}?as_of=2026-11-24").result_sha256 != first.result_sha256


def test_a_member_of_a_branch_takes_that_branch_away(story, enter):
    client = enter("controller", branches=(story.other_branch,))
    foreign = suspense(story.head_office)

    job = take_away(client, button(html(client, CHART)))

    assert job.totals[0] == ("1 Assets", Money(2_487_50, "KES"))
    again()
    for url in (
        f"{DOWNLOAD}?branch={story.head_office.id}",
        reverse("portal-account-download", args=[foreign.uid]),
        f"{DOWNLOAD}?as_of=nonsense",
    ):
        assert dialogs.open_at(client, url).status_code == 404
        again()
    assert Job.objects.count() == 1


@pytest.mark.parametrize(
    ("role", "opens", "downloads"),
    [
        ("owner", 200, 200),
        ("controller", 200, 200),
        ("accountant", 200, 200),
        ("auditor", 200, 200),
        ("approver", 200, 403),
        ("developer", 403, 403),
        ("support", 403, 403),
        ("compliance", 403, 403),
    ],
)
def test_who_may_open_and_who_may_take_away(story, enter, role, opens, downloads):
    client = enter(role)
    account = suspense(story.head_office)

    for page, file in (
        (CHART, DOWNLOAD),
        (page_of(account), reverse("portal-account-download", args=[account.uid])),
    ):
        response = client.get(page)
        again()
        assert response.status_code == opens
        assert (b"do/download/" in response.content) is (opens == downloads == 200)
        assert dialogs.open_at(client, file).status_code == downloads
        again()


def test_another_organisation_has_its_own_books(story, zuri):
    account = suspense_of_acme(story)
    access.head_office()
    access.portal()
    access.member("owner", "zawadi@example.test")
    client = Client(headers={"host": "zuri.testserver"})
    assert client.login(username="zawadi@example.test", password=access.PASSWORD)

    assert "13,500.00" not in client.get(CHART).content.decode()
    assert client.get(page_of(account)).status_code == 404
    assert dialogs.open_at(client, reverse("portal-account-download", args=[account.uid])).status_code == 404


def suspense_of_acme(story):
    again()
    found = suspense(story.head_office)
    connection.set_tenant(organisations.everything().get(slug="zuri"))
    return found


def test_the_export_of_entries_keeps_the_branch_and_the_day_and_says_what_it_cannot_keep(story, enter):
    client = enter("controller")
    url = reverse("portal-ledger-export")

    kept = dialogs.open_at(client, f"{url}?branch={story.other_branch.id}&as_of=2026-11-24")
    again()
    refused = dialogs.open_at(client, f"{url}?currency=KES")

    assert b"City centre" in kept.content
    assert b"cannot be exported" not in kept.content
    assert b"An export cannot keep the filter" in refused.content

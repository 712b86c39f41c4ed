"""Print reports: CSV, XLSX and PDF of one table have equal totals, and come out byte for byte the same again."""

import csv
import io
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from apps.access.models import Branch
from apps.jobs.contracts import JobStatus
from apps.jobs.models import Job
from apps.jobs.services import runs
from apps.kit import errors, ids
from apps.kit.actors import SYSTEM
from apps.ledger.contracts import AccountRole
from apps.ledger.models import Account
from apps.ledger.rendering.tables import Table
from apps.ledger.selectors.reports.basis import DatesInvalid
from apps.ledger.selectors.reports.general_ledger import TooManyEntries
from apps.ledger.services import reports
from apps.ledger.services.reports import NewReport, ReportFormat, ReportName
from tests.factories import access, ledger
from tests.factories.ledger import NOW

NOVEMBER, LAST = date(2026, 11, 1), date(2026, 11, 30)
KNOWN = NOW + timedelta(hours=1)
LATER = NOW + timedelta(hours=2)


@pytest.fixture
def books(branch) -> Branch:
    """Sales in two currencies, a huge one among them, fees, and a name that looks like a formula."""
    cash, sales, fees = AccountRole.CASH, AccountRole.REVENUE, AccountRole.PROVIDER_FEES
    for debited, credited, currency, minor, day in (
        (cash, sales, "KES", 12_400_00, 3),
        (fees, cash, "KES", 62_00, 4),
        (cash, sales, "KES", 987_654_321_987_654_32, 5),
        (cash, sales, "USD", 99, 6),
    ):
        refs = [ledger.ref(role, branch.id, currency) for role in (debited, credited)]
        facts = {"effective_date": date(2026, 11, day), "description": "=1+1", "reference": "NLJ7RT61SV"}
        ledger.post(ledger.transfer(*refs, minor, **facts))
    return branch


def asked(name: ReportName, file_format: ReportFormat = ReportFormat.CSV, **facts: object) -> NewReport:
    account = Account.objects.get(role="CASH", currency="KES") if name == ReportName.STATEMENT else None
    return NewReport(
        **{
            "name": name,
            "as_of": LAST,
            "known_at": KNOWN,
            "since": NOVEMBER,
            "file_format": file_format,
            "account_uid": account and account.uid,
            **facts,
        }
    )


def table(name: ReportName) -> Table:
    return reports.tabulate(asked(name), within=None, now=LATER)


def written(folder: Path, name: ReportName, file_format: ReportFormat) -> bytes:
    return reports.write(table(name), file_format, folder=folder).path.read_bytes()


def sums(rows: list[list[str]], heads: list[str]) -> dict[tuple[str, str], Decimal]:
    """Sum the columns of money by head and currency, from the cells of a file."""
    found: dict[tuple[str, str], Decimal] = {}
    for row in rows:
        cells = dict(zip(heads, row, strict=True))
        for head in ("Debit", "Credit", "Balance", "Amount"):
            if cells.get(head) not in (None, ""):
                key = head, str(cells["Currency"])
                found[key] = found.get(key, Decimal()) + Decimal(str(cells[head]))
    return found


def from_csv(content: bytes) -> tuple[list[list[str]], list[list[str]]]:
    lines = list(csv.reader(io.StringIO(content.decode())))
    gap = lines.index([])
    return lines[:gap], lines[gap + 1 :]


@pytest.mark.parametrize("name", list(ReportName))
def test_three_files_have_the_totals_of_one_table(books, tmp_path, name):
    expected = table(name)

    above, (heads, *rows) = from_csv(written(tmp_path, name, ReportFormat.CSV))
    book = load_workbook(io.BytesIO(written(tmp_path, name, ReportFormat.XLSX)))
    pages = PdfReader(io.BytesIO(written(tmp_path, name, ReportFormat.PDF))).pages
    text = " ".join("\n".join(page.extract_text() for page in pages).split())

    assert len(rows) == len(list(expected.rows)) > 0
    assert ["Rows", str(len(rows))] in above
    assert f"Rows {len(rows)} " in text
    about, sheet = (list(book[sheet].values) for sheet in book.sheetnames)
    for label, money in expected.totals:
        assert [label, money.currency, money.text] in above
        assert (label, money.currency) in [line[:2] for line in about]
        assert str(money).partition(" ")[2].replace("-", "\N{MINUS SIGN}") in text
    assert sums([[*row] for row in sheet[1:]], list(sheet[0])) == sums(rows, heads)
    if name == ReportName.TRIAL_BALANCE:
        in_file = sums(rows, heads)
        assert [in_file["Debit", money.currency] for label, money in expected.totals if "debit" in label] == [
            money.decimal for label, money in expected.totals if "debit" in label
        ]


@pytest.mark.parametrize("file_format", list(ReportFormat))
@pytest.mark.parametrize("name", [ReportName.TRIAL_BALANCE, ReportName.STATEMENT])
def test_prints_the_same_bytes_after_later_entries(books, tmp_path, name, file_format):
    before = written(tmp_path, name, file_format)

    cash, fresh = (ledger.ref(role, books.id) for role in (AccountRole.CASH, AccountRole.SUSPENSE))
    ledger.post(ledger.transfer(cash, fresh, 5, effective_date=NOVEMBER), now=LATER)

    assert written(tmp_path, name, file_format) == before


def test_every_page_says_whose_it_is_of_when_and_which_page(books, tmp_path):
    text = (
        PdfReader(io.BytesIO(written(tmp_path, ReportName.GENERAL_LEDGER, ReportFormat.PDF)))
        .pages[0]
        .extract_text()
    )

    for part in (
        "Acme",
        "General ledger",
        "1 Nov 2026",
        "30 Nov 2026",
        "24 Nov 2026, 11:41:00 EAT",
        "Page 1 / 2",
    ):
        assert part in text
    assert "=1+1" in text


def test_a_spreadsheet_reads_no_formula(books, tmp_path):
    _, (heads, *rows) = from_csv(written(tmp_path, ReportName.GENERAL_LEDGER, ReportFormat.CSV))

    assert {row[heads.index("Description")] for row in rows} == {"'=1+1 NLJ7RT61SV"}


def test_one_known_within_the_minute_says_that_it_is_provisional(books):
    fresh = reports.tabulate(asked(ReportName.TRIAL_BALANCE), within=None, now=KNOWN + timedelta(seconds=30))

    assert "Provisional" in dict(fresh.facts)
    assert "Provisional" not in dict(table(ReportName.TRIAL_BALANCE).facts)


def test_an_empty_report_says_so(acme, tmp_path):
    empty = reports.tabulate(asked(ReportName.TRIAL_BALANCE), within=None, now=LATER)

    content = reports.write(empty, ReportFormat.PDF, folder=tmp_path).path.read_bytes()
    assert "Nothing was booked" in PdfReader(io.BytesIO(content)).pages[0].extract_text()


@pytest.mark.parametrize(
    ("facts", "field", "refusal"),
    [
        ({"since": None}, "/since", reports.ReportInvalid),
        ({"since": date(2026, 12, 1)}, "/since", DatesInvalid),
        ({"name": ReportName.STATEMENT, "account_uid": None}, "/account", reports.ReportInvalid),
    ],
)
def test_what_is_not_whole_is_refused(books, facts, field, refusal):
    with pytest.raises(refusal) as raised:
        reports.tabulate(asked(**{"name": ReportName.GENERAL_LEDGER, **facts}), within=None, now=LATER)

    assert raised.value.errors[0].pointer == field


def test_more_lines_than_pages_hold_are_refused(books, tmp_path, monkeypatch):
    monkeypatch.setattr(reports, "PAGE_ROWS_MAX", 3)

    with pytest.raises(TooManyEntries):
        written(tmp_path, ReportName.TRIAL_BALANCE, ReportFormat.PDF)


def start(user: object, request: NewReport) -> Job:
    return reports.start(request=request, caller=user, actor=SYSTEM, now=LATER)


def test_a_job_makes_the_file_of_what_the_person_sees(books):
    elsewhere = ledger.branch()
    access.portal()
    ledger.post(
        ledger.transfer(
            ledger.ref(AccountRole.CASH, elsewhere.id), ledger.ref(AccountRole.SUSPENSE, elsewhere.id), 7_00
        )
    )
    person = access.member("accountant", "juma@example.test", branches=(elsewhere,)).user

    job = start(person, asked(ReportName.TRIAL_BALANCE, ReportFormat.CSV))

    with runs.taken_up(job_id=job.id, now=LATER) as run:
        while runs.go_on(run, read_clock=lambda: LATER):
            pass
    job.refresh_from_db()
    assert (job.status, job.branch_ids, job.result_rows) == (JobStatus.SUCCEEDED, [elsewhere.id], 2)
    assert job.result_name == "trial-balance-2026-11-30.csv"


@pytest.mark.parametrize("role", ["support", "approver"])
def test_who_may_not_see_the_ledger_or_take_files_away_gets_no_report(books, role):
    outsider = access.member(role, "asha@example.test").user

    with pytest.raises(reports.ReportForbidden):
        start(outsider, asked(ReportName.TRIAL_BALANCE))
    assert not Job.objects.exists()


def test_an_account_of_another_branch_is_not_found(books):
    person = access.member("accountant", "juma@example.test", branches=(ledger.branch(),)).user

    with pytest.raises(errors.NotFound):
        start(person, asked(ReportName.STATEMENT))
    with pytest.raises(errors.NotFound):
        reports.tabulate(asked(ReportName.STATEMENT), within=frozenset({ids.new()}), now=LATER)

"""Export list."""

import csv
import io
from datetime import date, timedelta
from decimal import Decimal

import openpyxl
import pytest
from django.db.models import F, QuerySet
from django.db.models.functions import Cast, Random
from hypothesis import given
from hypothesis import strategies as st

from apps.access.selectors import branches
from apps.audit.models import AuditRecord
from apps.events.models import OutboxEvent
from apps.jobs.contracts import (
    SOURCES,
    Column,
    FileFormat,
    JobStatus,
    Reach,
    Source,
    ValueKind,
    declare_source,
)
from apps.jobs.models import Job
from apps.jobs.rendering.cells import About
from apps.jobs.rendering.csv import CsvWriter
from apps.jobs.rendering.xlsx import XlsxWriter
from apps.jobs.selectors import export_requests, export_rows
from apps.jobs.selectors.export_rows import Snapshot
from apps.jobs.services import export_runs, exports, jobs, runs, sweeps
from apps.kit.actors import SYSTEM
from apps.kit.models import MinorField
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole
from apps.payments.models import PaymentIntent
from tests.factories import access, ledger, payments
from tests.factories import jobs as make
from tests.jobs.exporting import content, parts, start

NOW = payments.NOW
RESTLESS = declare_source(
    Source(
        name="test_restless",
        title="Restless",
        permission="payments.view",
        scope="",
        columns=(Column("Amount", "restless", ValueKind.MONEY, "currency"),),
        rows=lambda _: PaymentIntent.objects.annotate(
            restless=Cast(Random() * 1_000_000_000 + F("amount_minor"), MinorField())
        ),
        branch_field="branch_id",
        day_field="created_at",
    )
)


def test_writes_what_the_list_shows_and_what_it_adds_up_to(amina):
    payments.intent(reference="ORD-1", description="Lunch")
    payments.intent(reference="ORD-2", money=Money(20_00, "KES"))

    job = start(amina)
    about, heads, rows = parts(job)

    assert about == [
        ["Organisation", "Acme"],
        ["List", "Payments"],
        ["Branch", "All branches"],
        ["Made by", "Amina"],
        ["As of", "2026-11-24T11:41:00+03:00"],
        ["Rows", "2"],
        ["Total, Paid", "KES", "0.00"],
        ["Total, Amount", "KES", "1520.00"],
    ]
    assert heads[0] == "Created (EAT)"
    assert [dict(zip(heads, row, strict=True)) for row in rows][1] == {
        "Created (EAT)": "2026-11-24T10:41:00+03:00",
        "Payment": rows[1][1],
        "Branch": "Head office",
        "Payer": "Njeri Kamau",
        "Phone": "0712 ••• 678",
        "Reference": "ORD-1",
        "Description": "Lunch",
        "Rail": "Mpesa",
        "Receipt": "",
        "Status": "Processing",
        "Settled (EAT)": "",
        "Currency": "KES",
        "Paid": "0.00",
        "Amount": "1500.00",
    }
    assert [row[5] for row in rows] == ["ORD-2", "ORD-1"]
    done = make.reloaded(job)
    assert (done.result_rows, done.totals) == (
        2,
        [("Paid", Money.zero("KES")), ("Amount", Money(1520_00, "KES"))],
    )
    assert done.result_name == "payments-2026-11-24-1141.csv"
    assert OutboxEvent.objects.filter(aggregate_id=job.id, type="job_finished").count() == 1


def test_begins_with_a_mark_where_asked(amina):
    assert content(start(amina, with_bom=True)).startswith(b"\xef\xbb\xbfOrganisation,Acme\r\n")
    assert content(start(amina)).startswith(b"Organisation,Acme\r\n")


def test_writes_numbers_and_dates_into_a_spreadsheet(amina):
    payments.intent(reference="ORD-1")

    book = openpyxl.load_workbook(io.BytesIO(content(start(amina, file_format=FileFormat.XLSX))))

    about = [[cell.value for cell in row] for row in book["About"].iter_rows()]
    assert about[0][:2] == ["Organisation", "Acme"]
    assert about[-1] == ["Total, Amount", "KES", 1500]
    heads, row = book["Payments"].iter_rows()
    cells = {head.value: cell for head, cell in zip(heads, row, strict=True)}
    assert (cells["Amount"].value, cells["Amount"].number_format) == (1500, "#,##0.00")
    assert cells["Created (EAT)"].value.isoformat() == "2026-11-24T10:41:00"
    assert cells["Reference"].value == "ORD-1"
    assert book["Payments"].freeze_panes == "A2"


def test_filters_as_asked_and_says_so(amina):
    west = access.branch("NBO-WST", "Westlands")
    payments.account(branch_id=west.id)
    payments.account()
    yesterday = NOW - timedelta(days=1)
    payments.intent(reference="YESTERDAY", branch_id=west.id, now=yesterday)
    payments.intent(reference="WEST", branch_id=west.id)
    payments.intent(reference="HQ")
    day = date(2026, 11, 24)

    about, _, rows = parts(
        start(
            amina,
            branch_id=west.id,
            from_date=day,
            to_date=day,
            choices={"status": ("PROCESSING", "UNKNOWN")},
            search="WEST",
        )
    )

    assert [row[5] for row in rows] == ["WEST"]
    assert about[2:6] == [
        ["Branch", "Westlands"],
        ["Days", "2026-11-24 to 2026-11-24"],
        ["Status", "Processing, Unknown"],
        ["Search", "WEST"],
    ]


def test_says_what_was_searched_for_without_the_whole_of_it(amina):
    for term, kept in {
        "0712345678": "0712 ••• 678",
        "712 345 678": "0712 ••• 678",
        "njeri@example.com": "n•••@example.com",
        "ORD-1": "ORD-1",
    }.items():
        job = start(amina, search=term)

        assert ["Search", kept] in parts(job)[0]
        record = AuditRecord.objects.get(action="job.started", object_id=str(job.id))
        assert record.changes["Search"] == [None, kept]


def test_reads_no_more_than_the_starter_sees(committed_acme):
    access.portal()
    cbd = access.branch()
    payments.account(branch_id=cbd.id)
    payments.account()
    payments.intent(reference="CBD", branch_id=cbd.id)
    payments.intent(reference="HQ")
    bound = access.member(branches=(cbd,)).user

    job = start(bound)
    about, _, rows = parts(job)

    assert [row[5] for row in rows] == ["CBD"]
    assert about[2] == ["Branch", "Nairobi CBD"]
    assert make.reloaded(job).branch_ids == [cbd.id]
    with pytest.raises(branches.BranchForbidden):
        start(bound, branch_id=access.head_office().id)


def test_a_key_reads_its_own_application(committed_acme):
    caller = access.caller()
    payments.intent(reference="OWN")
    payments.intent(reference="OTHER", application_id=access.application("other").id)

    job = start(caller)
    _, _, rows = parts(job)

    assert [row[5] for row in rows] == ["OWN"]
    assert make.reloaded(job).application_ids == [caller.application_id]


def test_refuses_and_starts_nothing(committed_acme):
    access.head_office()
    access.portal()
    support = access.member("support").user
    owner = access.member("owner", "owner@example.test").user
    key = access.caller(scopes=("exports:write",))

    for refusal, caller, facts in (
        (exports.ExportForbidden, support, {}),
        (exports.ExportForbidden, key, {}),
        (exports.ExportForbidden, access.caller(), {"source": "ledger_entries"}),
        (exports.ExportUnknown, owner, {"source": "secrets"}),
        (export_requests.ExportFilterInvalid, owner, {"choices": {"colour": ("RED",)}}),
        (export_requests.ExportFilterInvalid, owner, {"choices": {"status": ("GONE",)}}),
        (
            export_requests.ExportFilterInvalid,
            owner,
            {"from_date": date(2026, 2, 2), "to_date": date(2026, 2, 1)},
        ),
        (export_requests.ExportFilterInvalid, owner, {"source": "ledger_entries", "search": "x"}),
    ):
        with pytest.raises(refusal):
            start(caller, **facts)
    assert Job.objects.count() == 0


def test_debits_and_credits_are_totalled_by_currency(amina):
    for currency, minor in (("KES", 1000_00), ("USD", 25_50)):
        office = access.head_office().id
        cash = ledger.ref(AccountRole.SUSPENSE, office, currency)
        other = ledger.ref(AccountRole.UNAPPLIED_COLLECTIONS, office, currency)
        ledger.post(ledger.transfer(cash, other, minor))

    job = start(amina, "ledger_entries")
    about, heads, rows = parts(job)

    assert len(rows) == 4
    assert about[-4:] == [
        ["Total, Debit", "KES", "1000.00"],
        ["Total, Debit", "USD", "25.50"],
        ["Total, Credit", "KES", "1000.00"],
        ["Total, Credit", "USD", "25.50"],
    ]
    assert heads[-4:] == ["Currency", "Debit", "Currency", "Credit"]


def test_one_snapshot_whatever_changes_meanwhile(amina, monkeypatch):
    monkeypatch.setattr(export_rows, "CHUNK", 2)
    intents = [payments.intent(reference=f"R-{place}") for place in range(5)]
    job = start(amina)

    with runs.taken_up(job_id=job.id, now=NOW) as run:
        assert runs.go_on(run, read_clock=lambda: NOW)
        PaymentIntent.objects.filter(id=intents[0].id).update(reference="CHANGED")
        payments.intent(reference="NEW")
        while runs.go_on(run, read_clock=lambda: NOW):
            pass

    done = make.reloaded(job)
    body = b"".join(jobs.open_result(job=done, actor=SYSTEM, now=NOW)).decode()
    assert (done.status, done.total, done.done, done.result_rows) == (JobStatus.SUCCEEDED, 5, 5, 5)
    assert "R-0" in body
    assert "CHANGED" not in body
    assert "NEW" not in body


def test_fails_when_what_is_written_is_not_what_was_summed(amina):
    payments.intent()
    job = start(amina, "test_restless")

    make.work(job)

    failed = make.reloaded(job)
    assert (failed.status, failed.result_key) == (JobStatus.FAILED, "")
    assert failed.error.startswith("What was written is not what the books hold")


def test_a_stopped_export_leaves_nothing_and_frees_its_snapshot(amina, monkeypatch):
    monkeypatch.setattr(export_rows, "CHUNK", 1)
    for _ in range(3):
        payments.intent()
    job = start(amina, file_format=FileFormat.XLSX)

    with runs.taken_up(job_id=job.id, now=NOW) as run:
        runs.go_on(run, read_clock=lambda: NOW)
        jobs.cancel(job_id=job.id, actor=SYSTEM, now=NOW)
        assert runs.go_on(run, read_clock=lambda: NOW) is False

    assert (make.reloaded(job).status, make.reloaded(job).result_key) == (JobStatus.CANCELLED, "")
    assert content(start(amina)).endswith(b"\r\n")


def test_an_export_that_was_interrupted_starts_a_new_file(amina, monkeypatch):
    monkeypatch.setattr(export_rows, "CHUNK", 1)
    for _ in range(3):
        payments.intent()
    job = start(amina)
    make.work(job, chunks=2)
    sweeps.run(now=NOW + timedelta(minutes=10))
    make.work(job, now=NOW + timedelta(minutes=10))

    done = make.reloaded(job)
    assert (done.status, done.attempt, done.done, done.result_rows) == (JobStatus.SUCCEEDED, 2, 3, 3)


def test_a_spreadsheet_that_cannot_hold_it_is_refused(amina, monkeypatch):
    monkeypatch.setattr(XlsxWriter, "rows_max", 1)
    payments.intent()
    payments.intent()
    job = start(amina, file_format=FileFormat.XLSX)

    make.work(job)

    assert make.reloaded(job).error == "The list has 2 rows, and XLSX holds 1. Narrow the filters."


def test_an_amount_beyond_a_spreadsheets_digits_stays_exact(tmp_path):
    path = tmp_path / "x.xlsx"
    with XlsxWriter(path, about=About("Rows", (), ()), heads=["Amount"], with_bom=False) as writer:
        writer.write([Money(12_345_678_901_234_567, "KES")])
        writer.write([Money(-12_34, "KES")])

    rows = [row[0].value for row in openpyxl.load_workbook(path)["Rows"].iter_rows(min_row=2)]
    assert rows == ["123456789012345.67", pytest.approx(-12.34)]
    assert isinstance(Decimal(rows[0]), Decimal)


def test_sources_are_querysets_in_their_own_order(amina):
    for source in SOURCES.values():
        assert isinstance(source.rows(Reach(None, None)), QuerySet)
        assert isinstance(source.rows(Reach(frozenset(), frozenset())), QuerySet)


@given(
    st.lists(
        st.tuples(st.sampled_from(["KES", "USD", "UGX", "ETH"]), st.integers(-(10**20), 10**20)), max_size=30
    )
)
def test_the_file_adds_up_to_its_control_totals(tmp_path_factory, amounts):
    rows = [Money(minor, currency) for currency, minor in amounts]
    control = export_runs.Control()
    path = tmp_path_factory.mktemp("sums") / "x.csv"

    with CsvWriter(path, about=About("Rows", (), ()), heads=["Currency", "Amount"], with_bom=False) as writer:
        for money in rows:
            control.add([money])
            writer.write([money.currency, money])

    read: dict[tuple[int, str], Money] = {}
    for currency, text in list(csv.reader(path.open(newline="")))[2:]:
        read[0, currency] = read.get((0, currency), Money.zero(currency)) + Money.parse(text, currency)
    assert (control.rows, control.totals) == (len(rows), read)
    control.check(Snapshot(len(rows), read, ()))
    for wrong in (
        Snapshot(len(rows) + 1, read, ()),
        Snapshot(len(rows), {**read, (1, "KES"): Money(1, "KES")}, ()),
    ):
        with pytest.raises(export_runs.ControlTotalsDiffer):
            control.check(wrong)

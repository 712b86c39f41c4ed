"""Reports over the API: figures, pages and files, each refusal and each kind of caller."""

import csv
import io
from datetime import timedelta

import pytest

from apps.jobs.models import Job
from apps.jobs.services import runs
from apps.kit import clock, ids
from apps.ledger.api import report_serializers as serializers
from apps.ledger.contracts import AccountRole
from apps.ledger.models import Account
from tests.factories import access, ledger
from tests.ledger.partner import Partner, kes, party, transfer
from tests.payments.partner import refused

SCOPES = ("ledger:read", "evidence:read", "exports:write", "jobs:read")
REPORTS = ("trial-balance", "balance-sheet", "profit-and-loss", "general-ledger", "without-evidence")


@pytest.fixture
def finance(acme):
    with clock.fixed(ledger.NOW):
        yield Partner(scopes=SCOPES)


@pytest.fixture
def books(finance):
    """Sell for KES 10.00 and pay fees of KES 3.00 at head office, and move KES 2.00 in another branch."""
    office, other = access.head_office().id, access.branch().id
    money = ledger.ref(AccountRole.PROVIDER_BALANCE, office)
    drafts = [
        ledger.transfer(money, ledger.ref(AccountRole.REVENUE, office), 10_00, description="Sale"),
        ledger.transfer(ledger.ref(AccountRole.PROVIDER_FEES, office), money, 3_00, description="Fee"),
        ledger.transfer(ledger.ref(AccountRole.CASH, other), ledger.ref(AccountRole.SUSPENSE, other), 2_00),
    ]
    return [ledger.post(draft) for draft in drafts]


def codes(rows):
    return [row["code"] for row in rows]


def test_reads_a_trial_balance(finance, books):
    said = finance.get("reports/trial-balance").json()

    assert set(serializers.TrialBalanceOut().fields) == set(said)
    assert (said["as_of"], said["known_at"]) == ("2026-11-24", "2026-11-24T07:41:00.000Z")
    assert (said["branch_id"], said["final"], said["balanced"]) == (None, False, True)
    assert codes(said["data"]) == ["1010", "1210", "2150", "4010", "5210"]
    assert [(row["debit"], row["credit"]) for row in said["data"]][:3] == [
        (kes("7.00"), None),
        (kes("2.00"), None),
        (None, kes("2.00")),
    ]
    assert said["totals"] == [{"debits": kes("12.00"), "credits": kes("12.00"), "difference": kes("0.00")}]
    assert said["data"][0]["headings"] == []
    before = finance.get("reports/trial-balance", known_at="2026-11-24T07:00:00Z").json()
    assert (before["data"], before["totals"], before["final"]) == ([], [], True)


def test_reads_a_balance_sheet(finance, books):
    said = finance.get("reports/balance-sheet", as_of="2026-11-24").json()

    assert set(serializers.BalanceSheetOut().fields) == set(said)
    assert (codes(said["assets"]), codes(said["liabilities"]), said["equity"]) == (
        ["1010", "1210"],
        ["2150"],
        [],
    )
    [total] = said["totals"]
    assert (total["assets"], total["result"], total["elsewhere"]) == (kes("9.00"), kes("7.00"), kes("0.00"))


def test_reads_a_profit_and_loss_account(finance, books):
    said = finance.get("reports/profit-and-loss").json()

    assert set(serializers.ProfitAndLossOut().fields) == set(said)
    assert (said["since"], codes(said["income"]), codes(said["expenses"])) == (
        "2026-11-01",
        ["4010"],
        ["5210"],
    )
    assert said["totals"] == [{"income": kes("10.00"), "expenses": kes("3.00"), "profit": kes("7.00")}]
    office = ids.encode("br", access.head_office().id)
    assert [(one["branch_id"], one["profit"]) for one in said["branches"]] == [(office, kes("7.00"))]
    assert (
        finance.get("reports/profit-and-loss", since="2026-11-25", as_of="2026-11-30").json()["totals"] == []
    )


def test_reads_the_general_ledger_page_by_page(finance, books):
    whole = finance.get("reports/general-ledger").json()

    assert set(serializers.GeneralLedgerOut().fields) == set(whole)
    assert codes(whole["data"]) == ["1010", "1210", "2150", "4010", "5210"]
    assert (whole["has_more"], whole["next_cursor"]) == (False, None)
    assert whole["totals"] == [{"debits": kes("15.00"), "credits": kes("15.00")}]
    first = whole["data"][0]
    assert (first["opening"], first["debits"], first["credits"]) == (kes("0.00"), kes("10.00"), kes("3.00"))
    assert [line["balance"] for line in first["lines"]] == [kes("10.00"), kes("7.00")]

    lines, cursor, asked = [], "", {"limit": 1, "known_at": whole["known_at"]}
    while cursor is not None:
        page = finance.get("reports/general-ledger", **asked, **({"cursor": cursor} if cursor else {})).json()
        assert page["totals"] == whole["totals"]
        lines += [(part["code"], line) for part in page["data"] for line in part["lines"]]
        cursor = page["next_cursor"]
    assert lines == [(part["code"], line) for part in whole["data"] for line in part["lines"]]


def test_an_account_that_did_not_move_stands_in_the_general_ledger_with_its_balance(finance, books):
    said = finance.get("reports/general-ledger", since="2026-11-25", as_of="2026-11-30").json()

    assert next((part["opening"], part["closing"], part["lines"]) for part in said["data"]) == (
        kes("7.00"),
        kes("7.00"),
        [],
    )
    assert said["totals"] == []


def test_lists_what_changed_since(finance, books):
    late = ledger.NOW + timedelta(hours=1)
    office = access.head_office().id
    refs = ledger.ref(AccountRole.PROVIDER_BALANCE, office), ledger.ref(AccountRole.REVENUE, office)
    with clock.fixed(late):
        changed = ledger.post(ledger.transfer(*refs, 1_00, effective_date=ledger.NOW.date()), now=late)
        ledger.post(ledger.transfer(*refs, 1_00, effective_date=(late + timedelta(days=2)).date()), now=late)
        asked = {"known_at": "2026-11-24T07:41:00Z", "as_of": "2026-11-24"}

        said = finance.get("reports/changes", **asked).json()

        assert [one["id"] for one in said["data"]] == [ids.encode("ltx", changed.id)]
        assert finance.get("reports/changes", **asked, until="2026-11-24T08:00:00Z").json()["data"] == []
        first = finance.get("reports/changes", known_at="2026-11-24T07:00:00Z", limit=2).json()
        rest = finance.get(
            "reports/changes", known_at="2026-11-24T07:00:00Z", limit=2, cursor=first["next_cursor"]
        ).json()
    assert (len(first["data"]), len(rest["data"]), rest["has_more"]) == (2, 2, False)


def test_explains_a_transaction_and_a_figure(finance, books):
    uid = ids.encode("ltx", books[0].id)
    account = ids.encode("acc", Account.objects.get(role="PROVIDER_BALANCE").uid)

    said = finance.get(f"transactions/{uid}/explanation").json()
    figure = finance.get(f"accounts/{account}/explanation").json()

    assert set(serializers.ExplanationOut().fields) == set(said)
    assert (said["description"], said["source_type"]) == ("Sale", "payment_intent")
    assert said["lack"] == "The payment_intent that it names does not exist."
    assert set(serializers.ExplainedFigureOut().fields) == set(figure)
    assert figure["formula"] == "KES 7.00 = KES 0.00 + KES 10.00 - KES 3.00"
    assert figure["statement"]["closing"] == kes("7.00")
    assert figure["explanations"][0] == said


def test_what_an_application_posts_rests_on_its_word_alone(finance):
    shop = Partner(scopes=("ledger:write", "evidence:read"))
    booked = shop.post("transactions", transfer(party(), party(), key="order-17")).json()["id"]

    said = shop.get(f"transactions/{booked}/explanation").json()

    assert [(fact["kind"], fact["text"], fact["proof"]) for fact in said["facts"]] == [
        ("subject", "Shop over the API, key order-17", False)
    ]
    assert said["lack"].startswith("Written by api_key:")


def test_lists_what_nothing_proves_page_by_page(finance, books):
    whole = finance.get("reports/without-evidence").json()

    assert set(serializers.EvidenceOut().fields) == set(whole)
    assert [one["transaction_id"] for one in whole["data"]] == [ids.encode("ltx", own.id) for own in books]
    first = finance.get("reports/without-evidence", limit=2).json()
    rest = finance.get(
        "reports/without-evidence", limit=2, cursor=first["next_cursor"], known_at=first["known_at"]
    ).json()
    assert (first["has_more"], rest["has_more"]) == (True, False)
    assert first["data"] + rest["data"] == whole["data"]


def test_a_page_of_what_nothing_proves_looks_at_a_bounded_number(finance, books, monkeypatch):
    monkeypatch.setattr("apps.ledger.selectors.explanations.LOOKED_AT", 2)
    first = finance.get("reports/without-evidence").json()

    rest = finance.get(
        "reports/without-evidence", cursor=first["next_cursor"], known_at=first["known_at"]
    ).json()

    assert (len(first["data"]), len(rest["data"]), rest["next_cursor"]) == (2, 1, None)


def work(job_id):
    """Do the job as a worker would, and return it."""
    job = Job.objects.get(id=ids.decode("job", job_id))
    with runs.taken_up(job_id=job.id, now=ledger.NOW) as run:
        while runs.go_on(run, read_clock=lambda: ledger.NOW):
            pass
    job.refresh_from_db()
    return job


@pytest.mark.parametrize("file_format", ["csv", "xlsx", "pdf"])
def test_makes_a_file_with_the_totals_of_the_report(finance, books, file_format):
    answer = finance.post("reports", {"report": "trial_balance", "format": file_format})

    said = answer.json()
    assert answer.status_code == 202, said
    assert set(serializers.LedgerJobOut().fields) == set(said)
    assert answer.headers["Location"] == f"/v1/acme/jobs/{said['id']}"
    job = work(said["id"])
    totals = finance.get("reports/trial-balance").json()["totals"][0]
    assert [money.wire() for _, money in job.totals] == [totals["debits"], totals["credits"]]
    content = finance.take(f"jobs/{said['id']}/result")
    assert content.startswith({"csv": b"", "xlsx": b"PK", "pdf": b"%PDF"}[file_format])
    if file_format == "csv":
        rows = list(csv.reader(io.StringIO(content.decode())))
        assert sum(row[1:2] == ["1010"] for row in rows) == 1


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"report": "nonsense"}, "invalid_choice", "/report"),
        ({}, "required", "/report"),
        ({"report": "trial_balance", "format": "doc"}, "invalid_choice", "/format"),
        ({"report": "statement"}, "required", "/account_id"),
        ({"report": "trial_balance", "account_id": "acc_06"}, "invalid", "/account_id"),
        ({"report": "trial_balance", "as_of": "soon"}, "invalid", "/as_of"),
        (
            {"report": "trial_balance", "since": "2026-12-01", "as_of": "2026-11-01"},
            "range_invalid",
            "/since",
        ),
        (
            {"report": "trial_balance", "branch_id": "br_00000000000000000000000001"},
            "branch_unknown",
            "/branch_id",
        ),
        ({"report": "trial_balance", "colour": "red"}, "unknown_field", "/colour"),
    ],
)
def test_refuses_a_file_by_naming_the_field(finance, body, code, pointer):
    refused(finance.post("reports", body), 422, code, pointer)

    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("report", "query", "code", "pointer"),
    [
        ("trial-balance", {"as_of": "24.11.2026"}, "invalid", "/as_of"),
        ("trial-balance", {"known_at": "infinity"}, "invalid", "/known_at"),
        ("balance-sheet", {"branch_id": "pi_1"}, "invalid", "/branch_id"),
        ("balance-sheet", {"branch_id": "br_00000000000000000000000001"}, "branch_unknown", "/branch_id"),
        ("profit-and-loss", {"since": "2026-11-25", "as_of": "2026-11-24"}, "range_invalid", "/since"),
        (
            "general-ledger",
            {"cursor": "acc_1", "known_at": "2026-11-24T07:41:00Z"},
            "cursor_invalid",
            "/cursor",
        ),
        ("general-ledger", {"cursor": "acc_00000000000000000000000001"}, "required", "/known_at"),
        ("general-ledger", {"limit": "101"}, "max_value", "/limit"),
        (
            "without-evidence",
            {"cursor": "x", "known_at": "2026-11-24T07:41:00Z"},
            "cursor_invalid",
            "/cursor",
        ),
        ("changes", {}, "required", "/known_at"),
        ("changes", {"known_at": "2026-11-24T07:41:00Z", "colour": "red"}, "unknown_field", "/colour"),
    ],
)
def test_refuses_a_question_by_naming_the_field(finance, report, query, code, pointer):
    refused(finance.get(f"reports/{report}", **query), 422, code, pointer)


def test_a_report_of_too_many_accounts_is_refused(finance, books, monkeypatch):
    monkeypatch.setattr("apps.ledger.api.report_views.ROWS_MAX", 1)

    refused(finance.get("reports/trial-balance"), 422, "report_too_large")


def test_a_key_of_one_branch_reads_that_branch(finance, books):
    other = access.branch()
    bound = Partner(scopes=SCOPES, branch=other)
    office = ids.encode("br", access.head_office().id)

    said = bound.get("reports/trial-balance").json()
    assert codes(said["data"]) == ["1210", "2150"]
    narrowed = finance.get("reports/trial-balance", branch_id=ids.encode("br", other.id)).json()
    assert narrowed["data"] == said["data"]
    assert codes(bound.get("reports/general-ledger").json()["data"]) == ["1210", "2150"]
    assert len(bound.get("reports/without-evidence").json()["data"]) == 1
    assert len(bound.get("reports/changes", known_at="2026-11-01T00:00:00Z").json()["data"]) == 1
    refused(bound.get("reports/balance-sheet", branch_id=office), 403, "branch_forbidden", "/branch_id")
    refused(
        bound.post("reports", {"report": "trial_balance", "branch_id": office}),
        403,
        "branch_forbidden",
        "/branch_id",
    )
    refused(
        bound.get(f"transactions/{ids.encode('ltx', books[0].id)}/explanation"), 404, "resource_not_found"
    )
    account = ids.encode("acc", Account.objects.get(role="REVENUE").uid)
    refused(bound.get(f"accounts/{account}/explanation"), 404, "resource_not_found")
    refused(bound.post("reports", {"report": "statement", "account_id": account}), 404, "resource_not_found")
    job = work(bound.post("reports", {"report": "trial_balance", "format": "csv"}).json()["id"])
    assert (job.branch_ids, job.result_rows) == ([other.id], 2)


def test_each_kind_of_caller_at_the_reports(finance, books):
    stranger = Partner(scopes=("payments:read",))
    reader, taker = Partner(scopes=("ledger:read",)), Partner(scopes=("exports:write",))
    uid = ids.encode("ltx", books[0].id)

    for report in REPORTS:
        refused(stranger.get(f"reports/{report}"), 403, "insufficient_scope")
        refused(Partner(slug="zuri").get(f"reports/{report}"), 401, "unauthenticated")
    refused(reader.get("reports/without-evidence"), 403, "insufficient_scope")
    refused(reader.get(f"transactions/{uid}/explanation"), 403, "insufficient_scope")
    refused(reader.post("reports", {"report": "trial_balance"}), 403, "insufficient_scope")
    refused(taker.post("reports", {"report": "trial_balance"}), 403, "report_forbidden")
    assert not Job.objects.exists()


def test_the_job_of_another_application_is_none(finance, books):
    mine = finance.post("reports", {"report": "trial_balance", "format": "csv"}).json()["id"]
    other = Partner(scopes=SCOPES, application_slug="other")

    assert finance.take(f"jobs/{mine}", status=200)
    assert other.take(f"jobs/{mine}", status=404)


def test_the_same_request_again_starts_no_second_job(finance, books):
    body = {"report": "trial_balance", "format": "csv"}
    first, again = (finance.post("reports", body, **{"Idempotency-Key": "report-1"}) for _ in range(2))

    assert first.json() == again.json()
    assert Job.objects.count() == 1

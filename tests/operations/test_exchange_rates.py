"""Exchange rates: recorded and fetched by command, and foreign money valued by them."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.approvals.models import ApprovalRequest
from apps.kit import jobs, schema
from apps.ledger.contracts import FX_RATE, AccountRole
from apps.ledger.models import FxRate, Transaction
from tests.factories import approvals, fx, ledger
from tests.operations.operate import AT, OPERATOR, change, operate
from tests.operations.stage import TENANT

NOON = datetime(2027, 1, 14, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def earned(acme):
    """USD 100.00 in the bank of acme since two days before, at 129.5."""
    branch = ledger.branch()
    fx.rate("129.5", as_of=NOON - DAY, now=NOON)
    legs = fx.bank("USD", branch.id), ledger.ref(AccountRole.REVENUE, branch.id, "USD")
    ledger.post(ledger.transfer(*legs, 100_00), now=NOON - DAY)
    schema.leave()
    return branch


def test_records_a_rate_with_its_source(acme):
    schema.leave()

    done = change(
        "fx",
        "record",
        "USD",
        "KES",
        "129.4567",
        "--source",
        "Bank",
        "--as-of",
        "2027-01-14T15:00:00+03:00",
        *TENANT,
    )

    assert (done.code, done.out.splitlines()[0]) == (0, "acme: It is recorded.")
    schema.visit("org_acme")
    row = FxRate.objects.get()
    assert (str(row.rate.normalize()), row.source, row.as_of) == ("129.4567", "Bank", NOON)
    assert row.created_by == f"operator:{OPERATOR}"


def test_a_rate_that_is_far_off_waits_for_somebody_else(earned):
    schema.visit("org_acme")
    fx.office()
    approvals.rule(kind=FX_RATE.name, currency="", minimum_minor=None)
    schema.leave()

    done = change("fx", "record", "USD", "KES", "140", "--source", "Bank", *TENANT)

    assert done.code == 0
    assert "waits for approval: apr_" in done.out
    schema.visit("org_acme")
    assert (FxRate.objects.count(), ApprovalRequest.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("USD", "KES", "x", "--source", "Bank"), "fx_rate_invalid"),
        (("USD", "XXX", "129", "--source", "Bank"), "fx_rate_invalid"),
        (("USD", "KES", "129", "--source", "Bank", "--as-of", "today"), "argument_invalid"),
        (("USD", "KES", "129", "--source", "Bank", "--as-of", "2027-01-14T15:00:00"), "argument_invalid"),
    ],
)
def test_refuses_what_is_no_rate(acme, words, code):
    schema.leave()

    done = change("fx", "record", *words, *TENANT, "--json")

    assert (done.code, done.document["error"]["code"]) == (2, code)


def test_says_which_currency_has_no_rate_that_holds(earned):
    done = operate("fx", "list", *TENANT, "--json")
    assert done.code == 0
    assert [(row["base"], row["rate"], row["problem"]) for row in done.document["rows"]] == [
        ("USD", "129.5", "")
    ]

    schema.visit("org_acme")
    legs = fx.bank("EUR", earned.id), ledger.ref(AccountRole.REVENUE, earned.id, "EUR")
    ledger.post(ledger.transfer(*legs, 100_00), now=NOON)
    schema.leave()

    done = operate("fx", "list", *TENANT, "--json")
    assert done.code == 1
    assert [(row["base"], row["problem"]) for row in done.document["rows"]] == [
        ("EUR", "fx_rate_missing"),
        ("USD", ""),
    ]


@pytest.fixture
def closed_at_131(earned):
    schema.visit("org_acme")
    fx.rate("131", as_of=NOON, now=NOON)
    schema.leave()


def test_shows_what_foreign_money_is_worth_and_books_nothing(closed_at_131):
    done = operate("fx", "value", *TENANT, "--json")

    (row,) = done.document["rows"]
    assert [row[name]["amount"] for name in ("worth", "carried_at", "gain")] == [
        "13100.00",
        "12950.00",
        "150.00",
    ]
    schema.visit("org_acme")
    assert Transaction.objects.count() == 1


def test_refuses_a_day_that_is_none_or_not_over(earned):
    assert (
        change("fx", "revalue", "yesterday", *TENANT, "--json").document["error"]["code"]
        == "argument_invalid"
    )

    done = change("fx", "revalue", AT.date().isoformat(), *TENANT, "--json")

    assert (done.code, done.document["error"]["code"]) == (2, "fx_revaluation_too_early")


def test_revaluing_again_says_so(closed_at_131):
    done = change("fx", "revalue", "2027-01-14", *TENANT)
    assert "1 transactions of 2027-01-14 were booked, and taken back next day" in done.out

    again = change("fx", "revalue", "2027-01-14", *TENANT)

    assert again.code == 0
    assert "2027-01-14 was revalued before: 1 transactions stand." in again.out
    schema.visit("org_acme")
    assert Transaction.objects.count() == 3


def test_fetching_is_done_by_a_worker_after_the_commit(acme, settings, django_capture_on_commit_callbacks):
    settings.TREASURY = {**settings.TREASURY, "RATE_URLS": {"ecb": "https://example.test/rates"}}
    schema.leave()

    with jobs.held() as held, django_capture_on_commit_callbacks(execute=True):
        done = change("fx", "fetch", *TENANT)

    assert "Asked in the background: ecb." in done.out
    assert [job.name for job in held] == ["ledger.fetch_rates_organisation"]

"""Accounts, balances, statements, periods and rates over the API."""

from datetime import timedelta

import pytest

from apps.kit import clock, ids
from apps.ledger.api import currency_serializers, period_serializers, serializers
from apps.ledger.contracts import AccountRole
from apps.ledger.models import Account
from tests.factories import access, fx, ledger, periods
from tests.ledger.partner import Partner, kes
from tests.payments.partner import refused


@pytest.fixture(scope="module")
def booked(lay):
    """Let somebody read the books, in which 3 sums of KES 1, 2 and 3 on three days are booked to suspense."""

    def write():
        with clock.fixed(ledger.NOW):
            return Partner(scopes=("ledger:read",)), book()

    return lay(write)


@pytest.fixture
def finance(booked, acme):
    with clock.fixed(ledger.NOW):
        yield booked[0]


@pytest.fixture
def suspense(booked):
    """Return the id of the account of suspense."""
    return booked[1]


def book():
    office = access.head_office().id
    refs = ledger.ref(AccountRole.PROVIDER_BALANCE, office), ledger.ref(AccountRole.SUSPENSE, office)
    for number in (1, 2, 3):
        day = (ledger.NOW - timedelta(days=4 - number)).date()
        ledger.post(ledger.transfer(*refs, number * 100, effective_date=day, reference=f"R-{number}"))
    return ids.encode("acc", Account.objects.get(role="SUSPENSE").uid)


def test_lists_accounts_with_their_balances(finance, suspense):
    said = finance.get(f"accounts/{suspense}").json()

    assert (said["object"], said["role"], said["type"]) == ("ledger_account", "suspense", "liability")
    assert said["status"] == "open"
    assert said["balance"] == kes("6.00")
    assert said["owner_id"] is None
    assert set(serializers.AccountOut().fields) == set(said)
    assert finance.get("accounts", role="suspense").json()["data"] == [said]
    assert [one["role"] for one in finance.get("accounts").json()["data"]] == ["suspense", "provider_balance"]


@pytest.mark.parametrize(
    ("query", "roles"),
    [
        ({"type": "asset"}, ["provider_balance"]),
        ({"role": "suspense,cash"}, ["suspense"]),
        ({"currency": "USD"}, []),
        ({"status": "frozen,closed"}, []),
        ({"code": "2150"}, ["suspense"]),
    ],
)
def test_filters_accounts(finance, suspense, query, roles):
    assert [one["role"] for one in finance.get("accounts", **query).json()["data"]] == roles


def test_finds_accounts_of_a_branch_and_pages_through_them(finance, suspense):
    office, cbd = (ids.encode("br", branch.id) for branch in (access.head_office(), access.branch()))

    assert len(finance.get("accounts", branch_id=office).json()["data"]) == 2
    assert finance.get("accounts", branch_id=cbd).json()["data"] == []
    first = finance.get("accounts", limit=1).json()
    second = finance.get("accounts", limit=1, cursor=first["next_cursor"]).json()
    assert [one["role"] for one in first["data"] + second["data"]] == ["suspense", "provider_balance"]
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    ("query", "status", "code", "pointer"),
    [
        ({"role": "nonsense"}, 422, "invalid_choice", "/role"),
        ({"type": "nonsense"}, 422, "invalid_choice", "/type"),
        ({"branch_id": "pi_1"}, 422, "filter_invalid", "/branch_id"),
        ({"colour": "red"}, 400, "filter_unknown", None),
    ],
)
def test_refuses_a_filter(finance, query, status, code, pointer):
    refused(finance.get("accounts", **query), status, code, pointer)


def test_tells_a_balance_at_a_day_as_known_at_an_instant(finance, suspense):
    now = finance.get(f"accounts/{suspense}/balance").json()
    assert set(serializers.BalanceOut().fields) == set(now)
    assert (now["as_of"], now["known_at"], now["final"]) == ("2026-11-24", None, False)
    assert (now["balance"], now["debits"], now["credits"]) == (kes("6.00"), kes("0.00"), kes("6.00"))

    then = finance.get(f"accounts/{suspense}/balance", as_of="2026-11-22").json()
    assert then["balance"] == kes("3.00")
    before = finance.get(
        f"accounts/{suspense}/balance", as_of="2026-11-24", known_at="2026-11-24T07:00:00Z"
    ).json()
    assert (before["balance"], before["final"]) == (kes("0.00"), True)


def test_reads_a_statement_page_by_page(finance, suspense):
    whole = finance.get(f"accounts/{suspense}/statement", since="2026-11-22").json()

    assert set(serializers.StatementOut().fields) == set(whole)
    assert (whole["account_id"], whole["as_of"]) == (suspense, "2026-11-24")
    assert (whole["opening"], whole["closing"]) == (kes("1.00"), kes("6.00"))
    assert [line["balance"] for line in whole["data"]] == [kes("3.00"), kes("6.00")]
    assert (whole["data"][0]["credit"], whole["data"][0]["debit"]) == (kes("2.00"), None)
    assert (whole["has_more"], whole["next_cursor"]) == (False, None)
    month = finance.get(f"accounts/{suspense}/statement").json()
    assert (month["since"], len(month["data"])) == ("2026-11-01", 3)

    asked = {"since": "2026-11-22", "limit": 1}
    first = finance.get(f"accounts/{suspense}/statement", **asked).json()
    second = finance.get(f"accounts/{suspense}/statement", **asked, cursor=first["next_cursor"]).json()
    assert first["data"] + second["data"] == whole["data"]
    assert first["carried_forward"] == second["brought_forward"] == kes("3.00")


@pytest.mark.parametrize(
    ("action", "query", "code", "pointer"),
    [
        ("balance", {"as_of": "24.11.2026"}, "invalid", "/as_of"),
        ("balance", {"known_at": "yesterday"}, "invalid", "/known_at"),
        ("balance", {"colour": "red"}, "unknown_field", "/colour"),
        ("statement", {"since": "2026-11-25", "as_of": "2026-11-24"}, "range_invalid", "/since"),
        ("statement", {"since": "2026-11-25"}, "range_invalid", "/since"),
        ("statement", {"limit": "0"}, "min_value", "/limit"),
        ("statement", {"limit": "101"}, "max_value", "/limit"),
        ("statement", {"cursor": "nonsense"}, "cursor_invalid", "/cursor"),
    ],
)
def test_refuses_a_question_by_naming_the_field(finance, suspense, action, query, code, pointer):
    refused(finance.get(f"accounts/{suspense}/{action}", **query), 422, code, pointer)


def test_each_kind_of_caller_at_the_accounts(finance, suspense):
    bound, stranger = Partner(branch=access.branch()), Partner(scopes=("payments:read",))

    for path in (f"accounts/{suspense}", f"accounts/{suspense}/balance", f"accounts/{suspense}/statement"):
        refused(bound.get(path), 404, "resource_not_found")
        refused(stranger.get(path), 403, "insufficient_scope")
        refused(Partner(slug="zuri").get(path), 401, "unauthenticated")
    assert bound.get("accounts").json()["data"] == []
    refused(finance.get(f"accounts/{ids.encode('acc', ids.new())}"), 404, "resource_not_found")
    refused(finance.get("accounts/pi_1"), 404, "resource_not_found")


def test_lists_periods_and_what_a_close_waits_for(finance, suspense):
    access.portal()
    periods.months()
    january = ids.encode("per", periods.close_through(1).uid)

    listed = finance.get("periods").json()["data"]
    assert [one["start_date"] for one in listed][::-1] == [f"2026-{month:02d}-01" for month in range(1, 13)]
    assert [one["id"] for one in finance.get("periods", status="closed").json()["data"]] == [january]
    closed = finance.get(f"periods/{january}").json()
    assert set(period_serializers.PeriodOut().fields) == set(closed)
    assert (closed["status"], closed["revision"], closed["year_end"]) == ("closed", 1, False)
    assert len(closed["checkpoint_hash"]) == 64

    [november] = [one["id"] for one in listed if one["start_date"] == "2026-11-01"]
    found = finance.get(f"periods/{november}/checklist").json()
    assert (found["object"], found["period_id"], found["ready"]) == ("period_checklist", november, False)
    unmet = {one["name"] for one in found["data"] if not one["met"]}
    assert {"ended", "previous_closed", "suspense"} <= unmet


def test_a_checklist_is_not_for_a_key_of_one_branch(finance, suspense):
    period = ids.encode("per", periods.months()[0].uid)
    bound = Partner(branch=access.branch())

    refused(bound.get(f"periods/{period}/checklist"), 403, "ledger_book_forbidden")
    assert bound.get(f"periods/{period}").status_code == 200
    refused(finance.get(f"periods/{ids.encode('per', ids.new())}"), 404, "resource_not_found")
    refused(Partner(scopes=("payments:read",)).get("periods"), 403, "insufficient_scope")


def test_reads_rates(finance):
    fx.office()
    fx.rate("129.5")
    fx.rate("145", base="EUR")

    listed = finance.get("rates", base="USD").json()["data"]
    assert [(one["quote"], one["rate"], one["source"]) for one in listed] == [("KES", "129.5", "CBK")]
    assert set(currency_serializers.RateOut().fields) == set(listed[0])
    assert finance.get(f"rates/{listed[0]['id']}").json() == listed[0]
    assert len(finance.get("rates", quote="KES").json()["data"]) == 2

    latest = finance.get("rates/latest", base="USD", quote="KES").json()
    assert (latest["object"], latest["rate"], latest["source"]) == ("fx_rate_latest", "129.5", "CBK")
    across = finance.get("rates/latest", base="EUR", quote="USD").json()
    assert across["rate"] == "1.11969111969"


@pytest.mark.parametrize(
    ("query", "status", "code", "pointer"),
    [
        ({"base": "USD", "quote": "KES"}, 409, "fx_rate_missing", None),
        ({"base": "USD"}, 422, "required", "/quote"),
        ({"base": "XXX", "quote": "KES"}, 422, "invalid_choice", "/base"),
        ({"base": "USD", "quote": "KES", "at": "noon"}, 422, "invalid", "/at"),
    ],
)
def test_refuses_a_rate(finance, query, status, code, pointer):
    fx.office()

    refused(finance.get("rates/latest", **query), status, code, pointer)

"""Rate pages: what holds, what is too old, what waits for a second person, and a rate by hand."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from apps.approvals.models import ApprovalRequest
from apps.kit import clock
from apps.ledger.contracts import FX_RATE, AccountRole
from apps.ledger.models import FxRate
from tests import dialogs
from tests.factories import access, approvals, fx, ledger
from tests.factories.approvals import ONE_APPROVER
from tests.portal.test_report_pages import again, html

LIST = "/portal/ledger/rates/"
SAID = {"base": "usd", "quote": "KES", "as_of": "", "source": "Equity", "reason": ""}


@pytest.fixture(autouse=True)
def dollars(acme):
    """Books with an account in dollars, and a rate of this morning."""
    fx.office()
    branch = access.head_office()
    ledger.post(
        ledger.transfer(
            *(ledger.ref(r, branch.id, "USD") for r in (AccountRole.CASH, AccountRole.REVENUE)), 1_00
        )
    )
    fx.rate("129.4567")
    with clock.fixed(fx.NOW):
        yield


def record(client, **fields):
    response = dialogs.send(client, reverse("portal-rate-record"), **{**SAID, **fields})
    again()
    return response


def test_says_which_rate_holds_whose_it_is_and_how_old(enter):
    page = html(enter("controller"), LIST)

    for word in ("129.4567", "CBK", "Holds", "2 h", "Treasury", "at most 4 days old"):
        assert word in page


def test_a_rate_that_is_too_old_is_said(enter):
    client = enter("controller")

    with clock.fixed(fx.NOW + timedelta(days=5)):
        assert "Too old" in html(client, LIST)


def test_a_rate_is_recorded_by_hand_once(enter):
    client = enter("controller")

    assert [record(client, rate="130.25").status_code for _ in range(2)] == [204, 204]

    row = FxRate.objects.exclude(created_by="system:treasury").get()
    assert (row.base, row.quote, row.rate, row.as_of) == ("USD", "KES", Decimal("130.25"), fx.NOW)
    assert row.created_by.startswith("user:")
    assert "130.25" in html(client, f"{LIST}?pair=USD/KES")
    assert "No rates yet" in html(client, f"{LIST}?pair=EUR/KES")


def test_a_rate_that_is_far_off_waits_for_another_person(enter):
    approvals.rule(kind=FX_RATE.name, currency="", minimum_minor=None, steps=ONE_APPROVER)
    client = enter("controller")

    assert record(client, rate="150").status_code == 204

    request = ApprovalRequest.objects.get(kind=FX_RATE.name)
    page = html(client, LIST)
    assert FxRate.objects.count() == 1
    assert "Waiting for a second person" in page
    assert reverse("portal-approval", args=[request.id]) in page


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"rate": "much"}, "is no rate"),
        ({"rate": "0"}, "above 0"),
        ({"rate": "150"}, "Make an approval rule"),
        ({"rate": "1", "base": "KES"}, "A rate is of two currencies."),
        ({"rate": "1", "base": "ZZZ"}, "is not a currency"),
        ({"rate": "130", "as_of": "2026-12-24T10:00:00"}, "that has passed"),
    ],
)
def test_what_can_be_no_rate_is_refused_and_nothing_is_written(enter, fields, sentence):
    response = record(enter("controller"), **fields)

    assert response.status_code in {409, 422}
    assert sentence in response.content.decode().replace("&#x27;", "'")
    assert FxRate.objects.count() == 1


@pytest.mark.parametrize(
    ("role", "opens", "records"),
    [("controller", 200, 200), ("accountant", 200, 403), ("developer", 403, 403), ("support", 403, 403)],
)
def test_who_may_see_and_who_may_record(enter, role, opens, records):
    client = enter(role)

    html(client, LIST, opens)
    assert dialogs.open_at(client, reverse("portal-rate-record")).status_code == records


def test_another_organisation_has_its_own_rates(zuri):
    fx.office()
    access.member("owner", "zawadi@example.test")
    client = Client(headers={"host": "zuri.testserver"})
    assert client.login(username="zawadi@example.test", password=access.PASSWORD)

    page = client.get(LIST).content.decode()
    assert "129.4567" not in page
    assert "No rates yet" in page


def test_nobody_speaks_for_a_source_that_the_treasury_asks(enter):
    before = FxRate.objects.count()

    answer = record(enter("controller"), rate="129.5", source="ECB")

    assert answer.status_code == 422
    assert "asked by the treasury itself" in answer.content.decode()
    assert FxRate.objects.count() == before


def test_who_works_for_one_branch_records_no_rate_for_all(enter):
    client = enter("controller", branches=(access.branch(),))

    answer = dialogs.open_at(client, reverse("portal-rate-record"))

    assert answer.status_code == 403
    assert "all branches" in answer.content.decode()

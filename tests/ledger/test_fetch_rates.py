"""Fetch rates: what a source says is recorded, and what did not come or cannot be is said and never guessed."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from apps.approvals.models import ApprovalRequest
from apps.events.models import OutboxEvent
from apps.kit import clock
from apps.ledger import tasks
from apps.ledger.contracts import FX_RATE
from apps.ledger.models import FxRate
from apps.ledger.selectors import rates as stored
from apps.ledger.services import rate_fetches
from apps.ledger.services.rate_fetches import Taken
from apps.simulator import server
from tests.factories import approvals, fx
from tests.loopback import NO_TLS

NOW = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)


@pytest.fixture
def street(acme, tmp_path: Path, settings):
    """A simulator whose three sources are ours, on a Tuesday evening."""
    running = server.serve(host="127.0.0.1", port=0, store_path=tmp_path / "simulator.sqlite3", seed=7)
    urls = {name: f"{running.url}/rates/{name}" for name in ("ecb", "cbk", "quotes")}
    settings.TREASURY = {**settings.TREASURY, "SIMULATOR_URL": running.url, "RATE_URLS": urls}
    fx.office()
    with httpx.Client(base_url=running.url, trust_env=False, timeout=10, verify=NO_TLS) as client:
        control(client, "POST", "/clock", {"at": "2026-11-24T21:00:00+03:00", "stopped": True})
        yield client
    running.close()


def control(client, method, path, body):
    answer = client.request(method, f"/__control{path}", json=body)
    assert answer.is_success, answer.text


def publish(client, rates, source="cbk", day=""):
    control(client, "PUT", f"/rates/{source}", {"day": day, "rates": rates})


def troubles():
    return [event.data for event in OutboxEvent.objects.filter(type="fx_rates_troubled").order_by("seq")]


def fetch(source="cbk", now=NOW):
    return rate_fetches.fetch(source=source, now=now)


def test_records_what_each_source_says(street):
    with clock.fixed(NOW):
        tasks.fetch_rates_organisation()

    assert set(FxRate.objects.values_list("source", flat=True)) == {"ECB", "CBK", "QUOTES"}
    row = FxRate.objects.get(source="CBK", base="USD")
    assert (row.quote, row.rate, row.created_by) == ("KES", Decimal("129.2406"), "provider:provider")
    assert row.as_of == datetime(2026, 11, 23, 21, tzinfo=UTC)
    assert FxRate.objects.get(source="ECB", quote="USD").as_of == datetime(2026, 11, 24, 13, 15, tzinfo=UTC)
    assert stored.latest("EUR", "KES", at=NOW, now=NOW).text == "141.1436"
    assert troubles() == []


def test_asking_again_records_nothing_twice(street):
    first = fetch()

    again = fetch(now=NOW + timedelta(hours=3))

    assert first.rows == {Taken.RECORDED: 6}
    assert again.rows == {Taken.REPEATED: 6}
    assert FxRate.objects.count() == 6


def test_a_source_that_does_not_answer_is_said(street):
    control(
        street,
        "POST",
        "/scripts",
        {"match": {"face": "rates"}, "actions": [{"action": "status", "status": 503}]},
    )

    fetched = fetch()

    assert (fetched.trouble, FxRate.objects.count()) == ("rates_unreachable", 0)
    assert troubles() == [{"source": "cbk", "reason": "rates_unreachable", "detail": "HTTP 503"}]


def test_a_bomb_is_said_and_not_opened(street):
    control(street, "POST", "/scripts", {"match": {"face": "rates"}, "actions": ["xml_bomb"]})

    assert fetch("ecb").trouble == "rates_unreadable"
    assert not FxRate.objects.exists()


def test_one_source_that_fails_stops_no_other(street):
    control(street, "POST", "/scripts", {"match": {"path": "/ecb", "face": "rates"}, "actions": ["reset"]})

    with clock.fixed(NOW):
        fetched = rate_fetches.fetch_all(now=NOW)

    assert [one.trouble for one in fetched] == ["rates_unreachable", "", ""]
    assert FxRate.objects.filter(source="CBK").exists()


@pytest.mark.parametrize("absurd", ["0", "-129.5", "99999999999999"])
def test_an_absurd_rate_is_refused_and_the_others_are_kept(street, absurd):
    publish(street, {"US DOLLAR": absurd, "EURO": "141.1"})

    fetched = fetch()

    assert fetched.rows == {Taken.REFUSED: 1, Taken.RECORDED: 1}
    assert fetched.trouble == "rates_incomplete"
    assert fetched.detail.startswith("USD/KES: A rate is a decimal number above 0")
    assert list(FxRate.objects.values_list("base", flat=True)) == ["EUR"]


def test_a_row_that_is_no_number_is_said(street):
    publish(street, {"US DOLLAR": "NaN", "EURO": "141.1"})

    assert fetch().rows == {Taken.UNREADABLE: 1, Taken.RECORDED: 1}
    assert troubles()[0]["reason"] == "rates_incomplete"


def test_a_rate_that_did_not_come_is_missing_and_not_guessed(street):
    publish(street, {"EURO": "141.1"})
    fetch()

    with pytest.raises(stored.RateMissing):
        stored.latest("USD", "KES", at=NOW, now=NOW)


def test_an_empty_sheet_is_said(street):
    publish(street, {}, source="quotes")

    assert fetch("quotes").trouble == "rates_missing"


def test_a_source_that_stands_still_is_said_though_it_answers(street):
    publish(street, {"US DOLLAR": "129.5"}, day="2026-11-19")

    fetched = fetch()

    assert (fetched.trouble, fetched.detail) == ("rates_late", "The last rates are of 2026-11-19.")
    with pytest.raises(stored.RateStale):
        stored.latest("USD", "KES", at=NOW, now=NOW)


def test_a_rate_that_jumps_waits_for_a_person_and_is_asked_once(street):
    approvals.rule(kind=FX_RATE.name, currency="", minimum_minor=None)
    publish(street, {"US DOLLAR": "129.5"}, day="2026-11-23")
    fetch()
    publish(street, {"US DOLLAR": "140"})

    assert fetch().rows == {Taken.WAITING: 1}
    assert fetch().rows == {Taken.WAITING: 1}
    assert ApprovalRequest.objects.count() == 1
    assert FxRate.objects.count() == 1


def test_a_source_that_contradicts_itself_is_said(street):
    publish(street, {"US DOLLAR": "129.5"})
    fetch()
    publish(street, {"US DOLLAR": "129.6"})

    assert fetch().rows == {Taken.CONTRADICTED: 1}
    assert "CBK is recorded with 1 USD = 129.5 KES" in troubles()[0]["detail"]
    assert FxRate.objects.get().rate == Decimal("129.5")


def test_a_currency_that_is_not_handled_here_is_left_out(street):
    publish(street, {"ISK": "149.9", "USD": "1.09"}, source="ecb")

    assert fetch("ecb").rows == {Taken.UNKNOWN: 1, Taken.RECORDED: 1}
    assert troubles() == []


def test_a_sheet_of_tomorrow_is_refused(street):
    publish(street, {"US DOLLAR": "129.5"}, day="2026-11-26")

    fetched = fetch()

    assert fetched.rows == {Taken.REFUSED: 1}
    assert "an instant that has passed" in fetched.detail

"""Rates: what the sources of exchange rates publish, and how it is put there and spoilt."""

import pytest


@pytest.fixture
def street(business):
    """A business, on a Monday at noon in Nairobi."""
    body = {"at": "2026-11-23T12:00:00+03:00", "stopped": True}
    assert business.control("POST", "/clock", body).status_code == 200
    return business


def get(street, source):
    return street.http.get(f"/rates/{source}")


def test_publishes_the_last_working_day_of_each_source(street):
    table = get(street, "cbk")
    assert table.headers["content-type"] == "text/csv"
    assert table.text.splitlines()[:2] == [
        '"Date","Currency","Mean","Buy","Sell"',
        '"23/11/2026","US DOLLAR","129.2406","129.2406","129.2406"',
    ]
    assert '<Cube time="2026-11-20">' in get(street, "ecb").text
    assert get(street, "quotes").json()["as_of"] == "2026-11-23T00:00:00Z"


def test_publishes_what_is_put_there_until_a_reset(street):
    sheet = {"day": "2026-11-19", "rates": {"USD": "<&>", "JPY": "NaN"}}
    assert street.control("PUT", "/rates/ecb", sheet).json() == sheet

    assert '<Cube time="2026-11-19">' in get(street, "ecb").text
    assert 'rate="&lt;&amp;&gt;"' in get(street, "ecb").text

    street.control("POST", "/reset", {})
    assert 'currency="USD" rate="1.0921"' in get(street, "ecb").text


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"rates": []},
        {"rates": {"USD": 1}},
        {"rates": {}, "day": "today"},
        {"rates": {}, "at": "x"},
        {"rates": {"USD": "1\n"}},
    ],
)
def test_refuses_a_sheet_that_is_none(street, body):
    assert street.control("PUT", "/rates/ecb", body).status_code == 400


def test_a_script_spoils_only_the_face_that_it_names(street):
    street.script("xml_bomb", face="rates", path="/ecb")

    assert street.push().status_code == 200
    assert "<!ENTITY" in get(street, "ecb").text
    assert "<Cube" in get(street, "ecb").text


def test_a_script_for_payments_leaves_rates_alone(street):
    street.script({"action": "status", "status": 500}, path="*")

    assert get(street, "cbk").status_code == 200
    assert street.push().status_code == 500


def test_knows_no_other_source(street):
    assert get(street, "fed").status_code == 404
    assert street.http.post("/rates/ecb", json={}).status_code == 404
    assert street.control("PUT", "/rates/fed", {"rates": {}}).status_code == 404


def test_logs_who_asked(street):
    get(street, "ecb")

    assert [entry["path"] for entry in street.log("call") if entry["path"].startswith("/rates")] == [
        "/rates/ecb"
    ]

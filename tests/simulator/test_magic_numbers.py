"""Phone numbers that decide by themselves what happens."""

import httpx
import pytest


def moved(business):
    """Return how many payments the statement shows."""
    return len([row for row in business.statement()["rows"] if row["kind"] == "payment"])


def test_000_pays_after_two_seconds(business):
    checkout = business.pushed(phone="254700000000")
    business.tick(1)
    assert business.query(checkout).status_code == 500

    business.tick(1)

    assert business.inbox.wait(1)
    assert business.inbox.results() == [0]
    assert moved(business) == 1


@pytest.mark.parametrize(
    ("suffix", "code"), [("001", 1), ("017", 17), ("019", 1019), ("032", 1032), ("201", 2001)]
)
def test_declines_after_two_seconds(business, suffix, code):
    checkout = business.pushed(phone=f"254700000{suffix}")
    business.tick(2)

    business.inbox.wait(1)
    assert business.inbox.results() == [code]
    assert business.query(checkout).json()["ResultCode"] == str(code)
    assert moved(business) == 0


def test_037_cannot_be_reached_for_sixty_seconds(business):
    checkout = business.pushed(phone="254700000037")
    business.tick(58)
    assert business.query(checkout).status_code == 500

    business.tick(2)

    business.inbox.wait(1)
    assert business.inbox.results() == [1037]
    assert moved(business) == 0


def test_777_pays_and_loses_the_callback(business):
    checkout = business.pushed(phone="254700000777")
    business.tick(300)

    assert business.query(checkout).json()["ResultCode"] == "0"
    assert [entry["state"] for entry in business.log("callback")] == ["dropped"]
    assert business.inbox.bodies == []
    assert moved(business) == 1


def test_778_sends_the_callback_twice(business):
    business.pushed(phone="254700000778")
    business.tick(2)

    first, second = business.inbox.wait(2)
    assert first == second
    assert moved(business) == 1


def test_779_sends_the_callback_before_the_answer(business):
    answer = business.push(phone="254700000779")

    assert business.inbox.results() == [0]
    ticket = business.inbox.bodies[0]["Body"]["stkCallback"]["CheckoutRequestID"]
    assert answer.json()["CheckoutRequestID"] == ticket
    assert moved(business) == 1


def test_780_times_out_and_pays(business):
    with pytest.raises(httpx.ReadTimeout):
        business.push(phone="254700000780", timeout=0.3)
    business.tick(2)

    assert business.inbox.wait(1)
    assert moved(business) == 1


def test_781_fails_and_takes_nothing(business):
    answer = business.push(phone="254700000781")
    business.tick(300)

    assert answer.status_code == 500
    assert answer.json()["errorMessage"] == "Internal Server Error"
    assert business.prompts() == []
    assert moved(business) == 0


def test_782_fails_and_pays(business):
    answer = business.push(phone="254700000782")
    business.tick(2)

    assert answer.status_code == 500
    assert business.inbox.wait(1)
    assert moved(business) == 1


def test_783_times_out_and_takes_nothing(business):
    with pytest.raises(httpx.ReadTimeout):
        business.push(phone="254700000783", timeout=0.3)
    business.tick(300)

    assert business.prompts() == []
    assert business.log("callback") == []


def test_784_times_out_pays_and_loses_the_callback(business):
    with pytest.raises(httpx.ReadTimeout):
        business.push(phone="254700000784", timeout=0.3)
    business.tick(2)

    assert moved(business) == 1
    assert [entry["state"] for entry in business.log("callback")] == ["dropped"]
    assert business.inbox.bodies == []


def test_checks_the_token_before_the_magic(business):
    order = business.order(phone="254700000781")

    answer = business.post("/mpesa/stkpush/v1/processrequest", order, token="made-up")

    assert answer.json()["errorCode"] == "404.001.03"


def test_any_other_number_waits_for_a_person_and_runs_out(business):
    checkout = business.pushed(phone="254711000000")
    business.tick(58)
    assert business.query(checkout).status_code == 500

    business.tick(2)

    business.inbox.wait(1)
    assert business.inbox.results() == [1037]
    assert business.query(checkout).json()["ResultCode"] == "1037"

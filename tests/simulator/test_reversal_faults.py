"""Reversals that go wrong: by magic number and by script."""

import httpx
import pytest

from tests.simulator.reversing import PATH, order, paid, parameters, reverse, reversed_, withdrawn


@pytest.fixture
def business(business):
    """Take no charges, so that what was paid can be given back."""
    business.control("PUT", "/accounts/600100", business.account | {"charge_bps": 0})
    return business


@pytest.mark.parametrize(
    ("suffix", "code", "given_back"),
    [("801", 1, 0), ("806", 2006, 0), ("811", 11, 0), ("878", 0, 1)],
)
def test_magic_numbers_decide_the_result(business, suffix, code, given_back):
    receipt = paid(business, f"254700000{suffix}")

    assert reversed_(business, receipt)["ResultCode"] == code

    assert len(withdrawn(business)) == given_back


@pytest.mark.parametrize(
    ("suffix", "given_back"), [("877", 1), ("880", 1), ("881", 0), ("882", 1), ("883", 0), ("884", 1)]
)
def test_magic_numbers_spoil_the_answer_or_lose_the_result(business, suffix, given_back):
    receipt = paid(business, f"254700000{suffix}")
    try:
        answer = business.post(PATH, order(business, receipt), timeout=0.3)
        status = answer.status_code
    except httpx.ReadTimeout:
        status = 0
    business.tick(2)

    assert status == {"877": 200, "881": 500, "882": 500}.get(suffix, 0)
    assert len(withdrawn(business)) == given_back
    assert len(business.inbox.wait(int(suffix in {"880", "882"}))) == int(suffix in {"880", "882"})


def test_sends_the_result_before_the_answer(business):
    receipt = paid(business, "254700000879")

    reverse(business, receipt)

    assert business.inbox.bodies[0]["Result"]["ResultCode"] == 0


@pytest.mark.parametrize(("suffix", "given_back"), [("885", 0), ("886", 1)])
def test_tells_the_other_address_when_the_queue_gave_up(business, eventually, suffix, given_back):
    receipt = paid(business, f"254700000{suffix}")
    accepted = reverse(business, receipt)
    business.tick(60)

    (body,) = business.inbox.wait(1)

    assert body["Result"] == {
        "ResultType": 1,
        "ResultCode": "1",
        "ResultDesc": "The service request timed out.",
        "OriginatorConversationID": accepted["OriginatorConversationID"],
        "ConversationID": accepted["ConversationID"],
    }
    eventually(lambda: business.log("callback")[-1]["url"].endswith("/late"))
    assert len(withdrawn(business)) == given_back


def test_gives_back_another_amount_when_told_to(business):
    receipt = paid(business)
    business.script({"action": "wrong_amount", "amount": "900.00"}, path=PATH)

    result = reversed_(business, receipt)

    assert parameters(result)["Amount"] == 900.0
    assert business.statement()["rows"][-1]["withdrawn"] == "900.00"


def test_announces_another_amount_than_it_gives_back(business):
    receipt = paid(business)
    business.script({"action": "wrong_amount_callback_only", "amount": "900.00"}, path=PATH)

    result = reversed_(business, receipt)

    assert parameters(result)["Amount"] == 900.0
    assert business.statement()["rows"][-1]["withdrawn"] == "1500.00"


def test_succeeds_late_after_it_has_failed(business):
    receipt = paid(business)
    business.script({"action": "result", "code": "26"}, {"action": "late_success", "ms": 5_000}, path=PATH)
    reverse(business, receipt)

    business.tick(7)

    codes = [body["Result"]["ResultCode"] for body in business.inbox.wait(2)]
    assert sorted(codes) == [0, 26]
    assert withdrawn(business) == [receipt]


@pytest.mark.parametrize(
    ("fields", "shape"),
    [
        ({}, None),
        ({"missing": ["Amount", "Charge"]}, ["DebitAccountBalance", "TransCompletedTime"]),
        ({"missing": ["DebitAccountBalance"], "as_object": True}, "Amount"),
    ],
)
def test_leaves_out_parts_of_a_result(business, fields, shape):
    receipt = paid(business)
    business.script({"action": "partial_result", **fields}, path=PATH)

    result = reversed_(business, receipt)

    held = result.get("ResultParameters", {}).get("ResultParameter")
    found = [pair["Key"] for pair in held][:2] if isinstance(held, list) else held and held["Key"]
    assert found == shape


def test_leaves_a_reversal_out_of_the_statement_when_told_to(business):
    receipt = paid(business)
    business.script("statement_omit", path=PATH)

    reversed_(business, receipt)

    assert withdrawn(business) == []
    assert business.statement()["closing_balance"] == "0.00"

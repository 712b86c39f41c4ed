"""Faults of single messages: late, from elsewhere, or spoilt without the others."""

import pytest


def test_a_message_is_sent_behind_a_later_one_or_after_a_minute(business):
    business.control("POST", "/clock", {"stopped": True})
    business.control("POST", "/callbacks/hold", {"hold": True})
    business.script({"action": "result", "code": "0", "ms": 0}, "reorder")
    business.script({"action": "result", "code": "0", "ms": 0})
    business.script({"action": "result", "code": "0", "ms": 0}, "reorder")

    pushed = [business.pushed() for _ in range(3)]
    business.tick(1)
    soon = business.control("POST", "/callbacks/take", {}).json()["callbacks"]
    business.tick(60)
    later = business.control("POST", "/callbacks/take", {}).json()["callbacks"]

    assert [callback["cause"] for callback in soon] == [pushed[1], pushed[0]]
    assert [callback["cause"] for callback in later] == [pushed[2]]


def test_a_message_comes_from_another_address_with_another_time(business):
    business.control("POST", "/callbacks/hold", {"hold": True})
    business.script("wrong_ip", {"action": "clock_skew", "seconds": -86_400})
    business.decide(business.pushed(), "approve")
    business.control("POST", "/clock", {"stopped": True})
    business.script({"action": "wrong_ip", "ip": "127.0.0.9"})
    business.decide(business.pushed(), "approve")

    skewed, right = business.control("POST", "/callbacks/take", {}).json()["callbacks"]

    times = [
        next(
            item["Value"]
            for item in taken["body"]["Body"]["stkCallback"]["CallbackMetadata"]["Item"]
            if item["Name"] == "TransactionDate"
        )
        for taken in (skewed, right)
    ]
    assert (skewed["source"], right["source"]) == ("127.0.0.66", "127.0.0.9")
    assert times[1] - times[0] > 235_959


@pytest.mark.parametrize(
    ("action", "stk", "c2b"),
    [
        ("drop_callback", 0, 1),
        ({"action": "drop_callback", "of": "confirmation"}, 1, 0),
        ({"action": "duplicate_callback", "of": "confirmation", "n": 3}, 1, 3),
        ({"action": "replay_old", "of": "confirmation"}, 1, 2),
    ],
)
def test_each_message_of_a_prompt_can_be_spoilt_alone(business, action, stk, c2b):
    business.control("POST", "/callbacks/hold", {"hold": True})
    business.register_urls()
    business.pushed(phone="254700000000")
    business.tick(2)
    business.control("POST", "/callbacks/take", {})
    business.script(action)

    business.decide(business.pushed(), "approve")
    business.tick(1)

    taken = business.control("POST", "/callbacks/take", {}).json()["callbacks"]
    kinds = [callback["kind"] for callback in taken]
    assert (kinds.count("stk"), kinds.count("confirmation")) == (stk, c2b)


def test_a_validation_that_is_lost_leaves_it_to_the_default(business):
    business.register_urls(ResponseType="Cancelled")
    business.script({"action": "drop_callback", "of": "validation"}, face="phone", path="/pay")

    business.pay()
    business.tick(8)

    assert business.payments()[0]["result_code"] == "C2B00016"

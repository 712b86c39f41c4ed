"""The control interface."""

import json
import threading

import pytest


def test_is_healthy(business):
    assert business.control("GET", "/health").json()["status"] == "ok"


def test_saves_an_account_again_without_losing_its_balance(business):
    business.decide(business.pushed(), "approve")

    answer = business.control("PUT", "/accounts/600100", business.account | {"name": "Savanna Two"})

    assert answer.json() == {
        "shortcode": "600100",
        "type": "paybill",
        "name": "Savanna Two",
        "consumer_key": "key-of-savanna",
        "initiator": "savanna-api",
        "charge_bps": 55,
        "environment": "sandbox",
        "payer_form": "plain",
        "validation": True,
        "store": "",
        "addresses": None,
        "balance": "1491.75",
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "bank"},
        {"type": ["till"]},
        {"name": ""},
        {"name": "a\x00b"},
        {"passkey": 7},
        {"charge_bps": -1},
        {"charge_bps": 10_001},
        {"charge_bps": "55"},
        {"colour": "red"},
        {"store": "600101"},
        {"type": "till", "store": "no number"},
    ],
)
def test_refuses_a_wrong_account(business, changes):
    answer = business.control("PUT", "/accounts/600300", business.account | changes)

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "invalid_account"
    assert len(business.control("GET", "/state").json()["accounts"]) == 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("DELETE", "/log", 405),
        ("GET", "/log?since=x", 400),
        ("GET", "/log?since=99999999999999999999", 400),
        ("GET", "/statement?shortcode=1", 404),
        ("POST", "/prompts/none/approve", 404),
        ("POST", "/prompts/none/explode", 404),
        ("PUT", "/accounts/12", 404),
    ],
)
def test_refuses_what_is_not_there(business, method, path, status):
    answer = business.control(method, path)

    assert answer.status_code == status
    assert answer.json()["status"] == status


@pytest.mark.parametrize("seconds", [-1, 1.5, "5", None, True, 10**9])
def test_refuses_a_wrong_step_of_time(business, seconds):
    assert business.control("POST", "/tick", {"seconds": seconds}).status_code == 400


def test_refuses_what_is_not_json(business):
    answer = business.http.post("/__control/tick", content=b"{")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_json")


def test_logs_calls_without_secrets(business):
    business.pushed()
    business.http.get(
        "/daraja/oauth/v1/generate",
        params={"grant_type": "client_credentials"},
        auth=("key-of-savanna", "secret-of-savanna"),
    )

    text = json.dumps(business.log("call"))

    call = business.log("call")[1]
    assert (call["method"], call["path"], call["status"]) == ("POST", "/mpesa/stkpush/v1/processrequest", 200)
    assert call["body"]["Password"] == "[redacted]"
    assert call["headers"]["authorization"] == "[redacted]"
    assert call["body"]["AccountReference"] == "ORD-2041"
    assert business.token not in text
    assert business.secured()["Password"] not in text


def test_logs_only_what_came_after(business):
    last = business.control("GET", "/log").json()["entries"][-1]["id"]
    business.pushed()

    entries = business.control("GET", f"/log?since={last}").json()["entries"]

    assert [entry["path"] for entry in entries] == ["/mpesa/stkpush/v1/processrequest"]


def test_logs_callbacks_with_their_delivery(business, eventually):
    checkout = business.pushed()
    business.decide(checkout, "approve")
    eventually(lambda: business.log("callback"))

    (entry,) = business.log("callback")

    assert (entry["cause"], entry["state"], entry["status"]) == (checkout, "answered", 200)
    assert entry["body"] == business.inbox.bodies[0]


def test_lists_the_prompts_of_one_phone(business):
    business.pushed()
    business.pushed(phone="254700000032")

    found = business.control("GET", "/prompts?msisdn=254700000032").json()["prompts"]

    assert [prompt["msisdn"] for prompt in found] == ["254700000032"]


@pytest.mark.parametrize(
    ("decision", "code", "state"),
    [("approve", "0", "paid"), ("cancel", "1032", "failed"), ("wrong-pin", "2001", "failed")],
)
def test_decides_a_prompt_once(business, decision, code, state):
    checkout = business.pushed()

    first = business.decide(checkout, decision)
    second = business.decide(checkout, "approve")

    assert (first.json()["result_code"], first.json()["state"]) == (code, state)
    assert (second.status_code, second.json()["code"]) == (409, "already_decided")
    business.inbox.wait(1)
    assert len(business.log("callback")) <= 1


def test_ignoring_lets_a_prompt_run_out(business):
    checkout = business.pushed()

    answer = business.decide(checkout, "ignore")

    assert (answer.json()["state"], answer.json()["is_ignored"]) == ("waiting", True)
    business.tick(60)
    business.inbox.wait(1)
    assert business.inbox.results() == [1037]


def test_approving_ten_times_at_once_moves_the_money_once(business):
    checkout = business.pushed()
    statuses = []
    threads = [
        threading.Thread(target=lambda: statuses.append(business.decide(checkout, "approve").status_code))
        for _ in range(10)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [200] + [409] * 9
    business.inbox.wait(1)
    assert len(business.inbox.bodies) == 1
    assert [row["kind"] for row in business.statement()["rows"]] == ["payment", "charge"]


def test_a_wallet_can_be_empty(business):
    business.script({"action": "wrong_amount", "amount": "99999999.00"})
    business.decide(business.pushed(), "approve")

    business.decide(business.pushed(), "approve")

    assert business.prompts()[0]["result_code"] == "1"
    assert business.statement()["closing_balance"] == "99449999.01"


def test_the_statement_foots_to_the_cent(business):
    amounts = [1, 7, 1500, 12_400, 99_999]
    for amount in amounts:
        business.decide(business.pushed(Amount=amount), "approve")

    content = business.statement()

    rows = content["rows"]
    charges = ["0.01", "0.04", "8.25", "68.20", "549.99"]
    assert [row["paid_in"] for row in rows[::2]] == [f"{amount}.00" for amount in amounts]
    assert [row["withdrawn"] for row in rows[1::2]] == charges
    assert [row["kind"] for row in rows] == ["payment", "charge"] * 5
    assert all(rows[at]["receipt"] == rows[at + 1]["receipt"] for at in range(0, 10, 2))
    assert len({row["receipt"] for row in rows}) == 5
    assert [prompt["receipt"] for prompt in reversed(business.prompts())] == [
        row["receipt"] for row in rows[::2]
    ]
    assert content["opening_balance"] == "0.00"
    assert content["closing_balance"] == rows[-1]["balance"] == "113280.51"


def test_a_small_charge_below_half_a_cent_leaves_no_row(business):
    business.control("PUT", "/accounts/600100", business.account | {"charge_bps": 0})

    business.decide(business.pushed(), "approve")

    assert [row["kind"] for row in business.statement()["rows"]] == ["payment"]


def test_reset_forgets_what_happened_but_not_the_account(business):
    business.decide(business.pushed(), "approve")
    business.inbox.wait(1)
    used = business.prompts()[0]["receipt"]

    business.control("POST", "/reset")

    state = business.control("GET", "/state").json()
    assert state["prompts"] == state["callbacks"] == {}
    assert [account["balance"] for account in state["accounts"]] == ["0.00"]
    assert business.control("GET", "/log").json() == {"entries": []}
    business.refresh()
    business.decide(business.pushed(), "approve")
    assert business.prompts()[0]["receipt"] != used


def test_reset_forgets_the_accounts_when_told_to(business):
    business.control("POST", "/reset", {"accounts": True})

    assert business.control("GET", "/state").json()["accounts"] == []


def test_answers_loopback_names_only(business):
    answer = business.http.get("/__control/health", headers={"Host": "simulator.example"})

    assert answer.status_code == 421


def test_refuses_a_body_without_length_or_too_large(business):
    assert business.http.post("/__control/tick", content=iter([b"{}"])).status_code == 411
    assert business.http.post("/__control/tick", content=b" " * 1_000_001).status_code == 413

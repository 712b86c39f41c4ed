"""Fault scripts on the Daraja face."""

import json
import threading
import time

import httpx
import pytest

from apps.simulator import server
from apps.simulator.contracts import Request

QUERY = "/mpesa/stkpushquery/v1/query"


def test_delays_the_answer_in_virtual_time(business):
    business.script({"action": "delay", "ms": 60_000})
    answers = []
    caller = threading.Thread(target=lambda: answers.append(business.push()))
    caller.start()
    time.sleep(0.2)
    assert answers == []

    business.tick(60)
    caller.join(5)

    assert answers[0].status_code == 200
    assert len(business.prompts()) == 1


@pytest.mark.parametrize(("processed", "count"), [(False, 0), (True, 1)])
def test_hangs(business, processed, count):
    business.script({"action": "hang", "processed": processed})

    with pytest.raises(httpx.ReadTimeout):
        business.push(timeout=0.3)

    assert len(business.prompts()) == count


def test_hangs_for_two_minutes_at_most(business):
    business.script("hang")
    problems = []

    def call():
        try:
            business.push(timeout=30)
        except httpx.RemoteProtocolError as problem:
            problems.append(problem)

    caller = threading.Thread(target=call)
    caller.start()
    time.sleep(0.2)
    business.tick(120)
    caller.join(5)

    assert len(problems) == 1


@pytest.mark.parametrize(("processed", "count"), [(False, 0), (True, 1)])
def test_resets_the_connection(business, processed, count):
    business.script({"action": "reset", "processed": processed})

    with pytest.raises(httpx.ReadError, match="reset"):
        business.push()

    assert len(business.prompts()) == count


@pytest.mark.parametrize(("processed", "count"), [(False, 0), (True, 1)])
def test_answers_with_a_status_and_body(business, processed, count):
    business.script({"action": "status", "status": 503, "body": '{"down":true}', "processed": processed})

    answer = business.push()

    assert (answer.status_code, answer.json()) == (503, {"down": True})
    assert len(business.prompts()) == count


@pytest.mark.parametrize("processed", [False, True])
def test_answers_with_malformed_json(business, processed):
    business.script({"action": "malformed_json", "processed": processed})

    answer = business.push()

    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert len(business.prompts()) == int(processed)


def test_answers_with_an_html_page(business):
    business.script("html_error")

    answer = business.push()

    assert answer.status_code == 502
    assert answer.headers["content-type"] == "text/html"
    assert business.prompts() == []


def test_answers_with_nothing(business):
    business.script({"action": "empty_body", "processed": True})

    answer = business.push()

    assert (answer.status_code, answer.content) == (200, b"")
    assert len(business.prompts()) == 1


def test_limits_the_rate_as_daraja_does(business):
    business.script("rate_limit", times=2)

    answers = [business.push() for _ in range(3)]

    assert [answer.status_code for answer in answers] == [500, 500, 200]
    assert answers[0].json()["errorCode"] == "500.003.02"
    assert len(business.prompts()) == 1


def test_limits_the_rate_as_a_gateway_does(business):
    business.script({"action": "rate_limit", "code": "429"})

    assert business.push().status_code == 429


def test_expires_the_token_until_a_new_one_is_fetched(business):
    business.script("expire_token")

    assert business.push().json()["errorCode"] == "404.001.03"
    assert business.push().json()["errorCode"] == "404.001.03"
    business.refresh()
    assert business.push().status_code == 200


def test_decides_with_any_result(business):
    business.script({"action": "result", "code": "1001", "ms": 5_000})
    business.pushed()
    business.tick(5)

    business.inbox.wait(1)
    assert business.inbox.results() == [1001]


def test_drops_the_callback(business):
    business.script("drop_callback")

    business.decide(business.pushed(), "approve")

    assert [entry["state"] for entry in business.log("callback")] == ["dropped"]
    assert len(business.statement()["rows"]) == 2


def test_duplicates_the_callback(business):
    business.script({"action": "duplicate_callback", "n": 5})

    business.decide(business.pushed(), "approve")

    bodies = business.inbox.wait(5)
    assert all(body == bodies[0] for body in bodies)
    assert len(business.statement()["rows"]) == 2


def test_spaces_the_duplicates(business):
    business.script({"action": "duplicate_callback", "n": 2, "spacing_ms": 600_000})
    business.decide(business.pushed(), "approve")
    business.inbox.wait(1)
    time.sleep(0.1)
    assert len(business.inbox.bodies) == 1

    business.tick(600)

    business.inbox.wait(2)


def test_delays_the_callback(business):
    business.script({"action": "delay_callback", "ms": 600_000})
    business.decide(business.pushed(), "approve")
    time.sleep(0.1)
    assert business.inbox.bodies == []

    business.tick(600)

    business.inbox.wait(1)


def test_sends_the_callback_before_the_answer(business):
    business.script("callback_before_response", {"action": "result", "code": "1032", "ms": 0})

    answer = business.push()

    assert answer.status_code == 200
    assert business.inbox.results() == [1032]


def test_moves_and_announces_another_amount(business):
    business.script({"action": "wrong_amount", "amount": "1400.00"})

    business.decide(business.pushed(), "approve")

    (body,) = business.inbox.wait(1)
    assert body["Body"]["stkCallback"]["CallbackMetadata"]["Item"][0]["Value"] == 1400.0
    assert business.statement()["rows"][0]["paid_in"] == "1400.00"
    assert business.statement()["closing_balance"] == "1392.30"


def test_announces_another_amount_only(business):
    business.script({"action": "wrong_amount_callback_only", "amount": "1400.50"})

    business.decide(business.pushed(), "approve")

    (body,) = business.inbox.wait(1)
    assert body["Body"]["stkCallback"]["CallbackMetadata"]["Item"][0]["Value"] == 1400.5
    assert business.statement()["rows"][0]["paid_in"] == "1500.00"


def test_succeeds_late_after_a_failure(business):
    business.script({"action": "late_success", "ms": 300_000})
    checkout = business.pushed()
    business.tick(60)
    business.inbox.wait(1)
    assert business.query(checkout).json()["ResultCode"] == "1037"

    business.tick(300)

    business.inbox.wait(2)
    assert business.inbox.results() == [1037, 0]
    assert business.query(checkout).json()["ResultCode"] == "0"
    assert len(business.statement()["rows"]) == 2


def test_replays_an_old_callback(business, eventually):
    first = business.pushed()
    business.decide(first, "approve")
    eventually(lambda: business.log("callback"))
    business.script("replay_old")

    second = business.pushed(Amount=20)
    business.decide(second, "approve")

    bodies = business.inbox.wait(3)
    tickets = sorted(body["Body"]["stkCallback"]["CheckoutRequestID"] for body in bodies)
    assert tickets == sorted([first, first, second])
    assert bodies.count(bodies[0]) == 2
    assert len(business.statement()["rows"]) == 4


def test_omits_a_payment_from_the_statement(business):
    business.script("statement_omit")
    business.decide(business.pushed(), "approve")
    business.decide(business.pushed(Amount=100), "approve")

    content = business.statement()

    assert [row["paid_in"] for row in content["rows"]] == ["100.00", "0.00"]
    assert content["closing_balance"] == "1591.20"


def test_adds_a_row_to_the_statement(business):
    extra = {"action": "statement_extra", "amount": "50.00", "kind": "charge", "details": "Monthly fee"}
    business.script(extra)

    business.decide(business.pushed(), "approve")

    assert business.statement()["rows"][2]["details"] == "Monthly fee"
    assert business.statement()["rows"][2]["withdrawn"] == "50.00"
    assert business.statement()["closing_balance"] == "1441.75"


def test_matches_by_field_and_by_count(business):
    business.script("drop_callback", "empty_body", body={"AccountReference": "SPECIAL"})
    business.script("html_error", nth=2)

    answers = [business.push(), business.push(AccountReference="SPECIAL"), business.push()]

    assert [answer.status_code for answer in answers] == [200, 200, 502]
    assert [bool(answer.content) for answer in answers] == [True, False, True]


def test_matches_other_paths_and_methods(business):
    business.script("html_error", path="/oauth/*", method="get")
    business.script("html_error", path=QUERY)
    checkout = business.pushed()

    answer = business.http.get("/daraja/oauth/v1/generate", params={"grant_type": "client_credentials"})

    assert answer.status_code == 502
    assert business.query(checkout).status_code == 502
    assert business.query(checkout).status_code == 500


def test_fires_for_ever_when_told_to(business):
    business.script("html_error", times=None)
    assert [business.push().status_code for _ in range(4)] == [502] * 4

    assert business.control("DELETE", "/scripts").json() == {"removed": 1}

    assert business.push().status_code == 200


@pytest.mark.parametrize(
    "script",
    [
        {},
        {"actions": []},
        {"actions": ["explode"]},
        {"actions": [7]},
        {"actions": [{"action": "delay"}]},
        {"actions": [{"action": "delay", "ms": -1}]},
        {"actions": [{"action": "delay", "ms": 1, "colour": "red"}]},
        {"actions": [{"action": "hang", "processed": "yes"}]},
        {"actions": [{"action": "wrong_amount", "amount": "-5"}]},
        {"actions": [{"action": "wrong_amount", "amount": "1.005"}]},
        {"actions": [{"action": "wrong_amount", "amount": 1.5}]},
        {"actions": [{"action": "rate_limit", "code": "418"}]},
        {"actions": [{"action": "statement_extra", "amount": "1.00", "kind": "gift"}]},
        {"actions": [{"action": "result", "code": ""}]},
        {"actions": [{"action": "statement_extra", "amount": "1.00", "details": "a\nb"}]},
        {"actions": [{"action": "drop_callback", "of": "letter"}]},
        {"actions": [{"action": "wrong_ip", "ip": "8.8.8.8"}]},
        {"actions": ["clock_skew"]},
        {"actions": ["hang"], "times": 0},
        {"actions": ["hang"], "when": "now"},
        {"actions": ["hang"], "match": {"face": "telegraph"}},
        {"actions": ["hang"], "match": {"nth": 0}},
        {"actions": ["hang"], "match": {"body": "x"}},
        {"actions": ["hang"], "match": {"host": "x"}},
    ],
)
def test_refuses_a_script_that_makes_no_sense(business, script):
    answer = business.control("POST", "/scripts", script)

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_script"
    assert business.control("GET", "/scripts").json() == {"scripts": []}


def test_chaos_spoils_calls_as_the_seed_draws(tmp_path):
    body = json.dumps({}).encode()
    told = []
    for name in ("first", "second"):
        world = server.build(store_path=tmp_path / name, seed=7, chaos=0.5)
        request = Request("POST", "/daraja/mpesa/stkpush/v1/processrequest", {}, {}, body)
        for _ in range(40):
            server.route(world=world, request=request)
        log = server.route(world=world, request=Request("GET", "/__control/log", {}, {}, b""))
        told.append([entry["chaos"] for entry in json.loads(log.body)["entries"]])
        world.store.close()

    assert told[0] == told[1]
    assert 10 < sum(map(bool, told[0])) < 30

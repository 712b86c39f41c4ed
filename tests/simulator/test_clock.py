"""Control of time and of callbacks by a caller that plays a story in one process."""

from dataclasses import replace

import pytest

from apps.simulator import server
from apps.simulator.contracts import Request


def clock(business, **body):
    """Set virtual time and return the answer."""
    return business.control("POST", "/clock", body)


def now(business):
    """Return virtual time to the second."""
    return business.control("GET", "/health").json()["now"][:19]


def take(business, **body):
    """Take what is due."""
    return business.control("POST", "/callbacks/take", body).json()["callbacks"]


def test_an_empty_world_goes_into_the_past_and_stands_still(business):
    answer = clock(business, at="2026-11-02T06:00:00+03:00", stopped=True)

    assert answer.json() == {"now": "2026-11-02T06:00:00.000+03:00", "decided": 0}
    business.tick(90)
    assert now(business) == "2026-11-02T06:01:30"
    assert business.control("GET", "/state").json()["is_clock_stopped"] is True


def test_time_goes_on_when_it_is_let_go(business):
    clock(business, at="2026-11-02T06:00:00+03:00", stopped=True)

    clock(business, stopped=False)

    assert business.control("GET", "/state").json()["is_clock_stopped"] is False
    assert now(business).startswith("2026-11-02T06:00:0")


def test_time_goes_forward_at_any_moment_and_decides_what_fell_due(business):
    clock(business, at="2026-11-02T06:00:00+03:00", stopped=True)
    business.refresh()
    business.pushed()

    answer = clock(business, at="2026-11-02T06:02:00+03:00", stopped=True)

    assert answer.json()["decided"] == 1
    assert business.prompts()[0]["decided_at"] == "2026-11-02T06:01:00.000+03:00"


def test_time_does_not_go_back_over_what_has_happened(business):
    business.pushed()
    before = now(business)

    answer = clock(business, at="2026-01-02T06:00:00+03:00")

    assert (answer.status_code, answer.json()["code"]) == (409, "clock_runs_forward")
    assert now(business) >= before


def test_a_reset_lets_time_go_back_and_ends_standstill_and_hold(business):
    business.pushed()
    clock(business, stopped=True)
    business.control("POST", "/callbacks/hold", {"hold": True})

    business.control("POST", "/reset")

    state = business.control("GET", "/state").json()
    assert (state["is_clock_stopped"], state["are_callbacks_held"]) == (False, False)
    assert clock(business, at="2026-01-02T06:00:00+03:00").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"at": "yesterday"},
        {"at": "2026-11-02T06:00:00"},
        {"at": "1999-11-02T06:00:00Z"},
        {"at": 5},
        {"at": "2026-11-02T06:00:00Z", "stopped": "yes"},
        {"moment": "2026-11-02T06:00:00Z"},
    ],
)
def test_refuses_what_is_no_moment(business, body):
    answer = clock(business, **body)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


def test_hands_held_callbacks_out_once_in_due_order(business):
    business.control("POST", "/callbacks/hold", {"hold": True})
    business.script({"action": "delay_callback", "ms": 5_000})
    late, early = business.pushed(), business.pushed()
    business.decide(late, "approve")
    business.decide(early, "cancel")
    business.tick(5)

    first, second = take(business, limit=1), take(business)

    assert [entry["cause"] for entry in first + second] == [early, late]
    assert first[0]["body"]["Body"]["stkCallback"]["ResultCode"] == 1032
    assert first[0]["url"] == f"{business.inbox.url}/hooks/3f/9c/stk"
    assert (first[0]["kind"], first[0]["before_response"]) == ("stk", False)
    assert take(business) == []
    assert business.inbox.bodies == []
    assert [entry["state"] for entry in business.log("callback")] == ["taken", "taken"]


def test_keeps_what_is_not_yet_due(business):
    business.control("POST", "/callbacks/hold", {"hold": True})
    business.script({"action": "delay_callback", "ms": 60_000})
    business.decide(business.pushed(), "approve")

    assert take(business) == []


def test_marks_a_callback_that_comes_before_the_answer(business):
    business.control("POST", "/callbacks/hold", {"hold": True})
    business.pushed(phone="254700000779")

    (taken,) = take(business)

    assert taken["before_response"] is True


def test_sends_again_when_the_hold_ends(business):
    business.control("POST", "/callbacks/hold", {"hold": True})
    business.decide(business.pushed(), "approve")

    business.control("POST", "/callbacks/hold", {"hold": False})

    business.inbox.wait(1)
    assert business.inbox.results() == [0]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/callbacks/hold", {"hold": 1}, 400),
        ("/callbacks/hold", {}, 400),
        ("/callbacks/take", {"limit": 0}, 400),
        ("/callbacks/take", {"limit": 1_001}, 400),
        ("/callbacks/take", {"limit": True}, 400),
        ("/callbacks/take", {}, 409),
    ],
)
def test_refuses_a_wrong_hold(business, path, body, status):
    assert business.control("POST", path, body).status_code == status


def test_works_in_one_process_without_a_port(store_path):
    world = server.build(store_path=store_path, seed=7)
    request = Request(method="POST", path="/__control/clock", query={}, headers={}, body=b"")

    stopped = server.route(
        world=world, request=replace(request, body=b'{"at": "2026-11-02T06:00:00Z", "stopped": true}')
    )
    server.route(world=world, request=replace(request, path="/__control/tick", body=b'{"seconds": 30}'))

    assert stopped.status == 200
    assert world.clock.now() == 1_793_599_230_000
    world.store.close()

"""Circuits: when they open, try again and close; in this process, in Redis, and while Redis is away."""

import os
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.kit import circuits, ids
from apps.kit.circuits import Circuit, Position
from script.devkit import ports

patient = settings(deadline=None, suppress_health_check=list(HealthCheck))
NOW = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)


def after(seconds):
    return NOW + timedelta(seconds=seconds)


@pytest.fixture(params=["here", "redis"])
def name(request, settings):
    """Return the name of a fresh circuit, of this process and in Redis in turn."""
    url = os.environ["TREASURY_REDIS_URL"] if request.param == "redis" else ""
    settings.TREASURY = {**settings.TREASURY, "RATE_LIMIT_URL": url}
    return f"test:{ids.token(8)}"


def fail(name, *, times, start=0):
    for second in range(start, start + times):
        circuits.note(name, is_well=False, now=after(second))


def position(name):
    return circuits.look([name])[name].position


def test_five_failures_within_a_minute_open_it_and_one_call_tries_after_thirty_seconds(name):
    fail(name, times=4)
    assert circuits.admit(name, now=after(4))

    fail(name, times=1, start=4)

    assert position(name) is Position.OPEN
    assert not circuits.admit(name, now=after(33))
    assert circuits.admit(name, now=after(34))
    assert position(name) is Position.HALF_OPEN
    assert not circuits.admit(name, now=after(35))


def test_the_call_that_tries_decides(name):
    fail(name, times=5)
    circuits.admit(name, now=after(40))
    circuits.note(name, is_well=False, now=after(41))
    assert not circuits.admit(name, now=after(70))

    assert circuits.admit(name, now=after(71))
    circuits.note(name, is_well=True, now=after(72))

    assert position(name) is Position.CLOSED
    assert circuits.admit(name, now=after(72))


def test_a_call_that_tried_and_never_came_back_is_given_up(name):
    fail(name, times=5)
    assert circuits.admit(name, now=after(40))

    assert circuits.admit(name, now=after(70))


def test_failures_far_apart_and_among_successes_do_not_open_it(name):
    for number in range(20):
        circuits.note(name, is_well=False, now=after(number * 16))
    assert position(name) is Position.CLOSED
    other = f"{name}:other"
    for number in range(40):
        circuits.note(other, is_well=number % 5 != 0, now=after(number))

    assert position(other) is Position.CLOSED


def test_a_person_opens_and_closes_it(name):
    circuits.hold_open(name, now=NOW)

    assert not circuits.admit(name, now=after(3600))
    circuits.note(name, is_well=True, now=after(3600))
    assert position(name) is Position.HELD_OPEN
    circuits.close(name)
    assert circuits.admit(name, now=after(3601))


def test_while_redis_is_away_all_calls_pass_and_a_person_is_told(settings):
    url = f"redis://127.0.0.1:{ports.choose(taken=set())}/0"
    settings.TREASURY = {**settings.TREASURY, "RATE_LIMIT_URL": url}

    fail("away", times=9)

    assert circuits.admit("away", now=after(9))
    assert circuits.look(["away"]) == {}
    with pytest.raises(circuits.CircuitOutOfReach):
        circuits.hold_open("away", now=NOW)


@patient
@given(st.lists(st.tuples(st.floats(0, 50), st.booleans()), max_size=40))
def test_it_is_open_only_after_five_failures_of_the_last_ten(calls):
    circuit, at = Circuit(), 0.0
    ended: list[bool] = []
    for wait, is_well in calls:
        at += wait
        circuit = circuit.note(at, is_well=is_well)
        ended.append(is_well)
        if circuit.position is Position.OPEN:
            assert ended[-10:].count(False) >= 5
            break

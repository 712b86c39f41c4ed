"""Ids."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.kit import clock, ids

FORBIDDEN = ("mpesa", "safaricom", "exe", "cmd", "sql", "query")


def test_are_in_the_order_in_which_they_were_made():
    made = [ids.new() for _ in range(5000)]

    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert {made_id.version for made_id in made} == {7}


@given(st.uuids())
def test_survive_their_public_form(value):
    text = ids.encode("pi", value)

    assert text.startswith("pi_")
    assert ids.decode("pi", text) == value
    assert ids.decode("pi", f"pi_{text[3:].upper()}") == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pi_",
        "pa_0000000000000000000000000a",
        "pi_u" + "0" * 25,
        "pi_8" + "0" * 25,
        "5c32332d-3b8c-4436-93c2-0bd6a1f6c8ba",
    ],
)
def test_refuse_another_prefix_or_form(text):
    with pytest.raises(ids.InvalidId):
        ids.decode("pi", text)


def test_tokens_spell_no_word_that_a_provider_rejects():
    assert not any(word in ids.token() for _ in range(2000) for word in FORBIDDEN)


def test_codes_are_ten_characters_without_look_alikes():
    codes = {ids.code() for _ in range(500)}

    assert len(codes) == 500
    assert all(len(code) == 10 and code[0].isalpha() and not set(code) & set("01ILO") for code in codes)


def made_with(seed: int, at: datetime) -> list[object]:
    with ids.seeded(seed), clock.fixed(at):
        return [ids.new(), ids.new(), ids.token(), ids.code()]


def test_repeat_themselves_from_a_seed_and_an_instant():
    at = datetime(2026, 10, 1, tzinfo=UTC)

    assert made_with(7, at) == made_with(7, at)
    assert made_with(7, at) != made_with(8, at)


def test_bear_the_time_of_the_stopped_clock():
    at = datetime(2026, 10, 1, tzinfo=UTC)

    earlier, later = made_with(7, at), made_with(7, at + timedelta(days=1))

    assert earlier[0] < earlier[1] < later[0]
    assert earlier[0].int >> 80 == int(at.timestamp() * 1000)
    assert ids.new() > later[0]

"""Keep positions: what a currency cost, by weighted average, whatever comes and goes."""

from hypothesis import given
from hypothesis import strategies as st

from apps.ledger.selectors.positions import Position

STEPS = st.lists(
    st.tuples(
        st.integers(min_value=-(10**6), max_value=10**6).filter(bool),
        st.integers(min_value=0, max_value=10**9),
    ),
    max_size=30,
)


@given(STEPS)
def test_a_position_keeps_every_cent_whatever_comes_and_goes(steps):
    position, gained, spent = Position(), 0, 0
    for units, value in steps:
        before = position
        position, gain = position.moved(units, value)
        gained += gain
        spent += value if units > 0 else -value

        assert position.units == before.units + units
        assert position.cost - gained == spent
        assert position.cost * position.units >= 0
        assert position.units or not position.cost


@given(
    st.integers(-(10**6), 10**6),
    st.integers(-(10**9), 10**9),
    st.integers(1, 10**6),
    st.integers(0, 10**9),
    st.booleans(),
)
def test_a_position_of_any_kind_keeps_every_cent(units, cost, moved, value, is_in):
    sign = 1 if is_in else -1

    after, gain = Position(units, cost).moved(sign * moved, value)

    assert after.units == units + sign * moved
    assert (after.cost - cost) - gain == sign * value
    assert after.cost * after.units >= 0
    assert after.units or not after.cost


@given(STEPS.filter(bool))
def test_a_position_bought_at_one_price_and_sold_at_it_gains_nothing(steps):
    position = Position()
    for units, _ in steps:
        position, gain = position.moved(units, abs(units) * 129)
        assert gain == 0
    assert position.cost == position.units * 129

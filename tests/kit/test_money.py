"""Money."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.kit.money import AmountPrecision, CurrencyMismatch, CurrencyUnknown, Money, MoneyInvalid

MINOR = st.integers(min_value=-(10**30), max_value=10**30)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("10.50", "KES", 1050),
        ("10.5", "KES", 1050),
        ("10", "JPY", 10),
        ("0.000000000000000001", "ETH", 1),
        ("-3", "KES", -300),
    ],
)
def test_reads_an_amount_exactly(text, currency, minor):
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    "text", ["", " 1", "1e3", "1_000", "NaN", "Infinity", "1,000", "\uff10", "--1", "1.2.3", "9" * 37]
)
def test_refuses_what_is_not_an_amount(text):
    with pytest.raises(MoneyInvalid):
        Money.parse(text, "KES")


def test_refuses_more_decimals_than_the_currency_has():
    with pytest.raises(AmountPrecision):
        Money.parse("1.005", "KES")
    with pytest.raises(AmountPrecision):
        Money.parse("1.5", "JPY")


def test_refuses_an_unknown_currency_and_a_mix():
    with pytest.raises(CurrencyUnknown):
        Money(1, "XXX")
    with pytest.raises(CurrencyMismatch):
        Money(1, "KES") + Money(1, "USD")
    with pytest.raises(CurrencyMismatch):
        assert Money(1, "KES") < Money(1, "USD")


def test_refuses_anything_but_whole_minor_units():
    with pytest.raises(TypeError):
        Money(1.5, "KES")
    with pytest.raises(TypeError):
        Money(True, "KES")


def test_writes_itself_for_people_and_for_the_wire():
    money = Money(1_240_000, "KES")

    assert str(money) == "KES 12,400.00"
    assert money.wire() == {"amount": "12400.00", "currency": "KES"}
    assert Money(-5, "JPY").text == "-5"


def test_takes_a_share_half_up():
    assert Money(100, "KES").share(50) == Money(1, "KES")
    assert Money(1_240_000, "KES").share(50) == Money(6200, "KES")
    assert Money(99, "KES").share(50) == Money(0, "KES")


def test_splits_an_indivisible_sum_by_largest_remainder():
    parts = Money(250, "KES").allocate([50, 45, 5])

    assert [part.minor for part in parts] == [125, 113, 12]


@given(MINOR, st.lists(st.integers(min_value=0, max_value=10**6), min_size=1, max_size=8).filter(any))
def test_splits_without_losing_a_unit(minor, weights):
    assert sum(part.minor for part in Money(minor, "KES").allocate(weights)) == minor


@given(
    MINOR,
    st.lists(st.integers(min_value=0, max_value=10**6), min_size=1, max_size=8).filter(any),
    st.sampled_from(["KES", "JPY", "KWD", "ETH"]),
)
def test_gives_each_part_its_share_to_the_unit_and_always_the_same(minor, weights, currency):
    parts = [part.minor for part in Money(minor, currency).allocate(weights)]

    total = sum(weights)
    assert all(
        abs(part * total - minor * weight) < total for part, weight in zip(parts, weights, strict=True)
    )
    assert [-part.minor for part in Money(-minor, currency).allocate(weights)] == parts
    assert [
        part.minor for part in Money(minor, currency).allocate([7 * weight for weight in weights])
    ] == parts


def test_gives_a_tie_to_the_first():
    assert [part.minor for part in Money(2, "KES").allocate([1, 1, 1])] == [1, 1, 0]
    assert [part.minor for part in Money(-1, "KES").allocate([1, 1])] == [-1, 0]


@given(MINOR, st.sampled_from(["KES", "JPY", "KWD", "ETH"]))
def test_survives_the_wire(minor, currency):
    money = Money(minor, currency)

    assert Money.parse(text=money.wire()["amount"], currency=money.wire()["currency"]) == money

"""Sums as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.kit import typed_sums
from apps.kit.money import AmountPrecision, CurrencyUnknown, Money, MoneyInvalid


@pytest.mark.parametrize(
    "text", ["1250", "1,250", "1,250.00", "1 250.00", "KES 1,250.00", " KES  1,250.0 ", "1250.00"]
)
def test_reads_a_sum_as_people_write_it(text):
    assert typed_sums.read(text, "KES") == Money(125000, "KES")


@pytest.mark.parametrize(
    "text",
    ["1,50", "1,5000", "12,50.00", "1,250,00", ",250", "1 25", "1,250 000", "1.250,00", "USD 5", "", "five"],
)
def test_refuses_a_comma_that_does_not_stand_between_thousands(text):
    with pytest.raises(MoneyInvalid) as refusal:
        typed_sums.read(text, "KES")
    assert refusal.value.detail == "Write the amount as 1,250.00."


def test_says_how_many_decimals_a_currency_has():
    with pytest.raises(AmountPrecision) as refusal:
        typed_sums.read("1.005", "KES")
    assert refusal.value.detail == "KES has 2 decimals at most."


def test_refuses_a_currency_that_nobody_knows():
    with pytest.raises(CurrencyUnknown):
        typed_sums.read("5", "XXX")


@given(st.integers(min_value=-(10**15), max_value=10**15), st.sampled_from(["KES", "UGX", "KWD"]))
def test_reads_back_what_is_shown(minor, currency):
    sum_ = Money(minor, currency)
    assert typed_sums.read(str(sum_), currency) == sum_

"""Read rates: the last one that holds, straight, turned round or across the functional currency, and never an old one."""

from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.kit.actors import PROVIDER
from apps.kit.money import EXPONENTS, CurrencyMismatch, Money
from apps.ledger.contracts import AccountRole
from apps.ledger.selectors import rates
from apps.ledger.selectors.rates import Rate
from tests.factories import fx, ledger

NOW, MORNING = fx.NOW, fx.MORNING
DAY = timedelta(days=1)


def latest(base="USD", quote="KES", **facts):
    return rates.latest(base, quote, **{"at": NOW, "now": NOW, **facts})


def test_the_last_rate_before_the_instant_holds(acme):
    fx.rate("128", as_of=MORNING - 2 * DAY)
    fx.rate("129.5")

    assert (latest().ratio, latest().as_of, latest().source) == (Fraction("129.5"), MORNING, "CBK")
    assert latest(at=MORNING - DAY).ratio == 128


def test_a_pair_is_read_both_ways_exactly(acme):
    fx.rate("3")

    turned = latest("KES", "USD")

    assert turned.ratio == Fraction(1, 3)
    assert (turned.text, turned.source) == ("0.333333333333", "CBK, turned round")


def test_two_foreign_currencies_meet_in_the_functional_one(acme):
    fx.rate("130", as_of=MORNING)
    fx.rate("150", base="EUR", as_of=MORNING - DAY)

    across = latest("USD", "EUR")

    assert across.ratio == Fraction(130, 150)
    assert across.as_of == MORNING - DAY
    assert across.source == "CBK and CBK, turned round"


def test_a_rate_of_the_pair_itself_wins_unless_it_is_older(acme):
    fx.rate("130", as_of=MORNING)
    fx.rate("150", base="EUR", as_of=MORNING)
    fx.rate("0.85", quote="EUR", as_of=MORNING - DAY)
    assert latest("USD", "EUR").ratio == Fraction(130, 150)

    fx.rate("0.86", quote="EUR", as_of=MORNING)

    assert latest("USD", "EUR").ratio == Fraction("0.86")


def test_a_missing_rate_is_no_guess(acme):
    fx.rate()

    with pytest.raises(rates.RateMissing, match="no rate from EUR to KES"):
        latest("EUR")
    with pytest.raises(rates.RateMissing):
        latest(at=MORNING - timedelta(seconds=1))


def test_a_rate_that_was_recorded_later_was_not_known_yet(acme):
    fx.rate("129.5")
    fx.rate("130", as_of=MORNING + timedelta(minutes=1), now=NOW + DAY)

    assert latest().ratio == Fraction("129.5")
    assert latest(now=NOW + DAY).ratio == 130


def test_an_old_rate_is_refused_with_its_date(acme):
    fx.rate()

    assert latest(at=MORNING + 4 * DAY, now=NOW + 4 * DAY).ratio == Fraction("129.5")
    with pytest.raises(rates.RateStale, match="is of 2026-11-24, more than 4 days before 2026-11-28"):
        latest(at=MORNING + 4 * DAY + timedelta(seconds=1), now=NOW + 5 * DAY)


def test_the_book_says_how_old_a_rate_may_be(acme):
    branch = ledger.branch()
    ledger.post(
        ledger.transfer(
            ledger.ref(AccountRole.CASH, branch.id), ledger.ref(AccountRole.SUSPENSE, branch.id), 1_00
        )
    )
    fx.rate()

    assert rates.functional_currency() == "KES"
    with pytest.raises(rates.RateStale, match="more than 4 days"):
        latest(at=MORNING + 5 * DAY, now=NOW + 5 * DAY)


def test_a_history_says_of_each_day_what_latest_says(acme):
    for days in (12, 9, 5, 1):
        fx.rate(str(120 + days), as_of=MORNING - days * DAY, now=MORNING - days * DAY, actor=PROVIDER)
    fx.rate("0.0078", base="KES", quote="USD", as_of=MORNING - 3 * DAY, now=MORNING, actor=PROVIDER)
    fx.rate("130", as_of=MORNING - 2 * DAY, now=NOW + DAY, actor=PROVIDER)
    history = rates.History.of("USD", "KES", now=NOW)

    def asked(ask):
        try:
            return ask()
        except (rates.RateMissing, rates.RateStale) as refusal:
            return str(refusal)

    for hours in range(0, 24 * 15, 5):
        at = NOW - timedelta(hours=hours)
        assert asked(lambda at=at: history.at(at)) == asked(lambda at=at: latest(at=at))


def test_a_currency_is_worth_one_of_itself(acme):
    assert latest("KES", "KES").ratio == 1


def rate(text, base="USD", quote="KES"):
    return Rate(base, quote, Fraction(text), MORNING, "CBK")


@pytest.mark.parametrize(
    ("text", "sum_", "nearest", "below"),
    [
        ("129.4567", Money(100_00, "USD"), 12_945_67, 12_945_67),
        ("129.45675", Money(100_00, "USD"), 12_945_68, 12_945_67),
        ("0.005", Money(1_00, "USD"), 0, 0),
        ("0.015", Money(1_00, "USD"), 2, 1),
        ("0.025", Money(1_00, "USD"), 2, 2),
        ("129.5", Money(-1_01, "USD"), -13_080, -13_080),
    ],
)
def test_converts_to_the_minor_unit_half_to_even(text, sum_, nearest, below):
    assert rate(text).nearest(sum_) == Money(nearest, "KES")
    assert rate(text).below(sum_) == Money(below, "KES")


def test_converts_between_currencies_of_other_decimals():
    assert rate("3500.25", "ETH", "USD").nearest(Money(10**18, "ETH")) == Money(3500_25, "USD")
    assert rate("0.9", "JPY", "KES").nearest(Money(1000, "JPY")) == Money(900_00, "KES")
    assert rate("0.307", "USD", "KWD").nearest(Money(100_00, "USD")) == Money(30_700, "KWD")
    with pytest.raises(CurrencyMismatch):
        rate("1").nearest(Money(1, "EUR"))


@given(
    st.integers(min_value=-(10**37), max_value=10**37),
    st.fractions(min_value=Fraction(1, 10**12), max_value=10**12),
    st.sampled_from(sorted(EXPONENTS)),
    st.sampled_from(sorted(EXPONENTS)),
)
def test_is_never_off_by_more_than_half_a_unit(minor, ratio, base, quote):
    exact = minor * ratio * Fraction(10) ** (EXPONENTS[quote] - EXPONENTS[base])
    converter = Rate(base, quote, ratio, MORNING, "x")

    assert abs(converter.nearest(Money(minor, base)).minor - exact) <= Fraction(1, 2)
    assert 0 <= exact - converter.below(Money(minor, base)).minor < 1

"""Exchange: one currency for another through its position, at a recorded rate, with fee, rounding and gain apart."""

import dataclasses
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.audit.models import AuditRecord
from apps.kit import ids
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole, TransactionKind
from apps.ledger.models import Account, Entry, FxRate, Transaction
from apps.ledger.selectors import balances, positions, transactions
from apps.ledger.selectors.positions import Position
from apps.ledger.selectors.rates import RateMissing, RateStale
from apps.ledger.services import accounts, exchanges, journals, reversals, verification
from tests.factories import fx, ledger
from tests.factories.fx import kes, usd

NOW = fx.NOW
USD_100 = usd(100_00)


@pytest.fixture
def place(branch):
    fx.rate("129.5")
    return branch.id


def legs(booked):
    """Return what a transaction moved: account, currency, and the sum with its sign, a debit positive."""
    found = transactions.get(booked.id)
    return {
        (
            leg.account_name if leg.role == AccountRole.FX_POSITION else leg.role.value,
            money.currency,
        ): money.minor * (1 if leg.debit else -1)
        for leg in found.legs
        for money in [leg.debit or leg.credit]
    }


def position(place, currency="USD"):
    return positions.of(currency, functional="KES", branch_id=place)


def gains(place):
    gain = balances.of(ledger.ref(AccountRole.FX_REALISED_GAIN, place))
    loss = balances.of(ledger.ref(AccountRole.FX_REALISED_LOSS, place))
    return gain.minor, loss.minor


def test_a_hundred_dollars_become_shillings_by_four_legs_in_two_currencies(place):
    booked = fx.exchange(USD_100, "KES", place, reference="FT-1")

    assert legs(booked) == {
        ("BANK_BALANCE", "USD"): -100_00,
        ("Position in USD", "USD"): 100_00,
        ("Position in USD, at cost", "KES"): -12_950_00,
        ("BANK_BALANCE", "KES"): 12_950_00,
    }
    row = Transaction.objects.get(uid=booked.id)
    assert (row.kind, row.source_type, row.reference) == (TransactionKind.EXCHANGE, "fx_exchange", "FT-1")
    assert row.description == "Exchange of USD 100.00 to KES at 129.5"
    assert row.dimensions == {
        "rate": "129.5",
        "rate_source": "CBK",
        "rate_as_of": fx.MORNING.isoformat(),
        "rate_ids": ids.encode("fxr", FxRate.objects.get().id),
    }
    assert AuditRecord.objects.get(action="ledger.exchanged").object_id == str(booked.id)
    assert verification.verify().is_clean


def test_a_fee_is_a_leg_of_its_own(place):
    charges = ledger.ref(AccountRole.PROVIDER_FEES, place)

    booked = fx.exchange(USD_100, "KES", place, fee=kes(250_00), fee_account=charges)

    moved = legs(booked)
    assert (moved["BANK_BALANCE", "KES"], moved["PROVIDER_FEES", "KES"]) == (12_700_00, 250_00)
    assert moved["Position in USD, at cost", "KES"] == -12_950_00


def test_what_is_less_than_a_cent_stays_with_the_house(branch):
    """USD 0.07 at 129.51 are KES 9.0657: the customer gets 9.06, the position goes at 9.07, the cent is income."""
    fx.rate("129.51")
    customer = ids.new()
    ours = {
        currency: ledger.ref(AccountRole.CUSTOMER_DEPOSIT, branch.id, currency, owner_id=customer)
        for currency in ("USD", "KES")
    }

    booked = fx.exchange(usd(7), "KES", branch.id, source=ours["USD"], target=ours["KES"])

    assert legs(booked) == {
        ("CUSTOMER_DEPOSIT", "USD"): 7,
        ("Position in USD", "USD"): -7,
        ("Position in USD, at cost", "KES"): 9_07,
        ("CUSTOMER_DEPOSIT", "KES"): -9_06,
        ("ROUNDING", "KES"): -1,
    }
    assert position(branch.id) == Position(7, 9_07)


def test_converting_back_gives_the_gain_against_the_average_cost(place):
    fx.exchange(kes(12_950_00), "USD", place)
    fx.rate("131.5", as_of=NOW + timedelta(hours=1), now=NOW + timedelta(hours=1))
    fx.exchange(kes(13_150_00), "USD", place, now=NOW + timedelta(hours=2))
    assert position(place) == Position(200_00, 26_100_00)
    fx.rate("132", as_of=NOW + timedelta(hours=3), now=NOW + timedelta(hours=3))

    booked = fx.exchange(usd(50_00), "KES", place, now=NOW + timedelta(hours=4))

    assert legs(booked) == {
        ("BANK_BALANCE", "USD"): -50_00,
        ("Position in USD", "USD"): 50_00,
        ("BANK_BALANCE", "KES"): 6_600_00,
        ("Position in USD, at cost", "KES"): -6_525_00,
        ("FX_REALISED_GAIN", "KES"): -75_00,
    }
    assert position(place) == Position(150_00, 19_575_00)
    assert gains(place) == (75_00, 0)


def test_converting_all_back_at_a_loss_leaves_no_cost_behind(place):
    fx.exchange(kes(12_950_00), "USD", place)
    fx.rate("128", as_of=NOW + timedelta(hours=1), now=NOW + timedelta(hours=1))

    fx.exchange(USD_100, "KES", place, now=NOW + timedelta(hours=2))

    assert position(place) == Position(0, 0)
    assert gains(place) == (0, 150_00)


def test_two_foreign_currencies_meet_at_their_worth_in_shillings(place):
    fx.rate("150", base="EUR")
    fx.exchange(kes(12_950_00), "USD", place)

    booked = fx.exchange(USD_100, "EUR", place)

    moved = legs(booked)
    assert moved["BANK_BALANCE", "EUR"] == 86_33
    assert (position(place), position(place, "EUR")) == (Position(0, 0), Position(86_33, 12_950_00))
    assert gains(place) == (0, 0)
    assert verification.verify().is_clean


@pytest.mark.parametrize(
    ("give", "currency", "text", "arrives"),
    [
        (Money(1_000, "JPY"), "KES", "0.8209", 820_90),
        (Money(1_500, "KWD"), "KES", "421.3", 631_95),
        (Money(10**19 + 1, "ETH"), "KES", "350000.5", 3_500_005_00),
        (Money(3 * 10**34, "ETH"), "JPY", "470000", 1_410_000 * 10**16),
        (Money(129_46, "KES"), "KWD", "0.0023736", 307),
        (Money(99, "KES"), "JPY", "1.218", 1),
    ],
)
def test_currencies_of_any_decimals_and_sums_of_any_size(branch, give, currency, text, arrives):
    if "KES" not in {give.currency, currency}:
        fx.rate("1", base=give.currency)
    fx.rate(text, base=give.currency, quote=currency)

    fx.exchange(give, currency, branch.id)

    assert balances.of(fx.bank(currency, branch.id)) == Money(arrives, currency)
    assert verification.verify().is_clean


def test_the_same_order_again_is_the_first_booking_at_whatever_rate(place):
    order = fx.order(USD_100, "KES", place)
    first = exchanges.exchange(order=order, actor=SYSTEM, now=NOW)
    fx.rate("131", as_of=NOW + timedelta(minutes=1), now=NOW + timedelta(minutes=2))

    again = exchanges.exchange(order=order, actor=SYSTEM, now=NOW + timedelta(days=9))

    assert (again.id, again.number, again.effective_date, again.is_replay) == (
        first.id,
        first.number,
        first.effective_date,
        True,
    )
    assert Transaction.objects.count() == 1


@pytest.mark.parametrize(
    "changed", [{"give": usd(100_01)}, {"reference": "x"}, {"effective_date": date(2026, 11, 24)}]
)
def test_another_order_under_its_key_is_refused(place, changed):
    order = fx.order(USD_100, "KES", place)
    exchanges.exchange(order=order, actor=SYSTEM, now=NOW)

    with pytest.raises(journals.KeyReused):
        exchanges.exchange(order=dataclasses.replace(order, **changed), actor=SYSTEM, now=NOW)

    assert Transaction.objects.count() == 1


def test_without_a_rate_nothing_is_booked(place):
    with pytest.raises(RateMissing):
        fx.exchange(Money(1_00, "EUR"), "KES", place)
    with pytest.raises(RateStale):
        fx.exchange(USD_100, "KES", place, now=NOW + timedelta(days=5))

    assert not Transaction.objects.exists()
    assert not Account.objects.exists()


def test_a_back_dated_exchange_takes_the_rate_of_its_day(place):
    fx.rate("127", as_of=fx.MORNING - timedelta(days=2))

    booked = fx.exchange(USD_100, "KES", place, effective_date=date(2026, 11, 23))

    assert legs(booked)["BANK_BALANCE", "KES"] == 12_700_00
    assert booked.effective_date == date(2026, 11, 23)


@pytest.mark.parametrize(
    ("pointer", "facts"),
    [
        ("/key", {"key": ""}),
        ("/key", {"key": "x" * 151}),
        ("/key", {"key": "a\0b"}),
        ("/give", {"give": usd(0)}),
        ("/give", {"give": usd(-1)}),
        ("/source", {"source": "KES"}),
        ("/target", {"target": "USD"}),
        ("/target", {"target": "elsewhere"}),
        ("/target", {"target": "owed"}),
        ("/fee", {"fee": kes(1)}),
        ("/fee", {"fee": usd(1), "fee_account": "fees"}),
        ("/fee", {"fee": kes(0), "fee_account": "fees"}),
        ("/fee_account", {"fee": kes(1), "fee_account": "USD"}),
        ("/give", {"fee": kes(12_950_00), "fee_account": "fees"}),
    ],
)
def test_names_what_cannot_be(place, pointer, facts):
    named = {
        "KES": fx.bank("KES", place),
        "USD": fx.bank("USD", place),
        "elsewhere": fx.bank("KES", ledger.branch().id),
        "owed": ledger.ref(AccountRole.CUSTOMER_DEPOSIT, place),
        "fees": ledger.ref(AccountRole.PROVIDER_FEES, place),
    }
    chosen = {
        field: named.get(value, value) if isinstance(value, str) else value for field, value in facts.items()
    }

    with pytest.raises(exchanges.ExchangeInvalid) as refusal:
        exchanges.exchange(
            order=dataclasses.replace(fx.order(USD_100, "KES", place), **chosen), actor=SYSTEM, now=NOW
        )

    assert [error.pointer for error in refusal.value.errors] == [pointer]
    assert not Transaction.objects.exists()


def test_nothing_is_kept_when_the_ledger_refuses(place):
    accounts.ensure(ref=fx.bank("USD", place), now=NOW)
    accounts.set_limits(ref=fx.bank("USD", place), net_floor=usd(0), net_ceiling=None, actor=SYSTEM, now=NOW)

    with pytest.raises(journals.LimitExceeded):
        fx.exchange(USD_100, "KES", place)

    assert not Transaction.objects.exists()
    assert position(place) == Position(0, 0)
    assert not AuditRecord.objects.filter(action="ledger.exchanged").exists()


def test_a_reversal_takes_position_cost_and_gain_back(place):
    fx.exchange(kes(12_950_00), "USD", place)
    fx.rate("132", as_of=NOW + timedelta(hours=1), now=NOW + timedelta(hours=1))
    booked = fx.exchange(USD_100, "KES", place, now=NOW + timedelta(hours=2))
    assert gains(place) == (250_00, 0)

    reversals.reverse(
        transaction_id=booked.id, reason="Wrong account", actor=SYSTEM, now=NOW + timedelta(hours=3)
    )

    assert gains(place) == (0, 0)
    assert position(place) == Position(100_00, 12_950_00)
    assert verification.verify().is_clean


def test_what_a_reversal_leaves_of_a_cost_is_gained_by_the_next_exchange(place):
    """100 at 100 and 100 at 120 cost 110 on average; with 100 sold and the second purchase reversed, 1,000 too many went."""
    for text, minutes in (("100", 1), ("120", 2)):
        FxRate(
            base="USD",
            quote="KES",
            rate=text,
            as_of=NOW + timedelta(minutes=minutes),
            source="x",
            created_by="x",
            created_at=NOW + timedelta(minutes=minutes),
        ).save()
        last = fx.exchange(kes(int(text) * 100_00), "USD", place, now=NOW + timedelta(minutes=minutes))
    later = NOW + timedelta(minutes=3)
    fx.exchange(USD_100, "KES", place, now=later)
    assert gains(place) == (1_000_00, 0)
    reversals.reverse(transaction_id=last.id, reason="Wrong", actor=SYSTEM, now=later)
    assert position(place) == Position(0, -1_000_00)
    assert verification.verify().is_clean

    booked = fx.exchange(kes(12_000_00), "USD", place, now=later)

    assert legs(booked)["FX_REALISED_GAIN", "KES"] == -1_000_00
    assert position(place) == Position(100_00, 12_000_00)
    assert gains(place) == (2_000_00, 0)
    assert verification.verify().is_clean


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["USD", "KES", "EUR"]),
            st.sampled_from(["USD", "KES", "EUR"]),
            st.integers(1, 10**7),
        ),
        max_size=6,
    )
)
def test_random_exchanges_balance_and_leave_no_cost_without_a_position(acme, steps):
    place = ledger.branch().id
    fx.rate("129.4567")
    fx.rate("141.1436", base="EUR")
    for source, target, minor in steps:
        if source != target and minor > 1000:
            fx.exchange(Money(minor, source), target, place)

    assert verification.verify().is_clean
    for currency in ("USD", "EUR"):
        found = positions.of(currency, functional="KES", branch_id=place)
        assert found.units * found.cost >= 0
        moved = sum(
            int(entry.amount) * entry.direction
            for entry in Entry.objects.filter(account__branch_id=place, currency=currency)
        )
        assert moved == 0

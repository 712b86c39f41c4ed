"""Revalue: foreign money at the rate of a day's end against what it was carried at, booked for that day and taken back."""

from datetime import UTC, date, datetime, timedelta

import pytest

from apps.audit.models import AuditRecord
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import REVALUATION_DONE, AccountRole, AccountType, TransactionKind
from apps.ledger.models import Account, Entry, Transaction
from apps.ledger.selectors import carrying, positions, transactions
from apps.ledger.selectors import periods as stored_periods
from apps.ledger.selectors.rates import RateMissing, RateStale
from apps.ledger.services import journals, periods, revaluations, verification
from apps.tenancy.models import Organisation
from tests.conftest import owner
from tests.factories import fx, ledger
from tests.factories.fx import kes, usd
from tests.ledger.test_race_postings import together

LAST_DAY = date(2026, 11, 30)
FIRST_DAY = date(2026, 12, 1)
SECOND_DAY = date(2026, 12, 2)
EVENING = datetime(2026, 11, 30, 15, 0, tzinfo=UTC)
AFTER = datetime(2026, 12, 2, 6, 0, tzinfo=UTC)


@pytest.fixture
def place(branch):
    fx.rate("129.5")
    return branch.id


def closing(text, base="USD", quote="KES"):
    """Record the rate that holds at the end of November."""
    fx.rate(text, base=base, quote=quote, as_of=EVENING, now=EVENING)


def revalue(on=LAST_DAY, now=AFTER):
    return revaluations.revalue(on=on, actor=SYSTEM, now=now)


def sale(branch_id, minor=100_00, currency="USD", **facts):
    """Earn a sum into the bank."""
    legs = (fx.bank(currency, branch_id), ledger.ref(AccountRole.REVENUE, branch_id, currency))
    return ledger.post(ledger.transfer(*legs, minor, **facts))


def legs(transaction):
    return {
        leg.role.value: (leg.debit.minor if leg.debit else -leg.credit.minor)
        for leg in transactions.get(transaction.uid).legs
    }


def net(role, branch_id, *, until=SECOND_DAY, currency="KES"):
    """Return debits less credits of a role in a branch, dated until a day."""
    found = Entry.objects.filter(
        account__role=role,
        account__branch_id=branch_id,
        account__currency=currency,
        effective_date__lte=until,
    )
    return sum(int(entry.amount) * entry.direction for entry in found)


def result(branch_id, *, until):
    """Return what exchange rates have gained by a day, realised or not."""
    roles = [
        AccountRole.FX_REALISED_GAIN,
        AccountRole.FX_REALISED_LOSS,
        AccountRole.FX_UNREALISED_GAIN,
        AccountRole.FX_UNREALISED_LOSS,
    ]
    return -sum(net(role, branch_id, until=until) for role in roles)


def test_a_million_dollars_of_hong_kong_lose_1272_pounds_and_get_them_back_next_day(acme):
    """The published example: HKD 1,000,000.00 carried at GBP 80,268.00, closing rate 0.078996, loss GBP 1,272.00."""
    acme.base_currency = "GBP"
    Organisation.objects.filter(id=acme.id).update(base_currency="GBP")
    branch = ledger.branch()
    fx.rate("0.080268", base="HKD", quote="GBP")
    fx.exchange(Money(80_268_00, "GBP"), "HKD", branch.id)
    assert net(AccountRole.BANK_BALANCE, branch.id, currency="HKD") == 1_000_000_00
    closing("0.078996", base="HKD", quote="GBP")

    revalued = revalue()

    (valued,) = revalued.valued
    assert valued.holding.carried == Money(80_268_00, "GBP")
    assert (valued.worth, valued.gain) == (Money(78_996_00, "GBP"), Money(-1_272_00, "GBP"))
    booked, back = Transaction.objects.exclude(kind=TransactionKind.EXCHANGE).order_by("id")
    assert (booked.kind, booked.effective_date) == (TransactionKind.REVALUATION, LAST_DAY)
    assert legs(booked) == {"FX_UNREALISED_LOSS": 1_272_00, "FX_REVALUATION": -1_272_00}
    assert (back.kind, back.effective_date, back.reverses_id) == (
        TransactionKind.REVERSAL,
        FIRST_DAY,
        booked.id,
    )
    assert legs(back) == {"FX_UNREALISED_LOSS": -1_272_00, "FX_REVALUATION": 1_272_00}
    contra = Account.objects.get(role=AccountRole.FX_REVALUATION)
    assert (contra.owner_id, contra.currency) == (positions.owner_of("HKD"), "GBP")
    assert verification.verify().is_clean


def test_what_was_earned_is_carried_at_the_rate_of_its_day(place):
    sale(place)
    fx.rate("130", as_of=fx.NOW + timedelta(days=2), now=fx.NOW + timedelta(days=2))
    sale(place, effective_date=date(2026, 11, 26))
    closing("132")

    revalued = revalue()

    (valued,) = revalued.valued
    assert (valued.holding.net, valued.holding.carried) == (usd(200_00), kes(25_950_00))
    assert (valued.rate.text, valued.worth, valued.gain) == ("132", kes(26_400_00), kes(450_00))
    assert result(place, until=LAST_DAY) == 450_00
    assert result(place, until=FIRST_DAY) == 0
    row = Transaction.objects.get(kind=TransactionKind.REVALUATION)
    assert row.dimensions["rate"] == "132"
    assert row.description == "Revaluation of USD at 132"
    assert AuditRecord.objects.get(action="ledger.revalued").object_id == "2026-11-30"


def test_a_debt_in_dollars_loses_when_the_dollar_gains(place):
    owed = ledger.ref(AccountRole.PAYABLE, place, "USD")
    bought = ledger.ref(AccountRole.PURCHASES, place, "USD")
    ledger.post(ledger.transfer(bought, owed, 100_00))
    closing("132")

    assert [one.gain for one in revalue().valued] == [kes(-250_00)]
    assert result(place, until=LAST_DAY) == -250_00


def test_money_that_was_bought_and_kept_gains_once(place):
    """The bank account is valued; the position that mirrors it is not, or the gain would be taken away again."""
    fx.exchange(kes(12_950_00), "USD", place)
    closing("132")

    revalued = revalue()

    assert [(one.holding.net, one.gain) for one in revalued.valued] == [(usd(100_00), kes(250_00))]


def test_a_gain_is_realised_once_though_it_was_revalued_before(place):
    fx.exchange(kes(12_950_00), "USD", place)
    closing("132")
    revalue()

    fx.exchange(usd(100_00), "KES", place, now=AFTER, effective_date=date(2026, 12, 1))

    assert result(place, until=LAST_DAY) == 250_00
    assert result(place, until=SECOND_DAY) == 250_00
    assert -net(AccountRole.FX_REALISED_GAIN, place) == 250_00
    again = revaluations.value(on=FIRST_DAY, now=AFTER)
    assert again == []


def test_money_that_was_earned_and_sold_keeps_its_gain(place):
    """Earned at 129.5, sold at 131: the shillings are more than the sale was worth, whatever the rate is at the end."""
    sale(place)
    noon = fx.NOW + timedelta(days=1)
    fx.rate("131", as_of=noon, now=noon)
    fx.exchange(usd(100_00), "KES", place, now=noon)
    closing("128")

    (valued,) = revalue().valued

    assert (valued.holding.net, valued.holding.carried, valued.gain) == (usd(0), kes(-150_00), kes(150_00))
    assert result(place, until=LAST_DAY) == 150_00


def test_a_reversed_exchange_leaves_nothing_to_value(place):
    booked = fx.exchange(kes(12_950_00), "USD", place)
    revaluations.reversals.reverse(transaction_id=booked.id, reason="Wrong", actor=SYSTEM, now=fx.NOW)
    closing("132")

    assert revalue().valued == ()
    assert not Transaction.objects.filter(kind=TransactionKind.REVALUATION).exists()


def test_each_branch_and_currency_is_booked_by_itself(place):
    elsewhere = ledger.branch().id
    fx.rate("150", base="EUR")
    sale(place)
    sale(place, 10_00, "EUR")
    sale(elsewhere, 200_00)
    closing("130.5")
    closing("149", base="EUR")

    assert len(revalue().booked) == 3
    assert result(place, until=LAST_DAY) == 100_00 - 10_00
    assert result(elsewhere, until=LAST_DAY) == 200_00


def test_a_day_is_revalued_once_whatever_came_in_since(place):
    sale(place)
    closing("132")
    first = revalue()
    sale(place, effective_date=LAST_DAY)

    again = revalue(now=AFTER + timedelta(days=1))

    assert (again.is_replay, again.valued) == (True, ())
    assert [one.id for one in again.booked] == [one.id for one in first.booked]
    assert Transaction.objects.filter(kind=TransactionKind.REVALUATION).count() == 1


def test_signs_the_period_off_that_ends_on_the_day(place):
    sale(place)
    closing("129.5")
    (november,) = [
        month for month in periods.generate(year=2026, actor=SYSTEM, now=fx.NOW) if month.end_date == LAST_DAY
    ]

    assert revalue().booked == ()

    (signed,) = stored_periods.sign_offs_of(november)
    assert (signed.kind, signed.is_signed, signed.note) == (
        REVALUATION_DONE.name,
        True,
        "1 accounts in foreign currency were valued",
    )
    met = {found.name: found.is_met for found in periods.checklist(period_id=november.uid, now=AFTER)}
    assert met["revaluation"] is True


def test_two_connections_revalue_a_day_once(committed_acme):
    place = ledger.branch().id
    fx.rate("129.5")
    sale(place)
    closing("132")

    outcomes = together(committed_acme, [revalue] * 4)

    assert sorted(outcome.is_replay for outcome in outcomes) == [False, True, True, True]
    assert Transaction.objects.filter(kind=TransactionKind.REVALUATION).count() == 1
    assert Transaction.objects.filter(kind=TransactionKind.REVERSAL).count() == 1


@pytest.mark.parametrize(
    ("on", "now"),
    [(LAST_DAY, EVENING), (LAST_DAY, datetime(2026, 11, 30, 20, 59, tzinfo=UTC)), (FIRST_DAY, EVENING)],
)
def test_a_day_that_is_not_over_is_not_valued(place, on, now):
    sale(place)

    with pytest.raises(revaluations.RevaluationTooEarly) as refusal:
        revalue(on=on, now=now)

    assert [error.pointer for error in refusal.value.errors] == ["/on"]
    assert not Transaction.objects.filter(kind=TransactionKind.REVALUATION).exists()


def test_without_the_closing_rate_nothing_is_booked(place):
    sale(place)

    with pytest.raises(RateStale):
        revalue()

    assert Transaction.objects.count() == 1


def test_without_the_rate_of_a_day_on_which_something_moved_nothing_is_booked(place):
    sale(place, currency="EUR")
    closing("150", base="EUR")

    with pytest.raises(RateMissing, match="from EUR to KES for 2026-11-24"):
        revalue()

    assert Transaction.objects.count() == 1


def test_a_closed_day_is_not_revalued(committed_acme):
    place = ledger.branch().id
    fx.rate("129.5")
    sale(place)
    closing("132")
    with owner() as database:
        database.execute("UPDATE org_acme.ledger_book SET closed_through = '2026-11-30'")
        database.commit()

    with pytest.raises(journals.PeriodClosed):
        revalue()

    assert Transaction.objects.count() == 1


def test_a_book_that_is_not_open_has_nothing_to_value(acme):
    with pytest.raises(journals.BookMissing):
        revalue()


def test_shillings_and_accounts_that_finance_opened_itself_are_left_alone(place):
    sale(place, currency="KES")
    closing("132")

    assert revalue().valued == ()
    assert AccountRole.GENERAL in carrying.NOT_MONETARY


def test_the_functional_trial_balance_is_zero_after_it(place):
    """Monetary accounts at the closing rate, positions at cost, results at the rate of their day: all of it sums to zero."""
    fx.rate("150", base="EUR")
    fx.exchange(kes(25_900_00), "USD", place)
    sale(place, 70_00)
    sale(place, 40_00, "EUR")
    noon = fx.NOW + timedelta(days=1)
    fx.rate("131", as_of=noon, now=noon)
    fx.exchange(usd(120_00), "KES", place, now=noon)
    fx.exchange(Money(10_00, "EUR"), "USD", place, now=noon)
    closing("132")
    closing("149", base="EUR")

    revalued = revalue()

    shillings = sum(
        int(entry.amount) * entry.direction
        for entry in Entry.objects.filter(account__currency="KES", effective_date__lte=LAST_DAY)
    )
    monetary = sum(one.worth.minor for one in revalued.valued)
    at_cost = sum(positions.of(code, functional="KES", branch_id=place).cost for code in ("USD", "EUR"))
    earned = sum(
        int(entry.amount) * entry.direction * (129.5 if entry.currency == "USD" else 150)
        for entry in Entry.objects.filter(account__type=AccountType.INCOME).exclude(account__currency="KES")
    )
    revaluation = net(AccountRole.FX_REVALUATION, place, until=LAST_DAY)
    assert shillings == 0
    assert abs((monetary - revaluation) - at_cost + earned) <= 1


def test_values_nothing_where_nothing_is_left(place):
    sale(place)
    ledger.post(ledger.transfer(ledger.ref(AccountRole.REVENUE, place, "USD"), fx.bank("USD", place), 100_00))

    assert revaluations.value(on=date(2026, 11, 24), now=AFTER) == []

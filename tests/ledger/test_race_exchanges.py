"""Race exchanges: real connections that exchange the same currencies at once."""

from datetime import timedelta

from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.models import Transaction
from apps.ledger.selectors import positions
from apps.ledger.services import exchanges, reversals, verification
from tests.factories import fx, ledger
from tests.factories.fx import kes, usd
from tests.ledger.test_race_postings import together
from tests.ledger.test_try_again import NAMED, another, beside

NOW = fx.NOW


def test_one_key_from_many_connections_is_one_booking(committed_acme):
    branch = ledger.branch()
    fx.rate("129.5")
    order = fx.order(usd(100_00), "KES", branch.id)

    outcomes = together(committed_acme, [lambda: exchanges.exchange(order=order, actor=SYSTEM, now=NOW)] * 6)

    assert sorted(outcome.is_replay for outcome in outcomes) == [False, *[True] * 5]
    assert len({outcome.id for outcome in outcomes}) == 1
    assert Transaction.objects.count() == 1


def test_exchanges_at_once_see_each_others_position(committed_acme):
    branch = ledger.branch()
    fx.rate("129.5")
    fx.rate("150", base="EUR")
    fx.exchange(kes(25_900_00), "USD", branch.id)
    fx.exchange(kes(30_000_00), "EUR", branch.id)
    fx.rate("131", as_of=NOW + timedelta(minutes=1), now=NOW + timedelta(minutes=1))
    later = NOW + timedelta(minutes=2)
    work = [
        lambda: fx.exchange(usd(25_00), "KES", branch.id, now=later),
        lambda: fx.exchange(usd(10_00), "EUR", branch.id, now=later),
        lambda: fx.exchange(Money(10_00, "EUR"), "USD", branch.id, now=later),
    ] * 4

    together(committed_acme, work)

    dollars, euros = (positions.of(code, functional="KES", branch_id=branch.id) for code in ("USD", "EUR"))
    assert Transaction.objects.count() == 14
    assert 0 < dollars.units < 200_00
    assert abs(dollars.cost / dollars.units - 129.5) < 1
    assert abs(euros.cost / euros.units - 150) < 1
    assert verification.verify().is_clean


def test_the_reversal_of_an_exchange_waits_for_exchanges_of_its_currency(committed_acme):
    branch = ledger.branch()
    fx.rate("129.5")
    original = fx.exchange(usd(100_00), "KES", branch.id)

    with (
        another(NAMED, f"org_acme:ledger:fx_position:{branch.id}:USD") as exchanging,
        beside(
            committed_acme,
            lambda: reversals.reverse(transaction_id=original.id, reason="Wrong", actor=SYSTEM, now=NOW),
        ) as reversing,
    ):
        assert not reversing.done()
        exchanging.rollback()

    assert reversing.result().is_replay is False
    assert verification.verify().is_clean

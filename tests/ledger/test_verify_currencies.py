"""Verify currencies: I10 names the position that lost its cost, and the revaluation that was never taken back."""

from datetime import timedelta

import pytest

from apps.kit.money import Money
from apps.ledger.contracts import AccountRef, AccountRole
from apps.ledger.models import Transaction
from apps.ledger.selectors import positions
from apps.ledger.services import revaluations, reversals, verification
from tests.factories import fx, ledger
from tests.factories.fx import SYSTEM, kes
from tests.ledger.test_revalue import AFTER, LAST_DAY, closing, sale


@pytest.fixture
def place(branch):
    fx.rate("129.5")
    fx.exchange(kes(12_950_00), "USD", branch.id)
    return branch.id


def findings():
    return [(found.invariant.value, found.row, found.problem) for found in verification.verify().findings]


def cost(place) -> AccountRef:
    return positions.counter_account("USD", functional="KES", branch_id=place)


def test_positions_and_revaluations_are_sound(place):
    sale(place)
    closing("132")
    revaluations.revalue(on=LAST_DAY, actor=SYSTEM, now=AFTER)
    fx.exchange(Money(150_00, "USD"), "KES", place, now=AFTER - timedelta(days=1))

    assert findings() == []


def test_names_a_position_whose_cost_was_booked_away(place):
    ledger.post(ledger.transfer(ledger.ref(AccountRole.SUSPENSE, place), cost(place), 13_000_00))

    assert findings() == [
        ("I10", f"position USD of branch {place}", "holds 10000 minor units at a cost of -5000")
    ]


def test_names_a_cost_without_a_position(place):
    fx.exchange(Money(100_00, "USD"), "KES", place)
    ledger.post(ledger.transfer(cost(place), ledger.ref(AccountRole.SUSPENSE, place), 1))

    assert findings() == [("I10", f"position USD of branch {place}", "holds 0 minor units at a cost of 1")]


def test_names_a_revaluation_that_was_not_taken_back(place, monkeypatch):
    sale(place)
    closing("132")
    monkeypatch.setattr(reversals, "reverse", lambda **_: None)
    revaluations.revalue(on=LAST_DAY, actor=SYSTEM, now=AFTER)

    number = Transaction.objects.get(kind="REVALUATION").id
    assert findings() == [
        ("I10", f"transaction {number}", "revalues the books of 2026-11-30 and was never taken back"),
        ("I10", "account 1950", "says net 50000 after every revaluation was taken back"),
    ]

"""Reverse a transaction."""

from datetime import date, timedelta

import pytest
from django.db import DatabaseError

from apps.audit.models import AuditRecord
from apps.kit import errors, ids
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import TransactionKind, credit, debit
from apps.ledger.models import Transaction
from apps.ledger.selectors import balances
from apps.ledger.services import accounts, reversals, verification
from apps.ledger.services.refusals import AlreadyReversed, LimitExceeded
from tests.factories import ledger
from tests.factories.ledger import NOW

TODAY = date(2026, 11, 24)


def reverse(uid, **facts):
    return reversals.reverse(
        **{
            "transaction_id": uid,
            "reason": "Booked to the wrong branch",
            "actor": SYSTEM,
            "now": NOW,
            **facts,
        }
    )


def test_turns_every_leg_around(balance, fees, unapplied):
    legs = (
        debit(balance, Money(980, "KES")),
        debit(fees, Money(20, "KES")),
        credit(unapplied, Money(1000, "KES")),
    )
    original = ledger.post(ledger.draft(legs=legs, cost_centre="WST"))

    booked = reverse(original.id)

    assert [balances.of(ref).minor for ref in (balance, fees, unapplied)] == [0, 0, 0]
    row = Transaction.objects.get(uid=booked.id)
    assert (row.kind, row.reverses.uid, row.reason) == ("REVERSAL", original.id, "Booked to the wrong branch")
    assert (row.cost_centre, row.effective_date) == ("WST", TODAY)
    assert AuditRecord.objects.get(action="ledger.transaction_reversed").object_id == str(original.id)
    assert verification.verify().is_clean


def test_a_second_time_returns_the_reversal_that_stands(balance, unapplied):
    original = ledger.post(ledger.transfer(balance, unapplied, 5))

    first, second = reverse(original.id), reverse(original.id)

    assert (second.id, second.is_replay) == (first.id, True)
    assert AuditRecord.objects.filter(action="ledger.transaction_reversed").count() == 1


def test_a_second_time_for_another_reason_is_refused(balance, unapplied):
    original = ledger.post(ledger.transfer(balance, unapplied, 5))
    reverse(original.id)

    with pytest.raises(AlreadyReversed, match="was reversed before"):
        reverse(original.id, reason="Customer cancelled")


def test_a_reversal_is_not_reversed(balance, unapplied):
    booked = reverse(ledger.post(ledger.transfer(balance, unapplied, 5)).id)

    with pytest.raises(reversals.NotReversible, match="A reversal is not reversed"):
        reverse(booked.id)


def test_is_never_dated_before_its_original(balance, unapplied):
    original = ledger.post(ledger.transfer(balance, unapplied, 5, effective_date=TODAY + timedelta(days=3)))

    for when in (TODAY + timedelta(days=2), None):
        with pytest.raises(reversals.NotReversible, match="2026-11-27 or later"):
            reverse(original.id, effective_date=when)
    assert Transaction.objects.count() == 1


def test_needs_a_reason(balance, unapplied):
    original = ledger.post(ledger.transfer(balance, unapplied, 5))

    with pytest.raises(reversals.NotReversible, match="needs a reason"):
        reverse(original.id, reason=" ")


def test_an_unknown_one_is_not_found(balance, unapplied):
    with pytest.raises(errors.NotFound):
        reverse(ids.new())


def test_where_the_money_is_gone_only_force_helps(balance, unapplied, suspense):
    accounts.set_limits(ref=unapplied, net_floor=None, net_ceiling=Money(0, "KES"), actor=SYSTEM, now=NOW)
    original = ledger.post(ledger.transfer(balance, unapplied, 5_00))
    ledger.post(ledger.transfer(unapplied, suspense, 5_00))

    with pytest.raises(LimitExceeded):
        reverse(original.id)
    booked = reverse(original.id, force=True)

    assert balances.of(unapplied) == Money(-5_00, "KES")
    assert Transaction.objects.get(uid=booked.id).is_forced
    assert verification.verify().is_clean


def test_the_database_refuses_a_reversal_that_turns_nothing_around(balance, unapplied, suspense):
    original = ledger.post(ledger.transfer(balance, unapplied, 5))
    forged = ledger.transfer(unapplied, balance, 4, kind=TransactionKind.REVERSAL, reverses=original.number)

    with pytest.raises(DatabaseError, match="does not turn"):
        ledger.post_by_function(forged)


def test_the_database_refuses_a_second_reversal(balance, unapplied):
    original = ledger.post(ledger.transfer(balance, unapplied, 5))
    reverse(original.id)
    forged = ledger.transfer(unapplied, balance, 5, kind=TransactionKind.REVERSAL, reverses=original.number)

    with pytest.raises(DatabaseError, match="reversed_once"):
        ledger.post_by_function(forged)

"""Try again: what becomes of holds, reversals and exchanges where another connection has the rows that they need."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta

import psycopg
import pytest
from django.db import connection, transaction

from apps.kit import ids
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import AccountRef, AccountRole, Booked, HoldState
from apps.ledger.models import Account, Hold, Transaction
from apps.ledger.selectors import balances
from apps.ledger.services import accounts, holds, refusals, reversals, verification
from tests.conftest import owner
from tests.factories import ledger
from tests.factories.ledger import NOW

IN_A_MINUTE = NOW + timedelta(minutes=1)
HOLD = "SELECT FROM ledger_hold WHERE transaction_id = %s FOR UPDATE"
BALANCE = "SELECT FROM ledger_balance WHERE account_id = %s FOR UPDATE"
NAMED = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
WAITS = """
    SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE NOT granted AND datname = current_database()"""


@pytest.fixture
def branch(committed_acme):
    return ledger.branch()


@pytest.fixture
def payer(branch) -> AccountRef:
    return ledger.ref(AccountRole.UNAPPLIED_COLLECTIONS, branch.id)


@pytest.fixture
def payee(branch) -> AccountRef:
    return ledger.ref(AccountRole.PROVIDER_BALANCE, branch.id)


def held(payer: AccountRef, payee: AccountRef, minor: int = 10, **facts) -> Booked:
    promise = holds.Promise(
        key=f"hold:{ids.new()}",
        description="Payout",
        source_type="payout",
        source_id=ids.new(),
        payer=payer,
        payee=payee,
        money=Money(minor, "KES"),
        **facts,
    )
    return holds.place(promise=promise, actor=SYSTEM, now=NOW)


def capture(booked: Booked) -> Booked:
    return holds.capture(hold_id=booked.id, money=Money(4, "KES"), key="capture:1", actor=SYSTEM, now=NOW)


def release(booked: Booked) -> Booked:
    return holds.release(hold_id=booked.id, reason="Payout failed", actor=SYSTEM, now=NOW)


def reverse(booked: Booked) -> Booked:
    return reversals.reverse(transaction_id=booked.id, reason="Booked twice", actor=SYSTEM, now=NOW)


def number_of(ref: AccountRef) -> int:
    return Account.objects.matching([ref]).get().id


@contextmanager
def another(statement: str, *values: object) -> Iterator[psycopg.Connection]:
    """Yield a connection that has locked rows; it ends, and with it its locks, without having changed anything."""
    with owner() as database:
        database.execute("SET search_path = org_acme")
        database.execute(statement, values)
        yield database
        database.rollback()


def cross(rival: psycopg.Connection, statement: str, value: object) -> None:
    """
    Wait for who waits for us, until one of the two loses: he who has waited longer, as a rule.

    Where the machine was so slow that it is the rival, the step has nothing to do again.
    """
    with suppress(psycopg.errors.DeadlockDetected):
        rival.execute(statement, [value])
    rival.rollback()


@contextmanager
def beside(organisation, work: Callable[[], Booked]) -> Iterator[Future[Booked]]:
    """Start work on a connection of its own, and yield when it waits for a lock."""

    def run() -> Booked:
        connection.set_tenant(organisation)
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, owner() as watcher:
        watcher.autocommit = True
        future = pool.submit(run)
        while not watcher.execute(WAITS).fetchone()[0] and not future.done():
            threading.Event().wait(0.02)
        yield future


@contextmanager
def patience(setting: str, milliseconds: int) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(f"SET {setting} = {milliseconds}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"RESET {setting}")


@pytest.mark.parametrize("deed", [capture, release])
def test_a_step_of_a_hold_that_loses_a_deadlock_is_done_again(committed_acme, payer, payee, deed):
    booked = held(payer, payee)

    with another(BALANCE, number_of(payer)) as rival, beside(committed_acme, lambda: deed(booked)) as step:
        cross(rival, HOLD, booked.number)

    assert step.result().is_replay is False
    assert Transaction.objects.filter(hold_id=booked.number).count() == 1
    assert verification.verify().is_clean


def test_a_hold_that_loses_a_deadlock_is_placed_again(committed_acme, payer, payee):
    first, second = sorted([accounts.ensure(ref=ref, now=NOW).id for ref in (payer, payee)])

    with another(BALANCE, second) as rival, beside(committed_acme, lambda: held(payer, payee)) as placing:
        cross(rival, BALANCE, first)

    assert Hold.objects.get().transaction_id == placing.result().number
    assert verification.verify().is_clean


def test_a_reversal_that_loses_a_deadlock_is_done_again(committed_acme, payer, payee):
    original = ledger.post(ledger.transfer(payee, payer, 5))
    first, second = sorted(number_of(ref) for ref in (payer, payee))

    with another(BALANCE, second) as rival, beside(committed_acme, lambda: reverse(original)) as reversing:
        cross(rival, BALANCE, first)

    assert reversing.result().is_replay is False
    assert balances.of(payer) == Money.zero("KES")
    assert verification.verify().is_clean


@pytest.mark.parametrize("deed", [capture, release])
def test_a_lock_that_does_not_come_is_a_refusal_to_be_tried_later(payer, payee, deed):
    booked = held(payer, payee)

    with another(HOLD, booked.number), patience("lock_timeout", 50):
        with pytest.raises(refusals.LedgerBusy):
            deed(booked)
        with transaction.atomic():
            with pytest.raises(refusals.LedgerBusy) as refusal:
                deed(booked)
            assert Hold.objects.get().state == HoldState.ACTIVE  # the caller's transaction is usable

    assert refusal.value.retryable
    assert Transaction.objects.count() == 1
    assert deed(booked).is_replay is False


def test_what_takes_too_long_is_a_refusal_too(payer, payee):
    booked = held(payer, payee)

    with (
        another(HOLD, booked.number),
        patience("statement_timeout", 50),
        pytest.raises(refusals.LedgerTimedOut),
    ):
        release(booked)

    assert Transaction.objects.count() == 1


def test_a_hold_that_cannot_be_expired_keeps_no_other_back(branch, payer, payee):
    other = ledger.ref(AccountRole.SUSPENSE, branch.id)
    first = held(payer, payee, expires_at=IN_A_MINUTE)
    second = held(other, payee, expires_at=IN_A_MINUTE)

    with (
        another(BALANCE, number_of(payer)),
        patience("lock_timeout", 50),
        pytest.raises(holds.ExpiryFailed, match=f"1 holds .* LT-{first.number:07d}: Another booking"),
    ):
        holds.expire_due(now=IN_A_MINUTE)

    states = dict(Hold.objects.values_list("transaction_id", "state"))
    assert states == {first.number: HoldState.ACTIVE, second.number: HoldState.EXPIRED}
    assert holds.expire_due(now=IN_A_MINUTE) == [first.id]
    assert verification.verify().is_clean


def test_a_hold_that_another_has_locked_takes_up_no_place(payer, payee, monkeypatch):
    locked, free = (held(payer, payee, expires_at=IN_A_MINUTE) for _ in range(2))
    monkeypatch.setattr(holds, "EXPIRE_AT_ONCE", 1)

    with another(HOLD, locked.number):
        assert holds.expire_due(now=IN_A_MINUTE) == [free.id]

    assert holds.expire_due(now=IN_A_MINUTE) == [locked.id]


def test_a_ledger_that_is_busy_three_times_is_left_alone_until_the_next_time(payer, payee):
    waiting = [held(payer, payee, expires_at=IN_A_MINUTE) for _ in range(5)]

    with (
        another(BALANCE, number_of(payer)),
        patience("lock_timeout", 20),
        pytest.raises(holds.ExpiryFailed, match="3 holds past their time"),
    ):
        holds.expire_due(now=IN_A_MINUTE)

    assert holds.expire_due(now=IN_A_MINUTE) == [hold.id for hold in waiting]

"""Place, capture, release and expire holds."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from apps.kit import clock, errors, ids
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger import tasks
from apps.ledger.contracts import AccountRole, HoldState, Layer, TransactionKind
from apps.ledger.models import Balance, Hold, Transaction
from apps.ledger.selectors import balances
from apps.ledger.services import accounts, holds, journals, verification
from tests.factories import ledger
from tests.factories.ledger import NOW

HOUR = timedelta(hours=1)


def kes(minor: int) -> Money:
    return Money(minor, "KES")


@pytest.fixture
def wallet(branch, balance):
    """A customer's credit of KES 10.00 that may not be overdrawn."""
    ref = ledger.ref(AccountRole.CUSTOMER_CREDIT, branch.id, owner_id=ids.new())
    accounts.set_limits(ref=ref, net_floor=None, net_ceiling=kes(0), actor=SYSTEM, now=NOW)
    ledger.post(ledger.transfer(balance, ref, 10_00))
    return ref


def place(payer, payee, minor, **facts):
    promise = holds.Promise(
        **{
            "key": f"hold:{ids.new()}",
            "description": "Payout to Njeri Kamau",
            "source_type": "payout",
            "source_id": ids.new(),
            "payer": payer,
            "payee": payee,
            "money": kes(minor),
            "expires_at": NOW + HOUR,
            **facts,
        }
    )
    return holds.place(promise=promise, actor=SYSTEM, now=NOW)


def capture(booked, minor, key="capture:1", now=NOW):
    return holds.capture(hold_id=booked.id, money=kes(minor), key=key, actor=SYSTEM, now=now)


def release(booked, now=NOW):
    return holds.release(hold_id=booked.id, reason="Payout failed", actor=SYSTEM, now=now)


def row(booked) -> Hold:
    return Hold.objects.get(transaction_id=booked.number)


def pending(ref) -> int:
    found = Balance.objects.get(account__owner_id=ref.owner_id)
    return int(found.pending_debits)


def check_deferred():
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    assert verification.verify().is_clean


def test_holds_without_moving(wallet, suspense):
    booked = place(wallet, suspense, 4_00)

    assert balances.of(wallet) == kes(10_00)
    assert pending(wallet) == 4_00
    assert row(booked).state == HoldState.ACTIVE
    check_deferred()


def test_limits_count_what_is_held(wallet, suspense):
    place(wallet, suspense, 6_00)

    with pytest.raises(journals.LimitExceeded):
        place(wallet, suspense, 4_01)
    with pytest.raises(journals.LimitExceeded):
        ledger.post(ledger.transfer(wallet, suspense, 4_01))
    ledger.post(ledger.transfer(wallet, suspense, 4_00))
    assert Hold.objects.count() == 1


def test_captures_in_parts_and_releases_the_rest(wallet, suspense):
    booked = place(wallet, suspense, 6_00)

    capture(booked, 2_50)
    capture(booked, 50, key="capture:2")
    assert (row(booked).state, row(booked).remaining) == (HoldState.PARTIALLY_CAPTURED, kes(3_00))
    check_deferred()
    release(booked)

    assert (balances.of(wallet), pending(wallet)) == (kes(7_00), 0)
    assert (row(booked).state, row(booked).released) == (HoldState.RELEASED, 3_00)
    assert [step.kind for step in Transaction.objects.filter(hold_id=booked.number).order_by("id")] == [
        "CAPTURE", "CAPTURE", "RELEASE",
    ]  # fmt: skip
    check_deferred()


def test_captures_the_whole(wallet, suspense):
    booked = place(wallet, suspense, 6_00)
    capture(booked, 6_00)

    assert (row(booked).state, balances.of(suspense), pending(wallet)) == (HoldState.CAPTURED, kes(6_00), 0)
    check_deferred()


def test_the_same_calls_again_return_what_was_booked(wallet, suspense):
    source, key = ids.new(), "hold:once"
    first = place(wallet, suspense, 6_00, key=key, source_id=source)
    again = place(wallet, suspense, 6_00, key=key, source_id=source)
    taken = [capture(first, 1_00), capture(first, 1_00)]
    given = [release(first), release(first)]

    assert (again.id, again.is_replay) == (first.id, True)
    assert [step.is_replay for step in [*taken, *given]] == [False, True, False, True]
    assert balances.of(wallet) == kes(9_00)
    check_deferred()


def test_a_key_is_one_capture(wallet, suspense):
    booked = place(wallet, suspense, 6_00)
    capture(booked, 1_00)

    with pytest.raises(journals.KeyReused):
        capture(booked, 1_01)


def test_a_key_is_one_expiry(wallet, suspense):
    facts = {"key": "hold:once", "source_id": ids.new()}
    place(wallet, suspense, 6_00, **facts)

    with pytest.raises(journals.KeyReused):
        place(wallet, suspense, 6_00, expires_at=NOW + 2 * HOUR, **facts)


@pytest.mark.parametrize(
    ("money", "refusal"),
    [
        (kes(6_01), holds.HoldExceeded),
        (kes(0), holds.CaptureInvalid),
        (kes(-1), holds.CaptureInvalid),
        (Money(1, "USD"), holds.CaptureInvalid),
    ],
)
def test_refuses_a_capture_that_is_none(wallet, suspense, money, refusal):
    booked = place(wallet, suspense, 6_00)

    with pytest.raises(refusal):
        holds.capture(hold_id=booked.id, money=money, key="capture:1", actor=SYSTEM, now=NOW)
    assert row(booked).remaining == kes(6_00)


def test_a_key_that_the_database_does_not_keep_is_refused_by_its_field(wallet, suspense):
    booked = place(wallet, suspense, 6_00)

    with pytest.raises(journals.DraftInvalid) as refusal:
        capture(booked, 1_00, key="capture:\ud800")

    assert [error.pointer for error in refusal.value.errors] == ["/key"]
    assert row(booked).remaining == kes(6_00)


def test_a_capture_at_its_expiry_is_refused_before_anybody_booked_that(wallet, suspense):
    booked = place(wallet, suspense, 6_00)

    with pytest.raises(holds.HoldExpired):
        capture(booked, 1_00, now=NOW + HOUR)


def test_a_capture_that_was_booked_is_told_again_after_the_expiry(wallet, suspense):
    booked = place(wallet, suspense, 6_00)
    first = capture(booked, 1_00)
    holds.expire_due(now=NOW + HOUR)

    again = capture(booked, 1_00, now=NOW + HOUR)

    assert (again.id, again.is_replay) == (first.id, True)


def test_expires_what_is_due_once(wallet, suspense):
    due = place(wallet, suspense, 1_00)
    place(wallet, suspense, 2_00, expires_at=NOW + 2 * HOUR)
    place(wallet, suspense, 3_00, expires_at=None)

    assert holds.expire_due(now=NOW + HOUR) == [due.id]
    assert holds.expire_due(now=NOW + HOUR) == []
    assert (row(due).state, pending(wallet)) == (HoldState.EXPIRED, 5_00)
    check_deferred()


def test_the_job_of_the_organisation_expires_what_is_due(wallet, suspense):
    booked = place(wallet, suspense, 1_00)

    with clock.fixed(NOW + HOUR):
        tasks.expire_holds_organisation()
    assert row(booked).state == HoldState.EXPIRED


def test_an_expiry_in_the_past_is_refused_and_leaves_nothing(wallet, suspense):
    before = Transaction.objects.count()

    with pytest.raises(holds.HoldExpired):
        place(wallet, suspense, 1_00, expires_at=NOW)
    assert (Transaction.objects.count(), pending(wallet)) == (before, 0)


def test_an_end_is_an_end(wallet, suspense):
    captured, released = place(wallet, suspense, 1_00), place(wallet, suspense, 1_00)
    capture(captured, 1_00)
    release(released)

    with pytest.raises(holds.HoldEnded):
        release(captured)
    with pytest.raises(holds.HoldEnded):
        capture(released, 1_00, key="capture:2")


def test_a_frozen_account_gives_back_what_is_held(wallet, suspense):
    booked = place(wallet, suspense, 1_00)
    accounts.freeze(ref=wallet, reason="Fraud check", actor=SYSTEM, now=NOW)

    with pytest.raises(journals.AccountFrozen):
        capture(booked, 1_00)
    release(booked)
    assert pending(wallet) == 0


def test_an_account_with_a_hold_is_not_closed(branch, suspense):
    ref = ledger.ref(AccountRole.CUSTOMER_CREDIT, branch.id, owner_id=ids.new())
    place(ref, suspense, 1_00)

    with pytest.raises(accounts.refusals.AccountNotEmpty):
        accounts.close(ref=ref, reason="Left", actor=SYSTEM, now=NOW)


def test_an_unknown_hold_is_not_found(branch):
    with pytest.raises(errors.NotFound):
        holds.release(hold_id=ids.new(), reason="x", actor=SYSTEM, now=NOW)


def test_the_database_refuses_a_hold_that_its_entries_do_not_bear(wallet, suspense):
    booked = place(wallet, suspense, 5_00)

    for change in ("captured = 100", "released = 100, captured = 50", "amount = 600"):
        with pytest.raises(DatabaseError, match="hold"):
            update(booked, change)


def test_the_database_refuses_a_step_that_its_hold_does_not_know(wallet, suspense):
    booked = place(wallet, suspense, 5_00)
    forged = holds._capture_draft(row(booked), kes(1_00), "capture:forged")
    assert forged.kind == TransactionKind.CAPTURE

    with pytest.raises(DatabaseError, match="not what its entries say"):
        ledger.post_by_function(forged)


@transaction.atomic
def update(booked, change):
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE ledger_hold SET {change} WHERE transaction_id = %s", [booked.number])
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_what_is_held_is_freed_by_a_step_of_its_own_hold_alone(wallet, suspense):
    place(wallet, suspense, 6_00)
    freeing = holds._legs(wallet, suspense, kes(-6_00), Layer.PENDING)

    with pytest.raises(journals.DraftInvalid, match="Only a hold and its steps"):
        ledger.post(ledger.draft(legs=freeing))
    with pytest.raises(DatabaseError, match="a posting has two or more legs"):
        ledger.post_by_function(ledger.draft(legs=freeing))
    assert pending(wallet) == 6_00


def test_a_step_of_one_hold_does_not_free_another(wallet, suspense, unapplied):
    other = place(suspense, unapplied, 1_00)
    place(wallet, suspense, 6_00)
    legs = holds._legs(wallet, suspense, kes(-6_00), Layer.PENDING)
    forged = ledger.draft(legs=legs, kind=TransactionKind.RELEASE, hold=other.number)

    with pytest.raises(DatabaseError, match="not what its entries say"):
        ledger.post_by_function(forged)
    assert pending(wallet) == 6_00

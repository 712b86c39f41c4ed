"""Race postings: real connections that want the same rows at the same time."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction

from apps.kit import ids
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import AccountRef, AccountRole, credit, debit
from apps.ledger.models import Account, Entry, Hold, Transaction
from apps.ledger.selectors import balances
from apps.ledger.services import accounts, holds, journals, reversals, verification
from tests.conftest import owner
from tests.factories import ledger
from tests.factories.ledger import NOW
from tests.running import wait_for


@pytest.fixture
def branch(committed_acme):
    return ledger.branch()


@pytest.fixture
def balance(branch) -> AccountRef:
    return ledger.ref(AccountRole.PROVIDER_BALANCE, branch.id)


@pytest.fixture
def unapplied(branch) -> AccountRef:
    return ledger.ref(AccountRole.UNAPPLIED_COLLECTIONS, branch.id)


@pytest.fixture
def suspense(branch) -> AccountRef:
    return ledger.ref(AccountRole.SUSPENSE, branch.id)


def wait_for_locks_as_long_as_it_takes() -> None:
    """However slow the machine is: what these tests look for is deadlocks, and those show all the same."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '60s'; SET statement_timeout = '120s'")


def together[Result](organisation, work: list[Callable[[], Result]]) -> list[Result | Exception]:
    """Start each piece of work on a connection of its own at the same instant; return results and refusals."""
    start = threading.Barrier(len(work))

    def run(piece: Callable[[], Result]) -> Result | Exception:
        connection.set_tenant(organisation)
        try:
            wait_for_locks_as_long_as_it_takes()
            start.wait(timeout=30)
            return piece()
        except (journals.LimitExceeded, holds.HoldEnded, holds.HoldExceeded) as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(run, work))


def test_sixteen_drain_an_account_to_exactly_nothing(committed_acme, balance, unapplied):
    ledger.post(ledger.transfer(balance, unapplied, 24))
    accounts.set_limits(ref=balance, net_floor=Money.zero("KES"), net_ceiling=None, actor=SYSTEM, now=NOW)

    def drain() -> int:
        taken = 0
        for _ in range(3):
            try:
                ledger.post(ledger.transfer(unapplied, balance, 1))
                taken += 1
            except journals.LimitExceeded:
                continue
        return taken

    taken = together(committed_acme, [drain] * 16)

    assert sum(taken) == 24
    assert balances.of(balance) == Money.zero("KES")
    assert Transaction.objects.count() == 25
    assert verification.verify().is_clean


def test_two_connections_cannot_both_take_the_last_shilling(committed_acme, balance, unapplied):
    ledger.post(ledger.transfer(balance, unapplied, 1_00))
    accounts.set_limits(ref=balance, net_floor=Money.zero("KES"), net_ceiling=None, actor=SYSTEM, now=NOW)
    drafts = [ledger.transfer(unapplied, balance, 1_00) for _ in range(2)]

    outcomes = together(committed_acme, [lambda draft=draft: ledger.post(draft) for draft in drafts])

    assert Counter(type(outcome) for outcome in outcomes) == {journals.Booked: 1, journals.LimitExceeded: 1}
    assert balances.of(balance) == Money.zero("KES")


def test_one_key_from_many_connections_is_one_row(committed_acme, balance, unapplied):
    draft = ledger.transfer(balance, unapplied, 7_00)

    outcomes = together(committed_acme, [lambda: ledger.post(draft)] * 12)

    assert len({booked.id for booked in outcomes}) == 1
    assert Counter(booked.is_replay for booked in outcomes) == {True: 11, False: 1}
    assert Transaction.objects.count() == 1
    assert Account.objects.count() == 2
    assert balances.of(balance) == Money(7_00, "KES")


def waits_for_a_name() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_database ON oid = database"
            " WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted"
        )
        return cursor.fetchone() == (1,)


def test_of_two_reversals_at_once_the_second_waits_before_it_writes(committed_acme, balance, unapplied):
    booked = ledger.post(ledger.transfer(balance, unapplied, 1_00))
    outcomes: list[journals.Booked] = []

    def turn() -> None:
        done = reversals.reverse(transaction_id=booked.id, reason="Sent twice", actor=SYSTEM, now=NOW)
        outcomes.append(done)

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        turn()
        pool.submit(together, committed_acme, [turn])
        wait_for(waits_for_a_name, what="a second reversal that waits")

    assert [each.is_replay for each in outcomes] == [False, True]
    assert Transaction.objects.count() == 2


def test_opposite_pairs_and_cycles_do_not_deadlock(committed_acme, balance, unapplied, suspense):
    cycle = [balance, unapplied, suspense]
    for ref in cycle:
        accounts.ensure(ref=ref, now=NOW)

    def shuttle(debited: AccountRef, credited: AccountRef) -> int:
        for _ in range(12):
            with (
                transaction.atomic()
            ):  # a deadlock would come out: nothing retries inside a caller's transaction
                ledger.post(ledger.transfer(debited, credited, 1))
        return 12

    def triple() -> int:
        for shift in range(12):
            first, second, third = (cycle[(shift + step) % 3] for step in range(3))
            legs = (
                debit(first, Money(2, "KES")),
                credit(second, Money(1, "KES")),
                credit(third, Money(1, "KES")),
            )
            with transaction.atomic():
                ledger.post(ledger.draft(legs=legs))
        return 12

    pairs = [(balance, unapplied), (unapplied, balance), (unapplied, suspense), (suspense, balance)]
    done = together(committed_acme, [*(lambda pair=pair: shuttle(*pair) for pair in pairs), triple, triple])

    assert done == [12] * 6
    assert Transaction.objects.count() == 72
    assert verification.verify().is_clean


def test_a_posting_waits_for_a_close_and_then_sees_it(committed_acme, balance, unapplied):
    ledger.post(ledger.transfer(balance, unapplied, 1_00))
    refused = []

    def late() -> None:
        connection.set_tenant(committed_acme)
        try:
            ledger.post(ledger.transfer(balance, unapplied, 1_00))
        except journals.PeriodClosed as refusal:
            refused.append(str(refusal))
        finally:
            connection.close()

    with owner() as closing:
        closing.execute("SET search_path = org_acme")
        closing.execute("SELECT pg_advisory_xact_lock(7401, 'ledger_book'::regclass::oid::integer)")
        closing.execute("UPDATE ledger_book SET closed_through = '2026-11-24'")
        thread = threading.Thread(target=late)
        thread.start()
        thread.join(timeout=0.5)
        assert thread.is_alive()
    thread.join(timeout=30)

    assert refused == ["The book is closed through 2026-11-24; post with a later date."]
    assert Transaction.objects.count() == 1


def test_a_closed_book_still_answers_a_repetition(committed_acme, balance, unapplied):
    draft = ledger.transfer(balance, unapplied, 1_00)
    first = ledger.post(draft)
    with owner() as closing:
        closing.execute("UPDATE org_acme.ledger_book SET closed_through = '2026-11-24'")

    assert ledger.post(draft).id == first.id
    with pytest.raises(journals.PeriodClosed):
        ledger.post(ledger.transfer(balance, unapplied, 1_00))


def test_only_read_committed_may_book(committed_acme, balance, unapplied):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        with pytest.raises(journals.LedgerMisused, match="READ COMMITTED"):
            ledger.post(ledger.transfer(balance, unapplied, 1_00))

    assert Transaction.objects.exists() is False


def test_a_leg_cannot_be_added_to_an_old_transaction(committed_acme, balance, unapplied):
    booked = ledger.post(ledger.transfer(balance, unapplied, 1_00))

    with (
        owner() as database,
        pytest.raises(Exception, match="only be written with its transaction") as refusal,
    ):
        database.execute(
            "INSERT INTO org_acme.ledger_entry (transaction_id, seq, account_id, shard, currency, layer, direction, amount,"
            " net_after, version, effective_date)"
            " SELECT transaction_id, 3, account_id, shard, currency, layer, direction, 1, 1, 2, effective_date"
            " FROM org_acme.ledger_entry WHERE transaction_id = %s AND seq = 1",
            [booked.number],
        )

    assert refusal.value.sqlstate == "LG011"
    assert Entry.objects.count() == 2


def test_a_sharded_account_spreads_and_sums(committed_acme, balance, branch):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ledger_open_account(%s, 'PROVIDER_FEES', 'PLATFORM', NULL, %s, 'KES', 2::smallint, 'EXPENSE', 'Fees',"
            " '', 5210, 90, 4::smallint, %s, 'KES', 'Africa/Nairobi', true)",
            [ids.new(), branch.id, NOW],
        )
    fees = ledger.ref(AccountRole.PROVIDER_FEES, branch.id)
    together(committed_acme, [lambda: ledger.post(ledger.transfer(fees, balance, 1_00))] * 8)

    assert balances.of(fees) == Money(8_00, "KES")
    assert Account.objects.matching([fees]).get().balances.count() == 4
    with pytest.raises(journals.DraftInvalid):
        accounts.set_limits(ref=fees, net_floor=None, net_ceiling=Money(1, "KES"), actor=SYSTEM, now=NOW)
    assert verification.verify().is_clean


def hold_of(balance: AccountRef, unapplied: AccountRef, minor: int, **facts) -> journals.Booked:
    promise = holds.Promise(
        key=f"hold:{ids.new()}",
        description="Payout",
        source_type="payout",
        source_id=ids.new(),
        payer=unapplied,
        payee=balance,
        money=Money(minor, "KES"),
        **facts,
    )
    return holds.place(promise=promise, actor=SYSTEM, now=NOW)


def capture(held: journals.Booked, minor: int, key: str, now=NOW) -> journals.Booked:
    return holds.capture(hold_id=held.id, money=Money(minor, "KES"), key=key, actor=SYSTEM, now=now)


def test_captures_from_many_connections_never_exceed_their_hold(committed_acme, balance, unapplied):
    held = hold_of(balance, unapplied, 10)
    work = [lambda number=number: capture(held, 3, f"capture:{number}") for number in range(8)]

    outcomes = together(committed_acme, work)

    assert Counter(type(outcome) for outcome in outcomes) == {journals.Booked: 3, holds.HoldExceeded: 5}
    assert Hold.objects.get(transaction_id=held.number).remaining == Money(1, "KES")
    assert verification.verify().is_clean


def test_one_capture_from_many_connections_is_booked_once(committed_acme, balance, unapplied):
    held = hold_of(balance, unapplied, 10)

    outcomes = together(committed_acme, [lambda: capture(held, 10, "capture:once")] * 8)

    assert Counter(booked.is_replay for booked in outcomes) == {True: 7, False: 1}
    assert balances.of(unapplied) == Money(-10, "KES")


def test_an_expiry_and_a_release_race_to_one_end(committed_acme, balance, unapplied):
    held = hold_of(balance, unapplied, 10, expires_at=NOW + timedelta(minutes=1))
    later = NOW + timedelta(minutes=2)

    def release() -> object:
        return holds.release(hold_id=held.id, reason="Failed", actor=SYSTEM, now=later)

    together(committed_acme, [release, lambda: holds.expire_due(now=later)] * 4)

    assert Transaction.objects.filter(hold_id=held.number).count() == 1
    assert Hold.objects.get(transaction_id=held.number).state in {"RELEASED", "EXPIRED"}
    assert verification.verify().is_clean


@pytest.mark.parametrize("shares_keys", [True, False])
def test_batches_of_the_same_accounts_and_keys_do_not_deadlock(
    committed_acme, balance, unapplied, suspense, shares_keys
):
    refs = [balance, unapplied, suspense]
    for ref in refs:
        accounts.ensure(ref=ref, now=NOW)
    shared = [ledger.transfer(refs[n % 3], refs[(n + 1) % 3], 1) for n in range(12)] if shares_keys else []
    rounds = (
        1 if shares_keys else 8
    )  # shared keys make one wait for the other; without them the balances must

    def batches(turn: int) -> None:
        for _ in range(rounds):
            batch(turn)

    def batch(turn: int) -> list[journals.Booked]:
        own = [ledger.transfer(refs[(n + turn) % 3], refs[(n + turn + 1) % 3], 1) for n in range(12)]
        with transaction.atomic():  # a deadlock would come out: nothing retries inside a caller's transaction
            mixed = [*own, *shared] if turn % 2 else [*reversed(shared), *own]
            return journals.post_batch(drafts=mixed, actor=SYSTEM, now=NOW)

    together(committed_acme, [lambda turn=turn: batches(turn) for turn in range(6)])

    assert Transaction.objects.count() == len(shared) + 6 * 12 * rounds
    assert verification.verify().is_clean

"""Seal transactions: everything once, in order, chained; what does not follow is refused."""

import subprocess
import sys
from datetime import timedelta

import psycopg
import pytest
from django.db import connection, transaction

from apps.kit.money import Money
from apps.ledger import merkle
from apps.ledger.contracts import AccountRef, AccountRole, credit, debit
from apps.ledger.models import Entry, Movement, Seal, SealLeaf
from apps.ledger.selectors import leaves
from apps.ledger.selectors import seals as stored
from apps.ledger.services import journals, seals
from apps.ledger.services.refusals import ClockSkewed, SealRefused, translated
from tests.conftest import ROOT, owner
from tests.factories import ledger
from tests.factories.ledger import NOW
from tests.operations.operate import change, operate

LATER = NOW + timedelta(seconds=30)


@pytest.fixture
def refs(committed_acme) -> tuple[AccountRef, AccountRef]:
    branch = ledger.branch()
    return ledger.ref(AccountRole.PROVIDER_BALANCE, branch.id), ledger.ref(AccountRole.SUSPENSE, branch.id)


@pytest.fixture
def small_seals(monkeypatch) -> None:
    monkeypatch.setattr(seals, "LEAVES_MAX", 2)


def book(refs: tuple[AccountRef, AccountRef], *minors: int) -> list[int]:
    """Book transfers and return their ids."""
    return [ledger.post(ledger.transfer(*refs, minor)).number for minor in minors]


def sealed() -> list[list[int]]:
    """The transactions of each seal, by position."""
    found = [seal.leaves.order_by("position") for seal in Seal.objects.order_by("seq")]
    return [list(rows.values_list("transaction_id", flat=True)) for rows in found]


def assert_movements_are_the_sealed_entries() -> None:
    expected: dict[tuple[object, ...], list[int]] = {}
    for entry in Entry.objects.filter(transaction_id__in=SealLeaf.objects.values("transaction_id")):
        sums = expected.setdefault((entry.account_id, entry.effective_date, entry.layer), [0, 0, 0])
        sums[0 if entry.direction == 1 else 1] += entry.amount
        sums[2] += 1
    kept = {
        (row.account_id, row.effective_date, row.layer): [row.debits, row.credits, row.entries]
        for row in Movement.objects.all()
    }
    assert kept == expected


def test_an_empty_ledger_makes_no_seal(committed_acme):
    assert seals.run(now=LATER) == []
    assert Seal.objects.exists() is False


def test_seals_what_has_settled_and_sums_it_by_day(committed_acme, refs):
    numbers = book(refs, 10_00, 20_00)
    branch_fees = ledger.ref(AccountRole.PROVIDER_FEES, refs[0].branch_id)
    legs = (
        debit(refs[0], Money(95, "KES")),
        debit(branch_fees, Money(5, "KES")),
        credit(refs[1], Money(100, "KES")),
    )
    numbers.append(ledger.post(ledger.draft(legs=legs, effective_date=NOW.date() - timedelta(days=9))).number)

    [made] = seals.run(now=LATER)

    seal = Seal.objects.get()
    hashes = leaves.leaves(numbers)
    assert sealed() == [numbers]
    assert (made.seq, made.count, made.last_id) == (1, 3, numbers[-1])
    assert (seal.seq, seal.tx_count, seal.sealed_at) == (1, 3, LATER)
    assert bytes(seal.prev_hash) == bytes(32)
    assert bytes(seal.merkle_root) == merkle.root([hashes[number] for number in numbers])
    assert bytes(seal.seal_hash) == made.seal_hash
    assert_movements_are_the_sealed_entries()


def test_leaves_what_is_younger_than_half_a_minute(committed_acme, refs):
    [first] = book(refs, 1)
    ledger.post(ledger.transfer(*refs, 2), now=NOW + timedelta(seconds=1))

    seals.run(now=LATER)

    assert sealed() == [[first]]


def test_the_next_seal_is_chained_to_the_last_and_holds_the_rest(committed_acme, refs):
    first = book(refs, 1, 2)
    seals.run(now=LATER)
    second = book(refs, 3)

    [made] = seals.run(now=LATER)

    one, two = Seal.objects.order_by("seq")
    assert sealed() == [first, second]
    assert bytes(two.prev_hash) == bytes(one.seal_hash)
    assert bytes(two.seal_hash) == merkle.seal_hash(
        prev_hash=bytes(one.seal_hash),
        merkle_root=bytes(two.merkle_root),
        seq=2,
        count=1,
        organisation_id=committed_acme.id,
    )
    assert made.seal_hash == bytes(two.seal_hash)
    assert seals.run(now=LATER) == []
    assert_movements_are_the_sealed_entries()


def test_a_long_queue_is_sealed_in_several_and_no_more_at_once_than_asked(committed_acme, refs, small_seals):
    numbers = book(refs, *range(1, 8))

    first = seals.run(now=LATER, batches=2)
    rest = seals.run(now=LATER)

    assert [made.count for made in first + rest] == [2, 2, 2, 1]
    assert sealed() == [numbers[:2], numbers[2:4], numbers[4:6], numbers[6:]]
    assert_movements_are_the_sealed_entries()


def test_says_which_seal_holds_a_transaction_and_which_is_the_last(committed_acme, refs):
    assert stored.last() is None
    first = book(refs, 1, 2)
    [one] = seals.run(now=LATER)
    second, third = book(refs, 3, 4)
    seals.run(now=LATER, batches=0)

    assert stored.last() == stored.SealState(1, 2, LATER, f"0x{one.seal_hash.hex()}")
    assert stored.of_transactions([*first, second, third]) == dict.fromkeys(first, stored.last())


def test_a_step_that_fails_afterwards_keeps_nothing(committed_acme, refs):
    book(refs, 1)

    def seal_and_fail() -> None:
        with transaction.atomic():
            seals.seal(now=LATER)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        seal_and_fail()

    assert (Seal.objects.count(), SealLeaf.objects.count(), Movement.objects.count()) == (0, 0, 0)
    assert len(seals.run(now=LATER)) == 1


def store(*values: object) -> None:
    with transaction.atomic(), connection.cursor() as cursor, translated():
        cursor.execute(seals.STORE, list(values))


def test_a_seal_that_does_not_follow_is_refused(committed_acme, refs):
    book(refs, 1)
    [number] = book(refs, 2)
    hashed = bytes(range(32))

    for seq, before in ((2, bytes(32)), (0, bytes(32)), (None, bytes(32)), (1, hashed), (1, None)):
        with pytest.raises(SealRefused, match="does not follow"):
            store(seq, before, hashed, hashed, [number], [hashed], LATER)

    assert Seal.objects.exists() is False


def test_a_seal_of_what_cannot_be_sealed_is_refused(committed_acme, refs):
    sealed_before = book(refs, 1)
    [made] = seals.run(now=LATER)
    first, second = book(refs, 2, 3)
    hashed = bytes(range(32))

    for ids, hashes in (
        ([], []),
        ([first], []),
        ([first], [b"short"]),
        ([first], [None]),
        ([second, first], [hashed, hashed]),
        ([first, first], [hashed, hashed]),
        ([second + 1000], [hashed]),
        (sealed_before, [hashed]),
    ):
        with pytest.raises(SealRefused, match="exist and have no seal"):
            store(2, made.seal_hash, hashed, hashed, ids, hashes, LATER)

    assert sealed() == [sealed_before]


def test_a_live_organisation_seals_by_the_clock_of_the_database(transactional_db, in_organisation):
    in_organisation("zuri")
    with owner() as database:
        database.execute(
            "INSERT INTO org_zuri.ledger_book (id, functional_currency, timezone, is_test) VALUES (1, 'KES', 'UTC', false)"
        )

    with pytest.raises(ClockSkewed):
        store(1, bytes(32), bytes(32), bytes(32), [1], [bytes(32)], NOW - timedelta(days=400))


def test_only_read_committed_may_seal(committed_acme, refs):
    book(refs, 1)

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        with pytest.raises(journals.LedgerMisused, match="READ COMMITTED"):
            seals.seal(now=LATER)

    assert Seal.objects.exists() is False


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_seal SET tx_count = 2",
        "DELETE FROM ledger_seal",
        "UPDATE ledger_sealleaf SET position = 1",
        "DELETE FROM ledger_sealleaf",
        "DELETE FROM ledger_movement",
        "UPDATE ledger_movement SET debits = debits + 1",
        "UPDATE ledger_movement SET debits = debits + 1, entries = entries - 1",
        "UPDATE ledger_movement SET effective_date = '2026-01-01', entries = entries + 1",
        "TRUNCATE ledger_seal",
        "TRUNCATE ledger_sealleaf",
        "TRUNCATE ledger_movement",
    ],
)
def test_the_owner_cannot_change_what_is_sealed(committed_acme, refs, statement):
    book(refs, 1)
    seals.run(now=LATER)

    with owner() as database:
        database.execute("SET search_path = org_acme")
        with pytest.raises(psycopg.Error) as refusal:
            database.execute(statement)
        database.rollback()

    assert refusal.value.sqlstate == "LG010"


def test_the_nightly_check_tells_when_something_cannot_be_sealed(committed_acme, refs):
    [number] = book(refs, 1)
    hour = NOW + timedelta(hours=1)

    with owner() as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtextextended('org_acme:ledger.seal', 0))")
        with pytest.raises(seals.SealsMissing, match=f"Transaction {number} is older than an hour"):
            seals.check(now=hour)
        other.rollback()  # lets go of the lock now: a connection that ends does so a moment later

    assert Seal.objects.exists() is False
    seals.check(now=hour)
    assert sealed() == [[number]]


def test_the_operator_seals_proves_and_checks(committed_acme, refs, tmp_path):
    _, second = book(refs, 1, 2)
    connection.set_schema_to_public()

    made = change("ledger", "seal", "--tenant", "acme", "--json").document
    again = change("ledger", "seal", "--tenant", "acme")
    proof = operate("ledger", "prove", f"LT-{second:07d}", "--tenant", "acme")

    assert made["rows"] == [
        {"tenant": "acme", "seal": 1, "transactions": 2, "seal_hash": made["rows"][0]["seal_hash"]}
    ]
    assert made["records"][0]["changes"] == {"last_seal": [0, 1]}
    assert f"0 transactions were sealed; seal 1 has the hash {made['rows'][0]['seal_hash']}" in again.out
    (tmp_path / "proof.json").write_text(proof.out)
    kept = made["rows"][0]["seal_hash"]
    checked = subprocess.run(
        [sys.executable, ROOT / "tools/verify_proof.py", tmp_path / "proof.json", "--seal-hash", kept],
        check=False,
    )
    assert (proof.code, checked.returncode) == (0, 0)
    for name, said in (("LT-9999999", "no such transaction"), ("nothing", "neither the id nor the number")):
        refused = operate("ledger", "prove", name, "--tenant", "acme")
        assert (refused.code, said in refused.err) == (2, True)

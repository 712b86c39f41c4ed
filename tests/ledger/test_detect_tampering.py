"""Detect tampering: what a superuser changes with triggers off and balances repaired is betrayed by the seals, and by them alone."""

from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.kit import clock
from apps.ledger import merkle
from apps.ledger.contracts import AccountRef, AccountRole
from apps.ledger.models import Seal
from apps.ledger.selectors import leaves
from apps.ledger.services import seals, verification
from tests.factories import access, ledger, periods
from tests.factories.ledger import NOW
from tests.ledger.tampering import tamper, unguarded

LATER = NOW + timedelta(minutes=1)
INSERT = """
    WITH copied AS (
      INSERT INTO ledger_transaction (uid, idem_key, request_hash, kind, effective_date, posted_at, entry_count, source_type,
        source_id, reference, description, created_by, approved_by, reason, cost_centre, is_forced)
      SELECT gen_random_uuid(), 'copied', request_hash, kind, effective_date, {posted_at}, entry_count, source_type,
        source_id, reference, description, created_by, '', '', '', false FROM ledger_transaction ORDER BY id LIMIT 1 RETURNING id
    )
    INSERT INTO ledger_entry (transaction_id, seq, account_id, shard, currency, layer, direction, amount, net_after, version,
      effective_date)
    SELECT copied.id, seq, account_id, shard, currency, layer, direction, amount, 0, version + 1000, effective_date
    FROM ledger_entry, copied WHERE transaction_id = (SELECT min(id) FROM ledger_transaction)"""
"""A whole and balanced copy of the first transaction, as if it had been posted at another time."""


def findings() -> list[tuple[str, str, str]]:
    return [(found.invariant.value, found.row, found.problem) for found in verification.verify().findings]


def refs() -> tuple[AccountRef, AccountRef]:
    branch = ledger.branch()
    return ledger.ref(AccountRole.CASH, branch.id), ledger.ref(AccountRole.REVENUE, branch.id)


@pytest.fixture
def history(committed_acme) -> list[int]:
    """Four transactions, two in each of two seals; returns their ids."""
    held, owed = refs()
    numbers = []
    for minors in ((10_00, 20_00), (30_00, 40_00)):
        numbers += [ledger.post(ledger.transfer(held, owed, minor)).number for minor in minors]
        seals.run(now=LATER)
    assert findings() == []
    return numbers


def test_a_repaired_ledger_is_clean(history):
    tamper()

    assert findings() == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ledger_entry SET amount = amount - 1 WHERE transaction_id = {number}",
        "UPDATE ledger_transaction SET description = 'Payment, somebody else' WHERE id = {number}",
        "UPDATE ledger_transaction SET idem_key = 'another' WHERE id = {number}",
        "UPDATE ledger_transaction SET uid = gen_random_uuid() WHERE id = {number}",
        "UPDATE ledger_transaction SET kind = 'ADJUSTMENT' WHERE id = {number}",
        "UPDATE ledger_transaction SET posted_at = posted_at + interval '1 microsecond' WHERE id = {number}",
        "UPDATE ledger_entry SET direction = -direction WHERE transaction_id = {number}",
        "UPDATE ledger_account SET uid = gen_random_uuid() WHERE id = 1",
    ],
)
def test_a_change_of_a_transaction_names_it(history, change):
    number = history[1]

    tamper(change.format(number=number))

    found = findings()
    assert ("I9", f"transaction {number}", "is not what was sealed at position 1 of seal 1") in found
    assert {invariant for invariant, _, _ in found} == {"I9"}
    if "ledger_account" not in change:
        assert len(found) == 1


def test_another_effective_date_on_header_and_legs_names_the_transaction(history):
    tamper(
        f"UPDATE ledger_transaction SET effective_date = '2026-01-01' WHERE id = {history[2]}",
        f"UPDATE ledger_entry SET effective_date = '2026-01-01' WHERE transaction_id = {history[2]}",
    )

    assert findings() == [
        ("I9", f"transaction {history[2]}", "is not what was sealed at position 0 of seal 2")
    ]


def test_reordered_legs_name_the_transaction(history):
    tamper(
        f"UPDATE ledger_entry SET seq = seq + 10 WHERE transaction_id = {history[0]}",
        f"UPDATE ledger_entry SET seq = 13 - seq WHERE transaction_id = {history[0]}",
    )

    assert findings() == [
        ("I9", f"transaction {history[0]}", "is not what was sealed at position 0 of seal 1")
    ]


def test_a_deleted_transaction_is_named(history):
    tamper(
        f"DELETE FROM ledger_entry WHERE transaction_id = {history[3]}",
        f"DELETE FROM ledger_transaction WHERE id = {history[3]}",
    )

    assert findings() == [
        ("I9", f"transaction {history[3]}", "was sealed at position 1 of seal 2 and is gone")
    ]


def test_a_transaction_deleted_with_its_leaf_leaves_a_gap_in_its_seal(history):
    tamper(
        f"DELETE FROM ledger_sealleaf WHERE transaction_id = {history[0]}",
        f"DELETE FROM ledger_entry WHERE transaction_id = {history[0]}",
        f"DELETE FROM ledger_transaction WHERE id = {history[0]}",
    )

    assert findings() == [("I9", "seal 1", "has 1 of 2 leaves, or not in a row")]


def forged(number: int) -> str:
    return leaves.leaves([number])[number].hex()


def test_a_leaf_that_is_forged_too_does_not_lead_to_the_root(history):
    tamper(f"UPDATE ledger_transaction SET description = 'x' WHERE id = {history[1]}")

    tamper(
        f"UPDATE ledger_sealleaf SET leaf_hash = decode('{forged(history[1])}', 'hex') WHERE transaction_id = {history[1]}"
    )

    assert findings() == [("I9", "seal 1", "has a root that its leaves do not lead to")]


def test_a_seal_that_is_forged_too_breaks_the_chain(committed_acme, history):
    tamper(f"UPDATE ledger_transaction SET description = 'x' WHERE id = {history[1]}")
    hashes = leaves.leaves(history[:2])
    root = merkle.root([hashes[number] for number in history[:2]])
    seal = merkle.seal_hash(
        prev_hash=merkle.NOTHING_BEFORE, merkle_root=root, seq=1, count=2, organisation_id=committed_acme.id
    )
    leaf = f"UPDATE ledger_sealleaf SET leaf_hash = decode('{forged(history[1])}', 'hex') WHERE transaction_id = {history[1]}"

    tamper(leaf, f"UPDATE ledger_seal SET merkle_root = decode('{root.hex()}', 'hex') WHERE seq = 1")
    without_hash = findings()
    tamper(f"UPDATE ledger_seal SET seal_hash = decode('{seal.hex()}', 'hex') WHERE seq = 1")

    assert without_hash == [("I9", "seal 1", "has a hash that is not of what it holds")]
    assert findings() == [("I9", "seal 2", "does not follow from the seal before")]


def test_a_missing_seal_and_its_leaves_are_named(history):
    tamper("DELETE FROM ledger_seal WHERE seq = 1")

    assert findings() == [
        ("I9", "seal 1", "is missing"),
        *(
            ("I9", f"transaction {number}", "has a leaf of seal 1, and there is no such seal")
            for number in history[:2]
        ),
    ]


def test_a_backdated_insert_is_named_before_it_is_sealed_and_after(history):
    tamper(INSERT.format(posted_at="posted_at - interval '1 day'"))
    added = history[-1] + 1

    before = findings()
    seals.run(now=LATER)
    after = findings()

    posted_at = f"says that it was posted at {NOW - timedelta(days=1):%Y-%m-%d %H:%M:%S+00}"
    assert before == [("I9", f"transaction {added}", f"{posted_at}, and is in no seal")]
    horizon = f"{LATER:%Y-%m-%d %H:%M:%S+00}"
    assert after == [
        (
            "I9",
            f"transaction {added}",
            f"{posted_at}, and is in no seal up to {horizon}: it was written later",
        )
    ]


def test_in_a_live_organisation_the_clock_tells_too(transactional_db, in_organisation):
    in_organisation("zuri")
    now = clock.now()
    ledger.post(ledger.transfer(*refs(), 10_00), now=now - timedelta(minutes=4))
    assert findings() == []

    tamper("UPDATE ledger_transaction SET posted_at = posted_at - interval '57 minutes'", schema="org_zuri")

    [(invariant, row, problem)] = findings()
    assert (invariant, row) == ("I9", "transaction 1")
    assert problem.endswith("and is in no seal")


def test_a_wrong_movement_and_a_leg_of_another_day_break_i6(history):
    with unguarded() as database:
        database.execute("UPDATE ledger_movement SET debits = debits + 1 WHERE account_id = 1")
    moved = findings()
    tamper(
        f"UPDATE ledger_entry SET effective_date = '2026-01-01' WHERE transaction_id = {history[0]} AND seq = 1"
    )

    assert moved == [
        (
            "I6",
            "movements of account 1 on 2026-11-24, layer 0",
            "say debits 10001, credits 0 in 4 entries; the sealed entries say 10000, 0 in 4",
        )
    ]
    assert findings() == [
        ("I6", f"transaction {history[0]}", "is of 2026-11-24, and its entry 1 of 2026-01-01")
    ]


def test_a_missing_movement_breaks_i6(history):
    with unguarded() as database:
        database.execute("DELETE FROM ledger_movement WHERE account_id = 2")

    assert findings() == [
        ("I6", "movements of account 2 on 2026-11-24, layer 0", "are missing, but 4 sealed entries are there")
    ]


def test_a_hold_that_has_no_pending_entries_breaks_i8(history):
    with unguarded() as database:
        database.execute(
            "INSERT INTO ledger_hold (transaction_id, debit_account_id, credit_account_id, currency, amount, captured,"
            f" released, state) VALUES ({history[0]}, 1, 2, 'KES', 1000, 300, 0, 'PARTIALLY_CAPTURED')"
        )

    problem = "says that 700 is left; its pending entries are 0 debit and 0 credit"
    assert findings() == [("I8", f"hold {history[0]}", problem)]


def test_pending_entries_without_a_hold_break_i8(history):
    tamper(f"UPDATE ledger_entry SET layer = 1 WHERE transaction_id = {history[1]}")

    assert ("I8", f"hold {history[1]}", "is missing, but 2000 is pending") in findings()


@pytest.fixture
def closed(committed_acme) -> list[int]:
    """The transactions of October and November, both closed; December is open."""
    access.head_office()
    access.portal()
    held, owed = refs()
    days = (date(2026, 10, 14), date(2026, 11, 14))
    numbers = [
        ledger.post(ledger.transfer(held, owed, 10_00, effective_date=day), now=LATER).number for day in days
    ]
    periods.months()
    periods.close_through(11)
    assert findings() == []
    return numbers


def test_what_comes_into_a_closed_period_breaks_i7(closed):
    posted_at = periods.LATER + timedelta(hours=1)
    tamper(INSERT.format(posted_at=f"'{posted_at:%Y-%m-%d %H:%M:%S+00}'"))

    found = findings()

    closed_at = f"{periods.LATER:%Y-%m-%d %H:%M:%S+00}"
    late = f"was posted at {posted_at:%Y-%m-%d %H:%M:%S+00} into the period to 2026-10-31, which was closed at {closed_at}"
    assert found[0] == ("I7", f"transaction {closed[-1] + 1}", late)
    wrong = "says debits 1000, credits 0; the entries up to then say 2000 and 0"
    assert ("I7", "checkpoint of account 1 at 2026-10-31", wrong) in found


def test_a_checkpoint_that_was_changed_breaks_i7(closed):
    with unguarded() as database:
        database.execute(
            "UPDATE ledger_checkpoint SET debits = debits + 1 WHERE account_id = 1 AND debits = 1000"
        )

    wrong = "says debits 1001, credits 0; the entries up to then say 1000 and 0"
    assert findings() == [
        ("I7", "checkpoint of account 1 at 2026-10-31", wrong),
        ("I7", "period to 2026-10-31", "has a hash that is not of its checkpoints"),
    ]


def test_a_checkpoint_that_is_gone_breaks_i7(closed):
    with unguarded() as database:
        database.execute("DELETE FROM ledger_checkpoint WHERE account_id = 1 AND debits = 2000")

    wrong = "is missing; the entries up to then say debits 2000, credits 0"
    assert findings() == [
        ("I7", "checkpoint of account 1 at 2026-11-30", wrong),
        ("I7", "period to 2026-11-30", "has a hash that is not of its checkpoints"),
    ]


def test_a_book_that_was_opened_by_hand_breaks_i7(closed):
    with unguarded() as database:
        database.execute("UPDATE ledger_book SET closed_through = '2026-09-30'")
    opened = findings()
    with unguarded() as database:
        database.execute("UPDATE ledger_book SET closed_through = '2026-11-30'")
        database.execute("UPDATE ledger_period SET state = 'OPEN' WHERE end_date = '2026-10-31'")

    assert opened == [("I7", "period to 2026-11-30", "is closed, and the book through 2026-09-30 only")]
    assert ("I7", "period to 2026-10-31", "is open, and a later one is closed") in findings()


def test_at_most_twenty_rows_of_an_invariant_are_named(committed_acme):
    held, owed = refs()
    for minor in range(1, 26):
        ledger.post(ledger.transfer(held, owed, minor))
    seals.run(now=LATER)

    tamper("UPDATE ledger_transaction SET description = 'x'")

    found = findings()
    assert len(found) == 20
    assert found[0] == ("I9", "transaction 1", "is not what was sealed at position 0 of seal 1")


def test_seals_that_were_verified_before_can_be_passed_over(history):
    tamper("UPDATE ledger_transaction SET description = 'x'")

    found = [finding.row for finding in verification.verify(since_seal=2).findings]

    assert found == [f"transaction {number}" for number in history[2:]]
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("ledger_verify", "--tenant", "acme", "--since", "2", stdout=out)
    assert out.getvalue().count("is not what was sealed") == 2


def test_a_long_verification_says_how_far_it_is(committed_acme, monkeypatch):
    monkeypatch.setattr(seals, "LEAVES_MAX", 1)
    held, owed = refs()
    for minor in range(1, 22):
        ledger.post(ledger.transfer(held, owed, minor))
    while seals.run(now=LATER):
        pass
    heard: list[str] = []

    verdict = verification.verify(progress=heard.append)

    assert (verdict.is_clean, heard) == (True, ["20 of 21 seals"])
    assert Seal.objects.count() == 21

"""Verify a ledger: a sound one is clean, and each broken invariant is named with its row."""

import json
from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole
from apps.ledger.models import Account, Transaction
from apps.ledger.services import accounts, verification
from tests.conftest import owner
from tests.factories import ledger
from tests.factories.ledger import NOW
from tests.operations.operate import operate

TABLES = ["ledger_account", "ledger_balance", "ledger_transaction", "ledger_entry"]


@pytest.fixture
def history(committed_acme) -> tuple[int, int]:
    """Three bookings between two accounts; returns the ids of the debited and the credited one."""
    branch = ledger.branch()
    held = ledger.ref(AccountRole.PROVIDER_BALANCE, branch.id)
    owed = ledger.ref(AccountRole.UNAPPLIED_COLLECTIONS, branch.id)
    for minor in (10_00, 20_00, 30_00):
        ledger.post(ledger.transfer(held, owed, minor))
    accounts.set_limits(ref=held, net_floor=Money.zero("KES"), net_ceiling=None, actor=SYSTEM, now=NOW)
    ledger.post(ledger.transfer(owed, held, 5_00))
    return Account.objects.matching([held]).get().id, Account.objects.matching([owed]).get().id


@pytest.fixture
def tamper() -> Callable[..., None]:
    """Return a function that changes rows as the owner with the guards switched off, on a connection of its own."""

    def run(statement: str, *values: object) -> None:
        with owner() as database:
            database.execute("SET search_path = org_acme")
            for table in TABLES:
                database.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            database.execute(statement, values)
            for table in TABLES:
                database.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")

    return run


def findings() -> list[tuple[str, str, str]]:
    return [(found.invariant.value, found.row, found.problem) for found in verification.verify().findings]


def first_number() -> int:
    return Transaction.objects.order_by("id")[0].id


def test_a_sound_ledger_is_clean(history):
    verdict = verification.verify()

    assert verdict == verification.Verdict(transactions=4, entries=8, accounts=2, findings=())


def test_i1_names_the_transaction_that_does_not_balance(history, tamper):
    number = first_number()

    tamper("UPDATE ledger_entry SET amount = 9_99 WHERE transaction_id = %s AND seq = 1", number)

    assert ("I1", f"transaction {number}", "debits less credits are KES -1 on layer 0") in findings()


def test_i1_names_the_transaction_that_lost_a_leg(history, tamper):
    number = first_number()

    tamper("DELETE FROM ledger_entry WHERE transaction_id = %s AND seq = 2", number)

    assert ("I1", f"transaction {number}", "has 1 of 2 legs") in findings()


def test_i1_names_the_transaction_that_lost_all_legs(history, tamper):
    number = first_number()

    tamper("DELETE FROM ledger_entry WHERE transaction_id = %s", number)

    assert ("I1", f"transaction {number}", "has 0 of 2 legs") in findings()


def test_i2_names_the_balance_that_is_not_its_entries(history, tamper):
    held, _ = history

    tamper("UPDATE ledger_balance SET posted_debits = posted_debits + 1 WHERE account_id = %s", held)

    problem = "says debits 6001, credits 500, pending 0 and 0; its entries say 6000, 500, 0 and 0"
    assert ("I2", f"balance of account {held}, shard 0", problem) in findings()


def test_i2_names_the_balance_that_is_missing(history, tamper):
    held, _ = history

    tamper("DELETE FROM ledger_balance WHERE account_id = %s", held)

    assert ("I2", f"balance of account {held}, shard 0", "is missing, but there are entries") in findings()


def test_i2_names_the_account_that_has_entries_in_another_currency(history, tamper):
    held, _ = history

    tamper("UPDATE ledger_entry SET currency = 'USD' WHERE transaction_id = %s", first_number())

    assert ("I2", f"balance of account {held}, shard 0", "is missing, but there are entries") in findings()


def test_i3_names_the_entry_that_leaves_a_gap(history, tamper):
    held, _ = history
    number = first_number()

    tamper("UPDATE ledger_entry SET version = 99 WHERE transaction_id = %s AND account_id = %s", number, held)

    broken = findings()
    assert {invariant for invariant, _, _ in broken} == {"I3"}
    assert (
        "I3",
        f"entry {number}.1 of account {held}, shard 0",
        "has version 99, expected 4",
    ) in broken


def test_i3_names_the_entry_whose_running_balance_does_not_follow(history, tamper):
    held, _ = history
    number = first_number()

    tamper(
        "UPDATE ledger_entry SET net_after = 7 WHERE transaction_id = %s AND account_id = %s", number, held
    )

    row = f"entry {number}.1 of account {held}, shard 0"
    assert findings() == [("I3", row, "says net 7 after it, expected 1000")]


def test_i3_names_the_balance_that_is_behind_its_entries(history, tamper):
    held, _ = history

    tamper("UPDATE ledger_balance SET version = 3 WHERE account_id = %s", held)

    assert findings() == [
        ("I3", f"balance of account {held}, shard 0", "has version 3, and its last entry 4")
    ]


def test_i4_names_the_currency_whose_trial_balance_is_not_zero(history, tamper):
    _, owed = history

    tamper("UPDATE ledger_balance SET posted_credits = posted_credits - 3 WHERE account_id = %s", owed)

    assert ("I4", "trial balance in KES", "debits less credits are 3, pending 0") in findings()


def test_i5_names_the_transaction_that_went_past_a_limit(history, tamper):
    held, _ = history
    last = Transaction.objects.order_by("-id")[0].id

    tamper("UPDATE ledger_balance SET net_floor = 5501 WHERE account_id = %s", held)

    problem = f"transaction {last} moved its net to 5500, and its limits are 5501 to none"
    assert findings() == [("I5", f"account {held}", problem)]


def test_i5_accepts_a_limit_that_was_set_beyond_the_balance(history):
    ref = Account.objects.get(id=history[0]).ref

    accounts.set_limits(ref=ref, net_floor=Money(90_00, "KES"), net_ceiling=None, actor=SYSTEM, now=NOW)
    ledger.post(ledger.transfer(ref, Account.objects.get(id=history[1]).ref, 1_00))

    assert findings() == []


def test_the_command_prints_a_line_for_each_organisation(history):
    out = StringIO()

    call_command("ledger_verify", stdout=out)

    assert out.getvalue().splitlines() == [
        "acme: clean, I1 to I11 hold (4 transactions, 8 entries, 2 accounts)",
        "zuri: clean, I1 to I11 hold (0 transactions, 0 entries, 0 accounts)",
    ]


def test_the_command_names_what_is_broken_and_fails(history, tamper):
    held, _ = history
    tamper("UPDATE ledger_balance SET version = 3 WHERE account_id = %s", held)
    out = StringIO()

    with pytest.raises(CommandError, match="broken in acme") as failure:
        call_command("ledger_verify", stdout=out)

    assert failure.value.returncode == 1
    assert f"acme: I3 broken: balance of account {held}, shard 0: has version 3" in out.getvalue()
    assert "zuri: clean" in out.getvalue()


def test_the_command_speaks_json_about_the_named_organisation(history, tamper):
    held, _ = history
    tamper("UPDATE ledger_balance SET version = 3 WHERE account_id = %s", held)
    out = StringIO()

    with pytest.raises(CommandError):
        call_command("ledger_verify", "--tenant", "acme", "--json", stdout=out)

    document = json.loads(out.getvalue())
    assert list(document) == ["acme"]
    assert document["acme"]["clean"] is False
    assert [found["invariant"] for found in document["acme"]["findings"]] == ["I3"]


def test_the_command_refuses_an_unknown_organisation(acme):
    with pytest.raises(CommandError, match="nobody"):
        call_command("ledger_verify", "--tenant", "nobody")


def test_the_operators_command_names_what_is_broken_and_ends_with_one(history, tamper):
    held, _ = history
    tamper("UPDATE ledger_balance SET version = 3 WHERE account_id = %s", held)
    connection.set_schema_to_public()

    done = operate("ledger", "verify", "--all")
    alone = operate("ledger", "verify", "--tenant", "acme", "--json")

    assert done.code == alone.code == 1
    assert "zuri: clean, I1 to I11 hold" in done.out
    assert "acme: BROKEN (4 transactions" in done.out
    [finding] = alone.document["rows"]
    assert (finding["invariant"], finding["row"]) == ("I3", f"balance of account {held}, shard 0")

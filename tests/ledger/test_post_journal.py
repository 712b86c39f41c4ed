"""Post a journal: what is booked, what is a repetition, what limits, states and days allow."""

import dataclasses
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection, transaction

from apps.kit import clock, ids
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole, credit, debit
from apps.ledger.models import Account, Balance, Book, Entry, Transaction
from apps.ledger.selectors import balances
from apps.ledger.services import accounts, journals
from apps.tenancy.selectors import organisations
from tests.factories import ledger
from tests.factories.ledger import NOW


def kes(minor: int) -> Money:
    return Money(minor, "KES")


def test_books_two_legs_and_moves_both_balances(balance, unapplied):
    booking = ledger.transfer(balance, unapplied, 12_400_00, reference="NLJ7RT61SV", event_at=NOW)

    booked = ledger.post(booking)

    header = Transaction.objects.get()
    assert (booked.id, booked.number, booked.is_replay) == (header.uid, header.id, False)
    assert (header.idem_key, header.entry_count, header.created_by) == (booking.key, 2, "system:treasury")
    assert (header.reference, header.event_at, header.posted_at) == ("NLJ7RT61SV", NOW, NOW)
    debited, credited = Entry.objects.order_by("seq")
    assert (debited.direction, debited.amount, debited.net_after, debited.version) == (
        1,
        12_400_00,
        12_400_00,
        1,
    )
    assert (credited.direction, credited.amount, credited.net_after) == (-1, 12_400_00, -12_400_00)
    assert balances.of(balance) == kes(12_400_00)
    assert balances.of(unapplied) == kes(12_400_00)


def test_books_a_collection_with_its_fee(balance, fees, unapplied):
    legs = (debit(balance, kes(12_338_00)), debit(fees, kes(62_00)), credit(unapplied, kes(12_400_00)))

    ledger.post(ledger.draft(legs=legs))

    assert [balances.of(ref).minor for ref in (balance, fees, unapplied)] == [12_338_00, 62_00, 12_400_00]
    assert list(Entry.objects.order_by("seq").values_list("direction", "amount")) == [
        (1, 12_338_00), (1, 62_00), (-1, 12_400_00),
    ]  # fmt: skip


def test_two_legs_of_one_account_keep_its_versions_gapless(balance, unapplied):
    ledger.post(ledger.transfer(balance, unapplied, 5_00))
    legs = (debit(balance, kes(1_00)), debit(balance, kes(2_00)), credit(unapplied, kes(3_00)))

    ledger.post(ledger.draft(legs=legs))

    account = Account.objects.matching([balance]).get()
    assert list(
        Entry.objects.filter(account=account).order_by("version").values_list("version", "net_after")
    ) == [(1, 5_00), (2, 6_00), (3, 8_00)]


def test_books_two_currencies_that_each_balance(branch, balance, unapplied):
    dollars = ledger.ref(AccountRole.PROVIDER_BALANCE, branch.id, "USD")
    dollars_owed = ledger.ref(AccountRole.UNAPPLIED_COLLECTIONS, branch.id, "USD")
    legs = (
        debit(balance, kes(13_000)), credit(unapplied, kes(13_000)),
        debit(dollars, Money(100, "USD")), credit(dollars_owed, Money(100, "USD")),
    )  # fmt: skip

    ledger.post(ledger.draft(legs=legs))

    assert balances.of(dollars) == Money(100, "USD")
    assert Entry.objects.count() == 4


def test_the_same_draft_again_is_the_first_booking(balance, unapplied):
    booking = ledger.transfer(balance, unapplied, 5_00)
    first = ledger.post(booking)

    second = ledger.post(booking, now=datetime(2026, 11, 26, tzinfo=UTC))

    assert second == dataclasses.replace(first, is_replay=True)
    assert Transaction.objects.count() == 1
    assert balances.of(balance) == kes(5_00)


def test_the_same_many_legged_draft_again_is_the_first_booking(balance, fees, unapplied):
    booking = ledger.draft(
        legs=(debit(balance, kes(4_00)), debit(fees, kes(1_00)), credit(unapplied, kes(5_00)))
    )
    first = ledger.post(booking)

    assert ledger.post(booking) == dataclasses.replace(first, is_replay=True)
    assert Entry.objects.count() == 3


@pytest.mark.parametrize(
    "change",
    [
        {"description": "Other"},
        {"reference": "X"},
        {"source_id": ids.new()},
        {"effective_date": date(2026, 11, 1)},
    ],
)
def test_a_key_is_refused_for_another_draft(balance, unapplied, change):
    booking = ledger.transfer(balance, unapplied, 5_00)
    ledger.post(booking)

    with pytest.raises(journals.KeyReused):
        ledger.post(dataclasses.replace(booking, **change))

    assert Transaction.objects.count() == 1


def test_a_key_is_refused_for_another_sum(balance, fees, unapplied):
    booking = ledger.transfer(balance, unapplied, 5_00)
    ledger.post(booking)
    legs = (debit(balance, kes(4_00)), debit(fees, kes(1_00)), credit(unapplied, kes(5_00)))

    for other in (
        ledger.transfer(balance, unapplied, 6_00, key=booking.key),
        ledger.draft(legs=legs, key=booking.key),
    ):
        with pytest.raises(journals.KeyReused):
            ledger.post(other)

    assert balances.of(balance) == kes(5_00)
    assert Account.objects.filter(role=AccountRole.PROVIDER_FEES).exists() is False


def test_a_refusal_leaves_the_callers_transaction_usable(balance, unapplied, suspense):
    ledger.post(ledger.transfer(balance, unapplied, 5_00))
    accounts.close(ref=suspense_opened(suspense), reason="not used", actor=SYSTEM, now=NOW)

    with transaction.atomic():
        with pytest.raises(journals.AccountClosed):
            ledger.post(ledger.transfer(balance, suspense, 1_00))
        ledger.post(ledger.transfer(balance, unapplied, 1_00))

    assert balances.of(unapplied) == kes(6_00)
    assert Transaction.objects.count() == 2


def suspense_opened(suspense):
    accounts.ensure(ref=suspense, now=NOW)
    return suspense


def test_nothing_is_kept_when_a_later_step_fails(balance, unapplied):
    with transaction.atomic():
        ledger.post(ledger.transfer(balance, unapplied, 5_00))
        transaction.set_rollback(True)

    assert Transaction.objects.exists() is False
    assert Balance.objects.exists() is False


def test_a_limit_refuses_what_moves_towards_it_only(balance, unapplied):
    ledger.post(ledger.transfer(balance, unapplied, 10_00))
    accounts.set_limits(ref=balance, net_floor=kes(4_00), net_ceiling=None, actor=SYSTEM, now=NOW)
    ledger.post(ledger.transfer(unapplied, balance, 6_00))

    with pytest.raises(journals.LimitExceeded, match="1010 M-Pesa Westlands"):
        ledger.post(ledger.transfer(unapplied, balance, 1))

    assert balances.of(balance) == kes(4_00)
    assert Transaction.objects.count() == 2


def test_a_ceiling_keeps_a_liability_from_being_overdrawn(balance, fees, unapplied):
    ledger.post(ledger.transfer(balance, unapplied, 10_00))
    accounts.set_limits(ref=unapplied, net_floor=None, net_ceiling=kes(0), actor=SYSTEM, now=NOW)

    with pytest.raises(journals.LimitExceeded):
        ledger.post(ledger.draft(
            legs=(debit(unapplied, kes(10_01)), credit(balance, kes(10_00)), credit(fees, kes(1)))
        ))  # fmt: skip

    assert balances.of(unapplied) == kes(10_00)


def test_a_limit_below_the_present_balance_forbids_only_going_further(balance, unapplied):
    ledger.post(ledger.transfer(balance, unapplied, 10_00))
    accounts.set_limits(ref=balance, net_floor=kes(20_00), net_ceiling=None, actor=SYSTEM, now=NOW)

    ledger.post(ledger.transfer(balance, unapplied, 1_00))
    with pytest.raises(journals.LimitExceeded):
        ledger.post(ledger.transfer(unapplied, balance, 1_00))

    assert balances.of(balance) == kes(11_00)


def test_a_frozen_account_takes_nothing_until_it_is_opened_again(balance, unapplied):
    ledger.post(ledger.transfer(balance, unapplied, 10_00))
    accounts.freeze(ref=balance, reason="court order", actor=SYSTEM, now=NOW)

    for refused in (ledger.transfer(balance, unapplied, 1), ledger.transfer(unapplied, balance, 1)):
        with pytest.raises(journals.AccountFrozen, match="1010 M-Pesa Westlands is frozen"):
            ledger.post(refused)
    accounts.unfreeze(ref=balance, reason="lifted", actor=SYSTEM, now=NOW)
    ledger.post(ledger.transfer(balance, unapplied, 1))

    assert Transaction.objects.count() == 2


def test_only_an_empty_account_is_closed_and_it_stays_closed(balance, unapplied):
    ledger.post(ledger.transfer(balance, unapplied, 10_00))
    with pytest.raises(accounts.refusals.AccountNotEmpty):
        accounts.close(ref=balance, reason="shut", actor=SYSTEM, now=NOW)
    ledger.post(ledger.transfer(unapplied, balance, 10_00))

    closed = accounts.close(ref=balance, reason="shut", actor=SYSTEM, now=NOW)

    assert closed.status == "CLOSED"
    with pytest.raises(journals.AccountClosed):
        accounts.unfreeze(ref=balance, reason="again", actor=SYSTEM, now=NOW)
    with pytest.raises(journals.AccountClosed):
        ledger.post(ledger.transfer(balance, unapplied, 1))


def test_the_effective_date_is_the_local_one(balance, unapplied):
    late = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)

    ledger.post(ledger.transfer(balance, unapplied, 1_00), now=late)

    assert Book.objects.get().timezone == "Africa/Nairobi"
    assert Transaction.objects.get().effective_date == date(2026, 11, 1)
    assert set(Entry.objects.values_list("effective_date", flat=True)) == {date(2026, 11, 1)}


def test_a_test_organisation_books_at_any_time_and_a_live_one_does_not(zuri):
    branch = ledger.branch()
    owed, held = (
        ledger.ref(role, branch.id) for role in (AccountRole.SUSPENSE, AccountRole.PROVIDER_BALANCE)
    )

    for skewed in (clock.now() - timedelta(minutes=6), clock.now() + timedelta(minutes=6)):
        with pytest.raises(journals.ClockSkewed):
            ledger.post(ledger.transfer(held, owed, 1_00), now=skewed)
    ledger.post(ledger.transfer(held, owed, 2_00), now=clock.now() - timedelta(minutes=4))

    assert balances.of(held) == kes(2_00)
    assert Book.objects.get().is_test is False


def test_sums_beyond_64_bits_and_18_decimals_are_exact(branch):
    held = ledger.ref(AccountRole.PROVIDER_BALANCE, branch.id, "ETH")
    owed = ledger.ref(AccountRole.SUSPENSE, branch.id, "ETH")
    wei = 123_456_789_012_345 * 10**18 + 1

    ledger.post(ledger.transfer(held, owed, wei))
    ledger.post(ledger.transfer(held, owed, 2**63))

    assert balances.of(held) == Money(wei + 2**63, "ETH")
    assert balances.of(owed) == Money(wei + 2**63, "ETH")
    assert [entry.amount for entry in Entry.objects.filter(seq=1).order_by("pk")] == [wei, 2**63]


def test_the_public_schema_is_no_place_to_book(balance, unapplied):
    connection.set_schema_to_public()

    with pytest.raises(organisations.NoOrganisation):
        ledger.post(ledger.transfer(balance, unapplied, 1_00))


def test_the_orm_writes_nothing(balance, unapplied):
    ledger.post(ledger.transfer(balance, unapplied, 1_00))
    entry = Entry.objects.first()

    for write in (
        entry.save,
        entry.delete,
        Entry.objects.all().delete,
        lambda: Entry.objects.update(amount=1),
        lambda: Entry.objects.bulk_create([entry]),
        Balance.objects.create,
    ):
        with pytest.raises(TypeError):
            write()

"""Post a journal: what is booked, what is a repetition, what is refused."""

import dataclasses
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from apps.kit import clock, ids
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole, LateItems, Leg, credit, debit
from apps.ledger.models import Account, Balance, Book, Entry, Transaction
from apps.ledger.selectors import balances
from apps.ledger.services import accounts, journals, periods
from apps.tenancy.selectors import organisations
from tests.factories import ledger
from tests.factories.ledger import NOW

USER = "user:00000000-0000-7000-8000-000000000001"


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


@pytest.mark.parametrize("minor", [0, -1, 10**35])
def test_sums_that_no_leg_can_have_are_refused(balance, unapplied, minor):
    with pytest.raises(journals.DraftInvalid):
        ledger.post(ledger.transfer(balance, unapplied, minor))

    assert Account.objects.exists() is False


def test_drafts_that_are_no_booking_are_refused(branch, balance, unapplied):
    one = debit(balance, kes(1_00))
    wrong = [
        ledger.draft(legs=()),
        ledger.draft(legs=(one,)),
        ledger.draft(legs=(one, Leg(unapplied))),
        ledger.draft(legs=(one, Leg(unapplied, debit=kes(1_00), credit=kes(1_00)))),
        ledger.draft(legs=(one, credit(unapplied, Money(1_00, "USD")))),
        ledger.draft(legs=(one, credit(balance, kes(1_00)))),
        ledger.draft(legs=(one, credit(unapplied, kes(1_00))), key=""),
        ledger.draft(legs=(one, credit(unapplied, kes(1_00))), description="x" * 201),
    ]

    for booking in wrong:
        with pytest.raises(journals.DraftInvalid):
            ledger.post(booking)
    with pytest.raises(journals.Unbalanced):
        ledger.post(ledger.draft(legs=(one, credit(unapplied, kes(99)))))

    assert Transaction.objects.exists() is False
    assert Account.objects.exists() is False


@pytest.mark.parametrize("text", ["NLJ\0", "\ud800NLJ", "NLJ\udfff"])
@pytest.mark.parametrize(
    "field", ["key", "source_type", "reference", "description", "reason", "cost_centre", "dimensions"]
)
def test_a_text_that_the_database_does_not_keep_is_refused_by_its_field(balance, unapplied, field, text):
    said = {"shop": text} if field == "dimensions" else text

    with pytest.raises(journals.DraftInvalid) as refusal:
        ledger.post(ledger.transfer(balance, unapplied, 1_00, **{field: said}))

    assert [error.pointer for error in refusal.value.errors] == [f"/{field}"]
    assert Account.objects.exists() is False


def test_a_name_that_the_database_does_not_keep_opens_no_account(branch, unapplied):
    named = ledger.ref(AccountRole.PROVIDER_BALANCE, branch.id, name="M-Pesa \ud800")

    with pytest.raises(journals.DraftInvalid) as refusal:
        ledger.post(ledger.transfer(named, unapplied, 1_00))

    assert [error.pointer for error in refusal.value.errors] == ["/name"]
    assert Account.objects.exists() is False


@pytest.mark.parametrize(
    "text", ["Amina", "user:amina", "user:", "somebody:else", f"{USER}, ", f"{USER},{USER}"]
)
def test_who_agreed_is_an_actor(balance, unapplied, text):
    with pytest.raises(journals.DraftInvalid) as refusal:
        ledger.post(ledger.transfer(balance, unapplied, 1_00, approved_by=text))

    assert [error.pointer for error in refusal.value.errors] == ["/approved_by"]
    assert Transaction.objects.exists() is False


def test_several_may_have_agreed(balance, unapplied):
    booked = ledger.post(ledger.transfer(balance, unapplied, 1_00, approved_by=f"{USER}, system:treasury"))

    assert Transaction.objects.get(uid=booked.id).approved_by == f"{USER}, system:treasury"


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


def test_a_sum_that_overflows_the_balance_is_refused(balance, unapplied):
    ledger.post(ledger.transfer(balance, unapplied, 10**35 - 1))
    ledger.post(ledger.transfer(balance, unapplied, 10**35 - 1))

    with pytest.raises(journals.DraftInvalid, match="35 digits"):
        ledger.post(ledger.transfer(balance, unapplied, 10**35))

    with pytest.raises(journals.DraftInvalid, match="larger than an account can hold"):
        ledger.post(
            ledger.draft(
                legs=[
                    make(ref, kes(10**35 - 1))
                    for _ in range(999)
                    for make, ref in ((debit, balance), (credit, unapplied))
                ]
            )
        )
    assert balances.of(balance).minor == 2 * (10**35 - 1)


BY_FUNCTION = {
    "transfer": """SELECT ledger_transfer(gen_random_uuid(), 'k', '', 'POSTING', %s, %s, 'KES', %s::numeric, NULL, NULL,
        't', gen_random_uuid(), '', '', 'x', %s)""",
    "post": """SELECT ledger_post(ARRAY[gen_random_uuid()], ARRAY['k'], ARRAY[''::bytea], ARRAY['POSTING'],
        ARRAY[NULL::date], ARRAY[NULL::timestamptz], ARRAY['t'], ARRAY[gen_random_uuid()], ARRAY[''], ARRAY[''], ARRAY[''],
        ARRAY[''], ARRAY[NULL::bigint], ARRAY[NULL::bigint], ARRAY[''], ARRAY[NULL::jsonb], ARRAY[1, 1],
        ARRAY[%s, %s]::bigint[], ARRAY['KES', 'KES'], ARRAY[0, 0]::smallint[], ARRAY[1, -1]::smallint[],
        ARRAY[5, %s]::numeric[], 'x', %s, false)""",
}


@pytest.mark.parametrize("minor", ["NaN", "Infinity", 10**35, "0.5", -1, 0, None])
@pytest.mark.parametrize("statement", BY_FUNCTION.values(), ids=BY_FUNCTION)
def test_the_functions_alone_refuse_sums_that_no_leg_can_have(balance, unapplied, minor, statement):
    one, other = (accounts.ensure(ref=ref, now=NOW).id for ref in (balance, unapplied))

    with connection.cursor() as cursor, pytest.raises(DatabaseError) as refusal:
        cursor.execute(statement, [one, other, minor, NOW])

    assert refusal.value.__cause__.sqlstate == "LG012"


@pytest.mark.parametrize("day", [date(1, 1, 2), date(1969, 12, 31), date(2036, 11, 25), date.max])
@pytest.mark.parametrize("late_items", LateItems)
def test_days_far_off_are_refused(balance, unapplied, day, late_items):
    ledger.post(ledger.transfer(balance, unapplied, 1_00))
    periods.set_late_items(policy=late_items, actor=SYSTEM, now=NOW)
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)

    for facts in ({"effective_date": day}, {"event_at": at}):
        with pytest.raises(journals.DraftInvalid, match="from 1970-01-01 to"):
            ledger.post(ledger.transfer(balance, unapplied, 1_00, **facts))
        with pytest.raises(DatabaseError, match="is dated from"), transaction.atomic():
            ledger.post_by_function(ledger.transfer(balance, unapplied, 1_00, **facts))
    assert Transaction.objects.count() == 1


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


def test_an_unbalanced_posting_by_the_function_alone_is_refused_at_commit(balance, unapplied):
    lopsided = ledger.draft(legs=(debit(balance, Money(5, "KES")), credit(unapplied, Money(4, "KES"))))

    with pytest.raises(DatabaseError, match="does not balance"):
        ledger.post_by_function(lopsided)

    assert Transaction.objects.exists() is False

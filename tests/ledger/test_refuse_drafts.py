"""Refuse drafts: what can be no booking, by the service with the field that it is about and by the functions alone."""

from datetime import UTC, date, datetime

import pytest
from django.db import DatabaseError, connection, transaction

from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole, LateItems, Leg, credit, debit
from apps.ledger.models import Account, Transaction
from apps.ledger.selectors import balances
from apps.ledger.services import accounts, journals, periods
from tests.factories import ledger
from tests.factories.ledger import NOW

USER = "user:00000000-0000-7000-8000-000000000001"
BY_FUNCTION = {
    "transfer": """SELECT ledger_transfer(gen_random_uuid(), 'k', '', 'POSTING', %s, %s, 'KES', %s::numeric, NULL, NULL,
        't', gen_random_uuid(), '', '', 'x', %s)""",
    "post": """SELECT ledger_post(ARRAY[gen_random_uuid()], ARRAY['k'], ARRAY[''::bytea], ARRAY['POSTING'],
        ARRAY[NULL::date], ARRAY[NULL::timestamptz], ARRAY['t'], ARRAY[gen_random_uuid()], ARRAY[''], ARRAY[''], ARRAY[''],
        ARRAY[''], ARRAY[NULL::bigint], ARRAY[NULL::bigint], ARRAY[''], ARRAY[NULL::jsonb], ARRAY[1, 1],
        ARRAY[%s, %s]::bigint[], ARRAY['KES', 'KES'], ARRAY[0, 0]::smallint[], ARRAY[1, -1]::smallint[],
        ARRAY[5, %s]::numeric[], 'x', %s, false)""",
}


def kes(minor: int) -> Money:
    return Money(minor, "KES")


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


def test_an_unbalanced_posting_by_the_function_alone_is_refused_at_commit(balance, unapplied):
    lopsided = ledger.draft(legs=(debit(balance, Money(5, "KES")), credit(unapplied, Money(4, "KES"))))

    with pytest.raises(DatabaseError, match="does not balance"):
        ledger.post_by_function(lopsided)

    assert Transaction.objects.exists() is False

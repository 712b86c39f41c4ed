"""Close a period: by a checked list, with the balances at its end kept; a year also into retained earnings."""

from datetime import UTC, date, datetime

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F, Sum

from apps.audit.models import AuditRecord
from apps.events.models import OutboxEvent
from apps.kit import errors, ids
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger import contracts
from apps.ledger.contracts import (
    AccountRole,
    LateItems,
    Layer,
    PeriodState,
    TransactionKind,
)
from apps.ledger.models import Book, Checkpoint, Entry, Period, SignOff
from apps.ledger.selectors import periods as stored
from apps.ledger.services import holds, journals, periods, refusals
from apps.ledger.services.holds import Promise
from tests.factories import access, approvals, ledger
from tests.factories import periods as make
from tests.factories.ledger import NOW
from tests.factories.periods import LATER

OCTOBER = date(2026, 10, 14)
NOVEMBER = date(2026, 11, 14)


@pytest.fixture(autouse=True)
def organisation(acme):
    access.head_office()
    access.portal()


@pytest.fixture
def booked(balance, unapplied) -> list[int]:
    """Money that arrived in October and in November."""
    return [
        ledger.post(ledger.transfer(balance, unapplied, minor, effective_date=day)).number
        for minor, day in ((70_00, OCTOBER), (30_00, NOVEMBER))
    ]


@pytest.fixture
def year(booked) -> list[Period]:
    return make.months()


def unmet(period: Period, **facts) -> dict[str, int]:
    found = periods.checklist(period_id=period.uid, now=LATER, **facts)
    return {row.name: row.count for row in found if not row.is_met}


def kept(period: Period) -> dict[str, tuple[int, int]]:
    return {
        row.account.role: (row.debits, row.credits)
        for row in stored.checkpoints_of(period).select_related("account")
    }


def summed(day: date) -> dict[int, int]:
    """Sum every posted entry up to a day, by account, without any checkpoint."""
    rows = (
        Entry.objects.filter(layer=Layer.POSTED.value, effective_date__lte=day)
        .values_list("account_id")
        .annotate(net=Sum(F("amount") * F("direction")))
    )
    return {account_id: int(net) for account_id, net in rows}


def test_generates_the_months_of_a_year_once(booked):
    opened = periods.generate(year=2026, actor=SYSTEM, now=NOW)
    again = periods.generate(year=2026, actor=SYSTEM, now=NOW)

    assert again == opened
    assert [str(period) for period in opened[:2]] == ["2026-01-01 to 2026-01-31", "2026-02-01 to 2026-02-28"]
    assert [period.is_year_end for period in opened] == [False] * 11 + [True]
    assert {(period.state, period.revision) for period in opened} == {("OPEN", 1)}
    assert AuditRecord.objects.get(action="ledger.periods_opened").changes == {
        "days": [None, "2026-01-01 to 2026-12-31"]
    }


def test_generates_from_the_month_in_which_the_year_begins(booked):
    periods.set_fiscal_year_start(month=7, actor=SYSTEM, now=NOW)

    opened = periods.generate(year=2027, actor=SYSTEM, now=NOW)

    assert (str(opened[0]), str(opened[-1])) == ("2027-07-01 to 2027-07-31", "2028-06-01 to 2028-06-30")
    with pytest.raises(refusals.PeriodStateWrong):
        periods.set_fiscal_year_start(month=1, actor=SYSTEM, now=NOW)


@pytest.mark.parametrize("year_wanted", [2028, 2024])
def test_generates_no_gap(year, year_wanted):
    with pytest.raises(refusals.PeriodOutOfOrder):
        periods.generate(year=year_wanted, actor=SYSTEM, now=NOW)

    assert Period.objects.count() == 12


def test_needs_a_book(acme):
    with pytest.raises(refusals.BookMissing):
        periods.generate(year=2026, actor=SYSTEM, now=NOW)


@pytest.mark.parametrize("wrong", [0, 9999, -5])
def test_names_a_year_that_cannot_be(booked, wrong):
    with pytest.raises(periods.YearInvalid) as refusal:
        periods.generate(year=wrong, actor=SYSTEM, now=NOW)

    assert refusal.value.errors[0].pointer == "/year"
    assert Period.objects.exists() is False


def test_reports_every_precondition(year):
    found = periods.checklist(period_id=make.month(11).uid, now=LATER)

    assert [row.name for row in found] == [
        "ended", "previous_closed", "holds", "requests", "suspense", "sealed", "revaluation", "reconciliation",
    ]  # fmt: skip
    assert {row.name: row.count for row in found if not row.is_met} == {
        "previous_closed": 10,
        "sealed": 2,
        "reconciliation": 1,
    }
    assert found[1].sentence == "10 earlier periods are open."


def test_the_last_day_is_over_in_the_zone_of_the_book(year):
    january = make.month(1)
    before_midnight = datetime(2026, 1, 31, 20, 59, tzinfo=UTC)  # 23:59 in Nairobi
    after_midnight = datetime(2026, 1, 31, 21, 0, tzinfo=UTC)

    assert "ended" in {
        row.name for row in periods.checklist(period_id=january.uid, now=before_midnight) if not row.is_met
    }
    assert "ended" not in {
        row.name for row in periods.checklist(period_id=january.uid, now=after_midnight) if not row.is_met
    }


def test_suspense_is_empty_or_acknowledged(year, balance, suspense):
    ledger.post(ledger.transfer(balance, suspense, 5_00, effective_date=date(2026, 1, 3)))
    january = make.month(1)
    assert unmet(january)["suspense"] == 1

    periods.sign_off(
        kind="suspense", period_id=january.uid, is_signed=True, note="Seen", actor=SYSTEM, now=NOW
    )
    assert "suspense" not in unmet(january)

    periods.sign_off(kind="suspense", period_id=january.uid, is_signed=False, actor=SYSTEM, now=LATER)
    assert unmet(january)["suspense"] == 1


def test_a_reconciliation_holds_until_cash_moves_again(year, balance, unapplied):
    october = make.month(10)
    said = {"kind": "reconciliation", "period_id": october.uid, "is_signed": True, "actor": SYSTEM}
    periods.sign_off(**said, now=NOW)
    assert "reconciliation" not in unmet(october)

    ledger.post(ledger.transfer(balance, unapplied, 1, effective_date=OCTOBER), now=LATER)
    found = [row for row in periods.checklist(period_id=october.uid, now=LATER) if not row.is_met]

    assert found[-1].sentence == (
        "1 cash account waits for its reconciliation. Something was booked after it was signed off."
    )
    periods.sign_off(**said, now=LATER)
    assert "reconciliation" not in unmet(october)
    assert SignOff.objects.count() == 2


def test_foreign_currency_is_revalued_or_signed(year, branch):
    dollars, owed = (
        ledger.ref(role, branch.id, "USD") for role in (AccountRole.BANK_BALANCE, AccountRole.PAYABLE)
    )
    ledger.post(ledger.transfer(dollars, owed, 5_00, effective_date=date(2026, 1, 3)))
    assert unmet(make.month(1))["revaluation"] == 2

    gain, contra = (
        ledger.ref(role, branch.id) for role in (AccountRole.FX_UNREALISED_GAIN, AccountRole.FX_REVALUATION)
    )
    ledger.post(
        ledger.transfer(contra, gain, 1, kind=TransactionKind.REVALUATION, effective_date=date(2026, 1, 31))
    )

    assert "revaluation" not in unmet(make.month(1))


def test_a_booking_that_waits_for_approval_is_waited_for(year):
    approvals.rule(currency="", minimum_minor=None)
    approvals.waiting(payload={"effective_date": "2026-01-31"}, money=None)
    approvals.waiting(payload={"effective_date": "2026-02-01"}, money=None)

    assert (unmet(make.month(1))["requests"], unmet(make.month(3)).get("requests")) == (1, None)


def test_holds_are_settled_or_carried(year, balance, unapplied):
    promise = Promise(
        key="test:promise",
        payer=balance,
        payee=unapplied,
        money=Money(5_00, "KES"),
        description="Payout to a rider",
        source_type="payout",
        source_id=ids.new(),
    )
    holds.place(promise=promise, actor=SYSTEM, now=NOW)

    assert unmet(make.month(11))["holds"] == 1
    assert "holds" not in unmet(make.month(10))
    assert "holds" not in unmet(make.month(11), is_carrying_holds=True)


def test_a_kind_of_another_app_is_asked_for(year, monkeypatch):
    kind = contracts.SignOffKind("stock", "Stock counted", is_always=True)
    monkeypatch.setitem(contracts.SIGN_OFFS, "stock", kind)

    assert unmet(make.month(1))["stock"] == 1
    periods.sign_off(kind="stock", period_id=make.month(1).uid, is_signed=True, actor=SYSTEM, now=NOW)
    assert "stock" not in unmet(make.month(1))


def test_a_sign_off_is_kept_once_and_names_its_kind(year):
    january = make.month(1)
    said = {
        "kind": "reconciliation",
        "period_id": january.uid,
        "is_signed": True,
        "actor": SYSTEM,
        "now": NOW,
    }

    assert periods.sign_off(**said) == periods.sign_off(**said)
    with pytest.raises(periods.SignOffInvalid) as refusal:
        periods.sign_off(**{**said, "kind": "weather"})
    with pytest.raises(periods.SignOffInvalid):
        periods.sign_off(**said, note="x" * 201)
    with pytest.raises(errors.NotFound):
        periods.sign_off(**{**said, "period_id": ids.new()})

    assert refusal.value.errors[0].pointer == "/kind"
    assert SignOff.objects.count() == 1


def test_refuses_with_every_reason_and_writes_nothing(year):
    with pytest.raises(periods.CloseRefused) as refusal:
        periods.close(period_id=make.month(11).uid, actor=SYSTEM, now=LATER)

    assert [error.pointer for error in refusal.value.errors] == [
        "/previous_closed", "/sealed", "/reconciliation",
    ]  # fmt: skip
    assert Checkpoint.objects.exists() is False
    assert Book.objects.get().closed_through is None
    assert OutboxEvent.objects.filter(type="period_closed").exists() is False


def test_closes_and_keeps_the_balances(year, balance, unapplied):
    october = make.close_through(10)

    assert (october.state, october.revision, october.closed_by) == (PeriodState.CLOSED, 1, "system:treasury")
    assert Book.objects.get().closed_through == date(2026, 10, 31)
    assert kept(october) == {"PROVIDER_BALANCE": (70_00, 0), "UNAPPLIED_COLLECTIONS": (0, 70_00)}
    assert {row.functional_net for row in stored.checkpoints_of(october)} == {70_00, -70_00}
    assert stored.first_open_day() == date(2026, 11, 1)
    assert bytes(october.checkpoint_hash) == stored.recomputed_hash(october)
    event = OutboxEvent.objects.filter(type="period_closed").order_by("id").last()
    assert event.data["object"]["end_date"] == "2026-10-31"
    assert event.data["object"]["checkpoint_hash"] == bytes(october.checkpoint_hash).hex()
    assert AuditRecord.objects.filter(action="period.closed").count() == 10
    with pytest.raises(journals.PeriodClosed):
        ledger.post(ledger.transfer(balance, unapplied, 1, effective_date=OCTOBER))


def test_what_stands_is_the_sum_of_all_entries_whatever_was_closed(year):
    def standing(month: Period) -> dict[int, int]:
        return {account.id: account.standing for account in stored.standing(month)}

    november = make.month(11)
    at_first = standing(november)
    make.close_through(10)

    assert at_first == standing(november) == summed(date(2026, 11, 30))
    assert standing(make.month(10)) == summed(date(2026, 10, 31))
    assert standing(make.month(9)) == {}


def test_each_hash_covers_the_period_before(year):
    make.close_through(2)
    first, second = make.month(1), make.month(2)

    assert kept(first) == kept(second) == {}
    assert bytes(second.checkpoint_hash) == stored.recomputed_hash(second) != bytes(first.checkpoint_hash)


def test_a_second_close_changes_nothing(year):
    first = make.close_through(1)

    again = periods.close(period_id=first.uid, actor=SYSTEM, now=LATER)

    assert again.checkpoint_hash == first.checkpoint_hash
    assert OutboxEvent.objects.filter(type="period_closed").count() == 1
    with pytest.raises(refusals.PeriodStateWrong):
        periods.sign_off(kind="suspense", period_id=first.uid, is_signed=True, actor=SYSTEM, now=LATER)


def test_soft_close_is_taken_back_or_closed(year):
    january = make.month(1)
    assert periods.soft_close(period_id=january.uid, actor=SYSTEM, now=NOW).state == PeriodState.SOFT_CLOSED
    assert periods.resume(period_id=january.uid, actor=SYSTEM, now=NOW).state == PeriodState.OPEN
    periods.soft_close(period_id=january.uid, actor=SYSTEM, now=NOW)

    assert make.close(make.month(1)).state == PeriodState.CLOSED
    with pytest.raises(refusals.PeriodStateWrong):
        periods.resume(period_id=january.uid, actor=SYSTEM, now=NOW)


def test_late_items_are_a_recorded_choice(year):
    assert periods.set_late_items(policy=LateItems.NEXT_OPEN, actor=SYSTEM, now=NOW).late_items == "NEXT_OPEN"
    periods.set_late_items(policy=LateItems.NEXT_OPEN, actor=SYSTEM, now=NOW)

    assert AuditRecord.objects.get(action="ledger.book_changed").changes == {
        "late_items": ["REJECT", "NEXT_OPEN"]
    }


def test_periods_never_overlap_and_keep_their_days(year):
    for statement in (
        "SELECT ledger_open_period(gen_random_uuid(), '2026-12-31', '2027-01-30', false)",
        "SELECT ledger_open_period(gen_random_uuid(), '2027-01-02', '2027-01-31', false)",
    ):
        with (
            pytest.raises(refusals.PeriodOutOfOrder),
            refusals.translated(),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
    for statement in (
        "INSERT INTO ledger_period DEFAULT VALUES",
        "UPDATE ledger_period SET end_date = '2030-01-01'",
        "DELETE FROM ledger_checkpoint",
        "INSERT INTO ledger_checkpoint DEFAULT VALUES",
        "UPDATE ledger_signoff SET is_signed = true",
        "DELETE FROM ledger_closing",
    ):
        with (
            pytest.raises(DatabaseError, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)

"""Reopen a period: the last closed one, by two people; what was kept at its close stays."""

from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from apps.approvals.contracts import ApprovalStatus, Decided
from apps.approvals.models import ApprovalRequest
from apps.approvals.services.requests import RequestPending
from apps.audit.models import AuditRecord
from apps.events.models import OutboxEvent
from apps.events.services import relay
from apps.kit import clock
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import PERIOD_REOPEN, AccountRole, LateItems, PeriodState, TransactionKind
from apps.ledger.models import Book, Checkpoint, Closing, Period, Transaction
from apps.ledger.selectors import balances
from apps.ledger.selectors import periods as stored
from apps.ledger.services import journals, periods, reopenings, reversals, verification
from tests.factories import access, approvals, ledger
from tests.factories import periods as make
from tests.factories.approvals import ONE_APPROVER
from tests.factories.periods import LATER

WHY = "An invoice of October came late"
AGREED = LATER + timedelta(minutes=20)
AGAIN = LATER + timedelta(minutes=40)
OCTOBER = date(2026, 10, 14)


@pytest.fixture(autouse=True)
def booked(acme, balance, fees):
    access.head_office()
    access.portal()
    ledger.post(ledger.transfer(fees, balance, 4_00, effective_date=OCTOBER))
    make.months()


@pytest.fixture
def rule():
    return approvals.rule(kind=PERIOD_REOPEN.name, currency="", minimum_minor=None, steps=ONE_APPROVER)


def ask(period: Period, **facts) -> ApprovalRequest:
    chosen = {"reason": WHY, "actor": approvals.maker(), "now": AGREED, **facts}
    return ApprovalRequest.objects.get(id=reopenings.ask(period_id=period.uid, **chosen))


def told() -> None:
    """Let the handlers of the decision run, as a worker would."""
    with clock.fixed(AGREED):
        while relay.run_due(queue="events", now=AGREED):
            pass


def reopen(period: Period) -> None:
    approvals.approve(ask(period), approvals.person(), now=AGREED)
    told()


def decided(request: ApprovalRequest, **facts) -> Decided:
    known = Decided(
        request_id=request.id,
        kind=request.kind,
        status=ApprovalStatus.APPROVED,
        subject_id=request.subject_id,
        payload_hash=request.payload_hash,
    )
    return replace(known, **facts)


def test_takes_postings_again_once_another_person_has_agreed(rule, balance, fees):
    make.close_through(10)
    request = ask(make.month(10))
    assert make.month(10).state == PeriodState.CLOSED

    approvals.approve(request, approvals.person(), now=AGREED)
    told()

    october = make.month(10)
    assert (october.state, october.revision, october.checkpoint_hash) == (PeriodState.OPEN, 2, None)
    assert Book.objects.get().closed_through == date(2026, 9, 30)
    ledger.post(ledger.transfer(fees, balance, 1_00, effective_date=OCTOBER), now=AGREED)
    record = AuditRecord.objects.get(action="period.reopened")
    assert (record.person, record.reason) == (approvals.maker().person, WHY)
    assert record.changes["approved_by"] == [None, str(approvals.person())]
    event = OutboxEvent.objects.get(type="period_reopened")
    assert (event.data["object"]["status"], event.data["object"]["revision"]) == ("open", 2)


def test_the_old_checkpoints_stay_beside_the_new_ones(rule, balance, fees):
    first = bytes(make.close_through(10).checkpoint_hash)
    reopen(make.month(10))
    october = make.month(10)
    assert list(stored.checkpoints_of(october)) == []
    ledger.post(ledger.transfer(fees, balance, 1_00, effective_date=OCTOBER), now=AGREED)

    again = make.close(october, now=AGAIN)

    assert {row.debits + row.credits for row in stored.superseded_checkpoints_of(again)} == {4_00}
    assert {row.debits + row.credits for row in stored.checkpoints_of(again)} == {5_00}
    assert bytes(again.checkpoint_hash) == stored.recomputed_hash(again) != first
    assert sorted(Checkpoint.objects.filter(period=again).values_list("revision", flat=True)) == [1, 1, 2, 2]
    make.seal(now=AGAIN)
    assert verification.verify().findings == ()


def test_sign_offs_are_asked_for_anew(rule):
    make.close_through(10)
    reopen(make.month(10))

    unmet = {row.name for row in periods.checklist(period_id=make.month(10).uid, now=AGAIN) if not row.is_met}

    assert "reconciliation" in unmet


def test_the_closing_of_the_year_is_reversed_and_booked_anew(rule, branch, balance, fees):
    make.close_through(12)
    earnings = ledger.ref(AccountRole.RETAINED_EARNINGS, branch.id)
    reopen(make.month(12))
    assert balances.of(earnings) == Money(0, "KES")
    assert balances.of(fees) == Money(4_00, "KES")
    ledger.post(ledger.transfer(fees, balance, 1_00, effective_date=date(2026, 12, 30)), now=AGREED)

    december = make.close(make.month(12), now=AGAIN)

    assert balances.of(earnings) == Money(-5_00, "KES")
    assert balances.of(fees) == Money(0, "KES")
    assert [closing.revision for closing in Closing.objects.order_by("id")] == [1, 2]
    reversal = Transaction.objects.get(kind=TransactionKind.REVERSAL)
    assert (reversal.effective_date, reversal.reason) == (date(2026, 12, 31), WHY)
    assert reversal.approved_by == str(approvals.person())
    assert set(stored.closing_transactions().values_list("kind", flat=True)) == {"CLOSING", "REVERSAL"}
    assert stored.closing_transactions().count() == 3
    assert {row.debits - row.credits for row in stored.checkpoints_of(december)} == {0, 5_00, -5_00}
    make.seal(now=AGAIN)
    assert verification.verify().findings == ()


def test_only_the_last_closed_period_is_reopened(rule):
    make.close_through(3)

    for wrong in (make.month(2), make.month(4)):
        with pytest.raises(reopenings.ReopenRefused):
            ask(wrong)

    assert ApprovalRequest.objects.exists() is False


def test_nobody_reopens_alone(rule):
    make.close_through(1)
    request = ask(make.month(1), actor=approvals.person())

    with pytest.raises(Exception, match="another person decides"):
        approvals.approve(request, approvals.person(), now=AGREED)

    assert make.month(1).state == PeriodState.CLOSED


def test_needs_a_rule_and_a_reason(booked):
    make.close_through(1)

    with pytest.raises(reopenings.ReopenRuleMissing):
        ask(make.month(1))
    with pytest.raises(reopenings.ReopenReasonInvalid) as refusal:
        ask(make.month(1), reason=" x ")

    assert refusal.value.errors[0].pointer == "/reason"


def test_is_asked_once(rule):
    make.close_through(1)

    assert ask(make.month(1)) == ask(make.month(1))
    with pytest.raises(RequestPending):
        ask(make.month(1), reason="For another reason")


@pytest.mark.parametrize("status", [ApprovalStatus.REFUSED, ApprovalStatus.EXPIRED, ApprovalStatus.WITHDRAWN])
def test_stays_closed_where_nobody_agrees(rule, status):
    make.close_through(1)
    request = ask(make.month(1))

    assert reopenings.decide(decided=decided(request, status=status), now=AGREED) is None
    assert make.month(1).state == PeriodState.CLOSED


def test_an_agreement_to_an_older_close_is_void(rule):
    make.close_through(1)
    request = ask(make.month(1))
    make.close(make.month(2), now=AGREED)

    assert reopenings.decide(decided=decided(request), now=AGAIN) is None
    assert make.month(1).state == make.month(2).state == PeriodState.CLOSED
    assert AuditRecord.objects.filter(action="period.reopening_void").count() == 1


def test_an_agreement_to_something_else_is_void(rule):
    make.close_through(1)
    request = ask(make.month(1))

    assert reopenings.decide(decided=decided(request, payload_hash="0" * 64), now=AGAIN) is None
    assert make.month(1).state == PeriodState.CLOSED


def test_a_repeated_decision_changes_nothing(rule):
    make.close_through(1)
    request = ask(make.month(1))

    reopenings.decide(decided=decided(request), now=AGREED)
    reopenings.decide(decided=decided(request), now=AGREED)

    assert make.month(1).revision == 2
    assert OutboxEvent.objects.filter(type="period_reopened").count() == 1
    assert AuditRecord.objects.filter(action="period.reopening_void").exists() is False


def test_nothing_is_kept_when_a_reversal_is_refused(rule, balance, fees):
    make.close_through(12)
    request = ask(make.month(12))
    closing = Transaction.objects.get(kind=TransactionKind.CLOSING)
    key = f"ledger:reversal:{closing.uid}"
    ledger.post(ledger.transfer(fees, balance, 1, key=key, effective_date=AGREED.date()), now=AGREED)

    with pytest.raises(reversals.AlreadyReversed):
        reopenings.decide(decided=decided(request), now=AGREED)

    assert make.month(12).state == PeriodState.CLOSED
    assert Book.objects.get().closed_through == date(2026, 12, 31)


def test_a_late_item_goes_to_the_first_open_day_where_the_book_says_so(balance, fees):
    make.close_through(10)
    periods.set_late_items(policy=LateItems.NEXT_OPEN, actor=SYSTEM, now=LATER)

    late = ledger.post(ledger.transfer(fees, balance, 1_00, effective_date=OCTOBER), now=AGREED)

    row = Transaction.objects.get(id=late.number)
    assert row.effective_date == stored.first_open_day() == date(2026, 11, 1)
    assert row.event_at.astimezone(ZoneInfo("Africa/Nairobi")).date() == OCTOBER
    periods.set_late_items(policy=LateItems.REJECT, actor=SYSTEM, now=AGREED)
    with pytest.raises(journals.PeriodClosed):
        ledger.post(ledger.transfer(fees, balance, 1_00, effective_date=OCTOBER), now=AGREED)

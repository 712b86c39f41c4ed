"""Adjust the books: asked for by one person, agreed to by another, booked once or not at all."""

import threading
from dataclasses import replace
from datetime import date

import pytest
from django.db import connection

from apps.approvals.contracts import ApprovalStatus, Decided
from apps.approvals.models import ApprovalRequest
from apps.approvals.selectors.authority import OwnRequest
from apps.approvals.services.requests import RequestPending
from apps.audit.models import AuditRecord
from apps.events.services import relay
from apps.kit import clock, errors, ids
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import JOURNAL, AccountRole, Direction, TransactionKind
from apps.ledger.models import Account, Entry, Transaction, Unbooked
from apps.ledger.services import accounts, adjustments, charts, periods, reversals
from apps.ledger.services.adjustments import (
    JournalInvalid,
    JournalLine,
    JournalRuleMissing,
    NewJournal,
    VoucherUsed,
)
from apps.ledger.services.refusals import AccountFrozen, AccountUnknown, PeriodClosed, Unbalanced
from tests.factories import access, approvals, ledger
from tests.factories import periods as make
from tests.factories.approvals import LATER, ONE_APPROVER

RENT = Money(35_000_00, "KES")
TODAY = date(2026, 11, 24)


@pytest.fixture
def book(acme):
    return prepare()


@pytest.fixture
def rule():
    return approvals.rule(kind=JOURNAL.name, currency="", minimum_minor=None, steps=ONE_APPROVER)


def prepare() -> tuple[Account, Account]:
    """Return the accounts of rent and of the bank."""
    access.portal()
    branch = access.head_office()
    charts.install(actor=SYSTEM, now=ledger.NOW)
    rent = charts.open_account(code="6110", branch_id=branch.id, currency="KES", actor=SYSTEM, now=ledger.NOW)
    bank = accounts.ensure(
        ref=ledger.ref(AccountRole.BANK_BALANCE, branch.id, owner_id=ids.new()), now=ledger.NOW, name="KCB"
    )
    return rent, bank


def journal(book, **facts) -> NewJournal:
    rent, bank = book
    lines = (JournalLine(rent.uid, Direction.DEBIT, RENT), JournalLine(bank.uid, Direction.CREDIT, RENT))
    return NewJournal(
        **{
            "voucher": "JV-0012",
            "description": "Rent of November",
            "reason": "Paid by cheque",
            "effective_date": TODAY,
            "lines": lines,
            "cost_centre": "HQ",
            "dimensions": {"project": "Westlands"},
            **facts,
        }
    )


def ask(book, **facts) -> ApprovalRequest:
    chosen = {"actor": approvals.maker(), "now": ledger.NOW}
    return ApprovalRequest.objects.get(id=adjustments.ask(journal=journal(book, **facts), **chosen))


def told() -> None:
    """Let the handlers of the decision run, as a worker would."""
    with clock.fixed(LATER):
        while relay.run_due(queue="events", now=LATER):
            pass


def decided(request: ApprovalRequest) -> Decided:
    return Decided(
        request_id=request.id,
        kind=request.kind,
        status=ApprovalStatus.APPROVED,
        subject_id=request.subject_id,
        payload_hash=request.payload_hash,
    )


def test_is_booked_once_another_person_has_agreed(book, rule):
    request = ask(book)
    assert not Transaction.objects.exists()

    checker = approvals.person()
    approvals.approve(request, checker)
    told()

    booked = Transaction.objects.get()
    assert (booked.kind, booked.reference, booked.reason) == ("ADJUSTMENT", "JV-0012", "Paid by cheque")
    assert (booked.cost_centre, booked.dimensions) == ("HQ", {"project": "Westlands"})
    assert (booked.created_by, booked.approved_by) == (str(approvals.maker()), str(checker))
    assert (booked.effective_date, booked.source_id) == (TODAY, request.subject_id)
    legs = booked.entries.order_by("seq").values_list("account_id", "direction", "amount")
    assert list(legs) == [(book[0].id, 1, RENT.minor), (book[1].id, -1, RENT.minor)]
    assert AuditRecord.objects.filter(object_id="JV-0012").order_by("id").values_list(
        "action", flat=True
    ).last() == ("journal.posted")


def test_the_maker_does_not_agree(book, rule):
    roles = approvals.person("both", "owner")
    request_id = adjustments.ask(journal=journal(book), actor=roles, now=ledger.NOW)

    with pytest.raises(OwnRequest):
        approvals.approve(ApprovalRequest.objects.get(id=request_id), roles)

    assert not Transaction.objects.exists()


def test_a_refusal_books_nothing(book, rule):
    approvals.refuse(ask(book), approvals.person())
    told()

    assert not Transaction.objects.exists()


def test_the_same_again_waits_once_and_another_is_refused(book, rule):
    request = ask(book)

    assert ask(book).id == request.id
    with pytest.raises(RequestPending):
        ask(book, description="Rent of December")
    assert ApprovalRequest.objects.count() == 1


def test_a_voucher_is_booked_once(book, rule):
    request = ask(book)
    approvals.approve(request, approvals.person())
    told()

    again = adjustments.decide(decided=decided(request), now=LATER)
    with pytest.raises(VoucherUsed):
        ask(book)

    assert again.is_replay
    assert (Transaction.objects.count(), ApprovalRequest.objects.count()) == (1, 1)


def test_a_voucher_that_is_agreed_to_is_not_asked_for_again_before_it_is_booked(book, rule):
    approvals.approve(ask(book), approvals.person())

    with pytest.raises(VoucherUsed) as refusal:
        ask(book, description="Rent of December")

    assert refusal.value.errors[0].pointer == "/voucher"
    assert ApprovalRequest.objects.count() == 1


def test_a_voucher_that_was_refused_is_asked_for_again_in_its_branch(book, rule):
    approvals.refuse(ask(book), approvals.person())

    assert ask(book, description="Rent of December").status == ApprovalStatus.PENDING


@pytest.mark.parametrize("outcome", [None, approvals.refuse])
def test_a_voucher_number_of_another_branch_is_taken_and_nothing_is_said_of_it(book, rule, outcome):
    request = ask(book)
    if outcome:
        outcome(request, approvals.person())
    other = ledger.branch()
    elsewhere = [
        charts.open_account(code=code, branch_id=other.id, currency="KES", actor=SYSTEM, now=ledger.NOW)
        for code in ("6110", "6120")
    ]

    for places in ([other.id], None):
        with pytest.raises(VoucherUsed) as refusal:
            adjustments.ask(
                journal=journal(elsewhere), actor=approvals.maker(), now=ledger.NOW, within=places
            )
        assert refusal.value.errors[0].pointer == "/voucher"
        assert refusal.value.detail == "This voucher number is taken. Take another number."
    assert ApprovalRequest.objects.count() == 1


def test_what_the_ledger_refuses_leaves_nothing_and_says_why(book, rule):
    request = ask(book)
    accounts.freeze(ref=book[1].ref, reason="Bank asked", actor=SYSTEM, now=ledger.NOW)

    approvals.approve(request, approvals.person())
    told()

    assert (Transaction.objects.count(), Entry.objects.count()) == (0, 0)
    failed = AuditRecord.objects.get(action="journal.failed")
    assert failed.changes["code"] == [None, "ledger_account_frozen"]
    assert Unbooked.objects.get(request=request).code == "ledger_account_frozen"


def test_what_was_refused_is_not_tried_again(book, rule):
    request = ask(book)
    accounts.freeze(ref=book[1].ref, reason="Bank asked", actor=SYSTEM, now=ledger.NOW)
    approvals.approve(request, approvals.person())
    told()
    accounts.unfreeze(ref=book[1].ref, reason="Bank agreed", actor=SYSTEM, now=ledger.NOW)

    again = adjustments.decide(decided=decided(request), now=LATER)

    assert again is None
    assert (Transaction.objects.count(), Unbooked.objects.count()) == (0, 1)


def test_a_closed_day_is_refused_when_asked(book, rule):
    make.months()
    make.close_through(11)

    with pytest.raises(PeriodClosed) as refusal:
        ask(book)

    assert refusal.value.errors[0].pointer == "/effective_date"
    assert not ApprovalRequest.objects.exists()


def test_another_payload_than_was_agreed_to_is_void(book, rule):
    request = ask(book)

    found = adjustments.decide(decided=replace(decided(request), payload_hash="0" * 64), now=LATER)

    assert found is None
    assert not Transaction.objects.exists()
    assert AuditRecord.objects.filter(action="journal.void").exists()


def test_needs_a_rule(book):
    with pytest.raises(JournalRuleMissing):
        ask(book)

    assert not ApprovalRequest.objects.exists()


@pytest.mark.parametrize(
    ("facts", "pointer"),
    [
        ({"voucher": ""}, "/voucher"),
        ({"voucher": "x" * 41}, "/voucher"),
        ({"voucher": "a\0b"}, "/voucher"),
        ({"voucher": "JV-0012 "}, "/voucher"),
        ({"description": " "}, "/description"),
        ({"description": "x" * 201}, "/description"),
        ({"reason": "no"}, "/reason"),
        ({"cost_centre": "x" * 41}, "/cost_centre"),
        ({"dimensions": {"": "x"}}, "/dimensions"),
        ({"dimensions": {"a": "x" * 101}}, "/dimensions"),
        ({"dimensions": {str(number): "x" for number in range(21)}}, "/dimensions"),
        ({"kind": TransactionKind.POSTING}, "/kind"),
        ({"lines": ()}, "/lines"),
    ],
)
def test_what_can_be_no_journal_names_its_field_and_writes_nothing(book, rule, facts, pointer):
    with pytest.raises(JournalInvalid) as refusal:
        ask(book, **facts)

    assert pointer in [error.pointer for error in refusal.value.errors]
    assert not ApprovalRequest.objects.exists()


def lines(book, *sums: int) -> tuple[JournalLine, ...]:
    sides = zip((book[0], book[1]), (Direction.DEBIT, Direction.CREDIT), sums, strict=True)
    return tuple(JournalLine(account.uid, side, Money(minor, "KES")) for account, side, minor in sides)


def refused_lines(book):
    usd = JournalLine(book[0].uid, Direction.DEBIT, Money(1, "USD"))
    both = JournalLine(book[0].uid, Direction.CREDIT, RENT)
    return [
        (lines(book, 5, 4), Unbalanced, "/lines"),
        (lines(book, 0, 0), JournalInvalid, "/lines/0/amount"),
        (lines(book, -5, -5), JournalInvalid, "/lines/0/amount"),
        ((replace(usd), replace(usd, account_id=book[1].uid, direction=Direction.CREDIT)), JournalInvalid, "/lines/0/account"),
        ((journal(book).lines[0], both), JournalInvalid, "/lines"),
        ((journal(book).lines[0], replace(both, account_id=ids.new())), AccountUnknown, "/lines/1/account"),
    ]  # fmt: skip


@pytest.mark.parametrize("case", range(6))
def test_lines_that_cannot_be_booked_are_named(book, rule, case):
    wrong, kind, pointer = refused_lines(book)[case]

    with pytest.raises(kind) as refusal:
        ask(book, lines=wrong)

    assert refusal.value.errors[0].pointer == pointer
    assert not ApprovalRequest.objects.exists()


def test_a_frozen_account_is_refused_when_asked(book, rule):
    accounts.freeze(ref=book[0].ref, reason="Dispute", actor=SYSTEM, now=ledger.NOW)

    with pytest.raises(AccountFrozen):
        ask(book)


def test_accounts_of_other_branches_are_not_there(book, rule):
    with pytest.raises(AccountUnknown):
        adjustments.ask(
            journal=journal(book), actor=approvals.maker(), now=ledger.NOW, within=[ledger.branch().id]
        )

    assert not ApprovalRequest.objects.exists()


def test_opening_balances_are_one_transaction_that_can_be_reversed(book, rule):
    request = ask(book, kind=TransactionKind.OPENING, voucher="OB-2026")
    approvals.approve(request, approvals.person())
    told()
    opened = Transaction.objects.get()

    reversals.reverse(transaction_id=opened.uid, reason="Wrong file", actor=SYSTEM, now=ledger.NOW)

    assert opened.kind == "OPENING"
    assert [account.net for account in Account.objects.with_net().order_by("id")] == [0, 0]


def test_a_period_with_a_waiting_journal_is_not_closed(book, rule):
    make.months()
    ask(book)

    assert not next(row for row in make_checklist(11) if row.name == "requests").is_met


def make_checklist(number: int):
    return periods.checklist(period_id=make.month(number).uid, now=make.LATER, is_carrying_holds=False)


def test_two_deliveries_at_once_book_once(committed_acme):
    organisation = connection.tenant
    approvals.rule(kind=JOURNAL.name, currency="", minimum_minor=None, steps=ONE_APPROVER)
    request = ask(prepare())
    approvals.approve(request, approvals.person())
    gate, found = threading.Barrier(2), []

    def deliver() -> None:
        connection.set_tenant(organisation)
        try:
            gate.wait(10)
            found.append(adjustments.decide(decided=decided(request), now=LATER))
        except errors.DomainError as refusal:
            found.append(refusal)
        finally:
            connection.close()

    threads = [threading.Thread(target=deliver) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(booked.is_replay for booked in found) == [False, True]
    assert Transaction.objects.count() == 1

"""Ask for a reversal: one person asks, another agrees, and it is booked once or not at all."""

import threading
from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import connection

from apps.access.selectors.branches import BranchForbidden
from apps.approvals.contracts import ApprovalStatus, Decided
from apps.approvals.models import ApprovalRequest
from apps.approvals.selectors.authority import OwnRequest
from apps.approvals.services.requests import RequestPending
from apps.audit.models import AuditRecord
from apps.events.services import relay
from apps.kit import clock, errors, ids
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import (
    AHEAD_MAX,
    REVERSAL,
    AccountRole,
    LateItems,
    TransactionKind,
    credit,
    debit,
)
from apps.ledger.models import Transaction
from apps.ledger.selectors import balances
from apps.ledger.services import accounts, holds, periods, reversal_requests, reversals
from apps.ledger.services.refusals import AlreadyReversed, PeriodClosed
from apps.ledger.services.reversal_requests import ReversalInvalid, ReversalRuleMissing
from apps.ledger.services.reversals import NotReversible
from tests.factories import access, approvals, ledger
from tests.factories import periods as make
from tests.factories.approvals import LATER, ONE_APPROVER

TODAY = date(2026, 11, 24)
REASON = "Booked to the wrong branch"


@pytest.fixture
def rule(acme):
    prepare()


def prepare() -> None:
    access.portal()
    access.head_office()
    approvals.rule(kind=REVERSAL.name, currency="", minimum_minor=None, steps=ONE_APPROVER)


@pytest.fixture
def booked(balance, unapplied):
    return ledger.post(ledger.transfer(balance, unapplied, 1500_00))


def ask(uid, **facts) -> ApprovalRequest:
    wanted = {
        "transaction_id": uid,
        "reason": REASON,
        "effective_date": TODAY,
        "actor": approvals.maker(),
        "now": ledger.NOW,
        **facts,
    }
    return ApprovalRequest.objects.get(id=reversal_requests.ask(**wanted))


def decided(request: ApprovalRequest) -> Decided:
    return Decided(
        request_id=request.id,
        kind=request.kind,
        status=ApprovalStatus.APPROVED,
        subject_id=request.subject_id,
        payload_hash=request.payload_hash,
    )


def told() -> None:
    """Let the handlers of the decision run, as a worker would."""
    with clock.fixed(LATER):
        while relay.run_due(queue="events", now=LATER):
            pass


def actions() -> list[str]:
    found = AuditRecord.objects.filter(object_type="ledger_transaction").order_by("id")
    return list(found.values_list("action", flat=True))


def test_is_booked_once_another_person_has_agreed(rule, booked, balance):
    request = ask(booked.id)
    assert Transaction.objects.count() == 1

    checker = approvals.person()
    approvals.approve(request, checker)
    told()

    turned = Transaction.objects.get(kind=TransactionKind.REVERSAL)
    assert (turned.reverses.uid, turned.reason, turned.effective_date) == (booked.id, REASON, TODAY)
    assert (turned.created_by, turned.approved_by) == (str(approvals.maker()), str(checker))
    assert balances.of(balance).minor == 0
    assert actions() == ["ledger.reversal_asked", "ledger.transaction_reversed"]


def test_what_is_agreed_to_names_every_line(rule, booked):
    request = ask(booked.id)

    payload = request.versions.get().payload
    assert (request.money, request.subject_reference) == (Money(1500_00, "KES"), f"LT-{booked.number:07d}")
    assert [(line["side"], line["minor"]) for line in payload["lines"]] == [
        ("CREDIT", "150000"),
        ("DEBIT", "150000"),
    ]
    assert payload["effective_date"] == "2026-11-24"


def test_the_maker_does_not_agree(rule, booked):
    both = approvals.person("both", "owner")
    request = ask(booked.id, actor=both)

    with pytest.raises(OwnRequest):
        approvals.approve(request, both)

    assert Transaction.objects.count() == 1


def test_a_refusal_books_nothing(rule, booked):
    approvals.refuse(ask(booked.id), approvals.person())
    told()

    assert Transaction.objects.count() == 1


def test_the_same_again_waits_once_and_another_is_refused(rule, booked):
    request = ask(booked.id)

    assert ask(booked.id).id == request.id
    with pytest.raises(RequestPending):
        ask(booked.id, reason="Another reason")
    assert ApprovalRequest.objects.count() == 1
    assert actions() == ["ledger.reversal_asked"]


def test_a_second_delivery_changes_nothing(rule, booked):
    request = ask(booked.id)
    approvals.approve(request, approvals.person())
    told()

    again = reversal_requests.decide(decided=decided(request), now=LATER)

    assert again.is_replay
    assert Transaction.objects.count() == 2


def test_what_was_reversed_is_not_asked_for_again(rule, booked):
    turned = reversals.reverse(transaction_id=booked.id, reason="Twice", actor=SYSTEM, now=ledger.NOW)

    with pytest.raises(AlreadyReversed, match=f"LT-{turned.number:07d}"):
        ask(booked.id)
    with pytest.raises(NotReversible, match="reversal"):
        ask(turned.id)
    with pytest.raises(errors.NotFound):
        ask(ids.new())

    assert not ApprovalRequest.objects.exists()


def test_a_hold_and_its_steps_are_released_instead(rule, balance, unapplied):
    promise = holds.Promise(
        key="hold:1",
        description="Payout",
        source_type="payout",
        source_id=ids.new(),
        payer=balance,
        payee=unapplied,
        money=Money(5_00, "KES"),
        expires_at=ledger.NOW + timedelta(hours=1),
    )
    held = holds.place(promise=promise, actor=SYSTEM, now=ledger.NOW)

    with pytest.raises(NotReversible, match="Release what is still held"):
        ask(held.id)


@pytest.mark.parametrize(
    ("facts", "pointer"),
    [
        ({"reason": "no"}, "/reason"),
        ({"reason": "x" * 201}, "/reason"),
        ({"reason": "one\ntwo"}, "/reason"),
        ({"effective_date": TODAY - timedelta(days=1)}, "/effective_date"),
        ({"effective_date": TODAY + AHEAD_MAX + timedelta(days=1)}, "/effective_date"),
        ({"effective_date": date.max}, "/effective_date"),
    ],
)
def test_a_refusal_names_its_field_and_writes_nothing(rule, booked, facts, pointer):
    with pytest.raises(ReversalInvalid) as refusal:
        ask(booked.id, **facts)

    assert refusal.value.errors[0].pointer == pointer
    assert not ApprovalRequest.objects.exists()


def test_a_closed_day_is_refused_when_asked_unless_the_book_moves_it(rule, booked):
    make.months()
    make.close_through(11)

    with pytest.raises(PeriodClosed) as refusal:
        ask(booked.id)
    assert refusal.value.errors[0].pointer == "/effective_date"
    periods.set_late_items(policy=LateItems.NEXT_OPEN, actor=SYSTEM, now=make.LATER)

    assert ask(booked.id).payload_version == 1


def test_every_branch_that_it_touches_must_be_the_askers(rule, balance):
    elsewhere = ledger.ref(AccountRole.SUSPENSE, ledger.branch().id)
    both = ledger.post(ledger.transfer(balance, elsewhere, 5))

    for within in ([balance.branch_id], [elsewhere.branch_id], []):
        with pytest.raises(BranchForbidden):
            ask(both.id, within=within)
    assert not ApprovalRequest.objects.exists()

    ask(both.id, within=[balance.branch_id, elsewhere.branch_id])


def test_needs_a_rule(acme, booked):
    access.portal()
    access.head_office()

    with pytest.raises(ReversalRuleMissing):
        ask(booked.id)

    assert (ApprovalRequest.objects.count(), actions()) == (0, [])


def test_what_the_ledger_refuses_leaves_nothing_and_says_why(rule, booked, balance):
    request = ask(booked.id)
    accounts.freeze(ref=balance, reason="Bank asked", actor=SYSTEM, now=ledger.NOW)

    approvals.approve(request, approvals.person())
    told()

    assert Transaction.objects.count() == 1
    failed = AuditRecord.objects.get(action="ledger.reversal_failed")
    assert failed.changes["code"] == [None, "ledger_account_frozen"]


def test_another_payload_than_was_agreed_to_is_void(rule, booked):
    request = ask(booked.id)

    found = reversal_requests.decide(decided=replace(decided(request), payload_hash="0" * 64), now=LATER)

    assert found is None
    assert (Transaction.objects.count(), actions()[-1]) == (1, "ledger.reversal_void")


def test_two_currencies_are_reversed_whole(rule, balance, unapplied):
    dollars = [
        ledger.ref(role, balance.branch_id, "USD")
        for role in (AccountRole.UNAPPLIED_COLLECTIONS, AccountRole.SUSPENSE)
    ]
    legs = (
        debit(balance, Money(5, "KES")),
        credit(unapplied, Money(5, "KES")),
        debit(dollars[0], Money(7, "USD")),
        credit(dollars[1], Money(7, "USD")),
    )
    request = ask(ledger.post(ledger.draft(legs=legs)).id)

    approvals.approve(request, approvals.person())
    told()

    assert request.money is None
    assert [balances.of(ref).minor for ref in (balance, unapplied, *dollars)] == [0, 0, 0, 0]


def test_two_deliveries_at_once_book_once(committed_acme):
    organisation = connection.tenant
    prepare()
    branch = ledger.branch()
    refs = [ledger.ref(role, branch.id) for role in (AccountRole.CASH, AccountRole.REVENUE)]
    request = ask(ledger.post(ledger.transfer(*refs, 5)).id)
    approvals.approve(request, approvals.person())
    gate, found = threading.Barrier(2), []

    def deliver() -> None:
        connection.set_tenant(organisation)
        try:
            gate.wait(10)
            found.append(reversal_requests.decide(decided=decided(request), now=LATER))
        except errors.DomainError as refusal:
            found.append(refusal)
        finally:
            connection.close()

    threads = [threading.Thread(target=deliver) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(one.is_replay for one in found) == [False, True]
    assert Transaction.objects.count() == 2

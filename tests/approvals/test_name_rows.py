"""Name rows: whoever made or changed what a payload names does not decide about it."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from apps.access.selectors import memberships
from apps.approvals.contracts import KINDS, RULE_CHANGE, ApprovalStatus, Named
from apps.approvals.models import ApprovalDecision, ApprovalRequest, NamedRow
from apps.approvals.selectors import authority
from apps.approvals.selectors import requests as stored
from apps.approvals.services import rules
from apps.audit.services import records
from apps.disbursements.contracts import CONNECTED_ACCOUNT_VERDICT, TRANSFER, TRANSFER_VERDICT
from apps.disbursements.services import account_verdicts, transfer_verdicts
from apps.disbursements.services import transfers as paying
from apps.integrations.services import accounts as provider_accounts
from apps.kit import ids
from apps.kit.actors import PROVIDER, SYSTEM, Actor
from apps.kit.money import Money
from apps.ledger.contracts import FX_RATE, JOURNAL, PERIOD_REOPEN, REVERSAL, AccountRole, Direction
from apps.ledger.services import accounts, adjustments, charts, journals, reopenings, reversal_requests
from apps.ledger.services.adjustments import JournalLine, NewJournal
from apps.parties.services import parties
from apps.payments.contracts import DISPUTE_ACCEPTANCE, REFUND, ROUTING_RULE
from apps.payments.contracts.verdicts import PAYMENT_VERDICT, REFUND_VERDICT, RefundVerdict
from apps.payments.models import PaymentAttempt
from apps.payments.services import (
    attempts,
    dispute_answers,
    dispute_evidence,
    intents,
    payment_verdicts,
    refund_verdicts,
    routing_rules,
)
from tests.factories import access, fx, ledger, payments, routing, transfers
from tests.factories import approvals as make
from tests.factories import disputes as disputed
from tests.factories import parties as known
from tests.factories import periods as months
from tests.factories import refunds as returned

NOW, BEFORE, BETWEEN = make.NOW, make.NOW - timedelta(days=3), make.NOW + timedelta(minutes=2)
ROW = Named("beneficiary", "ben_1")


def changed(by: Actor, *, at=BEFORE, action: str = "beneficiary.changed") -> None:
    """Leave the trace of somebody who did something with the row."""
    records.write(action=action, object_type=ROW.object_type, object_id=ROW.object_id, actor=by, now=at)


def refused(request: ApprovalRequest, *people: Actor) -> None:
    for person in people:
        for act in (make.approve, make.refuse):
            with pytest.raises(authority.OwnChange) as refusal:
                act(request, person)
            assert refusal.value.code == "approval_own_change"
    assert not ApprovalDecision.objects.exists()
    assert make.reload(request).status == ApprovalStatus.PENDING


def for_person(person: Actor) -> int:
    return stored.for_person(ApprovalRequest.objects.all(), person.person, now=make.LATER).count()


def test_who_made_it_and_who_changed_it_last_decides_nothing(acme):
    people = {name: make.person(name) for name in ("first", "second", "third", "fourth")}
    changed(people["first"], action="beneficiary.created")
    changed(people["second"], at=BEFORE + timedelta(hours=1))
    changed(make.key_of(people["third"]), at=BEFORE + timedelta(hours=2))
    changed(SYSTEM, at=BEFORE + timedelta(hours=3))
    changed(people["fourth"], at=BEFORE + timedelta(hours=4), action="beneficiary.viewed")
    request = make.waiting(names=(ROW, Named("branch", "br_1")))

    refused(request, people["first"], people["third"], make.key_of(people["third"], 2))

    assert [for_person(person) for person in people.values()] == [0, 1, 0, 1]
    assert make.approve(request, people["second"]).status == ApprovalStatus.APPROVED


def test_an_edit_while_it_waits_counts(acme):
    first, second = make.person("a"), make.person("b")
    request = make.waiting(names=(ROW,))
    assert for_person(first) == 1

    changed(make.key_of(first), at=BETWEEN)
    changed(second, at=BETWEEN + timedelta(minutes=1))

    refused(request, first, second)
    assert (for_person(first), for_person(second)) == (0, 0)
    assert make.approve(request, make.person("c")).status == ApprovalStatus.APPROVED


def test_the_row_says_who_made_it(acme):
    member = access.member("owner", "boss@example.test")
    key = access.issued(issuer=member.user).key
    request = make.waiting(
        names=(
            Named("payment", "pi_1", made_by=f"api_key:{key.id}"),
            Named("rate", "fxr_1", made_by="system:x"),
        )
    )

    refused(request, make.actor(member.user_id))
    assert sorted(NamedRow.objects.values_list("maker", flat=True)) == ["", str(member.user_id)]


def test_another_version_names_other_rows(acme):
    checker = make.person()
    changed(checker)
    request = make.waiting(names=(ROW,))

    make.amend(request, make.maker())

    assert make.approve(request, checker).status == ApprovalStatus.APPROVED


def test_the_database_refuses_it_too(acme):
    checker = make.person()
    changed(checker)
    request = make.waiting(names=(ROW,))
    member = memberships.of_person(checker.person)
    decision = ApprovalDecision(
        request=request,
        payload_version=1,
        payload_hash=request.payload_hash,
        step=1,
        verdict="APPROVED",
        membership=member,
        person=checker.person,
        role=member.role.code,
        decided_by=str(checker),
        decided_at=make.LATER,
    )

    with pytest.raises(IntegrityError, match="who changed what"), transaction.atomic():
        decision.save()


def a_refund(editor: Actor) -> None:
    attempt = returned.paid(money=Money(20_000_00, "KES"))
    records.write(
        action="payment.verify_requested",
        object_type="payment_intent",
        object_id=ids.encode("pi", attempt.intent_id),
        actor=editor,
        now=BEFORE,
    )
    returned.requested(attempt, actor=make.maker())


def a_refund_of_a_payment_that_he_made(editor: Actor) -> None:
    returned.requested(_paid_by(editor), actor=make.maker())


def a_dispute_that_he_wrote_evidence_for(editor: Actor) -> None:
    row, now = disputed.opened(), disputed.NOW
    dispute_evidence.write(dispute_id=row.id, texts={"text": "He was here."}, actor=editor, now=now)
    dispute_answers.accept(dispute_id=row.id, reason="Not worth it", actor=make.maker(), now=now)


def _paid_by(editor: Actor) -> PaymentAttempt:
    """Return an attempt of KES 20,000.00 that is booked, of a payment that this person made."""
    wanted = payments.wanted(money=Money(20_000_00, "KES"))
    payments.account()
    intent = intents.create(request=wanted, actor=editor, now=payments.NOW)
    begun = attempts.begin(intent_id=intent.id, now=payments.NOW)
    attempts.accept(attempt_id=begun.id, ticket=payments.ticket(), now=payments.NOW)
    report = payments.collected(payments.reloaded(begun))
    intents.record(attempt_id=begun.id, report=report, actor=PROVIDER, now=returned.PAID_AT)
    return begun


def an_unknown_refund_of_a_payment_that_he_made(editor: Actor) -> None:
    lost = returned.unknown(_paid_by(editor))
    refund_verdicts.ask(
        refund_id=lost.id,
        verdict=RefundVerdict.NOT_GIVEN_BACK,
        receipt="",
        reason="Not on the statement",
        actor=make.maker(),
        now=returned.NOW + timedelta(days=1),
    )


def an_unknown_payment_that_he_made(editor: Actor) -> None:
    payments.account()
    intent = intents.create(request=payments.wanted(), actor=editor, now=payments.NOW)
    begun = attempts.begin(intent_id=intent.id, now=payments.NOW)
    attempts.lose(attempt_id=begun.id, now=payments.NOW)
    payment_verdicts.ask(
        intent_id=intent.id,
        reason="Not on the statement",
        actor=make.maker(),
        now=payments.NOW + timedelta(days=1),
    )


def an_unknown_account_that_he_asked_for(editor: Actor) -> None:
    account = transfers.unknown(actor=editor)
    account_verdicts.ask(
        account_id=account.id,
        reason="Not on its pages",
        actor=make.maker(),
        now=NOW + timedelta(days=3),
    )


def a_refund_to_a_party_that_he_changed(editor: Actor) -> None:
    parties.create(request=known.wanted(), actor=editor, now=known.NOW)
    returned.requested(returned.paid(money=Money(20_000_00, "KES")), actor=make.maker())


def a_journal(editor: Actor) -> None:
    charts.install(actor=SYSTEM, now=ledger.NOW)
    rent = charts.open_account(
        code="6110", branch_id=access.head_office().id, currency="KES", actor=editor, now=ledger.NOW
    )
    bank = accounts.ensure(
        ref=ledger.ref(AccountRole.BANK_BALANCE, access.head_office().id, owner_id=ids.new()), now=ledger.NOW
    )
    sum_ = Money(35_000_00, "KES")
    lines = (
        JournalLine(rent.uid, Direction.DEBIT, sum_),
        JournalLine(bank.uid, Direction.CREDIT, sum_),
    )
    journal = NewJournal(
        voucher="JV-1", description="Rent", reason="By cheque", effective_date=date(2026, 11, 24), lines=lines
    )
    adjustments.ask(journal=journal, actor=make.maker(), now=ledger.NOW)


def a_journal_on_a_line_that_he_renamed(editor: Actor) -> None:
    a_journal(SYSTEM)
    charts.rename(code="6110", name="Rent of shops", actor=editor, now=ledger.NOW)


def a_reversal(editor: Actor) -> None:
    office = access.head_office().id
    draft = ledger.transfer(
        ledger.ref(AccountRole.PROVIDER_BALANCE, office, owner_id=ids.new()),
        ledger.ref(AccountRole.UNAPPLIED_COLLECTIONS, office),
        1500_00,
    )
    booked = journals.post(draft=draft, actor=editor, now=ledger.NOW)
    reversal_requests.ask(
        transaction_id=booked.id,
        reason="Booked twice",
        effective_date=date(2026, 11, 24),
        actor=make.maker(),
        now=ledger.NOW,
    )


def a_rate(editor: Actor) -> None:
    fx.rate("129.5", actor=editor)
    fx.rate("139.86", as_of=fx.MORNING + timedelta(minutes=30), actor=make.maker())


def a_rule_change(editor: Actor) -> None:
    made = rules.create(rule=make.wanted_rule(), actor=editor, now=NOW)
    make.rule_change(rule_id=made.id)


def a_reopening(editor: Actor) -> None:
    office = access.head_office().id
    ledger.post(
        ledger.transfer(
            ledger.ref(AccountRole.PROVIDER_FEES, office),
            ledger.ref(AccountRole.PROVIDER_BALANCE, office, owner_id=ids.new()),
            4_00,
            effective_date=date(2026, 1, 14),
        )
    )
    months.months()
    period = months.close(months.month(1), actor=editor, now=months.LATER)
    reopenings.ask(period_id=period.uid, reason="An invoice came late", actor=make.maker(), now=months.LATER)


def a_transfer_to_an_account_that_he_connected(editor: Actor) -> None:
    request = transfers.wanted(transfers.enabled(actor=editor))
    paying.order(request=request, actor=make.maker(), now=NOW)


def an_unknown_transfer_to_an_account_that_he_connected(editor: Actor) -> None:
    transfer = transfers.contradicted(transfers.enabled(actor=editor))
    transfer_verdicts.ask(
        transfer_id=transfer.id,
        moved=None,
        ticket="",
        reason="Not on its pages",
        actor=make.maker(),
        now=NOW + timedelta(days=1),
    )


def a_routing_rule_by_an_account_that_he_changed(editor: Actor) -> None:
    account = payments.account()
    provider_accounts.disable(account_id=account.id, actor=editor, now=BEFORE)
    routing_rules.create(rule=routing.wanted(account), actor=make.maker(), now=NOW)


@pytest.mark.parametrize(
    ("kind", "ask"),
    [
        (REFUND, a_refund),
        (REFUND, a_refund_of_a_payment_that_he_made),
        (REFUND_VERDICT, an_unknown_refund_of_a_payment_that_he_made),
        (PAYMENT_VERDICT, an_unknown_payment_that_he_made),
        (REFUND, a_refund_to_a_party_that_he_changed),
        (JOURNAL, a_journal),
        (JOURNAL, a_journal_on_a_line_that_he_renamed),
        (REVERSAL, a_reversal),
        (FX_RATE, a_rate),
        (PERIOD_REOPEN, a_reopening),
        (RULE_CHANGE, a_rule_change),
        (ROUTING_RULE, a_routing_rule_by_an_account_that_he_changed),
        (TRANSFER, a_transfer_to_an_account_that_he_connected),
        (CONNECTED_ACCOUNT_VERDICT, an_unknown_account_that_he_asked_for),
        (TRANSFER_VERDICT, an_unknown_transfer_to_an_account_that_he_connected),
        (DISPUTE_ACCEPTANCE, a_dispute_that_he_wrote_evidence_for),
    ],
)
def test_every_kind_names_what_it_is_about(acme, kind, ask):
    fx.office()
    make.rule(kind=kind.name, currency="", minimum_minor=None)
    editor = make.person("editor")

    ask(editor)

    request = ApprovalRequest.objects.get()
    now = request.created_at + timedelta(minutes=10)
    with pytest.raises(authority.OwnChange):
        make.approve(request, editor, now=now)
    assert make.approve(request, make.person("other"), now=now).status == ApprovalStatus.APPROVED


def test_every_kind_is_tried():
    assert set(KINDS.values()) == {
        REFUND,
        REFUND_VERDICT,
        PAYMENT_VERDICT,
        JOURNAL,
        REVERSAL,
        FX_RATE,
        PERIOD_REOPEN,
        RULE_CHANGE,
        ROUTING_RULE,
        TRANSFER,
        CONNECTED_ACCOUNT_VERDICT,
        TRANSFER_VERDICT,
        DISPUTE_ACCEPTANCE,
    }

"""Appeals of lost disputes over the simulator's PayPal: told once, lost in the books until the provider says otherwise."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from django.db import DatabaseError, transaction

from apps.approvals.contracts import Decided
from apps.approvals.models import ApprovalRequest
from apps.audit.models import AuditRecord
from apps.events.models import OutboxEvent
from apps.integrations.ports import DisputeStage
from apps.integrations.services import gates
from apps.kit import faults
from apps.kit.actors import PROVIDER, SYSTEM
from apps.kit.money import Money
from apps.kit.sweep import JOB_GRACE
from apps.ledger.contracts import AccountRole
from apps.ledger.models import Transaction
from apps.payments.contracts import DISPUTE_ACCEPTANCE, DisputeAnswer, DisputeStatus, InboundStatus
from apps.payments.models import Dispute, InboundReceipt, PaymentAttempt, Refund
from apps.payments.models.answered import APPEAL_DROPPED
from apps.payments.services import (
    dispute_answers,
    dispute_evidence,
    dispute_queries,
    disputes,
    losses,
    refund_limits,
    refunds,
    resolutions,
)
from apps.payments.services.attempts import InvalidState
from tests.factories import approvals, payments
from tests.factories import disputes as made
from tests.payments.conftest import balance
from tests.payments.test_answer_disputes import calls, send, submit, write
from tests.payments.test_disputes import books, is_statement_met, read, told
from tests.payments.test_inbound_receipts import RECEIPT
from tests.payments.test_losses import record, report
from tests.payments.test_two_connections import at_once

CLAIM = {"reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED", "stage": "INQUIRY"}
APPEAL = "/v1/customer/disputes/*/appeal"
LOST = {"CHARGEBACK_LOSS": "25.00", "UNAPPLIED_COLLECTIONS": "25.00"}
DAY = timedelta(days=1)
LATER = timedelta(minutes=5)


@pytest.fixture
def row(wallets):
    """Return a dispute of USD 25.00 that PayPal has decided for the payer, with evidence that it has not seen."""
    wallets.paid()
    wallets.work()
    asked = wallets.act("captures", wallets.objects("captures")[0]["id"], "dispute", **CLAIM)
    read(wallets, asked["dispute_id"])
    wallets.act("disputes", asked["dispute_id"], "lose")
    return read(wallets, asked["dispute_id"])


def drafted(wallets, row):
    write(wallets, row, text="Here is who signed.")
    return row


def appeal(wallets, row):
    wallets.now += timedelta(seconds=1)
    return dispute_answers.appeal(dispute_id=row.id, actor=SYSTEM, now=wallets.now)


def theirs(wallets):
    [dispute] = wallets.objects("disputes")
    return dispute


def test_a_loss_is_appealed_and_won(wallets, row):
    assert (row.status, row.is_appealable, row.lost) == ("LOST", True, Money(25_00, "USD"))
    with pytest.raises(dispute_answers.EvidenceMissing):
        appeal(wallets, row)
    assert not AuditRecord.objects.filter(action="dispute.appealed").exists()
    drafted(wallets, row)
    with pytest.raises(InvalidState):
        submit(wallets, row)
    with pytest.raises(InvalidState):
        dispute_answers.accept(dispute_id=row.id, reason="Enough", actor=SYSTEM, now=wallets.now)

    ordered = appeal(wallets, row)

    assert (ordered.status, ordered.answer, ordered.is_appealing) == ("LOST", DisputeAnswer.APPEAL, True)
    assert (ordered.closed_at, ordered.lost_minor, books()) == (row.closed_at, 25_00, LOST)
    for again in (lambda: appeal(wallets, row), lambda: write(wallets, row, text="More")):
        with pytest.raises(InvalidState):
            again()
    with pytest.raises(refund_limits.AlreadyRefunded):
        refunds.create(intent_id=row.intent_id, money=None, reason="Kind", actor=SYSTEM, now=wallets.now)
    assert AuditRecord.objects.filter(action="dispute.appealed").count() == 1

    heard = send(wallets, row)

    assert (heard.status, heard.lost_minor, heard.held_minor) == ("UNDER_REVIEW", 0, 25_00)
    assert (heard.closed_at, heard.answer_due_at, heard.may_appeal) == (None, None, False)
    assert books() == {"DISPUTED_PAYMENTS": "25.00", "UNAPPLIED_COLLECTIONS": "25.00"}
    with pytest.raises(refund_limits.PaymentDisputed):
        refunds.create(intent_id=row.intent_id, money=None, reason="Kind", actor=SYSTEM, now=wallets.now)
    wallets.act("disputes", row.ticket, "win")

    won = read(wallets, row.ticket)

    assert (won.status, won.reinstated, won.held_minor) == ("WON", Money(25_00, "USD"), 0)
    assert books() == {"UNAPPLIED_COLLECTIONS": "25.00"}
    assert is_statement_met(wallets)
    assert told() == [
        *("opened", "funds_withdrawn", "lost"),
        *("updated", "updated", "funds_reinstated", "won"),
    ]
    [evidence] = theirs(wallets)["evidences"]
    assert (evidence["notes"], calls("dispute_appeal")) == ("Here is who signed.", 1)
    back = refunds.create(intent_id=row.intent_id, money=None, reason="Kind", actor=SYSTEM, now=wallets.now)
    wallets.work()
    assert Refund.objects.get(id=back.id).status == "SUCCEEDED"
    assert is_statement_met(wallets)


def test_an_appeal_that_is_lost_is_a_loss_once_and_no_other_is_taken(wallets, row):
    appeal(wallets, drafted(wallets, row))
    send(wallets, row)
    wallets.act("disputes", row.ticket, "lose")

    row = read(wallets, row.ticket)

    assert (row.status, row.lost_minor, row.may_appeal, row.answer) == ("LOST", 25_00, False, "APPEAL")
    assert row.answer_refusal == ""
    assert books() == LOST
    assert told()[-1] == "lost"
    with pytest.raises(InvalidState, match="takes no appeal"):
        appeal(wallets, row)
    assert is_statement_met(wallets)


@pytest.mark.parametrize("is_processed", [True, False])
def test_an_appeal_without_an_answer_is_asked_after_before_it_is_told_again(wallets, row, is_processed):
    appeal(wallets, drafted(wallets, row))
    wallets.script({"action": "reset", "processed": is_processed}, path=APPEAL)

    row = send(wallets, row)
    assert (row.status, row.is_appealing, books()) == ("LOST", True, LOST)
    waits = read(wallets, row.ticket, after=timedelta(seconds=5)) if not is_processed else row
    assert waits.is_appealing
    wallets.now = row.answer_due_at + JOB_GRACE
    row = send(wallets, row)

    assert (row.status, row.answer_due_at) == ("UNDER_REVIEW", None)
    assert calls("dispute_appeal") == (1 if is_processed else 2)
    assert len(theirs(wallets)["evidences"]) == 1
    send(wallets, row, after=DAY)
    assert calls("dispute_appeal") == (1 if is_processed else 2)


def test_a_refused_appeal_leaves_the_loss_and_says_why(wallets, row):
    appeal(wallets, drafted(wallets, row))
    wallets.control("POST", "/tick", {"seconds": 11 * 24 * 3600})

    row = send(wallets, row)

    assert (row.status, row.answer, row.answer_due_at) == ("LOST", "", None)
    assert (bool(row.answer_refusal), row.is_appealable, books()) == (True, True, LOST)
    wallets.now += timedelta(seconds=1)
    dispute_queries.query(dispute_id=row.id, now=wallets.now)
    row.refresh_from_db()
    assert (row.status, row.may_appeal, bool(row.answer_refusal)) == ("LOST", False, True)
    with pytest.raises(InvalidState):
        appeal(wallets, row)
    assert told()[-3:] == ["updated", "updated", "updated"]


def test_an_appeal_that_may_not_be_made_any_more_is_not_told(wallets, row):
    appeal(wallets, drafted(wallets, row))
    wallets.script({"action": "reset"}, path=APPEAL)
    send(wallets, row)
    wallets.control("POST", "/tick", {"seconds": 11 * 24 * 3600})

    row = read(wallets, row.ticket)

    assert (row.status, row.answer_due_at, row.may_appeal) == ("LOST", None, False)
    assert row.answer_refusal == APPEAL_DROPPED
    send(wallets, row, after=DAY)
    assert calls("dispute_appeal") == 1


def test_an_appeal_that_is_held_back_does_not_put_off_the_next_one(wallets, row):
    appeal(wallets, drafted(wallets, row))
    gates.open_circuit(
        account_id=row.provider_account_id,
        kind="dispute_appeal",
        actor=SYSTEM,
        now=wallets.now,
        reason="Outage",
    )
    locked = []

    def drop_and_appeal_again(point):
        locked.append(point)
        if locked.count("payments.attempt_locked") == 2:
            told_of(row, now=wallets.now + timedelta(seconds=1), stage=DisputeStage.LOST)
            told_of(row, now=wallets.now + timedelta(seconds=2), stage=DisputeStage.LOST, may_appeal=True)
            dispute_answers.appeal(dispute_id=row.id, actor=SYSTEM, now=wallets.now)

    with faults.hooked(drop_and_appeal_again):
        row = send(wallets, row)

    assert (row.answer_number, row.answer_tries, row.answer_due_at) == (2, 0, wallets.now)


def test_many_appeal_at_once_and_one_is_told(wallets, row):
    drafted(wallets, row)

    found = at_once(*[lambda: appeal(wallets, row)] * 3)

    assert [type(one) for one in found].count(Dispute) == 1
    at_once(*[lambda: dispute_answers.send(dispute_id=row.id, now=wallets.now)] * 3)
    assert calls("dispute_appeal") == 1
    assert Dispute.objects.get().status == DisputeStatus.UNDER_REVIEW
    assert AuditRecord.objects.filter(action="dispute.appealed").count() == 1


@pytest.mark.parametrize("point", ["payments.after_dispute_answer", "payments.before_dispute_posting"])
def test_dying_after_an_appeal_was_told_books_nothing_and_is_made_good(wallets, row, point):
    appeal(wallets, drafted(wallets, row))
    before = Transaction.objects.count()

    def die(name):
        if name == point:
            raise SystemExit

    with faults.hooked(die), pytest.raises(SystemExit):
        send(wallets, row)
    row.refresh_from_db()
    assert (row.status, row.is_appealing, Transaction.objects.count()) == ("LOST", True, before)

    wallets.now = row.answer_due_at + JOB_GRACE
    row = send(wallets, row)

    assert (row.status, calls("dispute_appeal"), len(theirs(wallets)["evidences"])) == ("UNDER_REVIEW", 1, 1)
    assert books() == {"DISPUTED_PAYMENTS": "25.00", "UNAPPLIED_COLLECTIONS": "25.00"}


def test_an_order_that_fails_half_way_leaves_nothing(wallets, row):
    drafted(wallets, row)
    before = told()

    @transaction.atomic
    def fail_after_it():
        appeal(wallets, row)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_it()

    row.refresh_from_db()
    assert (row.answer, row.answer_due_at, told()) == ("", None, before)
    assert not AuditRecord.objects.filter(action="dispute.appealed").exists()


def test_the_database_keeps_what_an_appeal_is(acme):
    open_, lost = made.opened(), made.opened(stage=DisputeStage.LOST, may_appeal=True)
    final = made.opened(stage=DisputeStage.LOST)

    for dispute, change in (
        (open_, {"may_appeal": True}),
        (lost, {"answer_due_at": made.NOW}),
        (lost, {"answer_due_at": made.NOW, "answer": "EVIDENCE"}),
        (final, {"answer_due_at": made.NOW, "answer": "APPEAL"}),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            Dispute.objects.filter(id=dispute.id).update(**change)
    with pytest.raises(ValueError, match="not to be appealed"):
        final.order_appeal(by="x", at=made.NOW)


def told_of(row, *, now=None, hours=0, **facts):
    """Have the provider say this of a dispute, so many hours after it was opened."""
    now = now or made.NOW + timedelta(hours=hours)
    said = made.report(row.attempt, ticket=row.ticket, **facts)
    disputes.record(account_id=row.provider_account_id, report=said, asked_at=now, actor=PROVIDER, now=now)
    return made.reloaded(row)


def ordered(row, *, hours):
    now = made.NOW + timedelta(hours=hours)
    dispute_evidence.write(dispute_id=row.id, texts={"text": "It came."}, actor=SYSTEM, now=now)
    dispute_answers.appeal(dispute_id=row.id, actor=SYSTEM, now=now)
    return made.reloaded(row)


def test_what_was_given_up_and_is_appealed_then_stays_accepted_until_it_is_looked_at(acme):
    row = made.opened()
    dispute_answers.accept(dispute_id=row.id, reason="Ours", actor=SYSTEM, now=made.NOW)
    row = told_of(row, hours=1, stage=DisputeStage.LOST, may_appeal=True)
    assert (row.status, told()[-1]) == ("ACCEPTED", "lost")

    row = ordered(row, hours=2)
    row = told_of(row, hours=3, stage=DisputeStage.LOST, may_appeal=True)
    assert (row.status, row.is_appealing) == ("ACCEPTED", True)
    row = told_of(row, hours=4, stage=DisputeStage.LOST)
    assert (row.status, row.answer_refusal, told().count("lost")) == ("ACCEPTED", APPEAL_DROPPED, 1)
    row = told_of(row, hours=5, stage=DisputeStage.UNDER_REVIEW)
    assert (row.status, row.answer_refusal) == ("UNDER_REVIEW", "")
    row = told_of(row, hours=6, stage=DisputeStage.LOST)

    assert (row.status, told().count("lost")) == ("LOST", 2)


def test_an_appeal_ends_the_request_to_give_the_dispute_up(acme):
    approvals.rule(kind=DISPUTE_ACCEPTANCE.name, currency="", minimum_minor=None)
    row = made.opened()
    dispute_answers.accept(dispute_id=row.id, reason="Ours", actor=approvals.maker(), now=made.NOW)
    row = told_of(row, hours=1, stage=DisputeStage.LOST, may_appeal=True)
    request = ApprovalRequest.objects.get()
    assert (request.status, row.approval_id) == ("PENDING", request.id)

    row = ordered(row, hours=2)
    request.refresh_from_db()
    event = OutboxEvent.objects.get(type="approval_decided", aggregate_id=request.id)
    dispute_answers.decide(decided=Decided.read(event.data), now=made.NOW + timedelta(hours=3))

    assert (request.status, row.approval_id) == ("WITHDRAWN", None)
    row = made.reloaded(row)
    assert (row.answer, row.is_appealing) == ("APPEAL", True)
    assert AuditRecord.objects.get(action="dispute.appealed").approval == ""


def test_what_a_loss_took_from_suspense_waits_again_once_the_appeal_is_looked_at(acme):
    inbound = payments.held(receipt=RECEIPT)
    lost = report(may_appeal=True)
    at = payments.NOW + LATER
    record(lost, inbound.provider_account_id, at=at)
    row = losses.cover(dispute_id=Dispute.objects.get().id, now=at)
    dispute_evidence.write(dispute_id=row.id, texts={"text": "It came."}, actor=SYSTEM, now=at)

    ordered = dispute_answers.appeal(dispute_id=row.id, actor=SYSTEM, now=at)
    assert (ordered.covered_minor, _in_suspense()) == (inbound.amount_minor, InboundStatus.TAKEN_BACK)
    record(lost, inbound.provider_account_id, at=at + LATER)
    assert (Dispute.objects.get().is_appealing, _in_suspense()) == (True, InboundStatus.TAKEN_BACK)

    heard = replace(lost, stage=DisputeStage.UNDER_REVIEW, may_appeal=False)
    record(heard, inbound.provider_account_id, at=at + 2 * LATER)
    assert (Dispute.objects.get().covered_minor, _in_suspense()) == (0, InboundStatus.SUSPENSE)
    assert balance(AccountRole.SUSPENSE) == inbound.money == balance(AccountRole.DISPUTED_PAYMENTS)
    with pytest.raises(refund_limits.PaymentDisputed):
        resolutions.give_back(inbound_id=inbound.id, reason="Asked for", actor=SYSTEM, now=at + 2 * LATER)

    record(report(), inbound.provider_account_id, at=at + 3 * LATER)
    losses.cover(dispute_id=row.id, now=at + 3 * LATER)
    assert (Dispute.objects.get().covered_minor, _in_suspense()) == (
        inbound.amount_minor,
        InboundStatus.TAKEN_BACK,
    )
    assert balance(AccountRole.SUSPENSE).is_zero


def _in_suspense():
    return InboundReceipt.objects.get().status


STAGES = (
    (DisputeStage.LOST, True),
    (DisputeStage.LOST, False),
    (DisputeStage.UNDER_REVIEW, False),
    (DisputeStage.NEEDS_RESPONSE, False),
    (DisputeStage.WON, False),
)


def test_whatever_the_provider_says_in_whichever_order_rows_and_books_agree(acme):
    """We appeal as soon as we may, the provider says anything: an appeal is on its way only while it is taken, and moves nothing."""
    moved = {"withdrawn": 0, "reinstated": 0, "lost": 0}
    for said in product(STAGES, repeat=3):
        row = _walked(said)
        for name in moved:
            moved[name] += getattr(row, f"{name}_minor")
        attempt = PaymentAttempt.objects.get(id=row.attempt_id)
        assert (attempt.disputed_minor, row.held_minor) == (row.held_minor, row.claim_minor)

    assert balance(AccountRole.CHARGEBACK_LOSS).minor == moved["lost"]
    running = moved["withdrawn"] - moved["reinstated"] - moved["lost"]
    assert balance(AccountRole.DISPUTED_PAYMENTS).minor == running


def _walked(said):
    """Return a dispute of which that was said, one after the other, and which was appealed whenever it could be."""
    first = made.report(made.refunds.paid(), stage=DisputeStage.LOST, may_appeal=True)
    account_id = PaymentAttempt.objects.get(provider_receipt=first.receipt).provider_account_id
    appeals = 0
    for hours, (stage, may_appeal) in enumerate(((DisputeStage.LOST, True), *said), start=1):
        now = made.NOW + timedelta(hours=hours)
        was = Dispute.objects.filter(ticket=first.ticket).first()
        back = first.withdrawn if stage is DisputeStage.WON or (was and was.reinstated_minor) else None
        told_ = replace(first, stage=stage, may_appeal=may_appeal, reinstated=back)
        disputes.record(account_id=account_id, report=told_, asked_at=now, actor=PROVIDER, now=now)
        row = Dispute.objects.get(ticket=first.ticket)
        assert row.status == stage.value
        assert row.is_appealing == (bool(was and was.is_appealing) and may_appeal)
        if row.is_answerable:
            dispute_evidence.write(dispute_id=row.id, texts={"text": "It came."}, actor=SYSTEM, now=now)
        appeals += _tried(row, now=now)
    row.refresh_from_db()
    assert row.answer_number == appeals
    return row


def _tried(row, *, now):
    """Appeal, and say how many appeals that was; books and money stay as they are either way."""
    before, moves = Transaction.objects.count(), row.moves
    try:
        row = dispute_answers.appeal(dispute_id=row.id, actor=SYSTEM, now=now)
        count = 1
    except InvalidState:
        assert not row.is_appealable
        count = 0
    assert (Transaction.objects.count(), row.moves) == (before, moves)
    return count

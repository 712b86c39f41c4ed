"""Close unknown refunds: a person says with evidence what became of one, another agrees, and the books follow, once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from apps.approvals.contracts import Decided
from apps.approvals.models import ApprovalRequest
from apps.approvals.selectors import authority
from apps.audit.models import AuditRecord
from apps.events.models import OutboxEvent
from apps.integrations.ports import RefundOutcome
from apps.kit.actors import PROVIDER
from apps.ledger.services import journals
from apps.payments import postings
from apps.payments.contracts import Recorded, RefundStatus
from apps.payments.contracts.verdicts import REFUND_VERDICT, RefundVerdict
from apps.payments.models import Refund
from apps.payments.services import attempts, receipts, refund_limits, refund_verdicts, refunds, sendings
from apps.payments.services.reports import MoneyUnexplained
from tests.factories import approvals, payments
from tests.factories import refunds as made
from tests.payments import cards
from tests.payments.conftest import bookings, books, told
from tests.payments.test_record_refund import PAID_BOOKS, REFUNDED_BOOKS
from tests.payments.test_two_connections import at_once

LATER = made.NOW + timedelta(days=1)
RECEIPT = "NLJ90ABCDE"
WHY = "Statement of 27 November, page 3"


@pytest.fixture
def lost(acme):
    """Return a refund that nobody has answered for a day, where closing one needs another person."""
    approvals.rule(kind=REFUND_VERDICT.name, currency="", minimum_minor=None)
    return made.unknown()


def say(refund, verdict=RefundVerdict.GIVEN_BACK, *, receipt=RECEIPT, now=LATER, reason=WHY):
    receipt = receipt if verdict is RefundVerdict.GIVEN_BACK else ""
    return refund_verdicts.ask(
        refund_id=refund.id, verdict=verdict, receipt=receipt, reason=reason, actor=approvals.maker(), now=now
    )


def agree(refund):
    """Approve as another person, and return the decision that this is."""
    request = ApprovalRequest.objects.get(id=made.reloaded(refund).verdict_approval_id)
    approvals.approve(request, approvals.person(), now=LATER + timedelta(minutes=5))
    return decision(request)


def decision(request):
    return Decided.read(OutboxEvent.objects.get(type="approval_decided", aggregate_id=request.id).data)


def carry_out(decided):
    refund_verdicts.decide(decided=decided, now=LATER + timedelta(minutes=6))
    return Refund.objects.get(id=decided.subject_id)


def closed(refund, verdict=RefundVerdict.GIVEN_BACK):
    say(refund, verdict)
    return carry_out(agree(refund))


def actions():
    found = AuditRecord.objects.filter(action__startswith="refund.").order_by("id")
    return list(found.values_list("action", flat=True))


def record(refund, report):
    return refunds.record(refund_id=refund.id, report=report, actor=PROVIDER, now=LATER + timedelta(days=1))


def test_what_went_back_is_booked_under_its_receipt_once_another_agrees(lost):
    asked = say(lost)
    assert (asked.status, books()) == (RefundStatus.UNKNOWN, PAID_BOOKS)

    decided = agree(lost)
    refund = carry_out(decided)
    again = carry_out(decided)

    assert (refund.status, refund.provider_receipt) == (RefundStatus.SUCCEEDED, RECEIPT)
    assert again.judged_at == refund.judged_at == LATER + timedelta(minutes=6)
    assert (books(), bookings()) == (REFUNDED_BOOKS, 2)
    assert told(lost.id) == ["refund_requested", "refund_unknown", "refund_succeeded"]
    assert actions() == ["refund.requested", "refund.verdict_asked", "refund.judged"]
    said = AuditRecord.objects.get(action="refund.judged")
    assert (said.actor_id, said.reason) == (approvals.maker().id, WHY)


def test_what_did_not_go_back_may_go_back_anew(lost):
    refund = closed(lost, RefundVerdict.NOT_GIVEN_BACK)

    assert (refund.status, refund.failure_code) == (RefundStatus.FAILED, refund_verdicts.NOT_GIVEN_BACK)
    assert WHY not in refund.failure_message
    assert books() == PAID_BOOKS
    assert told(lost.id) == ["refund_requested", "refund_unknown", "refund_failed"]
    assert made.requested(made.reloaded(lost).attempt).number == 2


def test_who_says_it_does_not_agree_to_it(lost):
    say(lost)
    request = ApprovalRequest.objects.get()

    with pytest.raises(authority.OwnRequest):
        approvals.approve(request, approvals.maker(), now=LATER + timedelta(minutes=5))

    assert made.reloaded(lost).status == RefundStatus.UNKNOWN


def test_what_others_refuse_is_dropped_and_may_be_said_anew(lost):
    say(lost)
    request = ApprovalRequest.objects.get()
    approvals.refuse(request, approvals.person(), now=LATER + timedelta(minutes=5))

    refund = carry_out(decision(request))

    assert (refund.status, refund.verdict, refund.verdict_approval_id) == (RefundStatus.UNKNOWN, "", None)
    assert actions()[-1] == "refund.verdict_left"
    assert say(lost, RefundVerdict.NOT_GIVEN_BACK).verdict == RefundVerdict.NOT_GIVEN_BACK


def test_an_answer_while_others_are_asked_counts_and_they_are_asked_no_more(lost):
    say(lost, RefundVerdict.NOT_GIVEN_BACK)
    request = ApprovalRequest.objects.get()

    record(lost, made.given_back(lost, receipt=RECEIPT))
    refund = carry_out(decision(request))

    request.refresh_from_db()
    assert (request.status, request.reason) == ("WITHDRAWN", sendings.ANSWERED)
    assert (refund.status, refund.verdict, books()) == (RefundStatus.SUCCEEDED, "", REFUNDED_BOOKS)
    assert actions()[-1] == "refund.verdict_left"


@pytest.mark.parametrize("hindrance", ["answered", "asked again", "changed", "receipt used"])
def test_what_cannot_be_any_more_is_left_and_on_the_trail(lost, hindrance):
    say(lost)
    decided = agree(lost)
    if hindrance == "answered":
        record(lost, made.declined(lost))
    elif hindrance == "asked again":
        record(lost, made.declined(lost, outcome=RefundOutcome.LOST, ticket=made.ticket().value))
    elif hindrance == "changed":
        decided = replace(decided, payload_hash="0" * 64)
    else:
        other = made.pending(made.paid())
        record(other, made.given_back(other, receipt=RECEIPT))
    before = (made.reloaded(lost).status, bookings())

    refund = carry_out(decided)

    assert (refund.status, bookings()) == before
    assert (refund.verdict, refund.judged_at) == ("", None)
    assert actions()[-1] == "refund.verdict_left"


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        ({"now": LATER - timedelta(seconds=1)}, refund_verdicts.AnswerMayCome),
        ({"receipt": ""}, receipts.ReceiptInvalid),
        ({"reason": " "}, refund_limits.ReasonMissing),
    ],
)
def test_a_refusal_writes_nothing(lost, facts, error):
    with pytest.raises(error):
        say(lost, **facts)

    assert (made.reloaded(lost).verdict, ApprovalRequest.objects.count()) == ("", 0)


def test_refuses_a_receipt_of_another_movement_a_second_verdict_and_what_is_known(lost):
    with pytest.raises(receipts.ReceiptUsed, match="another movement"):
        say(lost, receipt=lost.payment_receipt)
    with pytest.raises(receipts.ReceiptUsed, match="money arrived"):
        say(lost, receipt=payments.held().receipt)
    say(lost)
    with pytest.raises(refund_verdicts.VerdictWaits):
        say(lost, RefundVerdict.NOT_GIVEN_BACK)
    known = made.pending(made.paid())
    with pytest.raises(attempts.InvalidState):
        say(known)
    Refund.objects.filter(id=lost.id).update(next_query_at=LATER)
    carry_out(replace(agree(lost), payload_hash="0" * 64))
    with pytest.raises(refund_verdicts.AnswerMayCome):
        say(lost)


def test_nobody_closes_one_alone(acme):
    refund = made.unknown()

    with pytest.raises(refund_verdicts.VerdictRuleMissing):
        say(refund)

    assert made.reloaded(refund).verdict == ""


def test_money_that_went_back_after_all_is_booked_and_contradicts_what_people_said(lost):
    refund = closed(lost, RefundVerdict.NOT_GIVEN_BACK)

    assert record(refund, made.given_back(refund, receipt=RECEIPT)) == Recorded.APPLIED

    assert (made.reloaded(refund).status, books()) == (RefundStatus.SUCCEEDED, REFUNDED_BOOKS)
    assert actions()[-1] == "refund.verdict_contradicted"


@pytest.mark.parametrize("says", ["refused", "another receipt"])
def test_a_report_against_what_was_booked_so_is_for_people(lost, says):
    refund = closed(lost)
    report = made.declined(refund) if says == "refused" else made.given_back(refund, receipt="NLJ90OTHER")

    with pytest.raises(MoneyUnexplained):
        record(refund, report)
    assert record(refund, made.given_back(refund, receipt=RECEIPT)) == Recorded.DUPLICATE

    assert (made.reloaded(refund).status, books()) == (RefundStatus.SUCCEEDED, REFUNDED_BOOKS)


def test_the_receipt_of_another_refund_that_people_gave_to_this_one_is_for_people(lost):
    other = made.pending(made.paid())
    closed(lost)

    with pytest.raises(MoneyUnexplained):
        record(other, made.given_back(other, receipt=RECEIPT))

    assert (made.reloaded(other).status, bookings()) == (RefundStatus.PENDING, 3)


def test_a_rail_that_is_asked_by_ticket_only_takes_its_receipt_as_written_and_may_take_it_back(acme):
    approvals.rule(kind=REFUND_VERDICT.name, currency="", minimum_minor=None)
    cards.account()
    attempt = made.paid(choice=cards.CARD, money=cards.USD_25)
    before = books()
    refund = made.unknown(attempt)
    Refund.objects.filter(id=refund.id).update(next_query_at=None)
    say(refund, receipt=" re_3Nx8dZ ")

    refund = carry_out(agree(refund))
    assert (refund.status, refund.provider_receipt, refund.next_query_at) == ("SUCCEEDED", "re_3Nx8dZ", None)
    record(refund, made.declined(refund))

    assert (made.reloaded(refund).status, books()) == (RefundStatus.FAILED, before)
    assert actions()[-1] == "refund.verdict_contradicted"


def test_the_database_lets_nobody_end_one_alone_nor_change_what_was_said(lost):
    say(lost)
    pending = Refund.objects.filter(id=lost.id)
    ended = {"status": "FAILED", "closed_at": LATER, "judged_at": LATER}
    for changes in (
        {**ended, "verdict": "NOT_GIVEN_BACK", "verdict_receipt": ""},
        {**ended, "status": "SUCCEEDED", "refunded_at": LATER, "provider_receipt": RECEIPT},
    ):
        with pytest.raises(IntegrityError, match="people end refund"), transaction.atomic():
            pending.update(**changes)
    carry_out(agree(lost))

    with pytest.raises(IntegrityError, match="what people said"), transaction.atomic():
        pending.update(verdict_reason="Something else")


@pytest.mark.parametrize("changed", [{"verdict_by": "somebody else"}, {"verdict_reason": "Something else"}])
def test_the_database_keeps_who_said_it_and_why_as_it_was_said(lost, changed):
    say(lost)
    decided = agree(lost)
    pending = Refund.objects.filter(id=lost.id)
    ended = {"status": "SUCCEEDED", "refunded_at": LATER, "judged_at": LATER, "provider_receipt": RECEIPT}
    with pytest.raises(IntegrityError, match="people end refund"), transaction.atomic():
        pending.update(**ended, **changed)
    with pytest.raises(IntegrityError, match="what people said"), transaction.atomic():
        pending.update(**changed)

    refund = carry_out(decided)

    with pytest.raises(IntegrityError, match="what people said"), transaction.atomic():
        pending.update(**changed)
    assert (refund.verdict_by, refund.verdict_reason) == (str(approvals.maker()), WHY)


def test_nothing_is_kept_when_the_ledger_refuses(lost):
    say(lost)
    decided = agree(lost)
    sent = Refund.objects.select_related("attempt__provider_account").get(id=lost.id)
    journals.post(draft=postings.refund(sent, taken=sent.money), actor=PROVIDER, now=LATER)
    before = (bookings(), told(lost.id), actions())

    with pytest.raises(journals.KeyReused):
        carry_out(decided)

    found = made.reloaded(lost)
    assert (found.status, found.judged_at, found.attempt.refund_pending_minor) == (
        RefundStatus.UNKNOWN,
        None,
        1500_00,
    )
    assert (bookings(), told(lost.id), actions()) == before


def test_people_and_a_late_answer_at_once_book_it_once(committed_acme):
    approvals.rule(kind=REFUND_VERDICT.name, currency="", minimum_minor=None)
    refund = made.unknown()
    say(refund)
    decided = agree(refund)
    report = made.given_back(refund, receipt=RECEIPT)

    at_once(*[lambda: carry_out(decided)] * 2, lambda: record(refund, report))

    assert (made.reloaded(refund).status, books(), bookings()) == (RefundStatus.SUCCEEDED, REFUNDED_BOOKS, 2)
    assert told(refund.id).count("refund_succeeded") == 1

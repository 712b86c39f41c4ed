"""Close unknown payments: a person says with evidence that nothing was collected, another agrees, and what is paid may be asked for anew."""

import contextlib
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from apps.approvals.contracts import Decided
from apps.approvals.models import ApprovalRequest
from apps.approvals.selectors import authority
from apps.audit.models import AuditRecord
from apps.events.models import OutboxEvent
from apps.integrations.models import ProviderAccount
from apps.integrations.ports import CollectionReport, InboundReport, NextAction, NextActionKind, Outcome
from apps.kit import errors, faults, ids
from apps.kit.actors import PROVIDER, SYSTEM
from apps.kit.money import Money
from apps.payments import subscribers
from apps.payments.contracts import (
    AttemptStatus,
    Doubt,
    InboundSource,
    InboundStatus,
    IntentStatus,
    LateMoney,
    Recorded,
)
from apps.payments.contracts.verdicts import PAYMENT_VERDICT
from apps.payments.models import PaymentAttempt, PaymentIntent, Refund
from apps.payments.selectors import doubts
from apps.payments.services import (
    attempts,
    confirmations,
    inbound_receipts,
    intents,
    payables,
    payers,
    payment_verdicts,
    refund_limits,
    reports,
    resolutions,
    silent,
    sweeps,
    verdict_answers,
)
from apps.payments.services.reports import MoneyUnexplained
from tests.factories import access, approvals, payments
from tests.payments import cards
from tests.payments.conftest import bookings, books, told
from tests.payments.test_late_money import choose
from tests.payments.test_two_connections import at_once

LATER = payments.NOW + timedelta(days=1)
AFTER = LATER + timedelta(hours=1)
ORDER = {"payable_type": "order", "payable_id": "ORD-7"}
WHY = "Statement of 25 November, pages 1 to 4"


@pytest.fixture
def lost(acme):
    """Return an attempt for an order that nobody has answered for a day, where closing one needs another person."""
    return unanswered()


def unanswered(**facts):
    approvals.rule(kind=PAYMENT_VERDICT.name, currency="", minimum_minor=None)
    attempt = payments.sending(**{**ORDER, **facts})
    attempts.lose(attempt_id=attempt.id, now=payments.NOW)
    return payments.reloaded(attempt)


def say(attempt, *, now=LATER, reason=WHY):
    return payment_verdicts.ask(intent_id=attempt.intent_id, reason=reason, actor=approvals.maker(), now=now)


def agree(attempt):
    """Approve as another person, and return the decision that this is."""
    request = ApprovalRequest.objects.get(id=payments.reloaded(attempt).verdict_approval_id)
    approvals.approve(request, approvals.person(), now=LATER + timedelta(minutes=5))
    return decision(request)


def decision(request):
    return Decided.read(OutboxEvent.objects.get(type="approval_decided", aggregate_id=request.id).data)


def carry_out(decided):
    payment_verdicts.decide(decided=decided, now=LATER + timedelta(minutes=6))
    return payments.reload(decided.subject_id)


def closed(attempt):
    say(attempt)
    return carry_out(agree(attempt))


def actions():
    found = AuditRecord.objects.filter(action__startswith="payment.").order_by("id")
    return list(found.values_list("action", flat=True))


def record(attempt, report, *, now=AFTER):
    return intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=now)


def anew():
    return intents.create(request=payments.wanted(**ORDER), actor=SYSTEM, now=AFTER)


def state(attempt):
    found = payments.reloaded(attempt)
    return found.status, found.intent.status


UNKNOWN = (AttemptStatus.UNKNOWN, IntentStatus.UNKNOWN)


def test_it_has_failed_once_another_agrees_and_what_is_paid_is_asked_for_anew(lost):
    asked = say(lost)
    assert asked.status == IntentStatus.UNKNOWN
    with pytest.raises(payables.PaymentInProgress):
        anew()

    decided = agree(lost)
    intent = carry_out(decided)
    again = carry_out(decided)

    assert (intent.status, intent.failure_code) == (IntentStatus.FAILED, "not_paid")
    assert again.closed_at == intent.closed_at == LATER + timedelta(minutes=6)
    attempt = payments.reloaded(lost)
    assert (attempt.status, attempt.judged_at) == (AttemptStatus.FAILED, intent.closed_at)
    assert WHY not in attempt.failure_message
    assert told(intent.id) == ["payment_intent_created", "payment_unknown", "payment_failed"]
    assert actions() == ["payment.verdict_asked", "payment.judged"]
    said = AuditRecord.objects.get(action="payment.judged")
    assert (said.actor_id, said.reason) == (approvals.maker().id, WHY)
    assert said.changes["status"] == ["UNKNOWN", "FAILED"]
    assert bookings() == 0
    assert anew().payable_id == "ORD-7"


def test_where_somebody_had_asked_to_cancel_it_is_cancelled(lost):
    intents.cancel(intent_id=lost.intent_id, actor=SYSTEM, now=payments.NOW)

    intent = closed(lost)

    assert (intent.status, intent.failure_code) == (IntentStatus.CANCELLED, "not_paid")
    assert told(intent.id)[-1] == "payment_cancelled"
    assert anew().payable_id == "ORD-7"


def test_it_is_found_as_stuck_until_it_is_closed(lost):
    def stuck():
        return list(doubts.of(Doubt.STUCK.value, PaymentIntent.objects.all(), now=AFTER))

    say(lost)
    assert stuck() == [lost.intent]

    carry_out(agree(lost))

    assert stuck() == []


def test_the_plan_of_questions_is_waited_for_and_then_a_day(acme):
    approvals.rule(kind=PAYMENT_VERDICT.name, currency="", minimum_minor=None)
    attempt = payments.waiting(**ORDER)
    attempts.lose(attempt_id=attempt.id, now=payments.NOW)
    intents.ask(intent_id=attempt.intent_id, actor=SYSTEM, now=LATER)

    with pytest.raises(payment_verdicts.AnswerMayCome):
        say(attempt)
    attempts.claim_query(attempt_id=attempt.id, now=LATER)

    assert say(attempt).status == IntentStatus.UNKNOWN


def test_who_says_it_does_not_agree_to_it(lost):
    say(lost)

    with pytest.raises(authority.OwnRequest):
        approvals.approve(ApprovalRequest.objects.get(), approvals.maker(), now=AFTER)

    assert state(lost) == UNKNOWN


def test_what_others_refuse_is_dropped_and_may_be_said_anew(lost):
    say(lost)
    request = ApprovalRequest.objects.get()
    approvals.refuse(request, approvals.person(), now=LATER + timedelta(minutes=5))

    carry_out(decision(request))

    attempt = payments.reloaded(lost)
    assert (attempt.status, attempt.verdict_by, attempt.verdict_approval_id) == ("UNKNOWN", "", None)
    assert actions()[-1] == "payment.verdict_left"
    assert say(lost).status == IntentStatus.UNKNOWN


@pytest.mark.parametrize(
    ("report", "left"),
    [
        (payments.collected, (AttemptStatus.SUCCEEDED, IntentStatus.SUCCEEDED)),
        (payments.declined, (AttemptStatus.FAILED, IntentStatus.FAILED)),
    ],
)
def test_an_answer_while_others_are_asked_counts_and_they_are_asked_no_more(lost, report, left):
    say(lost)
    request = ApprovalRequest.objects.get()

    record(lost, report(lost, ticket="ws_CO_1"), now=LATER)
    carry_out(decision(request))

    request.refresh_from_db()
    assert (request.status, request.reason) == ("WITHDRAWN", verdict_answers.ANSWERED)
    assert state(lost) == left
    assert payments.reloaded(lost).failure_code in ("", "customer_cancelled")
    assert actions()[-1] == "payment.verdict_left"


@pytest.mark.parametrize("word", ["ticket", "action", "hold"])
def test_what_is_open_again_while_others_are_asked_ends_their_request(acme, word):
    cards.account()
    attempt = unanswered(choice=cards.CARD, money=cards.USD_25)
    PaymentAttempt.objects.filter(id=attempt.id).update(
        ticket="cs_1" if word == "action" else "", next_query_at=None
    )
    say(attempt)

    if word == "ticket":
        attempts.accept(attempt_id=attempt.id, ticket=payments.ticket("cs_1"), now=LATER)
    elif word == "action":
        action = NextAction(NextActionKind.REDIRECT, "", "https://pay.example.test/cs_1")
        record(attempt, CollectionReport("cs_1", Outcome.PENDING, next_action=action), now=LATER)
    else:
        record(attempt, CollectionReport("cs_1", Outcome.AUTHORIZED, money=cards.USD_25), now=LATER)
    carry_out(decision(ApprovalRequest.objects.get()))

    expected = "AUTHORIZED" if word == "hold" else "ACTION_REQUIRED"
    found = payments.reloaded(attempt)
    assert (found.status, found.verdict_by) == (expected, "")
    assert ApprovalRequest.objects.get().status == "WITHDRAWN"


@pytest.mark.parametrize("hindrance", ["answered", "asked again", "changed", "money waits"])
def test_what_cannot_be_any_more_is_left_and_on_the_trail(lost, hindrance):
    say(lost)
    decided = agree(lost)
    if hindrance == "answered":
        record(lost, payments.declined(lost), now=LATER)
    elif hindrance == "asked again":
        PaymentAttempt.objects.filter(id=lost.id).update(next_query_at=AFTER)
    elif hindrance == "changed":
        decided = replace(decided, payload_hash="0" * 64)
    else:
        payments.held(payer="2547 ***** 678")
    before = (state(lost), bookings())

    carry_out(decided)

    assert (state(lost), bookings()) == before
    attempt = payments.reloaded(lost)
    assert (attempt.verdict_by, attempt.judged_at) == ("", None)
    assert actions()[-1] == "payment.verdict_left"


def test_money_that_waits_and_may_be_its_own_is_decided_about_first(lost):
    money = payments.held(payer="2547 ***** 678")

    with pytest.raises(payment_verdicts.MoneyMayBeHere, match=money.receipt):
        say(lost)
    resolutions.assign(
        inbound_id=money.id, intent_id=lost.intent_id, reason="Shown", actor=approvals.maker(), now=LATER
    )

    assert state(lost) == (AttemptStatus.SUCCEEDED, IntentStatus.SUCCEEDED)


@pytest.mark.parametrize("said", ["attempt", "claim", "verified", "unexplained", "unconfirmed"])
def test_money_that_is_said_to_be_of_it_is_decided_about_first(lost, said):
    say(lost)
    decided = agree(lost)
    money = said_to_be_of(lost, said)

    carry_out(decided)

    assert state(lost) == UNKNOWN
    assert money.receipt in AuditRecord.objects.filter(action="payment.verdict_left").get().reason
    with pytest.raises(payment_verdicts.MoneyMayBeHere, match=money.receipt):
        say(lost)


def said_to_be_of(attempt, said):
    """Return money of another sum and payer that waits, and of which that says that it is of this attempt."""
    facts = {"payer": "", "money": Money(99_00, "KES")}
    if said == "unconfirmed":
        ProviderAccount.objects.update(confirm_from_minor=1_00)
        return payments.held(reference=attempt.code, **facts)
    if said == "attempt":
        report = InboundReport(receipt=payments.receipt(), reference=attempt.code, **facts)
        elsewhere, confirmed = payments.account().id, InboundSource.CONFIRMATION
        told_ = {"account_id": elsewhere, "notice": report, "phone": "", "source": confirmed}
        access.portal()
        return inbound_receipts.record(**told_, actor=PROVIDER, now=LATER)[1]
    money = payments.held(reference="TABLE 4", **facts)
    if said == "claim":
        money.claim(code=attempt.intent.code)
        money.save_progress()
    elif said == "verified":
        intents.verify(intent_id=attempt.intent_id, receipt=money.receipt, actor=SYSTEM, now=LATER)
    else:
        reports.hold_unexplained(attempt_id=attempt.id, receipt=money.receipt, now=LATER)
    return money


def test_what_the_provider_denies_hinders_nobody(lost):
    money = said_to_be_of(lost, "unconfirmed")
    assert money.status == InboundStatus.UNCONFIRMED
    with pytest.raises(payment_verdicts.MoneyMayBeHere):
        say(lost)
    denied = CollectionReport("AG_1", Outcome.DECLINED, receipt=money.receipt, reason_code="declined")
    confirmations.record(inbound_id=money.id, report=denied, now=LATER)

    assert closed(lost).status == IntentStatus.FAILED


def test_payers_are_compared_without_opening_what_is_secret(lost):
    ProviderAccount.objects.update(sealed_credentials=b"not to be opened")
    money = payments.held(payer="2547 ***** 678")

    assert silent.may_be_here(lost) == [money]
    assert payers.agree(lost.provider, lost.phone, money.payer)


@pytest.mark.parametrize("word", ["unnamed", "unexplained", "other money"])
def test_others_are_asked_no_more_once_the_money_is_told(acme, word):
    attempt = unanswered()
    say(attempt)
    if word == "unnamed":
        money = [payments.held(payer="2547 ***** 678", now=payments.NOW) for _ in range(2)]
        record(attempt, payments.collected(attempt, ticket="ws_CO_1", receipt="", money=None), now=LATER)
        assert (len(money), payments.reloaded(attempt).unnamed_at) == (2, LATER)
    elif word == "unexplained":
        for _ in range(2):
            reports.hold_unexplained(attempt_id=attempt.id, receipt="SKH0000001", now=LATER)
    else:
        payments.held(reference=attempt.intent.code, now=LATER)
        assert payments.reload(attempt.intent_id).status == IntentStatus.SUCCEEDED

    request = ApprovalRequest.objects.get()
    assert request.status == "WITHDRAWN"
    carry_out(decision(request))
    assert (payments.reloaded(attempt).status, payments.reloaded(attempt).verdict_by) == ("UNKNOWN", "")


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        ({"now": LATER - timedelta(seconds=1)}, payment_verdicts.AnswerMayCome),
        ({"reason": " "}, refund_limits.ReasonMissing),
    ],
)
def test_a_refusal_writes_nothing(lost, facts, error):
    with pytest.raises(error):
        say(lost, **facts)

    assert (payments.reloaded(lost).verdict_by, ApprovalRequest.objects.count()) == ("", 0)


def test_refuses_what_is_known_what_is_nobodys_and_a_second_verdict(lost):
    say(lost)
    with pytest.raises(payment_verdicts.VerdictWaits):
        say(lost)
    with pytest.raises(attempts.InvalidState):
        say(payments.waiting())
    with pytest.raises(errors.NotFound):
        payment_verdicts.ask(intent_id=lost.id, reason=WHY, actor=SYSTEM, now=LATER)

    assert ApprovalRequest.objects.count() == 1


def test_nobody_closes_one_alone(acme):
    attempt = payments.sending()
    attempts.lose(attempt_id=attempt.id, now=payments.NOW)

    with pytest.raises(payment_verdicts.VerdictRuleMissing):
        say(attempt)

    assert payments.reloaded(attempt).verdict_by == ""


def test_a_decision_about_nothing_changes_nothing(lost):
    say(lost)
    decided = agree(lost)

    assert payment_verdicts.decide(decided=replace(decided, request_id=lost.id), now=AFTER) is None
    assert state(lost) == UNKNOWN


def test_money_that_comes_after_all_is_late_and_contradicts_what_people_said(lost):
    closed(lost)
    report = payments.collected(lost, ticket="ws_CO_1")

    assert record(lost, report) == Recorded.APPLIED
    assert record(lost, report) == Recorded.DUPLICATE

    intent = payments.reload(lost.intent_id)
    assert (intent.status, intent.is_late, bookings()) == (IntentStatus.SUCCEEDED, True, 1)
    assert told(intent.id).count("payment_success") == 1
    assert actions()[-1] == "payment.verdict_contradicted"
    assert payments.reloaded(lost).verdict_reason == WHY


def test_it_goes_back_where_the_organisation_chose_that(lost):
    choose(late_money=LateMoney.REFUND)
    closed(lost)

    record(lost, payments.collected(lost, ticket="ws_CO_1"))
    sweeps.do(deed="refund_late", row_id=lost.id, now=AFTER)

    assert payments.reload(lost.intent_id).status == IntentStatus.IN_REVIEW
    assert (books()["SUSPENSE"], Refund.objects.get().attempt_id) == ("1500.00", lost.id)


def test_money_of_both_payments_is_booked_and_pays_what_is_paid_once(lost):
    closed(lost)
    second = anew()
    begun = attempts.begin(intent_id=second.id, now=AFTER)
    record(begun, payments.collected(begun, ticket="ws_CO_2"))

    record(lost, payments.collected(lost, ticket="ws_CO_1"))

    assert payments.reload(second.id).status == IntentStatus.SUCCEEDED
    assert payments.reload(lost.intent_id).status == IntentStatus.IN_REVIEW
    assert (bookings(), books()["SUSPENSE"]) == (2, "1500.00")


def test_a_decline_after_the_verdict_changes_nothing(lost):
    closed(lost)

    assert record(lost, payments.declined(lost)) == Recorded.DUPLICATE

    assert payments.reloaded(lost).failure_code == "not_paid"
    assert told(lost.intent_id).count("payment_failed") == 1


def test_money_that_a_person_gave_elsewhere_is_not_booked_again(acme):
    attempt = unanswered()
    money = payments.held(payer="", reference="TABLE 4")
    given_to = payments.intent()
    resolutions.assign(inbound_id=money.id, intent_id=given_to.id, reason="Shown", actor=SYSTEM, now=LATER)
    attempts.accept(attempt_id=attempt.id, ticket=payments.ticket("ws_CO_1"), now=LATER)
    attempts.lose(attempt_id=attempt.id, now=LATER)
    say(attempt, now=LATER + timedelta(days=1))
    request = ApprovalRequest.objects.get()
    approvals.approve(request, approvals.person(), now=LATER + timedelta(days=1, minutes=5))
    payment_verdicts.decide(decided=decision(request), now=LATER + timedelta(days=1, minutes=6))
    before = bookings()

    with pytest.raises(MoneyUnexplained):
        record(attempt, payments.collected(payments.reloaded(attempt), receipt=money.receipt))

    assert (state(attempt), bookings()) == ((AttemptStatus.FAILED, IntentStatus.FAILED), before)


def test_a_confirmation_without_a_receipt_is_of_money_that_people_gave_elsewhere(acme):
    approvals.rule(kind=PAYMENT_VERDICT.name, currency="", minimum_minor=None)
    attempt = payments.waiting(**ORDER)
    waiting = [payments.held(payer="2547 ***** 678", now=payments.NOW) for _ in range(2)]
    unnamed = payments.collected(attempt, receipt="", money=None)
    record(attempt, unnamed, now=payments.NOW)
    with pytest.raises(payment_verdicts.MoneyMayBeHere):
        say(attempt)
    for money in waiting:
        other = payments.intent(now=LATER)
        resolutions.assign(
            inbound_id=money.id,
            intent_id=other.id,
            reason="Shown",
            actor=SYSTEM,
            now=LATER + timedelta(minutes=1),
        )
    before = bookings()
    say(attempt, now=LATER + timedelta(minutes=2))
    carry_out(agree(attempt))

    assert record(attempt, unnamed) == Recorded.IGNORED
    assert (state(attempt), bookings()) == ((AttemptStatus.FAILED, IntentStatus.FAILED), before)

    assert record(attempt, payments.collected(attempt)) == Recorded.APPLIED
    assert bookings() == before + 1


def test_the_database_lets_nobody_end_one_alone_nor_change_what_was_said(lost):
    say(lost)
    pending = PaymentAttempt.objects.filter(id=lost.id)
    with pytest.raises(IntegrityError, match="people end attempt"), transaction.atomic():
        pending.update(status="FAILED", failure_code="not_paid", closed_at=LATER, judged_at=LATER)
    with pytest.raises(IntegrityError, match="ends by its attempt"), transaction.atomic():
        PaymentIntent.objects.filter(id=lost.intent_id).update(status="FAILED", closed_at=LATER)
    carry_out(agree(lost))

    alone = payments.sending()
    with pytest.raises(IntegrityError, match="attempt_verdict_whole"), transaction.atomic():
        PaymentAttempt.objects.filter(id=alone.id).update(
            status="FAILED", failure_code="not_paid", closed_at=LATER
        )
    for changes in ({"verdict_reason": "Something else"}, {"failure_code": "other"}, {"judged_at": AFTER}):
        with pytest.raises(IntegrityError, match="what people said"), transaction.atomic():
            pending.update(**changes)


def test_the_database_wants_the_reason_the_person_and_the_code(lost):
    pending = PaymentAttempt.objects.filter(id=lost.id)
    whole = {"verdict_reason": WHY, "verdict_by": "somebody", "verdict_approval_id": ids.new()}
    for missing in whole:
        with pytest.raises(IntegrityError, match="attempt_verdict_whole"), transaction.atomic():
            pending.update(**{name: said for name, said in whole.items() if name != missing})
    say(lost)
    decided = agree(lost)
    for changes in (
        {"verdict_reason": "Else"},
        {"verdict_by": "somebody else"},
        {"verdict_approval_id": ids.new()},
    ):
        with pytest.raises(IntegrityError, match="what people said"), transaction.atomic():
            pending.update(**changes)
    ended = {"status": "FAILED", "closed_at": LATER, "judged_at": LATER}
    with pytest.raises(IntegrityError, match="people end attempt"), transaction.atomic():
        pending.update(**ended, failure_code="customer_cancelled")
    with pytest.raises(IntegrityError, match="people end attempt"), transaction.atomic():
        pending.update(**ended, failure_code="not_paid", verdict_by="somebody else")

    assert carry_out(decided).status == IntentStatus.FAILED


def test_nothing_is_kept_when_it_dies_half_way(committed_acme):
    attempt = unanswered()
    say(attempt)
    decided = agree(attempt)
    before = (told(attempt.intent_id), actions())

    def die(point):
        if point == "payments.verdict_closed":
            raise SystemExit

    with faults.hooked(die), pytest.raises(SystemExit):
        carry_out(decided)

    assert (state(attempt), payments.reloaded(attempt).judged_at) == (UNKNOWN, None)
    assert (told(attempt.intent_id), actions()) == before
    assert carry_out(decided).status == IntentStatus.FAILED


def test_people_and_a_late_answer_at_once_book_it_once(committed_acme):
    attempt = unanswered()
    say(attempt)
    decided = agree(attempt)
    report = payments.collected(attempt, ticket="ws_CO_1")

    at_once(*[lambda: carry_out(decided)] * 2, lambda: record(attempt, report))

    assert (payments.reload(attempt.intent_id).status, bookings()) == (IntentStatus.SUCCEEDED, 1)
    assert told(attempt.intent_id).count("payment_success") == 1


def test_two_people_who_say_it_at_once_ask_once(committed_acme):
    attempt = unanswered()
    approvals.maker()

    def try_to_say():
        with contextlib.suppress(payment_verdicts.VerdictWaits):
            say(attempt)

    at_once(*[try_to_say] * 2)

    assert ApprovalRequest.objects.count() == 1


def test_the_event_of_the_decision_closes_it(lost):
    say(lost)
    decided = agree(lost)
    event = OutboxEvent.objects.get(type="approval_decided", aggregate_id=decided.request_id)

    subscribers.execute_approval(event)

    assert state(lost) == (AttemptStatus.FAILED, IntentStatus.FAILED)
    said = AuditRecord.objects.get(action="payment.judged")
    assert said.approval == str(decided.request_id)

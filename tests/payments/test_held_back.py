"""Held back: what our own gate does not let leave is no try and no question, and goes on when the gate opens."""

from datetime import timedelta

from django.conf import settings

from apps.integrations.contracts import MPESA, ErrorRule, Flow
from apps.integrations.ports import ProviderDeclined, ProviderHeldBack, RefundQueryPort
from apps.integrations.services import error_rules, gates, providers
from apps.kit import jobs
from apps.kit.actors import SYSTEM
from apps.payments.contracts import AttemptStatus, IntentStatus, RefundStatus
from apps.payments.models import PaymentAttempt
from apps.payments.services import attempts, intents, receipts, refunds, sendings
from tests.factories import payments
from tests.factories import refunds as made
from tests.payments.conftest import told

NOW = payments.NOW


def gate(account, *, kind="oauth", is_open):
    """Let calls leave the account, or none of them: without a token nothing leaves."""
    deed = gates.close_circuit if is_open else gates.open_circuit
    deed(account_id=account.id, kind=kind, actor=SYSTEM, now=NOW, reason="Outage")


def after(seconds):
    return NOW + timedelta(seconds=seconds)


def test_a_prompt_waits_for_the_gate_longer_each_time_and_uses_up_no_try(rail):
    gate(rail.account, is_open=False)
    intent = payments.intent()
    waits = []
    for seconds in (0, 30, 90, 150):
        intents.request(intent_id=intent.id, now=after(seconds))
        waits.append((payments.reload(intent.id).next_request_at - after(seconds)).total_seconds())

    assert waits == [30, 60, 60, 60]
    codes = set(intent.attempts.values_list("status", "failure_code"))
    assert codes == {(AttemptStatus.FAILED, "held_back")}
    gate(rail.account, is_open=True)
    intents.request(intent_id=intent.id, now=after(210))
    assert payments.reload(intent.id).status == IntentStatus.ACTION_REQUIRED
    assert (len(rail.prompts()), intent.attempts.sent().count()) == (1, 1)


def test_a_payer_is_not_asked_ten_minutes_later(acme):
    attempt = payments.sending()
    refusal = attempts.ProviderHeldBack("Stopped.", pause=timedelta(seconds=30))
    late = attempt.intent.confirmed_at + timedelta(minutes=9, seconds=31)

    attempts.withdraw(attempt_id=attempt.id, refusal=refusal, now=late)

    intent = payments.reload(attempt.intent_id)
    assert (intent.status, intent.failure_code) == (IntentStatus.FAILED, "held_back")
    assert told(intent.id)[-1] == "payment_failed"


def test_a_question_is_asked_when_the_gate_opens_behind_the_plans_end_too(rail):
    intent = payments.intent()
    intents.request(intent_id=intent.id, now=NOW)
    attempt = payments.reload(intent.id).current_attempt
    gate(rail.account, kind="stk_query", is_open=False)

    intents.query(attempt_id=attempt.id, now=after(25))
    assert payments.reloaded(attempt).next_query_at == after(55)

    last = after(2 * settings.TREASURY["POLL_PLAN"][-1])
    PaymentAttempt.objects.filter(id=attempt.id).update(next_query_at=last)
    for seconds in (1, 31):
        now = last + timedelta(seconds=seconds)
        intents.query(attempt_id=attempt.id, now=now)
        attempt = payments.reloaded(attempt)
        assert (attempt.status, attempt.next_query_at) == (AttemptStatus.ACTION_REQUIRED, last)
        assert attempt.query_started_at == now

    gate(rail.account, kind="stk_query", is_open=True)
    rail.decide("approve")
    rail.tick(3)
    intents.query(attempt_id=attempt.id, now=last + timedelta(seconds=61))
    assert payments.reloaded(attempt).status == AttemptStatus.SUCCEEDED


def test_a_gate_that_stays_shut_leaves_nothing_open_without_end(rail):
    intent = payments.intent()
    intents.request(intent_id=intent.id, now=NOW)
    attempt = payments.reload(intent.id).current_attempt
    gate(rail.account, kind="stk_query", is_open=False)
    last = after(2 * settings.TREASURY["POLL_PLAN"][-1])
    PaymentAttempt.objects.filter(id=attempt.id).update(next_query_at=last)

    states = []
    for wait in (timedelta(hours=23), timedelta(hours=25), timedelta(hours=26)):
        intents.query(attempt_id=attempt.id, now=NOW + wait)
        states.append(payments.reloaded(attempt).status)

    assert states == [AttemptStatus.ACTION_REQUIRED, AttemptStatus.ACTION_REQUIRED, AttemptStatus.UNKNOWN]


def test_a_refund_and_its_questions_wait_for_the_gate(rail):
    refund = made.requested(made.paid())
    gate(refund.provider_account, is_open=False)

    for _ in range(2):
        refunds.request(refund_id=refund.id, now=made.NOW)

    refund = made.reloaded(refund)
    assert (refund.status, refund.tries, refund.sent_at) == (RefundStatus.REQUESTED, 0, None)
    assert refund.next_request_at == made.NOW + timedelta(seconds=30)

    pending = made.pending(made.paid())
    gate(pending.provider_account, is_open=False)
    due = pending.next_query_at
    refunds.query(refund_id=pending.id, now=due)
    pending = made.reloaded(pending)
    assert (pending.status, pending.next_query_at) == (RefundStatus.PENDING, due + timedelta(seconds=30))


def test_what_a_person_asked_is_asked_again_for_a_day_and_not_for_ever(rail):
    attempt = payments.waiting()
    gate(attempt.provider_account, is_open=False)
    late = NOW + timedelta(days=3)
    intents.verify(intent_id=attempt.intent_id, receipt="NLJ7RT61SV", actor=SYSTEM, now=late)
    refund = made.unknown()
    refunds.verify(refund_id=refund.id, receipt="NLR7RT61SV", actor=SYSTEM, now=late)

    started = []
    for wait in (timedelta(), timedelta(hours=23), timedelta(hours=24)):
        with jobs.held() as held:
            receipts.ask(attempt_id=attempt.id, now=late + wait)
            refunds.ask(refund_id=refund.id, now=late + wait)
        started.append([(job.name, job.countdown) for job in held])

    both = [("payments.request_status", 30), ("payments.request_refund_status", 30)]
    assert started == [both, both, []]


def test_a_question_about_what_is_given_up_already_ends_with_its_day(rail):
    refund = made.pending(made.paid())
    sendings.lose(refund_id=refund.id, now=NOW)
    gate(refund.provider_account, is_open=False)
    late = NOW + timedelta(days=3)
    refunds.verify(refund_id=refund.id, receipt="", actor=SYSTEM, now=late)

    plans = []
    for wait in (timedelta(), timedelta(hours=23), timedelta(hours=24)):
        refunds.query(refund_id=refund.id, now=late + wait)
        plans.append(made.reloaded(refund).next_query_at is not None)

    assert plans == [True, True, False]
    assert made.reloaded(refund).status == RefundStatus.UNKNOWN


def test_a_rule_says_after_how_long_what_never_left_is_sent_again(rail):
    rule = ErrorRule(MPESA, Flow.COLLECTION, "500.003.02", "provider_unavailable", retry_after_seconds=120)
    error_rules.put(rule=rule, actor=SYSTEM, now=NOW)
    rail.script("rate_limit", times=1)
    intent = payments.intent()

    intents.request(intent_id=intent.id, now=NOW)

    assert payments.reload(intent.id).next_request_at == after(120)


def test_a_question_about_a_refund_that_ended_meanwhile_is_asked_no_more(acme, monkeypatch):
    refund = made.pending()
    monkeypatch.setitem(providers.PORTS[MPESA], RefundQueryPort, object)  # as of a rail that answers at once
    sendings.decline(refund_id=refund.id, refusal=ProviderDeclined("declined", "No."), now=NOW)

    refusal = ProviderHeldBack("Outage", pause=timedelta(seconds=30))
    sendings.put_off_query(refund_id=refund.id, refusal=refusal, now=NOW)

    refund = made.reloaded(refund)
    assert (refund.status, refund.next_query_at) == (RefundStatus.FAILED, None)

"""Late money: what the organisation has chosen becomes of money that comes after its payment was closed."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from apps.access.selectors.scope import BeyondOwnBranches
from apps.audit.models import AuditRecord
from apps.integrations.ports import InboundCheck
from apps.integrations.services import providers
from apps.kit import actors
from apps.kit.actors import PROVIDER, SYSTEM
from apps.kit.money import Money
from apps.payments.contracts import CollectionTerms, IntentStatus, LateMoney, RefundStatus
from apps.payments.models import CollectionPolicy, Refund
from apps.payments.selectors import policies as chosen
from apps.payments.services import inbound_checks, intents, policies, refund_limits, refunds, sendings, sweeps
from tests.factories import access, payments
from tests.factories import refunds as made
from tests.payments.conftest import books, told
from tests.payments.test_inbound_receipts import notice

NOW = payments.NOW + timedelta(minutes=1)


def choose(**facts):
    return policies.choose(terms=CollectionTerms(**facts), reason="Agreed.", actor=SYSTEM, now=NOW)


def closed(**facts):
    attempt = payments.waiting(**facts)
    report = payments.declined(attempt)
    intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=NOW)
    return payments.reloaded(attempt)


def collect(attempt, **facts):
    report = payments.collected(attempt, **facts)
    intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=NOW)
    return payments.reloaded(attempt)


def sweep_late(attempt):
    for _ in range(2):
        sweeps.do(deed="refund_late", row_id=attempt.id, now=NOW)


def test_it_pays_where_nothing_was_chosen(acme):
    attempt = collect(closed())

    intent = payments.reload(attempt.intent_id)
    assert (intent.status, intent.is_late, attempt.is_in_suspense) == (IntentStatus.SUCCEEDED, True, False)


def test_it_waits_in_suspense(acme):
    choose(late_money=LateMoney.SUSPENSE)

    attempt = collect(closed())

    intent = payments.reload(attempt.intent_id)
    assert (intent.status, intent.is_late, attempt.is_in_suspense) == (IntentStatus.IN_REVIEW, True, True)
    assert told(intent.id)[-2:] == ["payment_failed", "payment_in_review"]
    assert books()["SUSPENSE"] == "1500.00"
    sweep_late(attempt)
    assert not Refund.objects.exists()


def test_it_goes_back_by_itself_once_its_receipt_is_known(acme):
    choose(late_money=LateMoney.REFUND)
    attempt = collect(closed(), receipt="")
    sweep_late(attempt)
    assert not Refund.objects.exists()

    attempt = collect(attempt)
    sweep_late(attempt)

    refund = Refund.objects.get()
    assert (refund.attempt_id, refund.money, refund.created_by) == (attempt.id, attempt.received, str(SYSTEM))
    assert payments.reloaded(attempt).refund_due_at is None
    refund = sendings.begin(refund_id=refund.id, now=NOW)
    report = made.given_back(refund)
    refunds.record(refund_id=refund.id, report=report, actor=PROVIDER, now=NOW)
    assert Refund.objects.get().status == RefundStatus.SUCCEEDED
    assert "SUSPENSE" not in books()


def test_what_could_not_go_back_by_itself_is_for_people_who_may_try_again(acme):
    choose(late_money=LateMoney.REFUND)
    attempt = collect(closed())
    sweep_late(attempt)
    refund = sendings.begin(refund_id=Refund.objects.get().id, now=NOW)

    refunds.record(refund_id=refund.id, report=made.declined(refund), actor=PROVIDER, now=NOW)

    attempt = payments.reloaded(attempt)
    assert (attempt.is_in_suspense, attempt.refund_pending_minor) == (True, 0)
    assert told(attempt.intent_id)[-1] == "payment_in_review"
    again = refunds.give_back(attempt_id=attempt.id, reason="By hand.", actor=SYSTEM, now=NOW)
    assert again.status == RefundStatus.REQUESTED


def test_what_a_payment_holds_is_given_back_from_suspense_only(acme):
    attempt = collect(payments.waiting())

    with pytest.raises(refund_limits.NotInSuspense):
        refunds.give_back(attempt_id=attempt.id, reason="By mistake.", actor=SYSTEM, now=NOW)

    assert not Refund.objects.exists()


def test_choosing_is_recorded_once_and_not_for_a_branch(acme):
    choose(late_money=LateMoney.SUSPENSE, refuses_unknown=True)
    choose(late_money=LateMoney.SUSPENSE, refuses_unknown=True)

    record = AuditRecord.objects.get(action="payment.policy_chosen")
    assert record.changes == {"late_money": ["ACCEPT", "SUSPENSE"], "refuses_unknown": [False, True]}
    assert chosen.current() == CollectionTerms(LateMoney.SUSPENSE, refuses_unknown=True)

    member = access.member("treasury_officer", branches=(access.branch(),))
    with pytest.raises(BeyondOwnBranches):
        policies.choose(terms=CollectionTerms(), reason="Mine.", actor=actors.person(member.user_id), now=NOW)
    assert CollectionPolicy.objects.get().late_money == LateMoney.SUSPENSE

    with pytest.raises(IntegrityError, match="policy_repeated_within"), transaction.atomic():
        CollectionPolicy.objects.update(repeated_within_hours=0)


@pytest.mark.parametrize(
    ("terms", "reference", "shillings", "answer"),
    [
        ({}, "", 1, InboundCheck.ACCEPT),
        ({"refuses_unknown": True}, "", 1500, InboundCheck.BAD_ACCOUNT),
        ({"refuses_unknown": True}, "INV-7", 1500, InboundCheck.BAD_ACCOUNT),
        ({"refuses_unknown": True}, "closed", 1500, InboundCheck.BAD_ACCOUNT),
        ({"refuses_unknown": True}, "intent", 1, InboundCheck.ACCEPT),
        ({"refuses_other_sums": True}, "intent", 1, InboundCheck.BAD_AMOUNT),
        ({"refuses_other_sums": True}, "attempt", 1, InboundCheck.BAD_AMOUNT),
        ({"refuses_other_sums": True}, "attempt", 1500, InboundCheck.ACCEPT),
        ({"refuses_other_sums": True}, "INV-7", 1, InboundCheck.ACCEPT),
    ],
)
def test_a_check_is_answered_by_the_terms(
    acme, django_assert_max_num_queries, terms, reference, shillings, answer
):
    attempt, ended = payments.waiting(), closed()
    known = {
        "attempt": attempt.code.lower(),
        "intent": f" {payments.reload(attempt.intent_id).code}-",
        "closed": payments.reload(ended.intent_id).code,
    }
    if terms:
        choose(**terms)
    report = notice(known.get(reference, reference), money=Money(shillings * 100, "KES"))

    with django_assert_max_num_queries(2):
        found = inbound_checks.decide(account_id=attempt.provider_account_id, report=report, now=NOW)

    assert found is answer


def test_a_refused_one_is_tried_again_over_hours_and_then_left_to_people(acme, monkeypatch):
    choose(late_money=LateMoney.REFUND)
    attempt = collect(closed())
    monkeypatch.setitem(providers.PORTS, "mpesa", {})
    at = NOW
    waits = []
    for _ in range(5):
        for _ in range(2):
            sweeps.do(deed="refund_late", row_id=attempt.id, now=at)
        attempt = payments.reloaded(attempt)
        due = attempt.refund_due_at
        waits.append((due - at) / timedelta(minutes=1) if due else None)
        at = due or at

    assert waits == [1, 10, 60, 360, None]
    sweeps.do(deed="refund_late", row_id=attempt.id, now=at + timedelta(days=1))
    attempt = payments.reloaded(attempt)
    assert attempt.late_refund_tries == 5
    assert attempt.late_refund_refusal == "M-Pesa gives no money back from here."
    assert told(attempt.intent_id)[-2:] == ["payment_in_review", "payment_in_review"]
    assert (attempt.is_in_suspense, Refund.objects.exists()) == (True, False)

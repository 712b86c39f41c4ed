"""Route payment: which account an attempt goes through, why, and when another one takes over by itself."""

from datetime import timedelta

import pytest
from django.db import connection

from apps.integrations.ports import (
    CollectionReport,
    Outcome,
    ProviderDeclined,
    ProviderHeldBack,
    ProviderUnavailable,
)
from apps.integrations.services import accounts, gates
from apps.kit import circuits
from apps.kit.actors import PROVIDER, SYSTEM
from apps.kit.money import Money
from apps.payments.contracts import AttemptStatus, IntentStatus, Method
from apps.payments.models import PaymentAttempt, RoutingDecision
from apps.payments.services import attempts, intents, limits, methods, pay_pages, routing, sweeps
from tests.factories import access, payments
from tests.factories.routing import rule
from tests.payments.conftest import told

NOW = payments.NOW
KES_5 = Money(5_00, "KES")


@pytest.fixture
def two(acme):
    """Return two accounts of head office; the first one is the older."""
    return payments.account(), payments.account()


def begin(intent, now=NOW):
    return attempts.begin(intent_id=intent.id, now=now)


def account_fault():
    return ProviderDeclined("configuration", "Not set up.", provider_code="400", may_fall_back=True)


def decision_of(attempt):
    return RoutingDecision.objects.get(attempt=attempt)


def lower(account):
    """Have an account collect no more than KES 1,000.00."""
    terms = {name: getattr(account, name) for name in accounts.TERMS}
    changed = accounts.AccountTerms(**{**terms, "maximum_minor": 1_000_00})
    accounts.change(account_id=account.id, terms=changed, actor=SYSTEM, now=NOW)


def facts(attempt):
    found = decision_of(attempt)
    return found.rule_id, found.is_fallback, found.candidates, found.dropped


def texts(*accounts_of):
    return [str(account.id) for account in accounts_of]


def test_without_rules_the_oldest_account_of_the_branch_is_asked_and_the_decision_is_stored(two):
    first, second = two

    attempt = begin(payments.intent())

    assert attempt.provider_account == first
    assert facts(attempt) == (None, False, texts(first, second), {})


def test_a_branch_with_an_account_of_its_own_uses_that_of_head_office_by_rule_alone(acme):
    office, branch = payments.account(), access.branch()
    own = payments.account(branch_id=branch.id)
    by_itself = begin(payments.intent(branch_id=branch.id))

    made = rule(office, branch_id=branch.id)
    by_rule = begin(payments.intent(branch_id=branch.id))

    assert (by_itself.provider_account, decision_of(by_itself).candidates) == (own, texts(own))
    assert (by_rule.provider_account, decision_of(by_rule).rule) == (office, made)
    assert decision_of(by_rule).candidates == texts(office, own)


def test_the_rule_of_a_branch_is_asked_before_the_organisations(two):
    first, second = two
    rule(first, position=1)
    own = rule(second, position=900, branch_id=access.head_office().id)

    attempt = begin(payments.intent())

    assert (attempt.provider_account, decision_of(attempt).rule) == (second, own)


def test_circuits_are_read_while_nothing_is_locked(committed_acme, monkeypatch):
    first, second = payments.account(), payments.account()
    gates.open_circuit(account_id=first.id, kind="stk_push", actor=SYSTEM, now=NOW, reason="Outage")
    right, is_locked = circuits.look, []

    def look(names):
        is_locked.append(connection.in_atomic_block)
        return right(names)

    monkeypatch.setattr(circuits, "look", look)

    assert begin(payments.intent()).provider_account == second
    assert is_locked == [False]


def test_an_account_whose_circuit_is_open_gives_way_to_another(two):
    first, second = two
    gates.open_circuit(account_id=first.id, kind="stk_push", actor=SYSTEM, now=NOW, reason="Outage")

    attempt = begin(payments.intent())

    assert attempt.provider_account == second
    assert decision_of(attempt).dropped == {str(first.id): "CIRCUIT_OPEN"}


def test_an_account_that_is_not_set_up_right_is_left_alone_until_its_secrets_are_new_or_ten_minutes_passed(
    two,
):
    first, second = two
    failed = begin(payments.intent())
    refusal = ProviderDeclined("configuration", "Not set up.")
    attempts.decline(attempt_id=failed.id, refusal=refusal, now=NOW)

    soon = begin(payments.intent(now=NOW + timedelta(minutes=9)), now=NOW + timedelta(minutes=9))
    later = begin(payments.intent(now=NOW + timedelta(minutes=11)), now=NOW + timedelta(minutes=11))

    assert (soon.provider_account, decision_of(soon).dropped) == (second, {str(first.id): "CONFIGURATION"})
    assert later.provider_account == first


def test_a_sum_is_admitted_where_any_account_that_may_serve_takes_it(two):
    office, branch = two[0], access.branch()
    payments.account(branch_id=branch.id, maximum_minor=1_000_00)
    with pytest.raises(limits.AmountTooLarge) as refusal:
        payments.intent(branch_id=branch.id)
    rule(office, branch_id=branch.id)

    attempt = begin(payments.intent(branch_id=branch.id))

    assert "1,000.00" in str(refusal.value)
    assert attempt.provider_account == office
    with pytest.raises(limits.AmountTooSmall):
        payments.intent(branch_id=branch.id, money=KES_5)


def test_a_refusal_that_is_the_accounts_fault_leads_to_another_account_once(two):
    first, second = two
    intent = payments.intent()
    refused = begin(intent)

    attempts.decline(attempt_id=refused.id, refusal=account_fault(), now=NOW)
    assert payments.reload(intent.id).next_request_at == NOW
    follower = begin(intent)
    attempts.decline(attempt_id=follower.id, refusal=account_fault(), now=NOW)

    assert payments.reloaded(refused).status == AttemptStatus.FAILED
    assert (follower.provider_account, follower.number) == (second, 2)
    assert facts(follower)[1:] == (True, texts(second), {str(first.id): "TRIED"})
    ended = payments.reload(intent.id)
    assert (ended.status, ended.failure_code) == (IntentStatus.FAILED, "configuration")
    assert told(intent.id)[-1] == "payment_failed"
    assert begin(intent) is None


def test_a_result_that_says_no_leads_to_another_account_where_its_rule_allows(two):
    intent = payments.intent()
    attempt = begin(intent)
    attempts.accept(attempt_id=attempt.id, ticket=payments.ticket("ws_1"), now=NOW)
    report = CollectionReport("ws_1", Outcome.DECLINED, reason_code="configuration", may_fall_back=True)

    for _ in range(2):
        intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=NOW)

    follower = begin(intent)
    assert (follower.provider_account, decision_of(follower).is_fallback) == (two[1], True)


def test_nothing_follows_by_itself_an_attempt_that_was_unknown(two):
    intent = payments.intent()
    attempt = begin(intent)
    attempts.lose(attempt_id=attempt.id, now=NOW)
    assert begin(intent) is None
    report = CollectionReport("", Outcome.DECLINED, reason_code="configuration", may_fall_back=True)

    intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=NOW)

    assert payments.reload(intent.id).status == IntentStatus.FAILED
    assert intent.attempts.count() == 1


def test_a_method_is_offered_where_routing_has_an_account_for_it_and_not_elsewhere(two):
    first, second, branch = *two, access.branch()
    own = payments.account(branch_id=branch.id)
    intent = payments.intent(branch_id=branch.id)
    lower(own)
    by_itself = methods.offered(intent, now=NOW)

    rule(first, branch_id=branch.id, method=Method.MPESA)
    by_rule = methods.offered(intent, now=NOW)
    gates.open_circuit(account_id=first.id, kind="stk_push", actor=SYSTEM, now=NOW, reason="Outage")

    assert (by_itself, by_rule) == ([], [Method.MPESA])
    assert methods.offered(intent, now=NOW) == []
    assert routing.takers(payments.intent(), method=Method.MPESA, now=NOW) == [second]


@pytest.mark.parametrize("how", ["by the payer", "cancelled", "late", "alone"])
def test_nothing_follows_a_refusal(two, how):
    intent = payments.intent()
    attempt = begin(intent)
    refusal, now = account_fault(), NOW
    if how == "by the payer":
        refusal = ProviderDeclined("insufficient_funds", "Not enough.")
    elif how == "cancelled":
        intents.cancel(intent_id=intent.id, actor=SYSTEM, now=NOW)
    elif how == "late":
        now = NOW + timedelta(minutes=10, seconds=1)
    else:
        accounts.disable(account_id=two[1].id, actor=SYSTEM, now=NOW)

    attempts.decline(attempt_id=attempt.id, refusal=refusal, now=now)

    assert payments.reload(intent.id).status in (IntentStatus.FAILED, IntentStatus.CANCELLED)
    assert intent.attempts.count() == 1


def test_what_never_left_is_sent_through_another_account_and_then_through_the_same(two):
    first, second = two
    intent, now, used = payments.intent(), NOW, []

    for _ in range(3):
        attempt = begin(intent, now)
        used.append((attempt.provider_account, decision_of(attempt).is_fallback))
        attempts.withdraw(attempt_id=attempt.id, refusal=ProviderUnavailable("provider_unavailable"), now=now)
        now += timedelta(seconds=30)

    assert used == [(first, False), (second, True), (second, False)]
    assert payments.reload(intent.id).status == IntentStatus.FAILED


def test_what_our_gate_kept_back_goes_through_another_account(two):
    intent = payments.intent()
    attempt = begin(intent)
    refusal = ProviderHeldBack("Too many.", pause=timedelta(seconds=1))
    attempts.withdraw(attempt_id=attempt.id, refusal=refusal, now=NOW)

    follower = begin(intent, NOW + timedelta(seconds=1))

    assert (follower.provider_account, decision_of(follower).is_fallback) == (two[1], True)


def test_a_payer_who_asks_again_is_routed_anew_even_where_the_job_was_lost(two):
    intent = payments.intent()
    pay_pages.make(intent_id=intent.id, actor=SYSTEM, now=NOW)
    attempt = begin(intent)
    attempts.decline(attempt_id=attempt.id, refusal=ProviderDeclined("expired", "No answer."), now=NOW)
    later = NOW + timedelta(minutes=1)
    intents.confirm(intent_id=intent.id, actor=SYSTEM, now=later)
    found = later + timedelta(minutes=1)
    sweeps.resend_lost_jobs(now=found)

    again = begin(intent, found)

    assert (again.provider_account, decision_of(again).is_fallback) == (two[0], False)


def test_a_payment_that_no_account_can_take_any_more_fails_and_says_why(acme):
    account = payments.account()
    intent = payments.intent()
    lower(account)

    assert begin(intent) is None

    ended = payments.reload(intent.id)
    assert (ended.status, ended.failure_code) == (IntentStatus.FAILED, "method_not_available")
    assert f"{account}: the sum is outside its limits" in ended.failure_message
    assert not PaymentAttempt.objects.exists()

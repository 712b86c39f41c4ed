"""Silent halves: payments confirmed without a receipt, and receipts without a reference, are never booked twice for one another."""

import threading
import time
from datetime import timedelta
from itertools import count, product

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.kit import ids
from apps.kit.actors import PROVIDER, SYSTEM, Actor, ActorKind
from apps.ledger.contracts import AccountRole
from apps.payments.contracts import AttemptStatus, Choice, InboundStatus, IntentStatus, Method, Recorded
from apps.payments.models import InboundReceipt
from apps.payments.services import attempts, intents, refunds, reports, resolutions, sendings
from apps.payments.services.reports import ReportContradicts
from tests.factories import access, payments
from tests.factories import refunds as made
from tests.payments.conftest import books, every_balance, told
from tests.payments.test_inbound_receipts import notice, stk, take
from tests.payments.test_two_connections import at_once

NOW = payments.NOW + timedelta(seconds=30)
A_DAY_LATER = NOW + timedelta(hours=25)
BLOCKED = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
WHY = "The payer called."
PAYERS = count(1)
R1, R2, R3 = "SKH0000001", "SKH0000002", "SKH0000003"


@pytest.fixture(autouse=True)
def portal(request):
    request.getfixturevalue("committed_acme" if "committed_acme" in request.fixturenames else "acme")
    access.portal()


def poll(attempt):
    """The provider confirms an attempt, and tells neither sum nor receipt."""
    return stk(attempt, receipt="", money=None)


def assign(inbound, intent_id, now=NOW):
    return resolutions.assign(inbound_id=inbound.id, intent_id=intent_id, reason=WHY, actor=SYSTEM, now=now)


def give_back(inbound, now=NOW):
    return resolutions.give_back(inbound_id=inbound.id, reason=WHY, actor=SYSTEM, now=now)


def movements():
    """Return how many movements of KES 1,500.00 the books hold, whole, wherever they stand."""
    standing = every_balance()
    held = standing[AccountRole.SUSPENSE] + standing[AccountRole.UNAPPLIED_COLLECTIONS]
    return held.minor / payments.KES_1500.minor


def test_a_payment_that_several_receipts_may_be_of_is_booked_by_nobody_until_a_person_says(acme):
    attempt = payments.waiting()
    [first, second] = [take(notice("", receipt=receipt))[1] for receipt in (R1, R2)]

    for _ in range(2):
        assert poll(attempt) == Recorded.IGNORED

    attempt = payments.reloaded(attempt)
    assert (attempt.status, attempt.next_query_at, attempt.is_booked) == (AttemptStatus.UNKNOWN, None, False)
    assert told(attempt.intent_id)[-2:] == ["payment_unknown", "payment_in_review"]
    assert movements() == 2
    for deed in (lambda: give_back(first), lambda: assign(second, payments.intent().id)):
        with pytest.raises(resolutions.MayBeOfAnother):
            deed()
    for slug, is_told in ((attempt.application.slug, True), ("somebody-else", False)):
        key = Actor(ActorKind.API_KEY, str(ids.new()), application=slug)
        with pytest.raises(resolutions.MayBeOfAnother) as refusal:
            resolutions.give_back(inbound_id=first.id, reason=WHY, actor=key, now=NOW)
        assert (attempt.code in refusal.value.detail) is is_told

    assign(second, attempt.intent_id)
    attempt = payments.reloaded(attempt)
    assert (attempt.status, attempt.provider_receipt) == (AttemptStatus.SUCCEEDED, R2)
    assert payments.reload(attempt.intent_id).current_attempt_id == attempt.id
    assert stk(attempt, receipt=R2) == Recorded.DUPLICATE
    give_back(first)
    assert movements() == 2


def test_money_given_to_a_payment_whose_prompt_is_open_is_the_prompts(acme):
    attempt = payments.waiting()
    inbound = take(notice("", receipt=R1))[1]

    assign(inbound, attempt.intent_id)

    attempt = payments.reloaded(attempt)
    assert (attempt.status, attempt.provider_receipt) == (AttemptStatus.SUCCEEDED, R1)
    assert payments.reload(attempt.intent_id).current_attempt_id == attempt.id
    assert poll(attempt) == stk(attempt, receipt=R1) == Recorded.DUPLICATE
    assert movements() == 1
    assert told(attempt.intent_id)[-1] == "payment_success"


@pytest.mark.parametrize("is_first_told", [True, False], ids=["told before", "told after"])
def test_money_whose_receipts_people_gave_elsewhere_is_booked_no_second_time_under_none(acme, is_first_told):
    attempt = payments.waiting()
    [first, second] = [take(notice("", receipt=receipt))[1] for receipt in (R1, R2)]
    if is_first_told:
        poll(attempt)
    give_back(first, A_DAY_LATER)
    assign(second, payments.intent().id, A_DAY_LATER)

    for _ in range(2):
        assert stk(attempt, receipt="", money=None, now=A_DAY_LATER) == Recorded.IGNORED

    assert movements() == 2
    assert payments.reloaded(attempt).status == AttemptStatus.UNKNOWN
    assert told(attempt.intent_id).count("payment_in_review") == 1
    assert stk(attempt, receipt=R3, now=A_DAY_LATER) == Recorded.APPLIED
    assert payments.reload(attempt.intent_id).status == IntentStatus.SUCCEEDED
    assert movements() == 3


def test_money_that_people_gave_to_its_own_payment_is_not_booked_again_by_the_attempt_that_had_failed(acme):
    attempt = payments.waiting()
    take(notice("", receipt=R1))
    intents.record(attempt_id=attempt.id, report=payments.declined(attempt), actor=PROVIDER, now=NOW)
    assign(InboundReceipt.objects.get(), attempt.intent_id)

    assert poll(attempt) == Recorded.IGNORED

    assert movements() == 1
    assert payments.reload(attempt.intent_id).status == IntentStatus.SUCCEEDED


def test_a_confirmation_and_the_gift_of_what_may_be_its_receipt_at_once_book_once(committed_acme):
    attempt, other = payments.waiting(), payments.intent()
    inbound = take(notice("", receipt=R1))[1]

    at_once(
        lambda: stk(attempt, receipt="", money=None, now=A_DAY_LATER),
        lambda: assign(inbound, other.id, A_DAY_LATER),
    )

    assert movements() == 1
    assert payments.reloaded(attempt).is_booked is (payments.reload(other.id).settled_at is None)


def test_money_that_goes_back_after_all_while_it_is_looked_at_is_not_booked_under_no_receipt(committed_acme):
    attempt = payments.waiting()
    inbound = take(notice("", receipt=R1))[1]
    refund = sendings.begin(refund_id=give_back(inbound, A_DAY_LATER).id, now=A_DAY_LATER)
    tell(refund, made.declined(refund))
    told_so = []

    def come_between(execute, sql, *asked):
        found = execute(sql, *asked)
        if not told_so and '"payments_inboundreceipt"."received_at" >=' in sql:
            told_so.extend(at_once(lambda: tell(refund, made.given_back(refund))))
        return found

    with connection.execute_wrapper(come_between):
        recorded = stk(attempt, receipt="", money=None, now=A_DAY_LATER)

    assert told_so == [Recorded.APPLIED]
    assert recorded == Recorded.IGNORED
    assert payments.reloaded(attempt).status == AttemptStatus.UNKNOWN
    assert movements() == 0


def tell(refund, report):
    return refunds.record(refund_id=refund.id, report=report, actor=PROVIDER, now=A_DAY_LATER)


def test_the_provider_may_say_it_and_a_day_later_people_decide(acme):
    attempt = payments.waiting()
    [first, second] = [take(notice("", receipt=receipt))[1] for receipt in (R1, R2)]
    poll(attempt)

    give_back(second, now=NOW + timedelta(hours=25))
    stk(attempt, receipt=R1)

    first.refresh_from_db()
    assert (first.status, first.attempt_id) == (InboundStatus.MATCHED, attempt.id)
    assert payments.reload(attempt.intent_id).status == IntentStatus.SUCCEEDED
    assert movements() == 2


def test_a_receipt_that_two_prompts_wait_for_is_given_to_neither_by_guess(acme):
    first, second = payments.waiting(), payments.waiting()
    take(notice("", receipt=R1))

    assert poll(first) == Recorded.IGNORED
    stk(second, receipt=R1)

    assert payments.reload(second.intent_id).status == IntentStatus.SUCCEEDED
    assert movements() == 1
    assert poll(first) == Recorded.APPLIED
    assert movements() == 2
    assert take(notice("", receipt=R2))[1].attempt_id == first.id
    assert movements() == 2


def test_what_stood_for_a_payment_is_booked_once_that_is_paid_under_another_receipt(acme):
    first, second = payments.waiting(), payments.waiting()
    for attempt in (first, second):
        poll(attempt)
    for receipt in (R1, R2, R3):
        take(notice("", receipt=receipt))
    assert movements() == 3

    stk(first, receipt=R3)

    assert InboundReceipt.objects.get(receipt=R1).status == InboundStatus.SUSPENSE
    assert movements() == 3
    stk(second, receipt=R1)
    assert movements() == 3


def test_what_stood_for_a_payment_is_matched_once_its_reference_is_told(acme):
    first, second, other = payments.waiting(), payments.waiting(), payments.intent()
    for attempt in (first, second):
        poll(attempt)
    for receipt in (R1, R2, R3):
        take(notice("", receipt=receipt))
    stk(first, receipt=R3)
    released = InboundReceipt.objects.get(receipt=R1)

    take(notice(other.code, receipt=R1))

    matched = InboundReceipt.objects.get(receipt=R1)
    assert (released.status, released.intent_id) == (InboundStatus.SUSPENSE, None)
    assert (matched.status, matched.intent_id) == (InboundStatus.MATCHED, other.id)
    assert payments.reload(other.id).status == IntentStatus.SUCCEEDED
    assert movements() == 3


def test_however_late_a_receipt_is_told_what_stood_for_its_payment_is_not_booked_again(acme):
    first, second = payments.waiting(), payments.waiting()
    for attempt in (first, second):
        poll(attempt)
    take(notice("", receipt=R1))

    stk(first, receipt=R2, now=A_DAY_LATER)

    assert InboundReceipt.objects.get().attempt_id == second.id
    assert movements() == 2


EVENTS = st.sampled_from([("tell", 0), ("tell", 1), ("tell", 2), *product(("poll", "say", "assign"), (0, 1))])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(EVENTS, max_size=7))
def test_in_any_order_each_movement_is_booked_once(acme, events):
    """Two prompts are paid under the first two receipts, and somebody pays unasked under the third."""
    payer = 100 + next(PAYERS)
    choice = Choice(Method.MPESA, f"0712345{payer}")
    prompts = payments.waiting(choice=choice), payments.waiting(choice=choice)
    account = prompts[0].provider_account
    receipts = [payments.receipt() for _ in range(3)]
    before = movements()
    everything = [*events, *[("poll", place) for place in range(2)], *[("tell", place) for place in range(3)]]
    for deed, place in everything:
        try:
            if deed == "tell":
                take(notice("", receipt=receipts[place], payer=f"2547 ***** {payer}"), account)
            elif deed == "poll":
                poll(prompts[place])
            elif deed == "assign":
                for inbound in InboundReceipt.objects.waiting().filter(receipt=receipts[place]):
                    assign(inbound, prompts[place].intent_id)
            else:
                stk(prompts[place], receipt=receipts[place])
        except (ReportContradicts, resolutions.DoesNotFit, resolutions.MayBeOfAnother):
            pass
        assert movements() - before <= 3
    assert movements() - before == 3


def test_a_poll_and_a_receipt_at_once_are_booked_once(committed_acme):
    attempt = payments.waiting()

    at_once(lambda: poll(attempt), lambda: take(notice("", receipt=R1)))

    assert movements() == 1
    assert payments.reloaded(attempt).provider_receipt == R1


def test_a_poll_and_a_second_receipt_at_once_are_booked_once(committed_acme):
    attempt = payments.waiting()
    take(notice("", receipt=R1))

    at_once(lambda: poll(attempt), lambda: take(notice("", receipt=R2)))

    assert movements() == 2


@pytest.mark.parametrize("is_told", [True, False], ids=["told", "being told"])
def test_a_receipt_never_stands_for_a_payment_that_is_told_another_one_meanwhile(committed_acme, is_told):
    first, second = payments.waiting(), payments.waiting()
    for attempt in (first, second):
        poll(attempt)
    taking = threading.Thread(target=elsewhere(lambda: take(notice("", receipt=R1), first.provider_account)))

    with transaction.atomic():
        if is_told:
            stk(first, receipt=R2)
        else:  # as by a report that was read before the payment was booked without a receipt
            report = payments.collected(first, receipt=R2)
            reports.complete(attempts.locked(first.id), report, actor=PROVIDER, now=NOW)
        taking.start()
        is_held_up(taking)
    taking.join(30)

    assert InboundReceipt.objects.get().attempt_id == second.id
    assert movements() == 2


def elsewhere(deed):
    """Return the deed, to be done on another connection."""
    organisation = connection.tenant

    def run():
        connection.set_tenant(organisation)
        try:
            deed()
        finally:
            connection.close()

    return run


def is_held_up(thread):
    """Return when a deed of another thread waits for this connection."""
    until = time.monotonic() + 20
    with connection.cursor() as cursor:
        while thread.is_alive() and time.monotonic() < until:
            cursor.execute(BLOCKED)
            if cursor.fetchone()[0]:
                return
            time.sleep(0.02)
    raise AssertionError("the other deed did not wait")


def test_giving_back_and_assigning_at_once_is_one_deed(committed_acme):
    inbound, intent = payments.held(payer="2541 ***** 111"), payments.intent()

    results = at_once(lambda: give_back(inbound), lambda: assign(inbound, intent.id))

    assert sum(isinstance(result, resolutions.NotWaiting) for result in results) == 1
    assert movements() == 1
    assert books()["PROVIDER_BALANCE"] == "1492.50"

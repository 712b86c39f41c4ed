"""Payments that people should look at: for each doubt some that raise it, and some that almost do."""

from datetime import timedelta

from apps.kit.actors import PROVIDER, SYSTEM
from apps.kit.money import Money
from apps.ledger.models import Transaction
from apps.payments.contracts import Doubt
from apps.payments.exports import PAYMENTS
from apps.payments.models import PaymentAttempt, PaymentIntent
from apps.payments.selectors import doubts
from apps.payments.services import attempts, intents, resolutions
from tests.factories import access, payments
from tests.factories import refunds as made
from tests.payments.test_late_money import choose
from tests.payments.test_pay_in_parts import TWO_THIRDS, partly, pay

NOW = payments.NOW + timedelta(minutes=11)
LATER = timedelta(minutes=5)
STRANGER = "2541 ***** 111"


def of(doubt):
    return set(doubts.of(doubt, PaymentIntent.objects.all(), now=NOW).values_list("id", flat=True))


def collect(attempt, **facts):
    report = payments.collected(attempt, **facts)
    intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=payments.NOW)
    return payments.reloaded(attempt)


def test_stuck_is_what_was_confirmed_ten_minutes_ago_and_has_no_outcome(acme):
    prompted, lost = payments.waiting(), payments.sending()
    attempts.lose(attempt_id=lost.id, now=payments.NOW)
    unsent = payments.intent()
    payments.waiting(now=NOW - LATER)
    payments.intent(choice=None, is_confirmed=False)
    made.paid()

    assert of(Doubt.STUCK) == {prompted.intent_id, lost.intent_id, unsent.id}


def test_doubled_is_what_was_paid_twice_while_the_second_money_is_here(acme):
    once = made.paid()
    beside = made.paid()
    payments.held(reference=beside.code)
    unexplained = made.paid()
    PaymentAttempt.objects.filter(id=unexplained.id).update(unexplained_receipt="NLJ7RT61SV")
    another_sum = collect(payments.waiting(), money=Money(1400_00, "KES"))

    found = of(Doubt.DOUBLED)

    assert found == {beside.intent_id, unexplained.intent_id}
    assert not found & {once.intent_id, another_sum.intent_id}


def test_two_payments_of_one_payable_are_doubled(acme):
    payable = {"payable_type": "order", "payable_id": "ORD-17"}
    first = payments.waiting(**payable)
    intents.record(attempt_id=first.id, report=payments.declined(first), actor=PROVIDER, now=payments.NOW)
    other = made.paid(payable_type="order", payable_id="ORD-18")
    second = made.paid(**payable)
    collect(payments.reloaded(first))

    found = of(Doubt.DOUBLED)

    assert found == {first.intent_id, second.intent_id}
    assert other.intent_id not in found


def test_parts_of_one_payable_are_doubled_only_beyond_what_was_asked_for(acme):
    access.portal()
    choose(takes_parts=True)
    rest, whole = {"payable_id": "ORD-17"}, {"payable_id": "ORD-18"}
    partly(payable_type="order", **rest)
    made.paid(payable_type="order", **rest, money=TWO_THIRDS)
    first = payments.intent(payable_type="order", **whole)
    pay(first, receipt="SKH0000003")
    intents.cancel(intent_id=first.id, actor=SYSTEM, now=NOW)
    second = made.paid(payable_type="order", **whole)

    assert of(Doubt.DOUBLED) == {first.id, second.intent_id}


def test_unposted_is_money_that_the_books_do_not_know(acme, monkeypatch):
    access.portal()
    made.paid()
    payments.waiting()
    assigned = payments.intent()
    inbound = payments.held(payer=STRANGER)
    resolutions.assign(
        inbound_id=inbound.id, intent_id=assigned.id, reason="He called.", actor=SYSTEM, now=NOW
    )
    resolutions.give_back(
        inbound_id=payments.held(payer=STRANGER).id, reason="He called.", actor=SYSTEM, now=NOW
    )
    collect(payments.waiting(), money=Money(1400_00, "KES"))
    assert of(Doubt.UNPOSTED) == set()

    monkeypatch.setattr("apps.ledger.services.journals.post", lambda **_: Transaction(uid=inbound.id))
    forgotten = made.paid()

    assert of(Doubt.UNPOSTED) == {forgotten.intent_id}


def test_an_export_takes_several_doubts_together(acme):
    stuck, once, twice = payments.waiting(), made.paid(), made.paid()
    payments.held(reference=twice.code)
    choice = next(each for each in PAYMENTS.choices if each.name == "doubt")

    found = choice.narrow(PaymentIntent.objects.order_by("-id"), (Doubt.STUCK, Doubt.DOUBLED), NOW)

    assert [intent.id for intent in found] == [twice.intent_id, stuck.intent_id]
    assert once.intent_id in {intent.id for intent in choice.narrow(PaymentIntent.objects.all(), (), NOW)}


def test_what_names_no_doubt_finds_nothing(acme):
    payments.waiting()

    assert of("else") == set()

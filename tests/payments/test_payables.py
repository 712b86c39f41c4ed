"""Payables: one payment at a time for what is paid, and no second prompt by mistake."""

from datetime import timedelta

import pytest

from apps.kit.actors import PROVIDER, SYSTEM
from apps.payments.contracts import (
    Choice,
    InboundSource,
    InboundStatus,
    IntentStatus,
    LateMoney,
    Method,
    Recorded,
)
from apps.payments.models import InboundReceipt, PaymentIntent
from apps.payments.services import inbound_receipts, intents, payables, resolutions
from tests.factories import access, payments
from tests.payments.conftest import books
from tests.payments.partner import Partner, body, refused
from tests.payments.test_inbound_receipts import notice
from tests.payments.test_late_money import choose
from tests.payments.test_two_connections import at_once

NOW = payments.NOW + timedelta(seconds=30)
ORDER = {"payable_type": "order", "payable_id": "ORD-7"}


def ask(now=NOW, **facts):
    return intents.create(request=payments.wanted(**facts), actor=SYSTEM, now=now)


def pay(intent):
    attempt = intents.attempts.begin(intent_id=intent.id, now=NOW)
    report = payments.collected(attempt)
    intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=NOW)


def test_has_one_live_payment(acme):
    first = payments.intent(**ORDER)

    with pytest.raises(payables.PaymentInProgress):
        ask(**ORDER)
    assert PaymentIntent.objects.get() == first

    intents.cancel(intent_id=first.id, actor=SYSTEM, now=NOW)
    assert ask(**ORDER).payable_id == "ORD-7"


def test_that_is_paid_is_not_asked_for_again(acme):
    pay(payments.intent(**ORDER))

    with pytest.raises(payables.AlreadyPaid):
        ask(**ORDER)
    assert PaymentIntent.objects.count() == 1
    assert ask(payable_type="order", payable_id="ORD-8")
    assert ask(**ORDER, application_id=access.application("other").id)


def test_is_named_whole(acme):
    payments.account()

    with pytest.raises(payables.PayableInvalid):
        ask(payable_type="order")

    assert not PaymentIntent.objects.exists()


def test_two_at_once_are_one_payment(committed_acme):
    payments.account()
    access.application()

    def create():
        try:
            return ask(**ORDER)
        except payables.PaymentInProgress:
            return None

    results = at_once(*[create] * 4)

    assert sum(result is not None for result in results) == 1


def test_the_same_sum_of_the_same_payer_within_two_minutes_is_a_mistake_unless_it_is_meant(acme):
    first = payments.intent()

    with pytest.raises(payables.DuplicateSuspected):
        ask(is_repeat_refused=True)
    assert PaymentIntent.objects.count() == 1
    waiting = ask(is_confirmed=False, is_repeat_refused=True)
    with pytest.raises(payables.DuplicateSuspected):
        intents.confirm(intent_id=waiting.id, actor=SYSTEM, now=NOW, is_repeat_refused=True)

    with pytest.raises(payables.DuplicateSuspected):  # one phone is one payer, whatever else is told of him
        ask(is_repeat_refused=True, choice=Choice(Method.MPESA, first.payer_phone, email="amos@acme.example"))

    assert ask(is_repeat_refused=True, choice=Choice(Method.MPESA, "0712345679"))
    assert ask(is_repeat_refused=True, now=first.created_at + timedelta(minutes=2))
    assert ask()


def test_a_double_click_is_one_payment(committed_acme):
    first = payments.intent(is_confirmed=False)
    second = payments.intent(is_confirmed=False)

    def refusable(call):
        try:
            return call()
        except payables.DuplicateSuspected:
            return None

    def confirm(intent):
        return lambda: refusable(
            lambda: intents.confirm(intent_id=intent.id, actor=SYSTEM, now=NOW, is_repeat_refused=True)
        )

    results = at_once(confirm(first), confirm(second), lambda: refusable(lambda: ask(is_repeat_refused=True)))

    assert sum(result is not None for result in results) == 1


def test_who_cancelled_is_asked_again_at_once(acme):
    attempt = payments.waiting()
    report = payments.declined(attempt)
    intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=NOW)

    assert ask(is_repeat_refused=True)


def test_over_the_api_a_payable_is_refused_and_a_repeat_forced(committed_acme):
    payments.account()
    shop = Partner()
    order = {"payable": {"type": "order", "id": "ORD-7"}, "force": True}
    said = shop.post(body=body(**order)).json()
    assert said["payable"] == order["payable"]

    refused(shop.post(body=body(**order, reference="ORD-2")), 409, "payment_in_progress", "/payable")
    refused(shop.post(body=body(reference="ORD-2")), 409, "duplicate_suspected", "/force")
    refused(
        shop.post(body=body(reference="ORD-2", payable={"type": "order"})), 422, "required", "/payable/id"
    )
    assert PaymentIntent.objects.count() == 1
    assert shop.post(body=body(reference="ORD-2", force=True)).status_code == 201


def failed(**facts):
    attempt = payments.waiting(**facts)
    report = payments.declined(attempt)
    intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=NOW)
    return payments.reloaded(attempt)


def collect(attempt):
    return intents.record(attempt_id=attempt.id, report=payments.collected(attempt), actor=PROVIDER, now=NOW)


def test_that_another_payment_has_paid_takes_no_more_money(acme):
    late, held = failed(**ORDER), payments.held(payer="2541 ***** 111")
    waiting = ask(**ORDER, is_confirmed=False)
    queued = PaymentIntent.objects.get(id=waiting.id)
    collect(late)

    with pytest.raises(payables.AlreadyPaid):
        intents.confirm(intent_id=queued.id, actor=SYSTEM, now=NOW)
    with pytest.raises(resolutions.DoesNotFit):
        resolutions.assign(
            inbound_id=held.id, intent_id=queued.id, reason="The payer called.", actor=SYSTEM, now=NOW
        )
    inbound_receipts.record(
        account_id=late.provider_account_id,
        notice=notice(queued.code),
        phone="",
        source=InboundSource.CONFIRMATION,
        actor=PROVIDER,
        now=NOW,
    )

    came = InboundReceipt.objects.get(receipt=notice("").receipt)
    assert (came.status, came.intent_id) == (InboundStatus.DUPLICATE_SUSPECTED, queued.id)
    assert payments.reload(queued.id).status == IntentStatus.REQUIRES_CONFIRMATION
    assert books()["UNAPPLIED_COLLECTIONS"] == "1500.00"


def test_that_was_paid_while_a_prompt_was_due_asks_nobody(acme):
    late = failed(**ORDER)
    due = ask(**ORDER)
    collect(late)

    assert intents.attempts.begin(intent_id=due.id, now=NOW) is None

    intent = payments.reload(due.id)
    assert (intent.status, intent.failure_code) == (IntentStatus.FAILED, "already_paid")


@pytest.mark.parametrize("late_money", list(LateMoney))
def test_late_money_for_it_does_what_the_terms_say_but_never_pays(acme, late_money):
    late = failed(**ORDER)
    other = payments.waiting(**ORDER)
    choose(late_money=late_money)
    collect(other)

    collect(late)

    late = payments.reloaded(late)
    assert (late.intent.status, late.is_in_suspense) == (IntentStatus.IN_REVIEW, True)
    assert (late.refund_due_at is not None) is (late_money is LateMoney.REFUND)
    assert payments.reload(other.intent_id).status == IntentStatus.SUCCEEDED


def test_two_payments_of_it_at_once_pay_it_once(committed_acme):
    late = failed(**ORDER)
    other = payments.waiting(**ORDER)

    results = at_once(lambda: collect(late), lambda: collect(other))

    assert results == [Recorded.APPLIED, Recorded.APPLIED]
    found = {payments.reload(one.intent_id).status for one in (late, other)}
    assert found == {IntentStatus.SUCCEEDED, IntentStatus.IN_REVIEW}
    assert (books()["UNAPPLIED_COLLECTIONS"], books()["SUSPENSE"]) == ("1500.00", "1500.00")

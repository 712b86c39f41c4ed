"""Payables: one payment at a time for what is paid, and no second prompt by mistake."""

from datetime import timedelta

import pytest

from apps.kit.actors import PROVIDER, SYSTEM
from apps.payments.contracts import Choice, Method
from apps.payments.models import PaymentIntent
from apps.payments.services import intents, payables
from tests.factories import access, payments
from tests.payments.test_payments_api import Partner, body, refused
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

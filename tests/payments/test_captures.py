"""Money that is held back: captured whole or in part, let go, and never twice."""

import json
from datetime import timedelta

import pytest
from django.db import transaction

from apps.integrations.models import ProviderAccount, ProviderCall
from apps.integrations.ports import CollectionReport, Outcome
from apps.kit.actors import PROVIDER, SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole
from apps.payments.contracts import AttemptStatus, Choice, IntentStatus, Method
from apps.payments.services import attempts, captures, choices, intents, pay_links, pay_pages
from apps.payments.services.attempts import InvalidState
from tests.factories import payments
from tests.payments.cards import USD_25
from tests.payments.conftest import balance, is_untouched, told


def held(cards, **facts):
    """Return a payment whose payer has agreed, and whose sum is held back."""
    intent = cards.ask(is_captured=False, **facts)
    cards.pay(intent)
    assert cards.query(intent).status == AttemptStatus.AUTHORIZED
    return payments.reload(intent.id)


def capture(intent, cards, minor=None):
    money = None if minor is None else Money(minor, "USD")
    return captures.capture(intent_id=intent.id, money=money, actor=SYSTEM, now=cards.now)


def carry_out(intent, cards):
    intents.carry_out(attempt_id=intent.current_attempt_id, now=cards.now)
    return payments.reload(intent.id)


def test_holds_the_sum_back_and_books_nothing(cards):
    intent = held(cards)

    assert (intent.status, intent.current_attempt.held) == (IntentStatus.REQUIRES_CAPTURE, USD_25)
    assert told(intent.id)[-1] == "payment_authorized"
    assert is_untouched()
    assert cards.statement()["rows"] == []


@pytest.mark.parametrize(("minor", "left"), [(None, "23.97"), (20_00, "19.12")])
def test_takes_all_of_it_or_a_part_once(cards, minor, left):
    intent = held(cards)

    capture(intent, cards, minor)
    capture(intent, cards, minor)
    intent = carry_out(intent, cards)
    carry_out(intent, cards)

    attempt = intent.current_attempt
    assert (intent.status, attempt.status) == (IntentStatus.SUCCEEDED, AttemptStatus.SUCCEEDED)
    assert attempt.received == Money(minor or 25_00, "USD")
    assert not attempt.is_in_suspense
    assert balance(AccountRole.UNAPPLIED_COLLECTIONS, "USD") == attempt.received
    assert balance(AccountRole.PROVIDER_BALANCE, "USD").text == cards.statement()["closing_balance"] == left
    assert ProviderCall.objects.filter(kind="capture").count() == 1


def test_refuses_what_cannot_be_taken(cards):
    waiting, intent = cards.ask(is_captured=False), held(cards)

    for minor, refusal in ((25_01, captures.CaptureTooLarge), (0, captures.CaptureTooLarge)):
        with pytest.raises(refusal):
            capture(intent, cards, minor)
    with pytest.raises(InvalidState):
        capture(waiting, cards)
    capture(intent, cards, 5_00)
    with pytest.raises(InvalidState):
        capture(intent, cards, 6_00)

    assert payments.reload(intent.id).current_attempt.capture_minor == 5_00


def test_holds_nothing_back_where_the_rail_cannot(acme):
    payments.account()
    request = payments.wanted(is_captured=False, choice=Choice(Method.MPESA, payments.PHONE))

    with pytest.raises(choices.CaptureNotSupported):
        intents.create(request=request, actor=SYSTEM, now=payments.NOW)


def test_gives_the_order_again_where_no_answer_came(cards):
    intent = held(cards)
    capture(intent, cards)
    cards.script({"action": "reset", "processed": True}, path="/v1/payment_intents/*/capture")

    assert carry_out(intent, cards).status == IntentStatus.REQUIRES_CAPTURE
    cards.now += timedelta(minutes=1)
    intent = carry_out(intent, cards)

    assert intent.status == IntentStatus.SUCCEEDED
    assert cards.statement()["closing_balance"] == "23.97"
    assert balance(AccountRole.PROVIDER_BALANCE, "USD").text == "23.97"


def test_an_order_that_follows_a_refusal_is_another_one(cards):
    intent = held(cards)
    error = {"error": {"type": "invalid_request_error", "message": "Not now."}}
    for minor in (20_00, 20_00, 10_00):
        capture(intent, cards, minor)
        if ProviderCall.objects.filter(kind="capture").count() < 2:
            refusal = {"action": "status", "status": 400, "body": json.dumps(error)}
            cards.script(refusal, path="/v1/payment_intents/*/capture")
        intent = carry_out(intent, cards)

    assert intent.current_attempt.received == Money(10_00, "USD")
    calls = ProviderCall.objects.filter(kind="capture").order_by("id")
    assert [call.request_headers["Idempotency-Key"].partition(":")[2] for call in calls] == [
        "capture:2000:1",
        "capture:2000:2",
        "capture:1000:3",
    ]


def test_lets_go_what_is_cancelled(cards):
    intent = held(cards)

    intents.cancel(intent_id=intent.id, actor=SYSTEM, now=cards.now)
    with pytest.raises(InvalidState):
        capture(intent, cards)
    intent = carry_out(intent, cards)

    assert (intent.status, intent.current_attempt.status) == (IntentStatus.CANCELLED, AttemptStatus.FAILED)
    assert [one["status"] for one in cards.objects("intents")] == ["canceled"]
    assert told(intent.id)[-1] == "payment_cancelled"
    assert is_untouched()


@pytest.mark.parametrize("is_captured", [True, False])
def test_lets_go_what_another_attempt_has_paid(cards, is_captured):
    body = json.dumps({"error": {"type": "invalid_request_error", "message": "No."}})
    cards.script({"action": "status", "status": 400, "body": body})
    first = cards.ask(is_captured=is_captured).current_attempt
    intents.confirm(intent_id=first.intent_id, actor=SYSTEM, now=cards.now)
    intents.request(intent_id=first.intent_id, now=cards.now)
    intent = payments.reload(first.intent_id)
    if not is_captured:
        cards.pay(intent)
        cards.query(intent)
        capture(payments.reload(intent.id), cards)

    report = CollectionReport("", Outcome.COLLECTED, money=USD_25, receipt="ch_late")
    intents.settle(attempt_id=first.id, report=report, actor=PROVIDER, now=cards.now)
    carry_out(intent, cards)

    assert payments.reload(intent.id).current_attempt == first
    assert payments.reloaded(intent.current_attempt).status == AttemptStatus.FAILED
    kind, state = ("sessions", "expired") if is_captured else ("intents", "canceled")
    assert [one["status"] for one in cards.objects(kind)] == [state]


def test_closes_the_page_of_a_payment_that_is_cancelled(cards):
    intent = cards.ask()

    intents.cancel(intent_id=intent.id, actor=SYSTEM, now=cards.now)
    intent = carry_out(intent, cards)

    assert intent.status == IntentStatus.CANCELLED
    assert [one["status"] for one in cards.objects("sessions")] == ["expired"]


def test_a_payer_who_leaves_the_page_chooses_again(cards):
    ProviderAccount.objects.update(currency="KES")
    payments.account()
    intent = cards.ask(money=payments.KES_1500)
    secret = pay_links.address(intent.current_attempt.pay_page).rpartition("/")[2]

    for _ in range(2):
        pay_pages.leave(secret=secret, source="203.0.113.7", now=cards.now)
    intent = carry_out(intent, cards)

    assert (intent.status, intent.current_attempt.status) == (
        IntentStatus.REQUIRES_CONFIRMATION,
        AttemptStatus.FAILED,
    )
    assert [one["status"] for one in cards.objects("sessions")] == ["expired"]
    again = pay_pages.prompt(secret=secret, phone=payments.PHONE, source="203.0.113.7", now=cards.now)
    assert (again.status, again.method) == (IntentStatus.PROCESSING, Method.MPESA)


def test_what_a_payer_agrees_to_while_his_page_is_being_closed_stays_held(cards):
    intent = cards.ask(is_captured=False)
    with transaction.atomic():  # as for one who leaves it
        captures.let_go(attempts.locked(intent.current_attempt_id), now=cards.now)
    cards.pay(intent)
    assert cards.query(intent).status == AttemptStatus.AUTHORIZED

    intent = carry_out(intent, cards)

    assert (intent.status, told(intent.id)[-1]) == (IntentStatus.REQUIRES_CAPTURE, "payment_authorized")
    capture(intent, cards)
    assert carry_out(intent, cards).current_attempt.received == USD_25


def test_a_payer_who_was_faster_than_the_cancellation_has_paid(cards):
    intent = cards.ask()
    cards.pay(intent)

    intents.cancel(intent_id=intent.id, actor=SYSTEM, now=cards.now)
    carry_out(intent, cards)
    attempt = cards.query(intent)

    assert (payments.reload(intent.id).status, attempt.received) == (IntentStatus.SUCCEEDED, USD_25)
    assert balance(AccountRole.PROVIDER_BALANCE, "USD").text == cards.statement()["closing_balance"]


def test_a_cancellation_while_it_is_sent_reaches_the_page(cards):
    request = payments.wanted(money=USD_25, choice=Choice(Method.CARD))
    intent = intents.create(request=request, actor=SYSTEM, now=cards.now)
    cards.script({"action": "reset", "processed": True})
    intents.request(intent_id=intent.id, now=cards.now)
    intents.cancel(intent_id=intent.id, actor=SYSTEM, now=cards.now)

    cards.query(intent, after=timedelta(seconds=30))
    intent = carry_out(payments.reload(intent.id), cards)

    assert intent.status == IntentStatus.CANCELLED
    assert [one["status"] for one in cards.objects("sessions")] == ["expired"]


def test_a_sum_that_is_to_be_taken_at_once_is_ordered_anew_after_a_refusal(cards):
    intent = cards.ask(is_captured=False)
    intent.attempts.update(is_captured=True)
    cards.pay(intent)
    assert cards.query(intent).capture_number == 1
    intent.attempts.update(capture_number=60)  # it has been refused for weeks
    error = {"error": {"type": "invalid_request_error", "message": "Not now."}}
    refusal = {"action": "status", "status": 400, "body": json.dumps(error)}
    cards.script(refusal, path="/v1/payment_intents/*/capture")

    attempt = carry_out(intent, cards).current_attempt
    assert (attempt.status, attempt.capture_refusal) == (
        AttemptStatus.AUTHORIZED,
        "Stripe refused the request as not valid.",
    )
    assert (attempt.capture_minor, attempt.capture_number) == (25_00, 61)
    carry_out(intent, cards)
    assert ProviderCall.objects.filter(kind="capture").count() == 1

    cards.now = attempt.order_due_at
    attempt = carry_out(intent, cards).current_attempt

    assert (attempt.status, attempt.received) == (AttemptStatus.SUCCEEDED, USD_25)
    assert balance(AccountRole.PROVIDER_BALANCE, "USD").text == cards.statement()["closing_balance"]

"""Card payments, from the page of the provider's to the books, against the simulator's Stripe over real HTTP."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest

from apps.integrations.models import CallbackProcessing, ProviderCall
from apps.integrations.ports import ProviderDeclined, ProviderUnavailable
from apps.integrations.services import replays
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole
from apps.ledger.services import verification
from apps.payments.contracts import AttemptStatus, Choice, IntentStatus, Method
from apps.payments.models import PayPage
from apps.payments.services import attempts, choices, intents, pay_pages, webhooks
from tests.factories import payments
from tests.payments.cards import CARD, USD_25, account, signed
from tests.payments.conftest import balance, is_untouched, told

COMPLETED = "checkout.session.completed"


def test_sends_the_payer_to_a_page_that_sends_him_back(cards):
    intent = cards.ask()

    attempt = intent.current_attempt
    [session] = cards.objects("sessions")
    assert (intent.status, attempt.next_action) == (IntentStatus.ACTION_REQUIRED, "REDIRECT")
    assert attempt.next_action_url == session["url"]
    assert (attempt.ticket, session["customer_email"]) == (session["id"], "amina@example.com")
    page = pay_pages.find(secret=session["success_url"].rpartition("/")[2], now=cards.now)
    assert (page.id, session["cancel_url"]) == (intent.id, session["success_url"])
    assert PayPage.objects.count() == 1
    assert (attempt.phone, intent.payer_phone) == ("", "")
    call = ProviderCall.objects.get(kind="checkout")
    for written in (call.request_body, call.response_body):
        assert "success_url" in written
        assert session["success_url"].rpartition("/")[2] not in written
        assert "amina" not in written


def test_a_message_has_the_payment_asked_after_and_the_answer_settles_it(cards):
    intent = cards.ask()
    cards.pay(intent)
    [completed] = cards.messages(COMPLETED)

    assert cards.deliver(completed) == "APPLIED"
    assert is_untouched()
    attempt = cards.query(intent, after=timedelta())

    intent = payments.reload(intent.id)
    assert (intent.status, attempt.received, attempt.fee) == (
        IntentStatus.SUCCEEDED,
        USD_25,
        Money(103, "USD"),
    )
    assert (attempt.is_fee_reported, attempt.method_last4, attempt.next_query_at) == (True, "4242", None)
    assert attempt.provider_receipt.startswith("ch_")
    assert balance(AccountRole.PROVIDER_BALANCE, "USD") == Money(23_97, "USD")
    assert balance(AccountRole.PROVIDER_FEES, "USD") == Money(1_03, "USD")
    assert cards.statement()["closing_balance"] == "23.97"
    assert told(intent.id)[-2:] == ["payment_captured", "payment_success"]
    assert cards.deliver(completed) == "DUPLICATE"
    assert cards.query(intent).next_query_at is None


def test_believes_nothing_of_a_message(cards):
    intent = cards.ask()
    cards.pay(intent)
    [completed] = cards.messages(COMPLETED)
    attempt = intent.current_attempt

    forged = cards.deliver(completed, headers={"Stripe-Signature": "t=1,v1=00"})
    late = cards.deliver(completed, now=cards.now + timedelta(minutes=10))
    changed = cards.deliver(completed, body=completed.body + b" ")

    assert (forged, late, changed) == ("FORGED", "FORGED", "FORGED")
    assert payments.reloaded(attempt).next_query_at == attempt.next_query_at
    assert is_untouched()


def test_a_message_about_nothing_we_know_is_read_again_and_then_waits_for_people(cards):
    session = {"id": "cs_test_elsewhere", "object": "checkout.session", "mode": "payment"}
    session["metadata"] = {"code": "K7M2P9QX4T"}
    event = {"id": "evt_1", "object": "event", "type": COMPLETED, "livemode": False}
    message = signed(json.dumps({**event, "data": {"object": session}}).encode(), at=cards.now)

    with pytest.raises(webhooks.NotYetMatched):
        cards.deliver(message)
    stored = CallbackProcessing.objects.get()
    assert stored.status == "RECEIVED"
    webhooks.apply(callback_id=stored.callback_id, now=cards.now + webhooks.MATCHED_WITHIN)

    stored.refresh_from_db()
    assert stored.status == "UNMATCHED"
    assert stored.note.startswith(f"{COMPLETED} evt_1")


def test_a_message_of_another_system_on_the_same_account_is_nothing_to_wait_for(cards):
    session = {"id": "cs_test_elsewhere", "object": "checkout.session", "mode": "payment"}
    event = {"id": "evt_1", "object": "event", "type": COMPLETED, "livemode": False}

    message = signed(json.dumps({**event, "data": {"object": session}}).encode(), at=cards.now)

    assert cards.deliver(message) == "IGNORED"


def test_a_message_finds_the_payment_in_whichever_currency_its_account_is(cards):
    dollars = cards.account
    facts = {"environment": dollars.environment, "base_url": dollars.base_url}
    account(label="Cards in shillings", currency="KES", **facts)
    intent = cards.ask(money=payments.KES_1500)
    assert intent.current_attempt.provider_account != dollars
    cards.pay(intent)

    assert cards.deliver(cards.messages(COMPLETED)[0]) == "APPLIED"


def test_money_of_a_request_that_was_said_to_be_refused_is_found_by_its_message(cards):
    body = json.dumps({"error": {"type": "invalid_request_error", "message": "No."}})
    cards.script({"action": "status", "status": 400, "body": body, "processed": True})
    intent = cards.ask()
    assert (intent.current_attempt.status, intent.current_attempt.ticket) == (AttemptStatus.FAILED, "")
    cards.act("sessions", cards.objects("sessions")[0]["id"], "pay", card="4242424242424242")

    assert cards.deliver(cards.messages(COMPLETED)[0]) == "APPLIED"
    attempt = cards.query(intent, after=timedelta())

    assert (payments.reload(intent.id).status, attempt.received) == (IntentStatus.SUCCEEDED, USD_25)


def test_a_person_has_a_message_read_again(cards):
    intent = cards.ask()
    cards.pay(intent)
    cards.deliver(cards.messages(COMPLETED)[0])
    stored = CallbackProcessing.objects.get()

    replays.replay(callback_id=stored.callback_id, actor=SYSTEM, now=cards.now, reason="To see")

    assert told(stored.callback_id) == ["provider_webhook_received", "provider_webhook_received"]


@pytest.mark.parametrize("is_processed", [True, False])
def test_asks_again_under_the_same_code_where_no_answer_came(cards, is_processed):
    cards.script({"action": "reset", "processed": is_processed})
    intent = cards.ask()
    attempt = intent.current_attempt
    assert (intent.status, attempt.status, attempt.ticket) == (
        IntentStatus.UNKNOWN,
        AttemptStatus.UNKNOWN,
        "",
    )

    attempt = cards.query(intent, after=timedelta(seconds=30))

    [session] = cards.objects("sessions")
    assert (attempt.status, attempt.ticket) == (AttemptStatus.ACTION_REQUIRED, session["id"])
    assert ProviderCall.objects.filter(kind="checkout").count() == 2
    assert payments.reload(intent.id).attempts.count() == 1


def test_a_refusal_of_the_repetition_itself_says_nothing_of_the_first_sending(cards):
    cards.script({"action": "reset", "processed": True})
    intent = cards.ask()
    cards.script({"action": "expire_token"})

    assert cards.query(intent).status == AttemptStatus.UNKNOWN
    attempt = cards.query(intent, after=timedelta(minutes=2))

    assert (attempt.status, len(cards.objects("sessions"))) == (AttemptStatus.ACTION_REQUIRED, 1)


def test_repeats_no_longer_than_the_provider_remembers_and_closes_what_had_no_page(cards):
    cards.script({"action": "reset", "processed": False})
    intent = cards.ask()

    attempt = cards.query(intent, after=timedelta(hours=24))
    assert (attempt.status, ProviderCall.objects.count()) == (AttemptStatus.UNKNOWN, 1)
    attempt = cards.query(intent, after=timedelta(hours=1))

    assert (attempt.status, attempt.failure_code) == (AttemptStatus.FAILED, "expired")
    assert payments.reload(intent.id).status == IntentStatus.FAILED
    assert told(intent.id)[-1] == "payment_failed"
    assert cards.objects("sessions") == []


def test_a_page_that_nobody_paid_lets_the_payer_choose_again(cards):
    intent = cards.ask()
    cards.act("sessions", intent.current_attempt.ticket, "expire")

    attempt = cards.query(intent)

    intent = payments.reload(intent.id)
    assert (attempt.status, attempt.failure_code) == (AttemptStatus.FAILED, "expired")
    assert (intent.status, intent.failure_code) == (IntentStatus.REQUIRES_CONFIRMATION, "expired")
    assert is_untouched()


def test_is_asked_for_as_long_as_the_page_is_open(cards):
    intent = cards.ask()

    attempt = cards.query(intent, after=timedelta(hours=3))

    assert (attempt.status, attempt.next_query_at) == (
        AttemptStatus.ACTION_REQUIRED,
        cards.now + timedelta(hours=1, minutes=30),
    )


def test_books_what_the_provider_converted_at_its_rate(cards, street):
    cards.account.currency = "KES"
    cards.account.save()
    cards.open(street.callback_url, rates={"kes": "0.0077"})

    attempt = cards.paid(money=payments.KES_1500)

    assert (attempt.received, attempt.settled, attempt.rate) == (
        payments.KES_1500,
        Money(11_55, "USD"),
        Decimal("0.0077"),
    )
    assert attempt.fee.currency == "USD"
    assert balance(AccountRole.UNAPPLIED_COLLECTIONS) == payments.KES_1500
    assert balance(AccountRole.PROVIDER_BALANCE, "USD").text == cards.statement()["closing_balance"]
    assert balance(AccountRole.PROVIDER_FEES, "USD") == attempt.fee
    assert balance(AccountRole.FX_POSITION, "USD") == Money(-11_55, "USD")
    assert balance(AccountRole.FX_POSITION) == payments.KES_1500


def test_books_a_fee_that_is_above_what_came(cards, street):
    cards.open(street.callback_url, fee_fixed=30_00)

    attempt = cards.paid()

    assert (attempt.received, attempt.fee) == (USD_25, Money(30_73, "USD"))
    assert balance(AccountRole.PROVIDER_BALANCE, "USD") == Money(-5_73, "USD")
    assert balance(AccountRole.PROVIDER_FEES, "USD") == attempt.fee
    assert cards.statement()["closing_balance"] == "-5.73"
    assert verification.verify().findings == ()


@pytest.mark.parametrize("is_answered", [True, False])
def test_a_sender_that_never_left_says_nothing_of_a_request_that_was_sent_again(cards, is_answered):
    """The sweep gave the sender up, the request was repeated, and only then the sender ends."""
    intent = intents.create(request=payments.wanted(money=USD_25, choice=CARD), actor=SYSTEM, now=cards.now)
    attempt = attempts.begin(intent_id=intent.id, now=cards.now)
    attempts.lose(attempt_id=attempt.id, now=cards.now)
    if not is_answered:
        cards.script({"action": "reset", "processed": True})
    cards.query(intent)
    assert len(cards.objects("sessions")) == 1

    for end, refusal in (
        (attempts.withdraw, ProviderUnavailable("network_unreachable")),
        (attempts.decline, ProviderDeclined("invalid_credentials")),
    ):
        end(attempt_id=attempt.id, refusal=refusal, now=cards.now)

    assert payments.reloaded(attempt).is_live
    cards.act("sessions", cards.objects("sessions")[0]["id"], "pay", card="4242424242424242")
    for _ in range(2):
        cards.query(intent, after=timedelta(minutes=2))
    assert payments.reload(intent.id).status == IntentStatus.SUCCEEDED
    assert payments.reload(intent.id).attempts.count() == 1


def test_needs_a_phone_for_no_page_and_an_account_for_every_method(cards):
    request = payments.wanted(money=USD_25, choice=Choice(Method.MPESA))
    with pytest.raises(choices.phone.PhoneInvalid):
        intents.create(request=request, actor=SYSTEM, now=cards.now)
    request = payments.wanted(money=payments.KES_1500, choice=CARD)
    with pytest.raises(choices.MethodNotAvailable):
        intents.create(request=request, actor=SYSTEM, now=cards.now)


def test_asks_nothing_again_while_a_sending_may_still_be_answered(cards):
    intent = intents.create(request=payments.wanted(money=USD_25, choice=CARD), actor=SYSTEM, now=cards.now)
    attempt = attempts.begin(intent_id=intent.id, now=cards.now)

    intents.query(attempt_id=attempt.id, now=cards.now + timedelta(hours=1))

    assert not ProviderCall.objects.exists()

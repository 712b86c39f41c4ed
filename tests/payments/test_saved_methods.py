"""Saved methods: kept by consent, charged without the payer as far as he agreed, and forgotten for good."""

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from django.db import IntegrityError, transaction

from apps.integrations.models import ProviderCall
from apps.integrations.ports import HELD_BACK
from apps.integrations.services import gates
from apps.kit.actors import SYSTEM
from apps.ledger.contracts import AccountRole
from apps.payments.contracts import AttemptStatus, IntentStatus, Method
from apps.payments.contracts.saving import ConsentUse, SavedMethodStatus
from apps.payments.models import PaymentAttempt, PaymentIntent, SavedMethod
from apps.payments.services import attempts, method_tokens, saved_charges, saved_methods
from tests.factories import access, payments
from tests.factories import saved_methods as factory
from tests.loopback import NO_TLS
from tests.payments import cards as cardrail
from tests.payments.cards import CARD, CREDENTIALS, USD_25
from tests.payments.conftest import balance, is_untouched, told
from tests.payments.saving import begun, charged, followed, said

SETUP = "setup_intent.succeeded"
BANK_ASKS = "4000002760003184"


def kept(cards, number: str = "4242424242424242", **facts) -> SavedMethod:
    """Return one whose payer has agreed on Stripe's page."""
    saved = begun(cards, **facts)
    cards.act("sessions", saved.ticket, "pay", card=number)
    if number == BANK_ASKS:
        cards.act("sessions", saved.ticket, "authenticate", succeeds=True)
    return followed(cards, saved, after=timedelta(minutes=1))


def test_keeps_a_card_when_its_payer_has_agreed_and_charges_it_once(cards):
    saved = begun(cards)
    assert (saved.status, saved.page != "") == (SavedMethodStatus.PENDING, True)
    cards.act("sessions", saved.ticket, "pay", card="4242424242424242")
    [message] = cards.messages(SETUP)

    assert cards.deliver(message) == "APPLIED"
    saved = followed(cards, saved)
    assert cards.deliver(message) == "DUPLICATE"

    assert (saved.status, saved.last4, saved.page) == (SavedMethodStatus.ACTIVE, "4242", "")
    assert said(saved) == ["payment_method_initiated", "payment_method_saved"]
    token = method_tokens.opened(saved)
    assert token.token.startswith("pm_")
    assert token.token.encode() not in bytes(saved.sealed_token)
    assert begun(cards).sealed_customer != b""  # the payer is the same at the provider

    intent = charged(cards, saved)
    attempt = cards.query(intent)
    assert (attempt.status, attempt.pay_page) == (AttemptStatus.SUCCEEDED, None)
    assert (
        balance(AccountRole.PROVIDER_BALANCE, "USD").text == cards.statement()["closing_balance"] == "23.97"
    )
    assert told(intent.id)[-1] == "payment_success"
    assert ProviderCall.objects.filter(kind="charge").count() == 1


def test_asks_the_holder_on_a_page_where_his_bank_wants_him(cards):
    saved = kept(cards, BANK_ASKS)

    intent = charged(cards, saved)

    assert (intent.status, intent.saved_method) == (IntentStatus.ACTION_REQUIRED, None)
    assert intent.current_attempt.number == 2
    assert intent.current_attempt.page.startswith(cards.url)
    assert is_untouched()
    cards.pay(intent)
    assert cards.query(intent).status == AttemptStatus.SUCCEEDED
    assert told(intent.id)[-1] == "payment_success"


def test_a_card_that_its_bank_declines_fails_the_payment_at_once(cards):
    intent = charged(cards, kept(cards, "4000000000000341"))

    assert intent.status == IntentStatus.FAILED
    assert told(intent.id)[-1] == "payment_failed"
    assert is_untouched()


def test_a_charge_minds_its_own_circuit_and_not_that_of_the_page(cards):
    saved = kept(cards)
    stop = {"account_id": cards.account.id, "actor": SYSTEM, "now": cards.now, "reason": "Outage"}
    gates.open_circuit(**stop, kind="checkout")
    assert cards.query(charged(cards, saved)).status == AttemptStatus.SUCCEEDED

    gates.open_circuit(**stop, kind="charge")
    held = charged(cards, saved)

    assert (held.status, held.current_attempt.failure_code) == (IntentStatus.PROCESSING, HELD_BACK)
    assert ProviderCall.objects.filter(kind="charge").count() == 1


def test_repeats_a_charge_without_an_answer_under_its_own_code(cards):
    saved = kept(cards)
    cards.script({"action": "reset", "processed": True}, path="/v1/payment_intents")

    intent = charged(cards, saved)
    assert intent.status == IntentStatus.UNKNOWN
    saved_methods.forget(method_id=saved.id, actor=SYSTEM, now=cards.now)
    assert followed(cards, saved).status == SavedMethodStatus.FORGETTING  # its token may be needed again
    cards.query(intent)

    assert cards.query(intent).status == AttemptStatus.SUCCEEDED
    assert [row["kind"] for row in cards.statement()["rows"]].count("payment") == 1
    assert followed(cards, saved, after=timedelta(hours=6)).status == SavedMethodStatus.FORGOTTEN


def test_forgets_a_card_once_a_lost_charge_is_repeated_no_more(cards):
    saved = kept(cards)
    cards.script({"action": "reset", "processed": True}, path="/v1/payment_intents")
    intent = charged(cards, saved)
    saved_methods.forget(method_id=saved.id, actor=SYSTEM, now=cards.now)

    assert followed(cards, saved, after=timedelta(days=1)).status == SavedMethodStatus.FORGOTTEN

    assert payments.reload(intent.id).status == IntentStatus.UNKNOWN


def test_asks_for_the_page_again_under_its_own_code_as_long_as_the_provider_knows_it(cards):
    cards.script({"action": "reset", "processed": True})
    saved = begun(cards)
    assert saved.status == SavedMethodStatus.UNKNOWN

    saved = followed(cards, saved, after=timedelta(minutes=5))
    assert saved.status == SavedMethodStatus.PENDING
    assert len(cards.objects("sessions")) == 1
    cards.script({"action": "reset", "processed": False})
    lost = followed(cards, begun(cards), after=timedelta(days=1))

    assert (lost.status, lost.failure_code) == (SavedMethodStatus.FAILED, "expired")
    assert said(lost) == ["payment_method_failed"]


def test_forgets_a_card_until_the_provider_says_so_and_charges_it_no_more(cards):
    saved, waiting = kept(cards), begun(cards)
    cards.script({"action": "reset", "processed": True}, path="/v1/payment_methods/*/detach")

    for each in (saved, saved, waiting):
        saved_methods.forget(method_id=each.id, actor=SYSTEM, now=cards.now)
    saved = followed(cards, saved)
    assert saved.status == SavedMethodStatus.FORGETTING
    with pytest.raises(saved_charges.SavedMethodNotActive):
        charged(cards, saved)
    saved = followed(cards, saved, after=timedelta(hours=1))

    assert (saved.status, bytes(saved.sealed_token)) == (SavedMethodStatus.FORGOTTEN, b"")
    assert said(saved)[-1] == "payment_method_forgotten"
    cards.act("sessions", waiting.ticket, "pay", card="4242424242424242")
    followed(cards, waiting)
    assert followed(cards, waiting).status == SavedMethodStatus.FORGOTTEN


def test_a_card_that_is_dropped_at_the_provider_is_forgotten_here(cards):
    saved = kept(cards)
    token = method_tokens.opened(saved).token
    with httpx.Client(trust_env=False, auth=(CREDENTIALS.api_key, ""), verify=NO_TLS) as client:
        assert client.post(f"{cards.url}/stripe/v1/payment_methods/{token}/detach").is_success
    [message] = cards.messages("payment_method.detached")

    assert cards.deliver(message) == "APPLIED"
    followed(cards, saved)
    assert followed(cards, saved).status == SavedMethodStatus.FORGOTTEN


def test_ends_a_payment_whose_saved_method_was_forgotten_before_it_was_sent(acme):
    cardrail.account()
    saved = factory.kept()
    choice = replace(CARD, saved_method_id=saved.id)
    intent = payments.intent(money=USD_25, choice=choice)

    saved_methods.forget(method_id=saved.id, actor=SYSTEM, now=payments.NOW)

    assert attempts.begin(intent_id=intent.id, now=payments.NOW) is None
    intent = payments.reload(intent.id)
    assert (intent.status, intent.failure_code) == (IntentStatus.FAILED, "saved_method_not_active")


def test_refuses_a_method_of_others_and_what_its_payer_did_not_agree_to(acme):
    cardrail.account()
    payments.account()
    mine, theirs = factory.kept(), factory.kept(application_id=access.application("riders").id)
    elsewhere = factory.kept(branch_id=access.branch().id)
    present = factory.kept(consent=replace(factory.CONSENT, use=ConsentUse.ON_SESSION))
    refused = {
        theirs.id: saved_charges.SavedMethodUnknown,
        elsewhere.id: saved_charges.SavedMethodUnknown,
        factory.asked().id: saved_charges.SavedMethodNotActive,
        present.id: saved_charges.ConsentMissing,
    }

    for saved_id, refusal in refused.items():
        with pytest.raises(refusal):
            payments.intent(money=USD_25, choice=replace(CARD, saved_method_id=saved_id))
    with pytest.raises(saved_charges.SavedMethodUnknown):
        payments.intent(
            choice=replace(CARD, method=Method.MPESA, phone=payments.PHONE, saved_method_id=mine.id)
        )

    assert not PaymentIntent.objects.exists()


def test_the_database_lets_nobody_be_charged_without_his_consent(acme):
    cardrail.account()
    present = factory.kept(consent=replace(factory.CONSENT, use=ConsentUse.ON_SESSION))
    intent = payments.intent(money=USD_25, choice=CARD)
    attempt = attempts.made(intent, account=present.provider_account, phone="", now=payments.NOW)
    attempt.saved_method = present

    with pytest.raises(IntegrityError, match="may not be charged"), transaction.atomic():
        attempt.save(force_insert=True)
    for change in ({"consent_text": "Anything"}, {"token_digest": ""}, {"status": "REQUESTED"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            SavedMethod.objects.filter(id=present.id).update(**change)
    twin = SavedMethod.objects.filter(id=factory.asked().id)
    with pytest.raises(IntegrityError, match="saved_method_token_once"), transaction.atomic():
        twin.update(status="ACTIVE", saved_at=payments.NOW, token_digest=present.token_digest)
    assert not PaymentAttempt.objects.exists()

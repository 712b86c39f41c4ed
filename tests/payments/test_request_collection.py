"""Request collection: over real HTTP, against the simulator."""

from datetime import timedelta

import pytest
from django.db import connection

from apps.integrations.models import ProviderAccount, ProviderCall
from apps.integrations.services import accounts
from apps.kit.actors import SYSTEM
from apps.kit.crypto import Unreadable
from apps.payments.contracts import AttemptStatus, Choice, IntentStatus, Method
from apps.payments.models import PaymentAttempt
from apps.payments.services import attempts, intents
from tests.factories import payments
from tests.payments.conftest import told

NOW = payments.NOW


def request(intent, now=NOW):
    intents.request(intent_id=intent.id, now=now)
    return payments.reload(intent.id)


def phone(suffix):
    return Choice(Method.MPESA, f"254700000{suffix}")


def pushes():
    return ProviderCall.objects.filter(kind="stk_push").count()


def test_puts_a_prompt_on_the_phone(rail):
    intent = request(payments.intent(description="Lunch"))

    attempt = intent.current_attempt
    prompt = rail.prompts()[0]
    assert (intent.status, attempt.status) == (IntentStatus.ACTION_REQUIRED, AttemptStatus.ACTION_REQUIRED)
    assert attempt.ticket == prompt["id"]
    assert attempt.initiated_at == NOW
    assert attempt.next_query_at == NOW + timedelta(seconds=25)
    assert prompt["reference"] == attempt.code
    assert len(attempt.code) == 10
    assert len(attempt.callback_token) == 32
    assert told(intent.id) == ["payment_intent_created", "payment_initiated"]
    assert ProviderCall.objects.get(kind="stk_push").subject_id == attempt.id


def test_names_organisation_and_attempt_in_the_callback_address(rail, settings):
    attempt = request(payments.intent()).current_attempt

    organisation = connection.tenant
    assert rail.prompts()[0]["callback_url"] == (
        f"{settings.TREASURY['PUBLIC_URL']}/hooks/{organisation.id.hex}/{attempt.callback_token}/collection"
    )


def test_sends_once_however_often_the_job_comes(rail):
    intent = payments.intent()
    for seconds in (0, 1, 700):
        request(intent, NOW + timedelta(seconds=seconds))

    assert intent.attempts.count() == pushes() == len(rail.prompts()) == 1


def test_sends_nothing_again_while_an_attempt_may_have_been_sent(rail):
    attempt = payments.sending()

    request(attempt.intent, NOW + timedelta(minutes=5))

    assert payments.reloaded(attempt).status == AttemptStatus.SENDING
    assert rail.prompts() == []


def test_fails_what_the_provider_declines_at_once(rail):
    rail.script(
        {
            "action": "status",
            "status": 400,
            "body": '{"requestId":"1","errorCode":"400.002.02","errorMessage":"Bad Request - Invalid Amount"}',
        }
    )

    intent = request(payments.intent())

    assert (intent.status, intent.current_attempt.status) == (IntentStatus.FAILED, AttemptStatus.FAILED)
    assert intent.failure_code == "invalid_request"
    assert told(intent.id) == ["payment_intent_created", "payment_failed"]


def test_tries_again_when_the_request_never_left(rail):
    rail.script("rate_limit", times=1)

    intent = request(payments.intent())
    assert (intent.status, intent.next_request_at) == (IntentStatus.PROCESSING, NOW + timedelta(seconds=5))
    first = intent.current_attempt
    assert (first.status, first.failure_code) == (AttemptStatus.FAILED, "not_sent")
    request(intent, NOW + timedelta(seconds=1))
    assert intent.attempts.count() == 1

    intent = request(intent, NOW + timedelta(seconds=5))

    assert intent.status == IntentStatus.ACTION_REQUIRED
    assert intent.current_attempt.number == 2
    assert intent.current_attempt.code != first.code
    assert intent.current_attempt.callback_token != first.callback_token
    assert len(rail.prompts()) == 1
    assert told(intent.id) == ["payment_intent_created", "payment_initiated"]


def test_gives_up_after_three_tries(rail):
    rail.script("rate_limit", times=None)
    intent = payments.intent()

    for seconds in (0, 5, 25):
        intent = request(intent, NOW + timedelta(seconds=seconds))

    assert intent.status == IntentStatus.FAILED
    assert intent.attempts.count() == 3
    assert rail.prompts() == []
    assert told(intent.id) == ["payment_intent_created", "payment_failed"]


@pytest.mark.parametrize("is_processed", [True, False])
def test_is_unknown_when_no_answer_comes(rail, is_processed):
    rail.script({"action": "reset", "processed": is_processed})

    intent = request(payments.intent())

    assert (intent.status, intent.current_attempt.status) == (IntentStatus.UNKNOWN, AttemptStatus.UNKNOWN)
    assert (intent.current_attempt.ticket, intent.current_attempt.next_query_at) == ("", None)
    assert told(intent.id) == ["payment_intent_created", "payment_unknown"]
    request(intent, NOW + timedelta(minutes=1))
    assert pushes() == 1


def test_fails_when_the_account_is_gone(rail):
    intent = payments.intent()
    accounts.disable(account_id=rail.account.id, actor=SYSTEM, now=NOW)

    intent = request(intent)

    assert (intent.status, intent.failure_code) == (IntentStatus.FAILED, "method_not_available")
    assert not PaymentAttempt.objects.exists()


def test_an_answer_after_the_attempt_was_given_up_is_taken(rail):
    attempt = payments.sending()
    attempts.lose(attempt_id=attempt.id, now=NOW + timedelta(seconds=61))

    attempts.accept(attempt_id=attempt.id, ticket=payments.ticket(), now=NOW + timedelta(seconds=62))

    assert payments.reload(attempt.intent_id).status == IntentStatus.ACTION_REQUIRED


def test_credentials_that_cannot_be_opened_leave_nothing_unknown(rail):
    intent = payments.intent()
    ProviderAccount.objects.update(sealed_credentials=b"sealed with a key that is gone")

    for seconds in (0, 5, 25):
        with pytest.raises(Unreadable):
            request(intent, NOW + timedelta(seconds=seconds))

    intent = payments.reload(intent.id)
    assert (intent.status, intent.failure_code) == (IntentStatus.FAILED, "configuration")
    assert set(intent.attempts.values_list("status", flat=True)) == {AttemptStatus.FAILED}
    assert (intent.attempts.count(), rail.prompts()) == (3, [])
    assert told(intent.id) == ["payment_intent_created", "payment_failed"]

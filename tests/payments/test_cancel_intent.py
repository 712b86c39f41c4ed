"""Cancel intent."""

from datetime import timedelta

import pytest

from apps.audit.models import AuditRecord
from apps.integrations.ports import ProviderUnavailable
from apps.kit.actors import PROVIDER, SYSTEM
from apps.payments.contracts import AttemptStatus, IntentStatus
from apps.payments.services import attempts, intents
from tests.factories import payments
from tests.payments.conftest import books, told

LATER = payments.NOW + timedelta(minutes=1)


def cancel(intent):
    return intents.cancel(intent_id=intent.id, actor=SYSTEM, now=LATER)


@pytest.mark.parametrize("is_confirmed", [True, False])
def test_closes_what_has_not_been_sent(acme, is_confirmed):
    intent = payments.intent(is_confirmed=is_confirmed)

    cancel(intent)

    found = payments.reload(intent.id)
    assert found.status == IntentStatus.CANCELLED
    assert (found.closed_at, found.next_request_at) == (LATER, None)
    assert told(intent.id) == ["payment_intent_created", "payment_cancelled"]
    assert AuditRecord.objects.filter(action="payment.cancelled").count() == 1


def test_keeps_the_worker_from_sending(acme):
    intent = payments.intent()
    cancel(intent)

    assert attempts.begin(intent_id=intent.id, now=LATER) is None
    assert intent.attempts.count() == 0


def test_repeats_quietly(acme):
    intent = payments.intent()
    cancel(intent)
    cancel(intent)

    assert told(intent.id) == ["payment_intent_created", "payment_cancelled"]


def test_records_the_wish_while_the_prompt_is_on_the_phone(acme):
    attempt = payments.waiting()

    found = cancel(attempt.intent)

    assert found.status == IntentStatus.ACTION_REQUIRED
    assert found.cancel_requested_at == LATER
    assert told(found.id)[-1] == "payment_initiated"


def test_ends_cancelled_when_the_payer_declines_after_the_wish(acme):
    attempt = payments.waiting()
    cancel(attempt.intent)

    intents.record(attempt_id=attempt.id, report=payments.declined(attempt), actor=PROVIDER, now=LATER)

    assert payments.reload(attempt.intent_id).status == IntentStatus.CANCELLED
    assert told(attempt.intent_id)[-1] == "payment_cancelled"


def test_books_the_money_that_arrives_after_the_wish(acme):
    attempt = payments.waiting()
    cancel(attempt.intent)

    intents.record(attempt_id=attempt.id, report=payments.collected(attempt), actor=PROVIDER, now=LATER)

    found = payments.reload(attempt.intent_id)
    assert (found.status, found.is_late) == (IntentStatus.SUCCEEDED, False)


def test_sends_nothing_again_after_the_wish(acme):
    attempt = payments.sending()
    cancel(attempt.intent)

    attempts.withdraw(attempt_id=attempt.id, refusal=ProviderUnavailable("network_unreachable"), now=LATER)

    assert payments.reload(attempt.intent_id).status == IntentStatus.CANCELLED
    assert payments.reloaded(attempt).status == AttemptStatus.FAILED


def test_cancels_between_two_attempts(acme):
    attempt = payments.sending()
    attempts.withdraw(attempt_id=attempt.id, refusal=ProviderUnavailable("network_unreachable"), now=LATER)

    assert cancel(attempt.intent).status == IntentStatus.CANCELLED


def test_books_money_that_arrives_after_the_cancellation_as_late(acme):
    attempt = payments.sending()
    attempts.withdraw(attempt_id=attempt.id, refusal=ProviderUnavailable("network_unreachable"), now=LATER)
    cancel(attempt.intent)

    intents.record(attempt_id=attempt.id, report=payments.collected(attempt), actor=PROVIDER, now=LATER)

    found = payments.reload(attempt.intent_id)
    assert (found.status, found.is_late) == (IntentStatus.SUCCEEDED, True)
    assert books()["UNAPPLIED_COLLECTIONS"] == "1500.00"


def test_refuses_what_has_been_paid(acme):
    attempt = payments.waiting()
    intents.record(attempt_id=attempt.id, report=payments.collected(attempt), actor=PROVIDER, now=LATER)

    with pytest.raises(intents.InvalidState, match="succeeded"):
        cancel(attempt.intent)


def test_refuses_what_has_failed(acme):
    attempt = payments.waiting()
    intents.record(attempt_id=attempt.id, report=payments.declined(attempt), actor=PROVIDER, now=LATER)

    with pytest.raises(intents.InvalidState, match="failed"):
        cancel(attempt.intent)

"""Query attempt: the poller, over real HTTP, against the simulator."""

from datetime import timedelta

import pytest

from apps.integrations.models import ProviderAccount, ProviderCall
from apps.kit.crypto import Unreadable
from apps.payments.contracts import AttemptStatus, Choice, IntentStatus, Method
from apps.payments.models import PaymentAttempt
from apps.payments.services import intents
from tests.factories import payments
from tests.payments.conftest import bookings, books, told

NOW = payments.NOW
QUERY = "/mpesa/stkpushquery/v1/query"


def sent(suffix="000"):
    """Return an attempt that the simulator has on a phone."""
    intent = payments.intent(choice=Choice(Method.MPESA, f"254700000{suffix}"))
    intents.request(intent_id=intent.id, now=NOW)
    return payments.reload(intent.id).current_attempt


def query(attempt, seconds):
    intents.query(attempt_id=attempt.id, now=NOW + timedelta(seconds=seconds))
    return payments.reloaded(attempt)


def queries():
    return ProviderCall.objects.filter(kind="stk_query").count()


def test_settles_what_the_callback_did_not_tell(rail):
    attempt = sent("777")
    rail.tick(2)

    attempt = query(attempt, 25)

    assert (attempt.status, attempt.provider_receipt) == (AttemptStatus.SUCCEEDED, "")
    assert attempt.intent.status == IntentStatus.SUCCEEDED
    assert books()["UNAPPLIED_COLLECTIONS"] == "1500.00"
    assert rail.arrived == []


def test_fills_the_receipt_from_a_callback_that_comes_later(rail):
    attempt = sent()
    rail.tick(2)
    attempt = query(attempt, 25)

    assert rail.deliver() == ["APPLIED"]

    assert payments.reloaded(attempt).provider_receipt != ""
    assert bookings() == 1


def test_records_a_failure(rail):
    attempt = sent("032")
    rail.tick(2)

    attempt = query(attempt, 25)

    assert attempt.intent.status == IntentStatus.FAILED
    assert attempt.failure_code == "customer_cancelled"


def test_asks_again_while_the_payer_decides(rail):
    attempt = sent("037")

    attempt = query(attempt, 25)

    assert attempt.status == AttemptStatus.ACTION_REQUIRED
    assert attempt.next_query_at == NOW + timedelta(seconds=35)


def test_does_not_ask_before_it_is_due(rail):
    attempt = sent()

    query(attempt, 24)

    assert queries() == 0


def test_asks_once_for_two_jobs_of_the_same_moment(rail):
    attempt = sent("037")
    query(attempt, 25)
    query(attempt, 26)

    assert queries() == 1


def test_keeps_to_the_plan(rail, settings):
    settings.TREASURY = {**settings.TREASURY, "POLL_PLAN": [1, 3]}
    attempt = sent("037")
    planned = []
    while attempt.next_query_at is not None:
        planned.append((attempt.next_query_at - NOW).total_seconds())
        attempt = query(attempt, planned[-1])

    assert planned == [1, 3, 6]
    assert attempt.status == AttemptStatus.UNKNOWN
    assert attempt.intent.status == IntentStatus.UNKNOWN
    assert told(attempt.intent_id)[-1] == "payment_unknown"


def test_the_default_plan_ends_after_half_an_hour(rail):
    attempt = sent("037")

    attempt = query(attempt, 900)
    assert attempt.next_query_at == NOW + timedelta(minutes=30)
    attempt = query(attempt, 1800)

    assert attempt.status == AttemptStatus.UNKNOWN


def test_an_unknown_attempt_with_a_ticket_may_be_asked_about_at_any_time(rail):
    attempt = sent("777")
    query(attempt, 1800)
    assert payments.reloaded(attempt).status == AttemptStatus.UNKNOWN
    rail.tick(2)

    attempt = query(attempt, 4000)

    assert attempt.intent.status == IntentStatus.SUCCEEDED


@pytest.mark.parametrize(
    "action", [{"action": "reset"}, {"action": "status", "status": 500, "body": "<html>"}]
)
def test_a_provider_that_does_not_answer_changes_nothing(rail, action):
    attempt = sent()
    rail.script(action, path=QUERY)

    attempt = query(attempt, 25)

    assert attempt.status == AttemptStatus.ACTION_REQUIRED
    assert attempt.next_query_at == NOW + timedelta(seconds=35)


def test_does_not_ask_without_a_ticket(rail):
    attempt = payments.sending()

    query(attempt, 100)

    assert queries() == 0


def test_does_not_ask_about_what_is_closed(rail):
    attempt = sent()
    rail.tick(2)
    rail.deliver()

    query(attempt, 25)

    assert queries() == 0


def test_an_answer_that_nobody_recorded_leaves_no_attempt_waiting_for_ever(rail):
    attempt = sent("777")
    rail.tick(2)
    ProviderAccount.objects.update(sealed_credentials=b"sealed with a key that is gone")
    with pytest.raises(Unreadable):
        query(attempt, 1800)
    assert payments.reloaded(attempt).status == AttemptStatus.ACTION_REQUIRED
    again = NOW + timedelta(seconds=1860)

    due = PaymentAttempt.objects.due_for_query(now=again).get()
    intents.query(attempt_id=due.id, now=again)

    attempt = payments.reloaded(attempt)
    assert (attempt.status, attempt.next_query_at) == (AttemptStatus.UNKNOWN, None)
    assert attempt.intent.status == IntentStatus.UNKNOWN
    assert told(attempt.intent_id)[-1] == "payment_unknown"
    assert queries() == 0

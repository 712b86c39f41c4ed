"""Apply callback: bytes as the simulator sends them, and as somebody else would."""

import json

import pytest

from apps.integrations.models import CallbackProcessing, ProviderAccount
from apps.integrations.mpesa.stk import StkPush
from apps.integrations.ports import CollectionPort
from apps.integrations.services import providers
from apps.kit import ids
from apps.kit.actors import SYSTEM
from apps.kit.crypto import Unreadable
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole
from apps.payments.contracts import AttemptStatus, Choice, IntentStatus, Method, RefundStatus
from apps.payments.services import intents, receipts
from tests.factories import payments, refunds
from tests.payments.conftest import balance, bookings, books, deliver, is_untouched, told

SAID = ["payment_intent_created", "payment_initiated", "payment_captured", "payment_success"]


def sent(suffix="000", **facts):
    """Return an intent whose payer has the prompt."""
    intent = payments.intent(choice=Choice(Method.MPESA, f"254700000{suffix}"), **facts)
    intents.request(intent_id=intent.id, now=payments.NOW)
    return payments.reload(intent.id)


def stk(ticket, code=0, amount=1500, receipt="NLJ7RT61SV"):
    """Return a callback in Safaricom's words."""
    said = {
        "MerchantRequestID": "1-1",
        "CheckoutRequestID": ticket,
        "ResultCode": code,
        "ResultDesc": "Said.",
    }
    if code == 0:
        items = {"Amount": amount, "MpesaReceiptNumber": receipt, "PhoneNumber": 254712345678}
        said["CallbackMetadata"] = {"Item": [{"Name": k, "Value": v} for k, v in items.items()]}
    return {"Body": {"stkCallback": said}}


def test_settles_the_payment(rail):
    intent = sent()
    rail.tick(2)

    assert rail.deliver() == ["APPLIED"]

    intent = payments.reload(intent.id)
    assert intent.status == IntentStatus.SUCCEEDED
    assert intent.current_attempt.provider_receipt == rail.statement()["rows"][-1]["receipt"]
    assert told(intent.id) == SAID
    assert CallbackProcessing.objects.get().subject_id == intent.current_attempt_id


def test_the_ledger_equals_the_statement(rail):
    sent()
    rail.tick(2)
    rail.deliver()

    assert books()["PROVIDER_BALANCE"] == rail.statement()["closing_balance"]


def test_a_person_approves_on_the_phone(rail):
    intent = payments.intent()
    intents.request(intent_id=intent.id, now=payments.NOW)
    rail.decide("approve")

    assert rail.deliver() == ["APPLIED"]
    assert payments.reload(intent.id).status == IntentStatus.SUCCEEDED


@pytest.mark.parametrize(
    ("suffix", "code"),
    [("001", "insufficient_funds"), ("032", "customer_cancelled"), ("201", "authentication_failed")],
)
def test_records_why_it_failed(rail, suffix, code):
    intent = sent(suffix)
    rail.tick(2)

    assert rail.deliver() == ["APPLIED"]

    intent = payments.reload(intent.id)
    assert (intent.status, intent.failure_code) == (IntentStatus.FAILED, code)
    assert is_untouched()


def test_twice_is_a_duplicate(rail):
    intent = sent("778")
    rail.tick(2)

    assert rail.deliver(2) == ["APPLIED", "DUPLICATE"]
    assert bookings() == 1
    assert told(intent.id) == SAID


def test_before_the_answer_settles(rail):
    intent = sent("779")
    assert intent.status == IntentStatus.ACTION_REQUIRED

    assert rail.deliver() == ["APPLIED"]
    assert told(intent.id) == SAID


def test_money_of_a_lost_answer_is_found_by_its_token(rail):
    rail.script({"action": "reset", "processed": True})
    intent = sent()
    assert (intent.status, intent.current_attempt.ticket) == (IntentStatus.UNKNOWN, "")
    rail.tick(2)

    assert rail.deliver() == ["APPLIED"]

    intent = payments.reload(intent.id)
    assert intent.status == IntentStatus.SUCCEEDED
    assert intent.current_attempt.ticket == rail.prompts()[0]["id"]
    assert told(intent.id) == [SAID[0], "payment_unknown", *SAID[1:]]


def test_a_wrong_sum_goes_to_suspense(rail):
    intent = sent()
    attempt = intent.current_attempt

    assert deliver(attempt.callback_token, "collection", stk(attempt.ticket, amount=1000)) == "APPLIED"

    assert payments.reload(intent.id).status == IntentStatus.IN_REVIEW
    assert balance(AccountRole.SUSPENSE) == Money(1000_00, "KES")


def test_a_token_that_nobody_has_is_forged(acme):
    attempt = payments.waiting()

    assert deliver(ids.token(), "collection", stk(attempt.ticket)) == "FORGED"

    assert payments.reloaded(attempt).status == AttemptStatus.ACTION_REQUIRED
    assert is_untouched()


@pytest.mark.parametrize("code", [0, 1032])
def test_a_ticket_of_another_payment_is_forged(acme, code):
    attempt, other = payments.waiting(), payments.waiting()

    assert deliver(attempt.callback_token, "collection", stk(other.ticket, code)) == "FORGED"

    for untouched in (attempt, other):
        assert payments.reloaded(untouched).status == AttemptStatus.ACTION_REQUIRED
    assert is_untouched()


def reversal(refund, amount=1500, receipt="NLR7RT61SV"):
    """Return the result of a refund in Safaricom's words."""
    told = {"Amount": amount, "OriginalTransactionID": refund.payment_receipt}
    return {
        "Result": {
            "ResultType": 0,
            "ResultCode": 0,
            "ResultDesc": "The service request is processed successfully.",
            "OriginatorConversationID": refund.ticket,
            "TransactionID": receipt,
            "ResultParameters": {"ResultParameter": [{"Key": k, "Value": v} for k, v in told.items()]},
        }
    }


def test_a_receipt_of_another_payment_is_forged(acme):
    first, second = payments.waiting(), payments.waiting()
    deliver(first.callback_token, "collection", stk(first.ticket))

    assert deliver(second.callback_token, "collection", stk(second.ticket)) == "FORGED"
    assert bookings() == 1


def test_money_under_another_receipt_waits_for_a_person(acme):
    attempt = payments.waiting()
    deliver(attempt.callback_token, "collection", stk(attempt.ticket))
    second = stk(attempt.ticket, receipt="NLJ7RT61ZZ")

    assert deliver(attempt.callback_token, "collection", second) == "UNMATCHED"
    assert deliver(attempt.callback_token, "collection", second) == "UNMATCHED"

    assert "NLJ7RT61ZZ" in CallbackProcessing.objects.filter(status="UNMATCHED").first().note
    assert payments.reloaded(attempt).provider_receipt == "NLJ7RT61SV"
    assert payments.reload(attempt.intent_id).status == IntentStatus.SUCCEEDED
    assert told(attempt.intent_id) == [*SAID, "payment_in_review"]
    assert bookings() == 1


def test_a_refund_of_another_sum_waits_for_a_person(acme):
    refund = refunds.pending()
    said = reversal(refund, amount=1400)

    for _ in range(2):
        assert deliver(refund.callback_token, "refund", said) == "UNMATCHED"

    assert told(refund.intent_id)[-2:] == ["payment_success", "payment_in_review"]
    assert payments.reloaded(refund.attempt).unexplained_receipt == "NLR7RT61SV"
    assert refunds.reloaded(refund).status == RefundStatus.PENDING
    assert bookings() == 1


def test_another_receipt_under_another_ticket_is_forged(acme):
    attempt = payments.waiting()
    deliver(attempt.callback_token, "collection", stk(attempt.ticket))

    other = stk("ws_CO_other", receipt="NLJ7RT61ZZ")

    assert deliver(attempt.callback_token, "collection", other) == "FORGED"
    assert told(attempt.intent_id) == SAID


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"<html></html>",
        b"[]",
        b"null",
        b'{"Body":{}}',
        b"\xff\xfe",
        b'{"Body":{"stkCallback":[]}}',
    ],
)
def test_what_cannot_be_read_is_malformed(acme, body):
    attempt = payments.waiting()

    assert deliver(attempt.callback_token, "collection", body) == "MALFORMED"
    assert payments.reloaded(attempt).status == AttemptStatus.ACTION_REQUIRED


@pytest.mark.parametrize("amount", [0, -5, "x", True, 1500.001])
def test_an_amount_that_is_none_is_malformed(acme, amount):
    attempt = payments.waiting()
    body = json.dumps(stk(attempt.ticket, amount=amount))

    assert deliver(attempt.callback_token, "collection", body.encode()) == "MALFORMED"
    assert is_untouched()


def test_a_kind_that_nobody_expects_is_malformed(acme):
    attempt = payments.waiting()

    assert deliver(attempt.callback_token, "timeout", stk(attempt.ticket)) == "MALFORMED"


def test_the_answer_to_a_question_that_nobody_asked_is_forged(acme):
    attempt = payments.waiting()
    body = {"Result": {"ConversationID": "AG_1", "ResultCode": 0, "ResultDesc": "Said."}}

    assert deliver(attempt.callback_token, "status", body) == "FORGED"


def test_the_true_answer_to_an_earlier_claim_is_not_forged(acme):
    attempt = payments.waiting()
    for claimed in ("NLJ7RT61SV", "NLJ7RT61SW"):
        intents.verify(intent_id=attempt.intent_id, receipt=claimed, actor=SYSTEM, now=payments.NOW)

    assert (
        receipts.believed(payments.reloaded(attempt), payments.collected(attempt, receipt="NLJ7RT61SV"))
        is None
    )


@pytest.mark.parametrize("kind", ["collection", "status"])
def test_credentials_that_cannot_be_opened_condemn_no_callback(acme, kind):
    attempt = payments.waiting()
    ProviderAccount.objects.update(sealed_credentials=b"sealed with a key that is gone")

    with pytest.raises(Unreadable):
        deliver(attempt.callback_token, kind, stk(attempt.ticket))

    assert CallbackProcessing.objects.get().status == "RECEIVED"
    assert payments.reloaded(attempt).status == AttemptStatus.ACTION_REQUIRED


def test_an_answer_that_the_provider_was_never_asked_for_is_malformed(acme, monkeypatch):
    attempt = payments.waiting()
    monkeypatch.setitem(providers.PORTS, "mpesa", {CollectionPort: StkPush})

    assert deliver(attempt.callback_token, "status", {"Result": {}}) == "MALFORMED"

    assert CallbackProcessing.objects.get().note == "M-Pesa has no such service here."
    assert payments.reloaded(attempt).status == AttemptStatus.ACTION_REQUIRED
    assert is_untouched()

"""Verify payment: a person holds a receipt for a payment that nobody answered for."""

from datetime import timedelta

import pytest

from apps.audit.models import AuditRecord
from apps.integrations.mpesa.stk import StkPush
from apps.integrations.ports import CollectionPort
from apps.integrations.services import providers
from apps.kit import clock, errors, ids
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.payments.contracts import AttemptStatus, Choice, IntentStatus, Method
from apps.payments.services import attempts, intents, receipts
from tests.factories import payments
from tests.payments.conftest import bookings, is_untouched, told

NOW = payments.NOW


def verify(intent, receipt):
    return intents.verify(intent_id=intent.id, receipt=receipt, actor=SYSTEM, now=NOW)


def lost(rail, suffix="777", **facts):
    """Return an intent that is UNKNOWN though its payer has paid, and the receipt that he holds; the simulator has no clock but the real one."""
    rail.script({"action": "reset", "processed": True})
    now = clock.now()
    intent = payments.intent(choice=Choice(Method.MPESA, f"254700000{suffix}"), now=now, **facts)
    intents.request(intent_id=intent.id, now=now)
    rail.tick(2)
    return payments.reload(intent.id), rail.prompts()[0]["receipt"]


def ask(rail, intent):
    receipts.ask(attempt_id=intent.current_attempt_id, now=NOW)
    rail.tick(1)
    return rail.deliver()


def test_settles_with_the_receipt(rail):
    intent, receipt = lost(rail)
    assert intent.status == IntentStatus.UNKNOWN
    verify(intent, f" {receipt.lower()} ")

    assert ask(rail, intent) == ["APPLIED"]

    intent = payments.reload(intent.id)
    assert intent.status == IntentStatus.SUCCEEDED
    assert intent.current_attempt.provider_receipt == receipt
    assert told(intent.id)[-1] == "payment_success"
    assert AuditRecord.objects.get(action="payment.verify_requested").reason == receipt


def test_a_payment_that_is_booked_without_its_receipt_learns_it(rail):
    intent, receipt = lost(rail)
    attempt = payments.reloaded(intent.current_attempt)
    told_less = payments.collected(attempt, receipt="", money=None, ticket="")
    intents.record(attempt_id=attempt.id, report=told_less, actor=SYSTEM, now=NOW)
    verify(intent, receipt)

    assert ask(rail, intent) == ["APPLIED"]

    attempt = payments.reloaded(attempt)
    assert (attempt.provider_receipt, attempt.is_amount_reported) == (receipt, True)
    assert bookings() == 1
    with pytest.raises(errors.DomainError):
        verify(intent, receipt)


def test_does_not_believe_the_receipt_of_another_sum(rail):
    _, receipt = lost(rail, money=Money(900_00, "KES"))
    unpaid = payments.sending(choice=Choice(Method.MPESA, "254700000777"), now=clock.now())
    attempts.lose(attempt_id=unpaid.id, now=NOW)
    verify(unpaid.intent, receipt)

    assert ask(rail, payments.reload(unpaid.intent_id)) == ["IGNORED"]

    assert payments.reloaded(unpaid).status == AttemptStatus.UNKNOWN
    assert is_untouched()


def test_does_not_believe_the_receipt_of_another_payer(rail):
    _, receipt = lost(rail)
    unpaid = payments.sending(choice=Choice(Method.MPESA, "0711222333"), now=clock.now())
    attempts.lose(attempt_id=unpaid.id, now=NOW)
    verify(unpaid.intent, receipt)

    assert ask(rail, payments.reload(unpaid.intent_id)) == ["IGNORED"]
    assert is_untouched()


def test_does_not_believe_a_receipt_that_the_provider_does_not_know(rail):
    intent, _ = lost(rail)
    verify(intent, "NLJ0000000")

    assert ask(rail, intent) == ["IGNORED"]
    assert payments.reload(intent.id).status == IntentStatus.UNKNOWN


@pytest.mark.parametrize("receipt", ["", "NLJ", "NLJ7RT61S!", "N" * 21])
def test_refuses_what_is_no_receipt(acme, receipt):
    attempt = payments.waiting()

    with pytest.raises(receipts.ReceiptInvalid):
        verify(attempt.intent, receipt)

    assert payments.reloaded(attempt).claimed_receipt == ""
    assert not AuditRecord.objects.filter(action="payment.verify_requested").exists()


def test_refuses_a_receipt_that_is_used(acme):
    paid, attempt = payments.waiting(), payments.waiting()
    report = payments.collected(paid, receipt="NLJ7RT61SV")
    intents.record(attempt_id=paid.id, report=report, actor=SYSTEM, now=NOW)

    with pytest.raises(receipts.ReceiptUsed):
        verify(attempt.intent, "NLJ7RT61SV")

    assert bookings() == 1


def claimed(attempt, **facts):
    """Return what is believed of a report on the receipt that a person claims for an attempt."""
    attempts.lose(attempt_id=attempt.id, now=NOW)
    verify(attempt.intent, "NLJ7RT61SV")
    said = {"receipt": "NLJ7RT61SV", "ticket": "AG_1", "occurred_at": NOW, **facts}
    return receipts.believed(payments.reloaded(attempt), payments.collected(attempt, **said))


@pytest.mark.parametrize("minutes", [-5, 0, 60])
def test_believes_what_was_paid_after_the_request(acme, minutes):
    assert claimed(payments.sending(), occurred_at=NOW + timedelta(minutes=minutes)) is not None


def test_believes_what_is_told_of_a_hidden_number_where_it_fits(acme):
    assert claimed(payments.sending(), payer_phone="", payer="2547 ***** 678", occurred_at=NOW) is not None


@pytest.mark.parametrize(
    "facts",
    [
        {"payer_phone": ""},
        {"payer_phone": "", "payer": "2547 ***** 679"},
        {"payer_phone": "+254711222333"},
        {"occurred_at": None},
        {"occurred_at": NOW - timedelta(minutes=5, seconds=1)},
        {"money": None},
        {"money": Money(900_00, "KES")},
    ],
)
def test_does_not_believe_what_is_not_told_to_be_of_this_payment(acme, facts):
    assert claimed(payments.sending(), **facts) is None


def test_refuses_what_is_paid(acme):
    attempt = payments.waiting()
    intents.record(attempt_id=attempt.id, report=payments.collected(attempt), actor=SYSTEM, now=NOW)

    with pytest.raises(intents.InvalidState, match="succeeded"):
        verify(attempt.intent, "NLJ7RT61SV")


def test_refuses_what_has_not_been_sent(acme):
    with pytest.raises(intents.InvalidState):
        verify(payments.intent(), "NLJ7RT61SV")


def test_refuses_what_does_not_exist(acme):
    with pytest.raises(errors.NotFound):
        intents.verify(intent_id=ids.new(), receipt="NLJ7RT61SV", actor=SYSTEM, now=NOW)


def test_a_provider_that_refuses_the_question_changes_nothing(rail):
    intent, receipt = lost(rail)
    verify(intent, receipt)
    rail.script({"action": "status", "status": 500, "body": ""}, path="/mpesa/transactionstatus/v1/query")

    receipts.ask(attempt_id=intent.current_attempt_id, now=NOW)

    assert payments.reload(intent.id).status == IntentStatus.UNKNOWN


def test_refuses_where_the_rail_cannot_be_asked_about_a_receipt(acme, monkeypatch):
    attempt = payments.waiting()
    monkeypatch.setitem(providers.PORTS, "mpesa", {CollectionPort: StkPush})

    with pytest.raises(receipts.ReceiptNotAsked) as refusal:
        verify(attempt.intent, "NLJ7RT61SV")

    assert [error.pointer for error in refusal.value.errors] == ["/receipt"]
    assert payments.reloaded(attempt).claimed_receipt == ""
    assert not AuditRecord.objects.filter(action="payment.verify_requested").exists()

"""Create refund: asks for a whole payment to go back, or says why not."""

from datetime import timedelta

import pytest

from apps.audit.models import AuditRecord
from apps.events.models import OutboxEvent
from apps.integrations.mpesa.stk import StkPush
from apps.integrations.ports import CollectionPort, Outcome, ProviderUnavailable
from apps.integrations.services import providers
from apps.kit import errors, ids
from apps.kit.actors import PROVIDER, SYSTEM
from apps.kit.money import Money
from apps.payments.contracts import IntentStatus, RefundStatus
from apps.payments.models import Refund
from apps.payments.services import attempts, intents, refund_limits, refunds
from tests.factories import payments
from tests.factories import refunds as made
from tests.payments.conftest import bookings, told

NOW = made.NOW


def refuse(error, attempt, *, pointer="/payment_id", **facts):
    """Assert the refusal, that it names the field, and that nothing was written."""
    before = (Refund.objects.count(), OutboxEvent.objects.count(), AuditRecord.objects.count())

    with pytest.raises(error) as refusal:
        made.requested(attempt, **facts)

    assert [found.pointer for found in refusal.value.errors] == [pointer]
    assert (Refund.objects.count(), OutboxEvent.objects.count(), AuditRecord.objects.count()) == before


def test_asks_for_the_whole_of_what_arrived(acme):
    attempt = made.paid()

    refund = made.requested(attempt)

    refund = made.reloaded(refund)
    assert (refund.status, refund.money, refund.next_request_at) == (
        RefundStatus.REQUESTED,
        payments.KES_1500,
        NOW,
    )
    assert (refund.intent_id, refund.attempt_id) == (attempt.intent_id, attempt.id)
    assert (refund.branch_id, refund.application_id) == (attempt.branch_id, attempt.application_id)
    assert refund.payment_receipt == attempt.provider_receipt
    assert refund.provider_account_id == attempt.provider_account_id
    assert len(refund.callback_token) == 32
    assert (refund.attempt.refund_pending_minor, refund.attempt.refunded_minor) == (1500_00, 0)
    assert told(refund.id) == ["refund_requested"]
    assert bookings() == 1


def test_says_who_asked_and_why(acme):
    refund = made.requested(reason="  Twice charged  ")

    record = AuditRecord.objects.get(action="refund.requested")
    assert (record.object_id, record.reason) == (ids.encode("re", refund.id), "Twice charged")
    said = OutboxEvent.objects.get(type="refund_requested").data["object"]
    assert said["reason"] == "Twice charged"
    assert said["payment_id"] == ids.encode("pi", refund.intent_id)


def test_the_whole_may_be_named(acme):
    assert made.requested(money=payments.KES_1500).money == payments.KES_1500


def test_refuses_where_the_rail_gives_nothing_back(acme, monkeypatch):
    attempt = made.paid()
    monkeypatch.setitem(providers.PORTS, "mpesa", {CollectionPort: StkPush})

    refuse(refund_limits.RefundNotSupported, attempt)


def test_refuses_a_part(acme):
    part = Money(500_00, "KES")

    refuse(refund_limits.PartialRefundNotSupported, made.paid(), pointer="/amount", money=part)


@pytest.mark.parametrize("money", [Money(1500_01, "KES"), Money(15_00, "USD")])
def test_refuses_more_and_other_money(acme, money):
    refuse(refund_limits.RefundTooLarge, made.paid(), pointer="/amount", money=money)


@pytest.mark.parametrize("money", [Money(0, "KES"), Money(-1500_00, "KES")])
def test_refuses_nothing_and_less(acme, money):
    refuse(refund_limits.PartialRefundNotSupported, made.paid(), pointer="/amount", money=money)


def test_refuses_without_a_reason(acme):
    refuse(refund_limits.ReasonMissing, made.paid(), pointer="/reason", reason="  ")


def test_refuses_what_has_not_been_paid(acme):
    waiting = payments.waiting()
    failed = payments.waiting()
    report = payments.declined(failed)
    intents.record(attempt_id=failed.id, report=report, actor=PROVIDER, now=NOW)

    refuse(refund_limits.PaymentNotPaid, waiting)
    refuse(refund_limits.PaymentNotPaid, failed)


def test_refuses_what_has_not_been_asked_for(acme):
    intent = payments.intent(is_confirmed=False)

    with pytest.raises(refund_limits.PaymentNotPaid):
        refunds.create(intent_id=intent.id, money=None, reason="No", actor=SYSTEM, now=NOW)


def test_refuses_what_waits_in_suspense(acme):
    attempt = payments.waiting()
    report = payments.collected(attempt, money=Money(1400_00, "KES"))
    intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=NOW)

    assert payments.reload(attempt.intent_id).status == IntentStatus.IN_REVIEW
    refuse(refund_limits.PaymentInReview, attempt)


def test_refuses_money_that_came_beside_the_payments(acme):
    first = payments.sending()
    attempts.withdraw(
        attempt_id=first.id, refusal=ProviderUnavailable("network_unreachable"), now=payments.NOW
    )
    second = attempts.begin(intent_id=first.intent_id, now=payments.NOW + timedelta(minutes=1))
    for attempt in (second, first):
        report = payments.collected(attempt)
        intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=NOW)

    refund_limits.check(payments.reloaded(second))
    with pytest.raises(refund_limits.PaymentInReview):
        refund_limits.check(payments.reloaded(first))


@pytest.mark.parametrize("told_later", [{"receipt": ""}, {"money": None}])
def test_waits_for_the_receipt_and_the_sum(acme, told_later):
    attempt = payments.waiting()
    report = payments.collected(attempt, **told_later)
    intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=NOW)
    refuse(refund_limits.ReceiptPending, attempt)
    found = payments.reloaded(attempt)
    rest = payments.collected(attempt, receipt=found.provider_receipt or payments.receipt())
    assert rest.outcome is Outcome.COLLECTED

    intents.record(attempt_id=attempt.id, report=rest, actor=PROVIDER, now=NOW)

    assert made.requested(attempt).status == RefundStatus.REQUESTED


def test_twice_is_refused_while_one_is_under_way(acme):
    attempt = made.paid()
    made.requested(attempt)

    refuse(refund_limits.RefundInProgress, attempt)


def test_twice_is_refused_after_success(acme):
    refund = made.pending()
    refunds.record(refund_id=refund.id, report=made.given_back(refund), actor=PROVIDER, now=NOW)

    refuse(refund_limits.AlreadyRefunded, refund.attempt)


def test_a_failed_one_leaves_room_for_another(acme):
    refund = made.pending()
    refunds.record(refund_id=refund.id, report=made.declined(refund), actor=PROVIDER, now=NOW)

    again = made.requested(refund.attempt, now=NOW + timedelta(hours=1))

    assert again.id != refund.id
    assert again.callback_token != refund.callback_token


def test_there_must_be_such_a_payment(acme):
    with pytest.raises(errors.NotFound):
        refunds.create(intent_id=ids.new(), money=None, reason="No", actor=SYSTEM, now=NOW)


def test_is_refused_while_nobody_knows_what_became_of_another(acme):
    attempt = made.unknown().attempt

    refuse(refund_limits.RefundInProgress, attempt)

    assert payments.reloaded(attempt).refund_pending_minor == 1500_00

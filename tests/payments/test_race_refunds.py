"""Race refunds: threads with connections of their own, on committed rows."""

from datetime import timedelta

from apps.integrations.ports import RefundOutcome, RefundReport
from apps.kit.actors import PROVIDER
from apps.ledger.models import Transaction
from apps.payments.contracts import Recorded, RefundStatus
from apps.payments.models import Refund
from apps.payments.services import refund_limits, refunds, sendings
from tests.factories import payments
from tests.factories import refunds as made
from tests.payments.conftest import told
from tests.payments.test_two_connections import at_once

NOW = made.NOW


def test_one_payment_is_asked_back_once(committed_acme):
    attempt = made.paid()

    def create():
        try:
            return made.requested(attempt)
        except refund_limits.RefundInProgress:
            return None

    results = at_once(*[create] * 5)

    assert sum(result is not None for result in results) == 1
    assert Refund.objects.count() == 1
    assert payments.reloaded(attempt).refund_pending_minor == 1500_00


def test_one_refund_for_two_deliveries_of_the_job(committed_acme):
    refund = made.requested()

    results = at_once(*[lambda: sendings.begin(refund_id=refund.id, now=NOW)] * 5)

    assert sum(result is not None for result in results) == 1
    assert made.reloaded(refund).tries == 1


def test_the_same_success_is_booked_once(committed_acme):
    refund = made.pending()
    report = made.given_back(refund)
    record = lambda: refunds.record(refund_id=refund.id, report=report, actor=PROVIDER, now=NOW)  # noqa: E731 (one call, run many times)

    results = at_once(*[record] * 6)

    assert sorted(results) == [Recorded.APPLIED, *[Recorded.DUPLICATE] * 5]
    assert Transaction.objects.filter(idem_key=f"refund:{refund.id}").count() == 1
    assert told(refund.id).count("refund_succeeded") == 1


def test_success_and_time_out_end_given_back(committed_acme):
    refund = made.pending()
    reports = [made.given_back(refund), RefundReport(refund.ticket, RefundOutcome.LOST)]

    at_once(
        *[
            lambda report=report: refunds.record(refund_id=refund.id, report=report, actor=PROVIDER, now=NOW)
            for report in reports
        ]
    )

    assert made.reloaded(refund).status == RefundStatus.SUCCEEDED
    assert payments.reloaded(refund.attempt).refund_pending_minor == 0


def test_the_answer_and_the_callback_agree(committed_acme):
    refund = made.sending()
    ticket = made.ticket()
    report = made.given_back(refund, ticket=ticket.value)

    at_once(
        lambda: sendings.accept(refund_id=refund.id, ticket=ticket, now=NOW),
        lambda: refunds.record(refund_id=refund.id, report=report, actor=PROVIDER, now=NOW),
    )

    found = made.reloaded(refund)
    assert (found.status, found.ticket) == (RefundStatus.SUCCEEDED, ticket.value)


def test_a_question_is_claimed_once(committed_acme):
    refund = made.pending()
    later = NOW + timedelta(seconds=25)

    results = at_once(*[lambda: sendings.claim_query(refund_id=refund.id, now=later)] * 4)

    assert sum(result is not None for result in results) == 1

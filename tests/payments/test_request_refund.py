"""Request refund: over real HTTP, against the simulator."""

from datetime import timedelta

import pytest

from apps.integrations.models import ProviderAccount, ProviderCall
from apps.integrations.ports import RefundOutcome, RefundReport
from apps.integrations.services import accounts
from apps.kit import jobs
from apps.kit.actors import SYSTEM
from apps.kit.crypto import Unreadable
from apps.payments.contracts import Choice, Method, RefundStatus
from apps.payments.models import Refund
from apps.payments.services import intents, refunds, sendings, sweeps
from tests.factories import payments
from tests.factories import refunds as made
from tests.payments.conftest import bookings, books, told

NOW = made.NOW
REVERSAL = "/mpesa/reversal/v1/request"


def paid(rail, *, suffix="000"):
    """Return the attempt of a payment that the simulator has collected, with money beside it for charges."""
    for choice in (f"254700000{suffix}", "254700000000"):
        intent = payments.intent(choice=Choice(Method.MPESA, choice))
        intents.request(intent_id=intent.id, now=payments.NOW)
        rail.tick(3)
        rail.deliver()
    return payments.reloaded(payments.reload(_first(intent)).current_attempt)


def _first(last):
    return type(last).objects.exclude(id=last.id).get().id


def request(refund, now=NOW):
    refunds.request(refund_id=refund.id, now=now)
    return made.reloaded(refund)


def reversals():
    return ProviderCall.objects.filter(kind="reversal").count()


def test_gives_the_money_back(rail):
    refund = request(made.requested(paid(rail)))

    assert (refund.status, refund.initiated_at) == (RefundStatus.PENDING, NOW)
    assert refund.next_query_at == NOW + timedelta(seconds=25)
    rail.tick(3)
    assert rail.deliver() == ["APPLIED"]

    refund = made.reloaded(refund)
    given = rail.statement()["rows"][-1]
    assert (refund.status, refund.provider_receipt) == (RefundStatus.SUCCEEDED, given["receipt"])
    assert given["linked_receipt"] == refund.payment_receipt
    assert books()["PROVIDER_BALANCE"] == rail.statement()["closing_balance"]
    assert ProviderCall.objects.get(kind="reversal").subject_id == refund.id


def test_sends_once_however_often_the_job_comes(rail):
    refund = made.requested(paid(rail))
    for seconds in (0, 1, 700):
        request(refund, NOW + timedelta(seconds=seconds))

    assert reversals() == 1


def test_sends_nothing_while_it_may_have_been_sent(rail):
    refund = made.sending(paid(rail))

    request(refund, NOW + timedelta(minutes=10))

    assert reversals() == 0
    assert made.reloaded(refund).status == RefundStatus.SENDING


def test_is_unknown_after_no_clear_answer_and_never_sent_again(rail):
    rail.script({"action": "status", "status": 500}, path=REVERSAL)
    refund = request(made.requested(paid(rail)))

    assert (refund.status, refund.unknown_at, refund.ticket) == (RefundStatus.UNKNOWN, NOW, "")
    sweeps.run(now=NOW + timedelta(hours=3))
    request(refund, NOW + timedelta(hours=3))
    assert reversals() == 1
    assert told(refund.id) == ["refund_requested", "refund_unknown"]


def test_fails_what_the_provider_declines_at_once(rail):
    body = '{"requestId":"1","errorCode":"400.002.02","errorMessage":"Bad Request - Invalid Amount"}'
    rail.script({"action": "status", "status": 400, "body": body}, path=REVERSAL)

    refund = request(made.requested(paid(rail)))

    assert (refund.status, refund.failure_code) == (RefundStatus.FAILED, "invalid_request")
    assert refund.attempt.refund_pending_minor == 0


def test_tries_again_over_hours_what_never_left_and_then_gives_up(rail):
    rail.script({"action": "rate_limit", "code": "500.003.02"}, times=None, path=REVERSAL)
    refund = made.requested(paid(rail))
    at, waits = NOW, []
    with jobs.held() as started:
        for _ in range(8):
            refund = request(refund, at)
            if refund.next_request_at:
                waits.append((refund.next_request_at - at).total_seconds())
                at = refund.next_request_at

    assert waits == [5, 30, 120, 600, 1800, 7200, 21600]
    assert [job.countdown for job in started] == [5, 30, 120]
    assert (refund.status, refund.failure_code, refund.tries) == (RefundStatus.FAILED, "rate_limited", 8)
    assert refund.attempt.refund_pending_minor == 0


def test_the_sweep_sends_what_waits_for_longer_than_a_wake_up_keeps(rail):
    rail.script({"action": "rate_limit", "code": "500.003.02"}, times=4, path=REVERSAL)
    refund, at = made.requested(paid(rail)), NOW
    for _ in range(4):
        refund = request(refund, at)
        at = refund.next_request_at

    with jobs.held() as started:
        sweeps.run(now=at + timedelta(minutes=1))

    assert [job.name for job in started] == ["payments.request_refund"]
    assert request(refund, at + timedelta(minutes=1)).status == RefundStatus.PENDING


def test_waits_for_its_next_try(rail):
    rail.script({"action": "rate_limit", "code": "500.003.02"}, path=REVERSAL)
    refund = request(made.requested(paid(rail)))

    assert request(refund, NOW + timedelta(seconds=3)).status == RefundStatus.REQUESTED
    assert request(refund, NOW + timedelta(seconds=5)).status == RefundStatus.PENDING
    assert reversals() == 2


def test_without_an_initiators_certificate_it_fails(rail):
    attempt = paid(rail)
    ProviderAccount.objects.update(certificate="")

    refund = request(made.requested(attempt))

    assert (refund.status, refund.failure_code) == (RefundStatus.FAILED, "configuration")
    assert reversals() == 0


def test_credentials_that_cannot_be_opened_put_it_off(rail):
    refund = made.requested(paid(rail))
    ProviderAccount.objects.update(sealed_credentials=b"sealed with a key that is gone")

    with pytest.raises(Unreadable):
        request(refund)

    assert made.reloaded(refund).status == RefundStatus.REQUESTED


def test_a_disabled_account_still_gives_back(rail):
    attempt = paid(rail)
    accounts.disable(account_id=rail.account.id, actor=SYSTEM, now=NOW)

    assert request(made.requested(attempt)).status == RefundStatus.PENDING


@pytest.mark.parametrize(
    ("suffix", "status", "reason"),
    [
        ("801", RefundStatus.FAILED, "float_insufficient"),
        ("806", RefundStatus.FAILED, "merchant_account_restricted"),
        ("811", RefundStatus.FAILED, "merchant_account_restricted"),
    ],
)
def test_reads_the_refusal(rail, suffix, status, reason):
    refund = request(made.requested(paid(rail, suffix=suffix)))
    rail.tick(3)
    rail.deliver()

    refund = made.reloaded(refund)
    assert (refund.status, refund.failure_code) == (status, reason)
    assert books()["PROVIDER_BALANCE"] == rail.statement()["closing_balance"]


def test_asks_after_a_result_that_was_lost(rail):
    refund = request(made.requested(paid(rail, suffix="877")))
    rail.tick(30)

    refunds.query(refund_id=refund.id, now=NOW + timedelta(seconds=25))
    assert rail.deliver() == ["APPLIED"]

    refund = made.reloaded(refund)
    assert refund.status == RefundStatus.SUCCEEDED
    assert refund.provider_receipt == rail.statement()["rows"][-1]["receipt"]
    assert books()["PROVIDER_BALANCE"] == rail.statement()["closing_balance"]


@pytest.mark.parametrize(
    ("suffix", "status"), [("885", RefundStatus.UNKNOWN), ("886", RefundStatus.SUCCEEDED)]
)
def test_asks_after_a_time_out_of_the_queue(rail, suffix, status):
    refund = request(made.requested(paid(rail, suffix=suffix)))
    rail.tick(61)
    assert rail.deliver() == ["APPLIED"]
    assert made.reloaded(refund).status == RefundStatus.UNKNOWN

    refunds.query(refund_id=refund.id, now=payments.NOW + timedelta(minutes=7))
    rail.deliver()

    assert books()["PROVIDER_BALANCE"] == rail.statement()["closing_balance"]
    assert bookings() == (3 if suffix == "886" else 2)


def test_becomes_unknown_at_the_end_of_the_plan(rail):
    rail.script("drop_callback", times=None, path="/mpesa/transactionstatus/v1/query")
    refund = request(made.requested(paid(rail, suffix="877")))
    at = NOW
    for _ in range(20):
        refund = made.reloaded(refund)
        if refund.next_query_at is None:
            break
        at = refund.next_query_at
        refunds.query(refund_id=refund.id, now=at)

    assert refund.status == RefundStatus.UNKNOWN
    assert Refund.objects.due_for_query(now=at + timedelta(days=1)).count() == 0
    assert ProviderCall.objects.filter(kind="transaction_status").count() == 11


def done_unheard(rail):
    """Return a refund that the provider carried out and of which nobody hears."""
    rail.script(
        {"action": "status", "status": 500, "processed": True}, {"action": "drop_callback"}, path=REVERSAL
    )
    return request(made.requested(paid(rail)))


def test_a_receipt_that_a_person_found_settles_it(rail):
    refund = done_unheard(rail)
    rail.tick(3)
    assert refund.status == RefundStatus.UNKNOWN
    receipt = rail.statement()["rows"][-1]["receipt"]

    refunds.verify(refund_id=refund.id, receipt=receipt, actor=SYSTEM, now=NOW)
    refunds.ask(refund_id=refund.id, now=NOW)
    verdicts = rail.deliver()

    found = made.reloaded(refund)
    assert (verdicts, found.status) == (["APPLIED"], RefundStatus.SUCCEEDED)
    assert books()["PROVIDER_BALANCE"] == rail.statement()["closing_balance"]


def test_a_ticket_is_asked_about_again_when_a_person_wants_it(rail):
    refund = request(made.requested(paid(rail)))
    sendings.lose(refund_id=refund.id, now=NOW)
    late = NOW + timedelta(days=2)
    assert sweeps_start(late) == []

    refunds.verify(refund_id=refund.id, receipt="", actor=SYSTEM, now=late)

    assert sweeps_start(late) == ["payments.query_refund"]
    refunds.query(refund_id=refund.id, now=late)
    assert ProviderCall.objects.filter(kind="transaction_status").count() == 1


def test_a_refund_without_its_receipt_learns_it(rail):
    refund = done_unheard(rail)
    rail.tick(3)
    report = RefundReport("", RefundOutcome.ALREADY, provider_code="R000001")
    refunds.record(refund_id=refund.id, report=report, actor=SYSTEM, now=NOW)
    assert made.reloaded(refund).is_verifiable
    receipt = rail.statement()["rows"][-1]["receipt"]

    refunds.verify(refund_id=refund.id, receipt=receipt, actor=SYSTEM, now=NOW)
    refunds.ask(refund_id=refund.id, now=NOW)

    assert rail.deliver() == ["APPLIED"]
    found = made.reloaded(refund)
    assert (found.provider_receipt, found.is_verifiable) == (receipt, False)
    assert found.occurred_at is not None
    assert books()["PROVIDER_BALANCE"] == rail.statement()["closing_balance"]


def sweeps_start(now):
    """Return the jobs that the sweep of this instant starts."""
    with jobs.held() as started:
        sweeps.start_queries(now=now)
    return [job.name for job in started]

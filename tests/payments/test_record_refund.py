"""Record refund: what a provider reports of one, in whatever order, changes the books once."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.integrations.ports import ProviderUnavailable, RefundOutcome, RefundReport, Ticket
from apps.kit import jobs
from apps.kit.actors import PROVIDER
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole
from apps.ledger.models import Transaction
from apps.ledger.services import journals, verification
from apps.payments import postings
from apps.payments.contracts import Recorded, RefundStatus
from apps.payments.models import Refund
from apps.payments.services import intents, refund_limits, refund_reports, refunds, sendings
from apps.payments.services.reports import MoneyUnexplained, ReportContradicts
from tests.factories import payments
from tests.factories import refunds as made
from tests.payments.conftest import balance, bookings, books, told

NOW = made.NOW + timedelta(seconds=30)
PAID_BOOKS = {"PROVIDER_BALANCE": "1492.50", "PROVIDER_FEES": "7.50", "UNAPPLIED_COLLECTIONS": "1500.00"}
REFUNDED_BOOKS = {"PROVIDER_BALANCE": "-7.50", "PROVIDER_FEES": "7.50"}


def record(refund, report):
    return refunds.record(refund_id=refund.id, report=report, actor=PROVIDER, now=NOW)


def refuse(error, refund, report):
    found = made.reloaded(refund)
    before = (found.status, found.attempt.refunded_minor, bookings(), told(refund.id))

    with pytest.raises(error):
        record(refund, report)

    found = made.reloaded(refund)
    assert (found.status, found.attempt.refunded_minor, bookings(), told(refund.id)) == before


def test_books_what_went_back_and_announces_it(acme):
    refund = made.pending()

    assert record(refund, made.given_back(refund, receipt="NLJ90ABCDE")) == Recorded.APPLIED

    refund = made.reloaded(refund)
    assert (refund.status, refund.refunded_at) == (RefundStatus.SUCCEEDED, NOW)
    assert refund.provider_receipt == "NLJ90ABCDE"
    assert (refund.attempt.refunded_minor, refund.attempt.refund_pending_minor) == (1500_00, 0)
    assert books() == REFUNDED_BOOKS
    booked = Transaction.objects.get(reference="NLJ90ABCDE")
    assert booked.source_id == refund.intent_id
    assert told(refund.id) == ["refund_requested", "refund_succeeded"]
    assert verification.verify().findings == ()


def test_twice_is_booked_once(acme):
    refund = made.pending()
    report = made.given_back(refund)

    assert [record(refund, report) for _ in range(3)] == [
        Recorded.APPLIED,
        Recorded.DUPLICATE,
        Recorded.DUPLICATE,
    ]
    assert bookings() == 2
    assert told(refund.id).count("refund_succeeded") == 1


def test_books_the_charge_beside_the_sum(acme):
    refund = made.pending()

    record(refund, made.given_back(refund, charge=Money(27_00, "KES")))

    assert made.reloaded(refund).charge == Money(27_00, "KES")
    assert bookings() == 2
    assert books() == {"PROVIDER_BALANCE": "-34.50", "PROVIDER_FEES": "34.50"}


def test_a_receipt_and_a_charge_that_come_later_are_filled_in(acme):
    refund = made.pending()
    record(refund, made.given_back(refund, receipt=""))

    later = made.given_back(refund, receipt="NLJ90ABCDE", charge=Money(27_00, "KES"))

    assert record(refund, later) == Recorded.APPLIED
    assert record(refund, later) == Recorded.DUPLICATE
    assert made.reloaded(refund).provider_receipt == "NLJ90ABCDE"
    assert balance(AccountRole.PROVIDER_FEES) == Money(34_50, "KES")
    assert bookings() == 3


def test_a_refusal_leaves_the_money_with_the_payment(acme):
    refund = made.pending()

    assert record(refund, made.declined(refund)) == Recorded.APPLIED
    assert record(refund, made.declined(refund)) == Recorded.DUPLICATE

    refund = made.reloaded(refund)
    assert (refund.status, refund.failure_code, refund.provider_code) == (
        RefundStatus.FAILED,
        "float_insufficient",
        "1",
    )
    assert (refund.attempt.refunded_minor, refund.attempt.refund_pending_minor) == (0, 0)
    assert books() == PAID_BOOKS
    assert told(refund.id) == ["refund_requested", "refund_failed"]


def test_a_refusal_after_success_changes_nothing(acme):
    refund = made.pending()
    record(refund, made.given_back(refund))

    assert record(refund, made.declined(refund)) == Recorded.IGNORED
    assert books() == REFUNDED_BOOKS


def test_money_that_went_back_after_a_refusal_is_booked(acme):
    refund = made.pending()
    record(refund, made.declined(refund))

    assert record(refund, made.given_back(refund)) == Recorded.APPLIED

    refund = made.reloaded(refund)
    assert (refund.status, refund.attempt.refunded_minor) == (RefundStatus.SUCCEEDED, 1500_00)
    assert refund.attempt.refund_pending_minor == 0
    assert books() == REFUNDED_BOOKS


def test_money_of_two_refunds_is_not_booked_by_guess(acme):
    first = made.pending()
    record(first, made.declined(first))
    second = made.pending(first.attempt)

    refuse(MoneyUnexplained, first, made.given_back(first))
    record(second, made.given_back(second))
    refuse(MoneyUnexplained, first, made.given_back(first))

    assert books() == REFUNDED_BOOKS


def test_a_report_may_come_before_the_answer(acme):
    refund = made.sending()
    ticket = made.ticket()

    record(refund, made.given_back(refund, ticket=ticket.value))
    sendings.accept(refund_id=refund.id, ticket=ticket, now=NOW)

    refund = made.reloaded(refund)
    assert (refund.status, refund.ticket) == (RefundStatus.SUCCEEDED, ticket.value)
    assert refund.initiated_at == NOW


def test_resolves_what_was_unknown(acme):
    refund = made.unknown()

    record(refund, made.given_back(refund, ticket="71840-1"))

    assert made.reloaded(refund).status == RefundStatus.SUCCEEDED
    assert told(refund.id) == ["refund_requested", "refund_unknown", "refund_succeeded"]


def test_a_time_out_leaves_it_open_and_is_asked_after_at_once(acme):
    refund = made.pending()
    lost = RefundReport(refund.ticket, RefundOutcome.LOST)

    assert record(refund, lost) == Recorded.APPLIED
    assert record(refund, lost) == Recorded.DUPLICATE

    refund = made.reloaded(refund)
    assert (refund.status, refund.unknown_at, refund.next_query_at) == (RefundStatus.UNKNOWN, NOW, NOW)
    assert refund.attempt.refund_pending_minor == 1500_00
    assert sendings.claim_query(refund_id=refund.id, now=NOW) is not None


def test_a_time_out_brings_the_ticket_of_a_request_whose_answer_was_lost(
    acme, django_capture_on_commit_callbacks
):
    refund = made.unknown()
    lost = RefundReport("71840-3", RefundOutcome.LOST)

    with jobs.held() as started, django_capture_on_commit_callbacks(execute=True):
        assert record(refund, lost) == Recorded.APPLIED
        assert record(refund, lost) == Recorded.DUPLICATE

    refund = made.reloaded(refund)
    assert (refund.status, refund.ticket, refund.next_query_at) == (RefundStatus.UNKNOWN, "71840-3", NOW)
    assert [job.name for job in started] == ["payments.query_refund"]
    assert told(refund.id).count("refund_unknown") == 1
    assert sendings.claim_query(refund_id=refund.id, now=NOW) is not None


def test_a_refund_that_never_left_fails_though_the_sweep_gave_it_up(acme):
    refund = made.unknown()
    refusal = ProviderUnavailable("network_unreachable")

    for _ in range(2):
        sendings.put_off(refund_id=refund.id, refusal=refusal, now=NOW)

    refund = made.reloaded(refund)
    assert (refund.status, refund.failure_code) == (RefundStatus.FAILED, "network_unreachable")
    assert refund.attempt.refund_pending_minor == 0
    assert told(refund.id)[-1] == "refund_failed"


def test_no_two_refunds_have_one_ticket(acme):
    first, second = made.pending(), made.unknown(made.paid(reference="B"))
    taken = Ticket(first.ticket, None)

    with pytest.raises(IntegrityError, match="refund_ticket_once"), transaction.atomic():
        sendings.accept(refund_id=second.id, ticket=taken, now=NOW)
    with pytest.raises(ReportContradicts, match="belongs to another refund"):
        record(second, made.given_back(second, ticket=first.ticket))

    assert made.reloaded(second).ticket == ""


def test_a_refund_with_a_ticket_stays_unknown_whatever_its_worker_says(acme):
    refund = made.unknown()
    record(refund, RefundReport("71840-4", RefundOutcome.LOST))

    sendings.put_off(refund_id=refund.id, refusal=ProviderUnavailable("network_unreachable"), now=NOW)

    assert made.reloaded(refund).status == RefundStatus.UNKNOWN


def test_late_money_calls_off_a_refund_that_was_never_sent(acme):
    first = made.pending()
    record(first, made.declined(first))
    second = made.requested(first.attempt)

    assert record(first, made.given_back(first)) == Recorded.APPLIED

    second = made.reloaded(second)
    assert (second.status, second.failure_code) == (RefundStatus.CANCELLED, "already_refunded")
    assert sendings.begin(refund_id=second.id, now=NOW) is None
    assert (second.attempt.refunded_minor, second.attempt.refund_pending_minor) == (1500_00, 0)
    assert told(second.id) == ["refund_requested", "refund_cancelled"]
    assert books() == REFUNDED_BOOKS


def test_reversed_before_is_an_earlier_refund_that_had_failed(acme):
    first = made.pending()
    record(first, made.declined(first))
    second = made.pending(first.attempt)
    report = RefundReport(second.ticket, RefundOutcome.ALREADY, reason_code="already_reversed")

    assert record(second, report) == Recorded.APPLIED

    assert made.reloaded(second).status == RefundStatus.SUCCEEDED
    assert made.reloaded(first).status == RefundStatus.FAILED
    assert books() == REFUNDED_BOOKS


def test_reversed_before_by_an_earlier_refund_that_is_booked_is_a_failure(acme):
    first = made.pending()
    record(first, made.declined(first))
    second = made.pending(first.attempt)
    record(second, made.declined(second))
    record(first, made.given_back(first))

    assert record(second, RefundReport(second.ticket, RefundOutcome.ALREADY)) == Recorded.DUPLICATE
    assert made.reloaded(second).status == RefundStatus.FAILED
    assert books() == REFUNDED_BOOKS


def test_reversed_before_is_our_own_where_we_did_not_know(acme):
    refund = made.unknown()

    record(refund, RefundReport("71840-2", RefundOutcome.ALREADY, provider_code="R000001"))

    refund = made.reloaded(refund)
    assert (refund.status, refund.provider_receipt) == (RefundStatus.SUCCEEDED, "")
    assert books() == REFUNDED_BOOKS


def test_reversed_before_by_somebody_else_is_a_failure(acme):
    refund = made.pending()
    report = RefundReport(
        refund.ticket, RefundOutcome.ALREADY, reason_code="already_reversed", provider_code="R000001"
    )

    record(refund, report)

    refund = made.reloaded(refund)
    assert (refund.status, refund.failure_code) == (RefundStatus.FAILED, "already_reversed")
    assert books() == PAID_BOOKS


def test_another_sum_is_for_people(acme):
    refund = made.pending()

    refuse(MoneyUnexplained, refund, made.given_back(refund, money=Money(1400_00, "KES")))


@pytest.mark.parametrize(
    "facts",
    [
        {"ticket": "another"},
        {"ticket": "1" * 121},
        {"payment_receipt": "NLJ7RT61SV"},
    ],
)
def test_refuses_what_is_of_something_else(acme, facts):
    refund = made.unknown() if "1" * 121 in facts.values() else made.pending()

    refuse(ReportContradicts, refund, made.given_back(refund, **facts))


def test_refuses_the_receipt_of_another_movement(acme):
    refund = made.pending()
    other = made.pending()
    record(other, made.given_back(other, receipt="NLJ90ABCDE"))

    refuse(ReportContradicts, refund, made.given_back(refund, receipt="NLJ90ABCDE"))
    refuse(ReportContradicts, refund, made.given_back(refund, receipt=refund.payment_receipt))


def test_a_receipt_of_a_refund_is_none_of_a_payment(acme):
    refund = made.pending()
    record(refund, made.given_back(refund, receipt="NLJ90ABCDE"))
    attempt = payments.waiting()

    with pytest.raises(ReportContradicts):
        intents.record(
            attempt_id=attempt.id,
            report=payments.collected(attempt, receipt="NLJ90ABCDE"),
            actor=PROVIDER,
            now=NOW,
        )


def test_a_second_receipt_is_for_people(acme):
    refund = made.pending()
    record(refund, made.given_back(refund))

    refuse(MoneyUnexplained, refund, made.given_back(refund))


def test_refuses_what_was_never_sent(acme):
    refund = made.requested()

    refuse(ReportContradicts, refund, made.given_back(refund))


def test_nothing_is_kept_when_the_ledger_refuses(acme):
    refund = made.pending()
    sent = Refund.objects.select_related("attempt__provider_account").get(id=refund.id)
    journals.post(draft=postings.refund(sent, taken=sent.money), actor=PROVIDER, now=NOW)
    before = (bookings(), told(refund.id))

    with pytest.raises(journals.KeyReused):
        record(refund, made.given_back(refund, receipt="NLJ90ABCDE"))

    found = made.reloaded(refund)
    assert (found.status, found.refunded_at, found.provider_receipt) == (RefundStatus.PENDING, None, "")
    assert (found.attempt.refunded_minor, found.attempt.refund_pending_minor) == (0, 1500_00)
    assert (bookings(), told(refund.id)) == before


def test_a_sum_corrected_later_goes_back_from_suspense_too(acme):
    attempt = payments.waiting()
    first = payments.collected(attempt, money=None, receipt="NLJ7RT61SV")
    then = payments.collected(attempt, money=Money(1600_00, "KES"), receipt="NLJ7RT61SV")
    for report in (first, then):
        intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=NOW)
    refund = made.pending(attempt)

    record(refund, made.given_back(refund))

    assert made.reloaded(refund).money == Money(1600_00, "KES")
    assert balance(AccountRole.SUSPENSE).is_zero
    assert balance(AccountRole.UNAPPLIED_COLLECTIONS).is_zero


@pytest.mark.parametrize(
    ("facts", "is_believed"),
    [
        ({}, True),
        ({"receipt": "NLJ90OTHER"}, False),
        ({"money": Money(1_00, "KES")}, False),
        ({"payer_phone": "+254700000001"}, False),
        ({"payer_phone": ""}, False),
        ({"payer_phone": "", "payer": "2547 ***** 678"}, True),
        ({"payer_phone": "", "payer": "2547 ***** 679"}, False),
        ({"occurred_at": None}, False),
        ({"occurred_at": made.NOW - timedelta(hours=1)}, False),
    ],
)
def test_a_claimed_receipt_is_believed_only_where_it_fits(acme, facts, is_believed):
    refund = made.unknown()
    refund = refunds.verify(refund_id=refund.id, receipt=" nlj90abcde ", actor=PROVIDER, now=NOW)
    report = made.given_back(
        refund,
        **{
            "ticket": "another",
            "receipt": "NLJ90ABCDE",
            "payment_receipt": "",
            "payer_phone": payments.PHONE,
            "occurred_at": NOW,
            **facts,
        },
    )

    found = refund_reports.believed(refund, report)

    assert (found is not None) is is_believed


def test_an_answer_to_the_ticket_is_believed_and_another_ticket_is_not(acme):
    refund = made.pending()

    assert refund_reports.believed(refund, made.given_back(refund)) is not None
    assert refund_reports.believed(refund, made.given_back(refund, ticket="")) is not None
    assert refund_reports.believed(refund, made.given_back(refund, ticket="another")) is None


DEEDS = ["accept", "lose", "put_off", "back", "decline", "already", "timeout", "begin", "create"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=st.lists(st.sampled_from(DEEDS), min_size=1, max_size=8))
def test_no_order_of_deeds_moves_money_twice(acme, deeds):
    attempt = made.paid()
    refund = made.requested(attempt)
    for deed in deeds:
        refund = _done(deed, made.reloaded(refund))
        found = Refund.objects.filter(attempt=attempt)
        kept = payments.reloaded(attempt)
        succeeded = sum(one.is_refunded for one in found)
        live = sum(one.is_live for one in found)
        assert succeeded + live <= 1
        assert kept.refunded_minor == succeeded * 1500_00
        assert kept.refund_pending_minor == live * 1500_00
        assert (
            Transaction.objects.filter(idem_key__startswith="refund:", source_id=attempt.intent_id).count()
            == succeeded
        )


def _done(deed, refund):
    """Do one deed as a job, an answer or a callback would; what is refused changes nothing."""
    ticket = sendings.Ticket(refund.ticket or made.ticket().value)
    report = {
        "back": made.given_back(refund, receipt=f"NLR{refund.id.int % 10**9:09d}"),
        "decline": made.declined(refund),
        "already": RefundReport(refund.ticket, RefundOutcome.ALREADY, reason_code="already_reversed"),
        "timeout": RefundReport(refund.ticket, RefundOutcome.LOST),
    }.get(deed)
    try:
        if report is not None:
            record(refund, report)
        elif deed == "accept":
            sendings.accept(refund_id=refund.id, ticket=ticket, now=NOW)
        elif deed == "lose":
            sendings.lose(refund_id=refund.id, now=NOW)
        elif deed == "put_off":
            refusal = sendings.ProviderUnavailable("network_unreachable")
            sendings.put_off(refund_id=refund.id, refusal=refusal, now=NOW)
        elif deed == "begin":
            sendings.begin(refund_id=refund.id, now=NOW + timedelta(minutes=1))
        else:
            return made.requested(refund.attempt)
    except (ReportContradicts, refund_limits.RefundRefused):
        pass
    return refund

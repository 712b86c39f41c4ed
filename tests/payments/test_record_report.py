"""Record report."""

from datetime import timedelta
from itertools import count

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.integrations.models import ProviderAccount
from apps.integrations.ports import CollectionReport, Outcome, Ticket
from apps.kit.actors import PROVIDER
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole
from apps.ledger.models import Transaction
from apps.payments.contracts import AttemptStatus, IntentStatus, Recorded
from apps.payments.models import PaymentAttempt
from apps.payments.services import attempts, intents
from apps.payments.services.reports import ReportContradicts
from tests.factories import payments
from tests.payments.conftest import balance, bookings, every_balance, is_untouched, told

NOW = payments.NOW + timedelta(seconds=30)


def record(attempt, report):
    return intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=NOW)


def refuse(attempt, report):
    before = (payments.reloaded(attempt).status, bookings(), told(attempt.intent_id))

    with pytest.raises(ReportContradicts):
        record(attempt, report)

    assert (payments.reloaded(attempt).status, bookings(), told(attempt.intent_id)) == before


def test_a_failure_closes_attempt_and_intent(acme):
    attempt = payments.waiting()

    assert record(attempt, payments.declined(attempt)) == Recorded.APPLIED

    intent = payments.reload(attempt.intent_id)
    assert intent.status == IntentStatus.FAILED
    assert (intent.failure_code, intent.closed_at) == ("customer_cancelled", NOW)
    assert intent.current_attempt.status == AttemptStatus.FAILED
    assert intent.current_attempt.provider_code == "1032"
    assert told(intent.id) == ["payment_intent_created", "payment_initiated", "payment_failed"]
    assert bookings() == 0


def test_a_second_failure_changes_nothing(acme):
    attempt = payments.waiting()
    record(attempt, payments.declined(attempt))

    assert record(attempt, payments.declined(attempt)) == Recorded.DUPLICATE
    assert told(attempt.intent_id).count("payment_failed") == 1


def test_a_failure_after_success_changes_nothing(acme):
    attempt = payments.waiting()
    record(attempt, payments.collected(attempt))

    assert record(attempt, payments.declined(attempt)) == Recorded.IGNORED

    assert payments.reload(attempt.intent_id).status == IntentStatus.SUCCEEDED
    assert "payment_failed" not in told(attempt.intent_id)


def test_pending_changes_nothing(acme):
    attempt = payments.waiting()

    assert record(attempt, CollectionReport(attempt.ticket, Outcome.PENDING)) == Recorded.IGNORED
    assert payments.reloaded(attempt).status == AttemptStatus.ACTION_REQUIRED


def test_the_same_success_twice_is_a_duplicate(acme):
    attempt = payments.waiting()
    report = payments.collected(attempt)

    assert [record(attempt, report), record(attempt, report)] == [Recorded.APPLIED, Recorded.DUPLICATE]
    assert bookings() == 1


def test_a_report_before_the_http_answer_settles_and_says_initiated_once(acme):
    attempt = payments.sending()
    report = payments.collected(attempt, ticket="ws_CO_1")
    record(attempt, report)

    attempts.accept(attempt_id=attempt.id, ticket=Ticket("ws_CO_1", payments.PROMPT), now=NOW)

    found = payments.reloaded(attempt)
    assert (found.status, found.ticket) == (AttemptStatus.SUCCEEDED, "ws_CO_1")
    assert found.next_query_at is None
    assert told(attempt.intent_id) == [
        "payment_intent_created",
        "payment_initiated",
        "payment_captured",
        "payment_success",
    ]


def test_a_failure_before_the_http_answer_stays(acme):
    attempt = payments.sending()
    record(attempt, payments.declined(attempt, ticket="ws_CO_1"))

    attempts.accept(attempt_id=attempt.id, ticket=Ticket("ws_CO_1", payments.PROMPT), now=NOW)

    assert payments.reload(attempt.intent_id).status == IntentStatus.FAILED
    assert told(attempt.intent_id) == ["payment_intent_created", "payment_initiated", "payment_failed"]


def test_an_answer_that_contradicts_an_early_report_is_not_believed(acme):
    attempt = payments.sending()
    record(attempt, payments.collected(attempt, ticket="ws_CO_1"))

    attempts.accept(attempt_id=attempt.id, ticket=Ticket("ws_CO_2", payments.PROMPT), now=NOW)

    assert payments.reloaded(attempt).ticket == "ws_CO_1"


def test_no_two_attempts_have_one_ticket(acme):
    first, second = payments.waiting(reference="A"), payments.sending(reference="B")
    taken = Ticket(first.ticket, payments.PROMPT)

    with pytest.raises(IntegrityError, match="attempt_ticket_once"), transaction.atomic():
        attempts.accept(attempt_id=second.id, ticket=taken, now=NOW)
    with pytest.raises(ReportContradicts, match="belongs to another payment"):
        record(second, payments.collected(second, ticket=first.ticket))

    assert payments.reloaded(second).ticket == ""
    assert is_untouched()


def test_a_report_resolves_an_unknown_attempt(acme):
    attempt = payments.sending()
    attempts.lose(attempt_id=attempt.id, now=NOW)
    assert payments.reload(attempt.intent_id).status == IntentStatus.UNKNOWN

    record(attempt, payments.collected(attempt, ticket="ws_CO_1"))

    assert payments.reload(attempt.intent_id).status == IntentStatus.SUCCEEDED
    assert told(attempt.intent_id)[1:] == [
        "payment_unknown",
        "payment_initiated",
        "payment_captured",
        "payment_success",
    ]


def test_fills_in_the_receipt_that_a_query_did_not_tell(acme):
    attempt = payments.waiting()
    record(attempt, payments.collected(attempt, money=None, receipt=""))

    report = payments.collected(attempt, receipt="NLJ7RT61SV")
    assert [record(attempt, report), record(attempt, report)] == [Recorded.APPLIED, Recorded.DUPLICATE]

    found = payments.reloaded(attempt)
    assert (found.provider_receipt, found.is_amount_reported) == ("NLJ7RT61SV", True)
    assert bookings() == 1
    assert told(attempt.intent_id).count("payment_success") == 1


@pytest.mark.parametrize(("minor", "suspense"), [(1000_00, -500_00), (1700_00, 200_00)])
def test_corrects_a_sum_that_had_been_assumed(acme, minor, suspense):
    attempt = payments.waiting()
    record(attempt, payments.collected(attempt, money=None, receipt=""))

    record(attempt, payments.collected(attempt, money=Money(minor, "KES"), receipt="NLJ7RT61SV"))

    received = Money(minor, "KES")
    assert payments.reloaded(attempt).received == received
    assert payments.reload(attempt.intent_id).status == IntentStatus.SUCCEEDED
    assert balance(AccountRole.PROVIDER_BALANCE) == received - received.share(50)
    assert balance(AccountRole.PROVIDER_FEES) == received.share(50)
    assert balance(AccountRole.UNAPPLIED_COLLECTIONS) == payments.KES_1500
    assert balance(AccountRole.SUSPENSE) == Money(suspense, "KES")
    assert told(attempt.intent_id)[-1] == "payment_in_review"
    assert bookings() == 2


def test_refuses_another_ticket(acme):
    attempt = payments.waiting()

    refuse(attempt, payments.collected(attempt, ticket="ws_CO_other"))
    refuse(attempt, payments.declined(attempt, ticket="ws_CO_other"))


def test_refuses_another_receipt_for_money_that_is_booked(acme):
    attempt = payments.waiting()
    record(attempt, payments.collected(attempt))

    refuse(attempt, payments.collected(attempt))


@pytest.mark.parametrize("receipt", ["NLJ7RT61SV", ""])
def test_refuses_another_sum_than_was_reported(acme, receipt):
    attempt = payments.waiting()
    record(attempt, payments.collected(attempt, receipt="NLJ7RT61SV"))

    refuse(attempt, payments.collected(attempt, receipt=receipt, money=Money(1000_00, "KES")))


def test_a_later_tariff_leaves_the_fee_of_a_sum_that_was_assumed_right(acme):
    attempt = payments.waiting()
    record(attempt, payments.collected(attempt, money=None, receipt=""))
    ProviderAccount.objects.update(fee_bps=100)

    record(attempt, payments.collected(attempt, receipt="NLJ7RT61SV"))

    found = payments.reloaded(attempt)
    assert (found.fee, found.is_amount_reported) == (payments.KES_1500.share(50), True)
    assert balance(AccountRole.PROVIDER_FEES) == found.fee
    assert bookings() == 1


def test_refuses_the_receipt_of_another_payment(acme):
    first, second = payments.waiting(), payments.waiting()
    record(first, payments.collected(first, receipt="NLJ7RT61SV"))

    refuse(second, payments.collected(second, receipt="NLJ7RT61SV"))

    assert payments.reload(second.intent_id).status == IntentStatus.ACTION_REQUIRED


@pytest.mark.parametrize("minor", [0, -1500_00])
def test_refuses_a_sum_that_is_none(acme, minor):
    attempt = payments.waiting()

    refuse(attempt, payments.collected(attempt, money=Money(minor, "KES")))


def test_refuses_another_currency_for_money_that_is_booked(acme):
    attempt = payments.waiting()
    record(attempt, payments.collected(attempt, money=None, receipt=""))

    refuse(attempt, payments.collected(attempt, money=Money(1500_00, "USD")))


def test_refuses_a_ticket_that_cannot_be_stored(acme):
    attempt = payments.sending()

    refuse(attempt, payments.collected(attempt, ticket="w" * 121))


SUMS = st.sampled_from([None, 1500_00, 1000_00, 1777_00])
REPORTS = st.tuples(st.sampled_from(["collected", "declined", "pending"]), SUMS, st.booleans(), st.booleans())
_receipts = count(1)


@given(sequence=st.lists(REPORTS, min_size=1, max_size=8), is_sent=st.booleans())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_sequence_of_reports_books_the_money_once(acme, sequence, is_sent):
    """Whatever comes in whatever order: one booking an attempt, and the ledger holds what was last reported."""
    attempt = payments.waiting() if is_sent else payments.sending()
    receipt = f"QRS{next(_receipts):07d}"
    first_sum = told_sum = None
    is_paid = False
    before = every_balance()

    for kind, minor, has_receipt, is_forged in sequence:
        report = {
            "collected": payments.collected(
                attempt,
                money=None if minor is None else Money(minor, "KES"),
                receipt=receipt if has_receipt else "",
                ticket="ws_CO_forged" if is_forged else attempt.ticket or "ws_CO_early",
            ),
            "declined": payments.declined(attempt, ticket=attempt.ticket or "ws_CO_early"),
            "pending": CollectionReport(attempt.ticket or "ws_CO_early", Outcome.PENDING),
        }[kind]
        known = PaymentAttempt.objects.get(id=attempt.id)
        if kind == "collected" and is_forged and known.ticket not in ("", "ws_CO_forged"):
            refuse(attempt, report)
            continue
        try:
            record(attempt, report)
        except ReportContradicts:
            continue
        if kind == "collected":
            first_sum = first_sum if is_paid else (1500_00 if minor is None else minor)
            told_sum = minor if told_sum is None else told_sum
            is_paid = True

    found = payments.reloaded(attempt)
    keys = Transaction.objects.filter(idem_key=f"collection:{attempt.id}")
    assert found.is_booked == is_paid == keys.exists()
    received = Money(told_sum or first_sum or 0, "KES")
    grown = {role: now - before[role] for role, now in every_balance().items()}
    assert grown[AccountRole.PROVIDER_BALANCE] + grown[AccountRole.PROVIDER_FEES] == received
    assert grown[AccountRole.UNAPPLIED_COLLECTIONS] + grown[AccountRole.SUSPENSE] == received
    assert grown[AccountRole.PROVIDER_FEES] == received.share(50)
    assert told(attempt.intent_id).count("payment_success") == (is_paid and first_sum == 1500_00)
    assert told(attempt.intent_id).count("payment_initiated") <= 1

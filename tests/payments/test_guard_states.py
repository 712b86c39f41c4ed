"""Guard states: what the database refuses whoever asks, psql and data fixes included."""

from datetime import timedelta

import psycopg
import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from apps.kit import ids
from apps.kit.actors import PROVIDER
from apps.payments.contracts import AttemptStatus, IntentStatus
from apps.payments.models import PaymentAttempt, PaymentIntent
from apps.payments.services import intents, refunds
from tests.conftest import owner
from tests.factories import payments
from tests.factories import refunds as made

NOW = payments.NOW + timedelta(seconds=20)


@pytest.fixture
def paid(acme):
    attempt = payments.waiting()
    report = payments.collected(attempt)
    intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=NOW)
    return payments.reloaded(attempt)


@pytest.fixture
def failed(acme):
    attempt = payments.waiting()
    report = payments.declined(attempt)
    intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=NOW)
    return payments.reloaded(attempt)


def refused(statement, *parameters, match, error=IntegrityError):
    with (
        pytest.raises(error, match=match),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, parameters)


def test_a_success_is_never_left(paid):
    for status in ("FAILED", "CANCELLED", "IN_REVIEW", "PROCESSING"):
        refused(
            "UPDATE payments_paymentintent SET status = %s WHERE id = %s",
            status,
            paid.intent_id,
            match="cannot go from SUCCEEDED",
        )
        refused(
            "UPDATE payments_paymentattempt SET status = %s WHERE id = %s",
            status,
            paid.id,
            match="cannot go from SUCCEEDED",
        )


def test_a_failure_is_left_only_by_money(failed):
    refused(
        "UPDATE payments_paymentintent SET status = 'PROCESSING' WHERE id = %s",
        failed.intent_id,
        match="cannot go from FAILED",
    )
    refused(
        "UPDATE payments_paymentattempt SET status = 'PENDING' WHERE id = %s",
        failed.id,
        match="cannot go from FAILED",
    )


def test_settling_and_booking_happen_once(paid):
    refused(
        "UPDATE payments_paymentintent SET settled_at = now() WHERE id = %s",
        paid.intent_id,
        match="settled once",
    )
    refused("UPDATE payments_paymentattempt SET booked_at = now() WHERE id = %s", paid.id, match="set once")


@pytest.mark.parametrize("column", ["ticket", "provider_receipt"])
def test_a_ticket_and_a_receipt_stay(paid, column):
    statement = f"UPDATE payments_paymentattempt SET {column} = 'OTHER' WHERE id = %s"
    refused(statement, paid.id, match="set once")


def test_what_was_asked_for_stays(paid):
    refused("UPDATE payments_paymentintent SET amount_minor = 1 WHERE id = %s", paid.intent_id, match="fixed")
    refused("UPDATE payments_paymentattempt SET code = 'X' WHERE id = %s", paid.id, match="fixed")


@pytest.mark.parametrize("table", ["payments_paymentintent", "payments_paymentattempt"])
def test_the_application_may_delete_nothing(paid, table):
    refused(f"DELETE FROM {table}", match="permission denied", error=ProgrammingError)


@pytest.mark.parametrize("table", ["payments_paymentintent", "payments_paymentattempt"])
def test_the_owner_deletes_nothing_either(committed_acme, table):
    payments.sending()

    with owner() as database, pytest.raises(psycopg.errors.RestrictViolation, match="never deleted"):
        database.execute(f"DELETE FROM org_acme.{table}")


def test_states_without_money_cannot_pretend(acme):
    intent = payments.intent()
    refused(
        "UPDATE payments_paymentintent SET status = 'SUCCEEDED', next_request_at = NULL WHERE id = %s",
        intent.id,
        match="intent_paid_states",
    )
    refused(
        "UPDATE payments_paymentintent SET status = 'IN_REVIEW', next_request_at = NULL WHERE id = %s",
        intent.id,
        match="intent_settled_states",
    )


def test_one_live_attempt_an_intent(acme):
    attempt = payments.waiting()
    second = PaymentAttempt(
        **{
            field.attname: getattr(attempt, field.attname)
            for field in PaymentAttempt._meta.concrete_fields
            if field.name not in {"id", "number", "code", "callback_token", "status"}
        },
        number=2,
        code=ids.code(),
        callback_token=ids.token(),
    )

    with pytest.raises(IntegrityError, match="attempt_one_live_per_intent"), transaction.atomic():
        second.save(force_insert=True)


def test_a_receipt_once_a_provider(acme):
    paid, other = payments.waiting(), payments.waiting()
    report = payments.collected(paid, receipt="NLJ7RT61SV")
    intents.settle(attempt_id=paid.id, report=report, actor=PROVIDER, now=NOW)

    with pytest.raises(IntegrityError, match="attempt_receipt_once"), transaction.atomic():
        intents.settle(
            attempt_id=other.id,
            report=payments.collected(other, receipt="NLJ7RT61SV"),
            actor=PROVIDER,
            now=NOW,
        )

    assert payments.reloaded(other).status == AttemptStatus.ACTION_REQUIRED


def test_states_change_by_transition_only(acme):
    intent = payments.intent()

    with pytest.raises(AttributeError):
        intent.status = IntentStatus.SUCCEEDED

    assert PaymentIntent.objects.get().status == IntentStatus.PROCESSING


@pytest.mark.parametrize(
    ("assignment", "match"),
    [
        ("status = 'PENDING', refunded_at = NULL", "set once"),
        ("amount_minor = 1", "fixed"),
        ("callback_token = 'another'", "fixed"),
        ("provider_receipt = 'NLJ0000001'", "set once"),
        ("status = 'FAILED'", "cannot go from SUCCEEDED"),
    ],
)
def test_a_refund_that_succeeded_is_never_left(acme, assignment, match):
    refund = made.pending()
    refunds.record(refund_id=refund.id, report=made.given_back(refund), actor=PROVIDER, now=made.NOW)

    refused(f"UPDATE payments_refund SET {assignment} WHERE id = %s", refund.id, match=match)


def test_no_more_goes_back_than_came(acme):
    attempt = made.requested().attempt

    refused(
        "UPDATE payments_paymentattempt SET refunded_minor = 1 WHERE id = %s",
        attempt.id,
        match="attempt_refunds_within_received",
    )


def test_the_owner_deletes_no_refund_either(committed_acme):
    made.requested()

    with owner() as database, pytest.raises(psycopg.errors.RestrictViolation, match="never deleted"):
        database.execute("DELETE FROM org_acme.payments_refund")

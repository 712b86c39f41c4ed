"""Two connections at once: threads with connections of their own, on committed rows."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection

from apps.kit.actors import PROVIDER, SYSTEM
from apps.payments.contracts import IntentStatus, Recorded
from apps.payments.services import attempts, intents, references
from apps.payments.services.listed_movements import NotOpen
from apps.payments.services.reports import ReportContradicts
from apps.payments.services.resolutions import DoesNotFit, MayBeOfAnother, NotWaiting
from tests.factories import payments
from tests.payments.conftest import bookings, books, told

NOW = payments.NOW + timedelta(seconds=20)


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run each call in a thread with its own connection, all released together; return results or exceptions."""
    organisation, gate = connection.tenant, threading.Barrier(len(calls))
    results: list[Any] = [None] * len(calls)

    def run(place: int, call: Callable[[], Any]) -> None:
        connection.set_tenant(organisation)
        try:
            gate.wait(10)
            results[place] = call()
        except (
            ReportContradicts,
            IntegrityError,
            intents.InvalidState,
            DoesNotFit,
            MayBeOfAnother,
            NotOpen,
            NotWaiting,
        ) as refusal:
            results[place] = refusal
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place, call)) for place, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def record(attempt, report):
    return lambda: intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=NOW)


def test_the_same_success_is_booked_once(committed_acme):
    attempt = payments.waiting()
    report = payments.collected(attempt)

    results = at_once(*[record(attempt, report)] * 6)

    assert sorted(results) == [Recorded.APPLIED, *[Recorded.DUPLICATE] * 5]
    assert bookings() == 1
    assert told(attempt.intent_id).count("payment_success") == 1


def test_success_and_failure_end_paid(committed_acme):
    attempt = payments.waiting()

    at_once(record(attempt, payments.collected(attempt)), record(attempt, payments.declined(attempt)))

    assert payments.reload(attempt.intent_id).status == IntentStatus.SUCCEEDED
    assert bookings() == 1
    assert told(attempt.intent_id).count("payment_success") == 1


def test_one_receipt_for_two_payments_is_booked_once(committed_acme):
    pair = payments.waiting(), payments.waiting()
    reports = [payments.collected(one, receipt="NLJ7RT61SV") for one in pair]

    results = at_once(*[record(one, report) for one, report in zip(pair, reports, strict=True)])

    assert sum(result == Recorded.APPLIED for result in results) == 1
    assert bookings() == 1
    assert books()["UNAPPLIED_COLLECTIONS"] == "1500.00"


def test_one_attempt_for_two_deliveries_of_the_job(committed_acme):
    intent = payments.intent()
    begin = lambda: attempts.begin(intent_id=intent.id, now=NOW)  # noqa: E731 (one call, run many times)

    results = at_once(*[begin] * 5)

    assert sum(result is not None for result in results) == 1
    assert intent.attempts.count() == 1


def test_the_answer_and_the_callback_agree(committed_acme):
    attempt = payments.sending()
    ticket = payments.ticket("ws_CO_1")
    report = payments.collected(attempt, ticket="ws_CO_1")

    at_once(lambda: attempts.accept(attempt_id=attempt.id, ticket=ticket, now=NOW), record(attempt, report))

    intent = payments.reload(attempt.intent_id)
    assert intent.status == IntentStatus.SUCCEEDED
    assert told(intent.id) == [
        "payment_intent_created",
        "payment_initiated",
        "payment_captured",
        "payment_success",
    ]


@pytest.mark.parametrize("round_", range(3))
def test_cancel_and_begin_never_both_win(committed_acme, round_):
    intent = payments.intent()

    at_once(
        lambda: intents.cancel(intent_id=intent.id, actor=SYSTEM, now=NOW),
        lambda: attempts.begin(intent_id=intent.id, now=NOW),
    )

    found = payments.reload(intent.id)
    if intent.attempts.exists():
        assert (found.status, found.cancel_requested_at) == (IntentStatus.PROCESSING, NOW)
    else:
        assert found.status == IntentStatus.CANCELLED


def test_a_query_is_claimed_once(committed_acme):
    attempt = payments.waiting()
    later = payments.NOW + timedelta(seconds=25)
    claim = lambda: attempts.claim_query(attempt_id=attempt.id, now=later)  # noqa: E731 (one call, run many times)

    results = at_once(*[claim] * 4)

    assert sum(result is not None for result in results) == 1


def test_a_repeated_reference_is_refused(committed_acme):
    payments.account()
    wanted = payments.wanted(reference="ORD-1")

    def create():
        try:
            return intents.create(request=wanted, actor=SYSTEM, now=NOW)
        except references.DuplicateReference:
            return None

    results = at_once(*[create] * 4)

    assert sum(result is not None for result in results) == 1

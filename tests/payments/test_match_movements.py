"""A movement that a provider lists settles what nobody answered, once, and never by guess."""

import pytest

from apps.kit.actors import PROVIDER
from apps.kit.money import Money
from apps.ledger.services import journals
from apps.payments.contracts import InboundStatus, IntentStatus
from apps.payments.models import InboundReceipt
from apps.payments.services import attempts, evidence, intents
from tests.factories import access, payments
from tests.payments.conftest import bookings, books, told
from tests.payments.movements import NOW, lost, row
from tests.payments.test_two_connections import at_once


def take(attempt, **facts):
    return evidence.take(account_id=attempt.provider_account_id, row=row(attempt, **facts), now=NOW)


def unmatched(pulled, word):
    assert pulled.is_waiting
    assert word in pulled.reason


@pytest.fixture(autouse=True)
def portal(request):
    """Money that is of no payment is of the application that people work through."""
    request.getfixturevalue("committed_acme" if "committed_acme" in request.fixturenames else "acme")
    access.portal()


@pytest.fixture
def unknown(acme):
    return lost()


def test_settles_what_was_unknown(unknown):
    pulled = take(unknown)

    intent = payments.reload(unknown.intent_id)
    assert (pulled.attempt_id, pulled.reason) == (unknown.id, "")
    assert (intent.status, intent.current_attempt.provider_receipt) == (IntentStatus.SUCCEEDED, "NLJ7RT61SV")
    assert told(intent.id)[-2:] == ["payment_captured", "payment_success"]


def test_takes_a_movement_once(unknown):
    assert take(unknown) == take(unknown)

    assert (InboundReceipt.objects.count(), bookings()) == (1, 1)


def test_fills_in_a_missing_receipt(acme):
    attempt = payments.waiting()
    report = payments.collected(attempt, money=None, receipt="")
    intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=NOW)

    take(attempt)

    found = payments.reloaded(attempt)
    assert (found.provider_receipt, found.is_amount_reported) == ("NLJ7RT61SV", True)
    assert bookings() == 1


def test_another_sum_under_the_code_goes_to_suspense(unknown):
    pulled = take(unknown, money=Money(1400_00, "KES"))

    attempt = payments.reloaded(unknown)
    assert (pulled.attempt_id, pulled.reason) == (unknown.id, "")
    assert (attempt.status, attempt.received, attempt.is_in_suspense) == (
        "MISMATCH",
        Money(1400_00, "KES"),
        True,
    )
    assert payments.reload(unknown.intent_id).status == IntentStatus.IN_REVIEW
    assert books()["SUSPENSE"] == "1400.00"


def test_corrects_a_sum_that_was_assumed_when_the_reference_is_told_at_last(acme):
    attempt = payments.waiting()
    unmatched(take(attempt, reference="", money=Money(77_00, "KES")), "No reference")
    report = payments.collected(attempt, money=None, receipt="")
    intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=NOW)

    assert take(attempt, money=Money(77_00, "KES")).status == InboundStatus.RETRACTED

    found = payments.reloaded(attempt)
    assert (found.received, found.provider_receipt) == (Money(77_00, "KES"), "NLJ7RT61SV")
    assert InboundReceipt.objects.count() == 1


def test_a_movement_that_a_later_callback_books_is_explained(acme):
    attempt = payments.waiting()
    kept = take(attempt, reference="")
    assert list(InboundReceipt.objects.waiting()) == [kept]

    report = payments.collected(attempt, receipt="NLJ7RT61SV")
    intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=NOW)

    assert not InboundReceipt.objects.waiting().exists()
    assert InboundReceipt.objects.get() == kept
    assert books()["UNAPPLIED_COLLECTIONS"] == "1500.00"


def test_the_receipt_of_another_account_explains_nothing(acme):
    attempt = payments.waiting()
    report = payments.collected(attempt, receipt="NLJ7RT61SV")
    intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=NOW)
    other = payments.account(branch_id=access.branch().id)

    kept = evidence.take(account_id=other.id, row=row(attempt), now=NOW)

    assert list(InboundReceipt.objects.waiting()) == [kept]


def test_is_a_late_success_after_a_failure(acme):
    attempt = payments.waiting()
    report = payments.declined(attempt)
    intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=NOW)

    take(attempt)

    assert payments.reload(attempt.intent_id).is_late is True


def test_a_payment_that_is_known_is_matched_and_booked_no_more(acme):
    attempt = payments.waiting()
    report = payments.collected(attempt, receipt="NLJ7RT61SV")
    intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=NOW)

    assert take(attempt, reference="TYPED BY HAND").attempt_id == attempt.id
    assert bookings() == 1


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"reference": "INV-7"}, "No payment has this reference"),
        ({"reference": ""}, "No reference was told"),
    ],
)
def test_nothing_is_booked_by_guess(unknown, facts, word):
    unmatched(take(unknown, **facts), word)

    assert payments.reload(unknown.intent_id).status == IntentStatus.UNKNOWN
    assert books()["SUSPENSE"] == "1500.00"


def test_a_second_payment_under_one_code_is_for_people(acme):
    attempt = payments.waiting()
    report = payments.collected(attempt)
    intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=NOW)

    unmatched(take(attempt, receipt="NLJ7RT61SW"), "came beside it")

    assert (bookings(), books()["SUSPENSE"]) == (2, "1500.00")


def test_the_code_of_another_account_is_not_ours(unknown):
    other = payments.account(branch_id=access.branch().id)

    unmatched(evidence.take(account_id=other.id, row=row(unknown), now=NOW), "No payment has this reference")


def test_nothing_is_kept_when_the_booking_fails(unknown, monkeypatch):
    def broken(**_):
        raise RuntimeError("the database went away")

    monkeypatch.setattr(journals, "post", broken)

    with pytest.raises(RuntimeError):
        take(unknown)

    assert not InboundReceipt.objects.exists()
    assert payments.reload(unknown.intent_id).status == IntentStatus.UNKNOWN


def test_two_readers_take_a_movement_once(committed_acme):
    attempt = payments.sending()
    attempts.lose(attempt_id=attempt.id, now=payments.NOW)

    results = at_once(*[lambda: take(attempt)] * 4)

    assert set(results) == {InboundReceipt.objects.get()}
    assert (InboundReceipt.objects.count(), bookings()) == (1, 1)

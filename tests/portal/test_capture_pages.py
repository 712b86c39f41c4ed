"""Captures in the portal: a dialog on the page of a payment whose payer has agreed to have a sum held back."""

import pytest
from django.urls import reverse

from apps.payments.contracts import AttemptStatus, IntentStatus
from tests import dialogs
from tests.factories import payments
from tests.payments.cards import USD_25, authorized
from tests.portal.test_refund_pages import Inside, page


@pytest.fixture
def browser(acme, enter):
    return Inside(enter(), acme)


@pytest.fixture
def attempt(acme):
    held = authorized()
    assert (held.status, held.intent.status) == (AttemptStatus.AUTHORIZED, IntentStatus.REQUIRES_CAPTURE)
    return held


def url(attempt) -> str:
    return f"{reverse('admin:payments_paymentintent_changelist')}{attempt.intent_id}/do/capture/"


@pytest.mark.parametrize(("written", "taken"), [("", 25_00), ("12.50", 12_50)])
def test_has_what_is_held_back_taken_or_a_part_of_it_once(browser, attempt, written, taken):
    assert "Capture…" in page(browser, attempt).content.decode()
    assert "Held back" in dialogs.open_at(browser, url(attempt)).content.decode()

    answers = [dialogs.send(browser, url(attempt), amount=written) for _again in range(2)]

    ordered = payments.reloaded(attempt)
    assert answers[0].status_code < 400
    assert (ordered.capture_minor, ordered.capture_number) == (taken, 1)
    assert ordered.order_due_at is not None
    assert "Capture…" not in page(browser, attempt).content.decode()


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("25.01", "25.00 is held back; no more than that can be captured."),
        ("0", "is held back; no more than that can be captured."),
        ("a lot", "Write the amount as 1,250.00."),
        ("1,50", "Write the amount as 1,250.00."),
    ],
)
def test_refuses_what_cannot_be_taken_and_names_the_field(browser, attempt, written, said):
    answer = dialogs.send(browser, url(attempt), amount=written)

    assert said in answer.content.decode()
    assert payments.reloaded(attempt).order_due_at is None


def test_shows_why_the_last_order_was_refused(browser, attempt):
    attempt.order(capture=USD_25, at=payments.NOW)
    attempt.end_order(refusal="The bank let it go.")
    attempt.save_progress()

    assert "The bank let it go." in dialogs.open_at(browser, url(attempt)).content.decode()


def test_is_offered_for_nothing_else(browser, acme):
    waiting = payments.waiting()

    assert "Capture…" not in page(browser, waiting).content.decode()

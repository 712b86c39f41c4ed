"""An unknown payment in the portal: closed as not paid by a dialog on its page, by two people, and told in its timeline."""

import pytest
from django.urls import reverse

from apps.approvals.contracts import Decided
from apps.approvals.models import ApprovalRequest
from apps.events.models import OutboxEvent
from apps.kit import clock
from apps.kit.actors import PROVIDER, SYSTEM
from apps.payments.contracts import IntentStatus, LateMoney
from apps.payments.contracts.verdicts import PAYMENT_VERDICT
from apps.payments.services import attempts, intents, payment_verdicts
from tests import dialogs
from tests.factories import approvals, payments
from tests.payments.test_late_money import choose
from tests.portal.test_refund_pages import Inside

WHY = "Statement, pages 1 to 4"
OFFERED = "Close as not paid"


@pytest.fixture
def visit(acme, enter):
    return lambda *who, **facts: Inside(enter(*who, **facts), acme)


@pytest.fixture
def lost(acme):
    approvals.rule(kind=PAYMENT_VERDICT.name, currency="", minimum_minor=None)
    attempt = payments.sending()
    attempts.lose(attempt_id=attempt.id, now=payments.NOW)
    return payments.reloaded(attempt)


def page(browser, attempt):
    return browser.get(reverse("portal-payment", args=[attempt.intent_id])).content.decode()


def dialog_of(attempt):
    return f"{reverse('admin:payments_paymentintent_changelist')}{attempt.intent_id}/do/close/"


def carry_out(attempt):
    request = ApprovalRequest.objects.get(id=payments.reloaded(attempt).verdict_approval_id)
    approvals.approve(request, approvals.person("grace"), now=clock.now())
    event = OutboxEvent.objects.get(type="approval_decided", aggregate_id=request.id)
    payment_verdicts.decide(decided=Decided.read(event.data), now=clock.now())


def test_it_is_closed_by_two_people_and_the_timeline_says_so(visit, lost):
    browser, url = visit(), dialog_of(lost)
    assert "After a day people can close it as not paid" in page(browser, lost)

    mistyped = dialogs.send(browser, url, reason=WHY, typed_money="15.00")
    assert (mistyped.status_code, ApprovalRequest.objects.count()) == (422, 0)
    dialogs.send(browser, url, reason=WHY, typed_money="1500.00")

    assert "Other people are asked to agree that nothing was collected." in page(browser, lost)
    assert "Other people have been asked already." in dialogs.open_at(browser, url).content.decode()
    carry_out(lost)
    shown = page(browser, lost)
    for text in ("Closed by people, another agreed", f"said that nothing was collected: {WHY}"):
        assert text in shown
    assert OFFERED not in shown
    assert "The provider has said otherwise since." not in shown

    intents.record(
        attempt_id=lost.id, report=payments.collected(lost, ticket="ws_CO_1"), actor=PROVIDER, now=clock.now()
    )

    assert "The provider has said otherwise since." in page(browser, lost)


def test_the_dialog_says_how_it_ends_and_what_becomes_of_late_money(visit, lost):
    choose(late_money=LateMoney.SUSPENSE)
    browser, url = visit(), dialog_of(lost)

    shown = dialogs.open_at(browser, url).content.decode()
    for text in (
        lost.code,
        "Failed",
        "It waits in suspense for a person",
        "Was it paid? Then do not close it",
    ):
        assert text in shown

    intents.cancel(intent_id=lost.intent_id, actor=SYSTEM, now=clock.now())
    assert "Cancelled, as was asked for" in dialogs.open_at(browser, url).content.decode()


def test_who_may_not_decide_about_money_is_offered_nothing(visit, lost):
    browser = visit("support")

    assert OFFERED not in page(browser, lost)
    assert dialogs.open_at(browser, dialog_of(lost)).status_code == 403


def test_what_may_be_answered_still_says_so_in_place_of_the_form(visit, acme):
    attempt = payments.sending(now=clock.now())
    attempts.lose(attempt_id=attempt.id, now=clock.now())

    shown = dialogs.open_at(visit(), dialog_of(attempt)).content.decode()

    assert "The provider may still answer." in shown


def test_money_that_waits_and_may_be_its_own_is_named_first(visit, lost):
    payments.held(payer="2547 ***** 678")

    shown = dialogs.open_at(visit(), dialog_of(lost)).content.decode()

    assert "Decide about that first." in shown
    assert payments.reload(lost.intent_id).status == IntentStatus.UNKNOWN


def test_what_is_closed_can_be_verified_by_the_receipt_that_its_payer_shows(visit, lost):
    browser = visit()
    assert "Verify a receipt" in page(browser, lost)
    dialogs.send(browser, dialog_of(lost), reason=WHY, typed_money="1500.00")
    carry_out(lost)
    assert payments.reload(lost.intent_id).status == IntentStatus.FAILED

    assert "Verify a receipt" in page(browser, lost)
    url = dialog_of(lost).replace("/close/", "/verify/")
    dialogs.send(browser, url, receipt="SKH0000007", reason="The payer shows it")

    assert payments.reloaded(lost).claimed_receipt == "SKH0000007"

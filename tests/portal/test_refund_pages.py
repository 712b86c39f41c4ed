"""Refunds in the portal: asked for by a dialog on the payment's page, listed, told in the timeline; and the evidence queue."""

import pytest
from django.db import connection
from django.urls import reverse

from apps.approvals.contracts import Decided
from apps.approvals.models import ApprovalRequest
from apps.events.models import OutboxEvent
from apps.integrations.contracts import MPESA
from apps.integrations.ports import RefundPort, StatementRow
from apps.integrations.services import providers
from apps.kit import clock
from apps.kit.actors import PROVIDER
from apps.kit.money import Money
from apps.payments.contracts import RefundStatus
from apps.payments.contracts.verdicts import REFUND_VERDICT
from apps.payments.models import Refund
from apps.payments.services import attempts, evidence, intents, refund_verdicts, refunds, sendings
from tests import dialogs
from tests.factories import access, approvals, payments
from tests.factories import refunds as made
from tests.portal.test_payment_page import timeline, titles

REASON = "Order cancelled by the customer"


def refund_url(attempt):
    list_url = reverse("admin:payments_paymentintent_changelist")
    return f"{list_url}{attempt.intent_id}/do/refund/"


@pytest.fixture
def visit(acme, enter):
    """Return a function that signs in and gives a browser that leaves this test in its organisation."""

    def signed_in(*who, **facts):
        return Inside(enter(*who, **facts), acme)

    return signed_in


class Inside:
    """A browser; after each request the organisation is entered again, which a request leaves behind it."""

    def __init__(self, browser, organisation):
        self.browser, self.organisation = browser, organisation

    def get(self, *request, **facts):
        return self._entered(self.browser.get(*request, **facts))

    def post(self, *request, **facts):
        return self._entered(self.browser.post(*request, **facts))

    def _entered(self, answer):
        connection.set_tenant(self.organisation)
        return answer


def page(browser, attempt):
    return browser.get(reverse("portal-payment", args=[attempt.intent_id]))


def test_the_page_of_a_paid_payment_offers_it(visit):
    attempt = made.paid()
    browser = visit()

    assert "Refund…" in page(browser, attempt).content.decode()
    opened = dialogs.open_at(browser, refund_url(attempt)).content.decode()

    assert f"Refund payment {attempt.provider_receipt}" in opened
    assert "Left of this payment" in opened
    assert not Refund.objects.exists()


def test_sending_it_asks_once(visit):
    attempt = made.paid()
    browser = visit()

    answer = dialogs.send(browser, refund_url(attempt), reason=REASON)

    assert answer.status_code < 400
    refund = Refund.objects.get()
    assert (refund.status, refund.reason, refund.money) == (RefundStatus.REQUESTED, REASON, payments.KES_1500)
    assert "Refund…" not in page(browser, attempt).content.decode()


@pytest.mark.parametrize(
    ("lacks", "said"),
    [
        ("receipt", "M-Pesa has not told the receipt yet"),
        ("port", "M-Pesa gives no money back from here"),
    ],
)
def test_where_nothing_can_be_given_back_the_button_says_why(visit, monkeypatch, lacks, said):
    attempt = payments.waiting()
    told = {"receipt": "", "money": None} if lacks == "receipt" else {}
    report = payments.collected(attempt, **told)
    intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=made.NOW)
    if lacks == "port":
        offered = {port: kept for port, kept in providers.PORTS[MPESA].items() if port is not RefundPort}
        monkeypatch.setitem(providers.PORTS, MPESA, offered)
    browser = visit()

    shown = page(browser, attempt).content.decode()
    refused = dialogs.open_at(browser, refund_url(attempt))

    assert f'aria-disabled="true" title="{said}' in shown
    assert (refused.status_code, said in refused.content.decode()) == (409, True)
    assert not Refund.objects.exists()


def test_over_the_limit_the_amount_is_typed_and_others_decide(visit):
    approvals.rule()
    attempt = made.paid(money=Money(20_000_00, "KES"))
    browser = visit()
    url = refund_url(attempt)

    dialogs.send(browser, url, reason=REASON, typed_money="20.00")
    assert not Refund.objects.exists()
    dialogs.send(browser, url, reason=REASON, typed_money="20000.00")

    assert Refund.objects.get().status == RefundStatus.AWAITING_APPROVAL


def test_what_waits_for_a_decision_leads_to_the_payment(visit):
    approvals.rule()
    attempt = made.paid(money=Money(20_000_00, "KES"))
    browser = visit()
    dialogs.send(browser, refund_url(attempt), reason=REASON, typed_money="20000.00")
    refund = Refund.objects.get()

    shown = browser.get(reverse("portal-approval", args=[refund.approval_id])).content.decode()

    assert reverse("admin:payments_refund_change", args=[refund.id]) in shown


@pytest.mark.parametrize("role", ["auditor"])
def test_who_may_not_refund_is_not_offered_it(visit, role):
    attempt = made.paid()
    browser = visit(role)

    assert "Refund…" not in page(browser, attempt).content.decode()
    assert dialogs.open_at(browser, refund_url(attempt)).status_code in (403, 404)


def test_the_timeline_tells_what_became_of_it(acme):
    refund = made.unknown()
    report = made.given_back(refund, ticket="71840-1", receipt="NLJ90ABCDE")
    refunds.record(refund_id=refund.id, report=report, actor=PROVIDER, now=made.NOW)

    shown = timeline(refund.intent_id)

    told = [title for title in titles(shown) if "efund" in title or "went back" in title]
    assert told == ["Refund asked for", "No answer: refund unknown", "Money went back"]
    assert shown.payment.refunded == payments.KES_1500
    assert shown.payment.refund_badge.word == "Refunded"


def test_lists_refunds_and_leads_to_the_payment(visit):
    refund = made.requested(reason=REASON)
    browser = visit()

    shown = browser.get(reverse("admin:payments_refund_changelist")).content.decode()

    assert refund.payment_receipt in shown
    assert REASON in shown
    opened = browser.get(reverse("admin:payments_refund_change", args=[refund.id]))
    assert opened.url == reverse("portal-payment", args=[refund.intent_id])


def test_a_receipt_is_verified_by_a_dialog(visit):
    refund = made.unknown()
    url = f"{reverse('admin:payments_refund_changelist')}{refund.id}/do/verify/"

    dialogs.send(visit(), url, receipt="nlj90abcde")

    assert made.reloaded(refund).claimed_receipt == "NLJ90ABCDE"


def test_the_dialog_asks_by_the_ticket_when_no_receipt_is_written(visit):
    refund = made.pending()
    sendings.lose(refund_id=refund.id, now=made.NOW)
    url = f"{reverse('admin:payments_refund_changelist')}{refund.id}/do/verify/"

    dialogs.send(visit(), url, receipt="")

    refund = made.reloaded(refund)
    assert (refund.claimed_receipt, refund.next_query_at is not None) == ("", True)


def test_a_refund_without_an_answer_is_closed_by_two_people_and_the_timeline_says_so(visit):
    approvals.rule(kind=REFUND_VERDICT.name, currency="", minimum_minor=None)
    refund = made.unknown()
    browser = visit()
    url = f"{reverse('admin:payments_refund_changelist')}{refund.id}/do/close/"
    facts = {"verdict": "GIVEN_BACK", "receipt": "nlj90abcde", "reason": "Statement, page 3"}

    unproven = dialogs.send(browser, url, **{**facts, "receipt": ""}, typed_money="1500.00").content.decode()
    dialogs.send(browser, url, **facts, typed_money="1500.00")

    assert "Write the receipt" in unproven
    assert "Other people have been asked already." in dialogs.open_at(browser, url).content.decode()
    request = ApprovalRequest.objects.get(id=made.reloaded(refund).verdict_approval_id)
    approvals.approve(request, approvals.person("grace"), now=clock.now())
    event = OutboxEvent.objects.get(type="approval_decided", aggregate_id=request.id)
    refund_verdicts.decide(decided=Decided.read(event.data), now=clock.now())
    shown = page(browser, refund.attempt).content.decode()
    for text in (
        "Closed by people, another agreed",
        "said that it went back: Statement, page 3",
        "NLJ90ABCDE",
    ):
        assert text in shown


def test_the_evidence_queue_shows_what_nobody_knows(visit):
    access.portal()
    attempt = payments.sending()
    attempts.lose(attempt_id=attempt.id, now=payments.NOW)
    refund = made.unknown()
    row = StatementRow("NLJ7RT61SW", Money(350_00, "KES"), "INV-7", "2547 ***** 126", "", "")
    evidence.take(account_id=attempt.provider_account_id, row=row, now=payments.NOW)

    shown = visit().get(reverse("portal-evidence")).content.decode()

    for text in (attempt.code, refund.payment_receipt, "NLJ7RT61SW", "No payment has this reference"):
        assert text in shown


def test_the_evidence_queue_of_a_branch_is_its_own(visit):
    refund = made.unknown()
    browser = visit("treasury_officer", branches=(access.branch(),))

    assert refund.payment_receipt not in browser.get(reverse("portal-evidence")).content.decode()

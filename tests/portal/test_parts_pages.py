"""A payment in parts in the portal: what came, what is due, its receipts, and the part that goes back."""

import pytest
from django.urls import reverse

from apps.events.models import OutboxEvent
from apps.invoicing import subscribers as invoicing
from apps.payments.contracts import CollectionTerms, IntentStatus, LateMoney
from apps.payments.models import PaymentAttempt, Refund
from apps.payments.selectors import policies
from tests import dialogs
from tests.factories import approvals, payments
from tests.payments.test_late_money import choose, closed
from tests.payments.test_pay_in_parts import TWO_THIRDS, WHY, partly, pay
from tests.portal.test_payment_page import timeline, titles
from tests.portal.test_refund_pages import Inside, refund_url


@pytest.fixture
def browser(acme, enter):
    payments.access.portal()
    choose(takes_parts=True)
    return Inside(enter(email="officer@example.test"), acme)


def whole():
    """Return a payment that two parts have paid, with their receipts issued."""
    intent = partly()
    pay(intent, TWO_THIRDS, "SKH0000002")
    rows = OutboxEvent.objects.filter(aggregate_id=intent.id).order_by("aggregate_version")
    paid = rows.filter(type__in=["payment_partially_paid", "payment_success"])
    invoicing.issue_receipts([row.as_event() for row in paid])
    return payments.reload(intent.id)


def review_url(intent):
    list_url = reverse("admin:payments_paymentintent_changelist")
    return f"{list_url}{intent.id}/do/accept-review/"


def test_its_page_says_what_came_and_what_is_due(browser):
    intent = partly()

    shown = timeline(intent.id)
    said = browser.get(reverse("portal-payment", args=[intent.id])).content.decode()

    facts = shown.payment
    assert (facts.received.text, facts.fee.text, facts.net.text, facts.due.text) == (
        "500.00",
        "2.50",
        "497.50",
        "1000.00",
    )
    assert [(part.receipt, part.received.text) for part in facts.parts] == [("SKH0000001", "500.00")]
    assert titles(shown)[-1] == "Partly paid"
    assert "Left to pay" in said
    assert "SKH0000001" in said


def test_its_page_tells_when_all_of_it_had_come(browser):
    intent = whole()

    shown = timeline(intent.id)

    assert (shown.payment.received, shown.payment.due) == (payments.KES_1500, None)
    assert [title for title in titles(shown) if title in ("Partly paid", "Succeeded", "Receipt issued")] == [
        "Partly paid",
        "Succeeded",
        "Receipt issued",
        "Receipt issued",
    ]
    assert len(shown.receipts) == len(shown.payment.parts) == 2


def test_less_that_came_late_and_is_in_review_is_no_part_yet(browser):
    choose(takes_parts=True, late_money=LateMoney.SUSPENSE)
    intent = closed().intent
    pay(intent)

    shown = timeline(intent.id)
    listed = browser.get(reverse("admin:payments_paymentintent_changelist")).content.decode()

    assert shown.payment.parts == ()
    assert "Partly paid" not in titles(shown)
    assert "All parts have come." not in [step.text for step in shown.steps]
    assert "497.50" in listed


def test_the_list_foots_its_parts(browser):
    whole()

    said = browser.get(reverse("admin:payments_paymentintent_changelist")).content.decode()

    assert "7.50" in said
    assert "1,492.50" in said


def test_a_part_is_chosen_and_goes_back(browser):
    intent = whole()
    first, _ = PaymentAttempt.objects.paying()
    url = refund_url(intent.current_attempt)

    opened = dialogs.open_at(browser, url).content.decode()
    nothing = dialogs.send(browser, url, reason=WHY)
    assert not Refund.objects.exists()
    dialogs.send(browser, url, reason=WHY, part=str(first.id))

    assert "Refund a part of payment" in opened
    assert "SKH0000002: KES 1,000.00" in opened
    assert nothing.status_code == 422
    assert (Refund.objects.get().attempt_id, Refund.objects.get().money) == (first.id, first.received)
    assert "SKH0000001" not in dialogs.open_at(browser, url).content.decode()


def test_over_a_limit_others_decide_about_a_part(browser):
    approvals.rule(minimum_minor=900_00)
    intent = whole()

    assert (
        "Other people decide first"
        in dialogs.open_at(browser, refund_url(intent.current_attempt)).content.decode()
    )


def test_less_in_review_is_accepted_as_a_part(browser):
    choose()
    intent = partly()
    assert "very sum" in dialogs.open_at(browser, review_url(intent)).content.decode()
    choose(takes_parts=True)

    opened = dialogs.open_at(browser, review_url(intent)).content.decode()
    dialogs.send(browser, review_url(intent), reason=WHY)

    assert "Accept KES 500.00" in opened
    assert payments.reload(intent.id).status == IntentStatus.PARTIALLY_PAID


def test_people_choose_whether_parts_are_taken(browser):
    choose()
    url = f"{reverse('admin:payments_paymentintent_changelist')}do/policy/"

    dialogs.send(browser, url, late_money="ACCEPT", takes_parts="on", repeated_within_hours="24", reason=WHY)

    assert policies.current() == CollectionTerms(takes_parts=True)


def test_what_is_left_is_cancelled_by_a_person(browser):
    intent = partly()
    list_url = reverse("admin:payments_paymentintent_changelist")
    url = f"{list_url}{intent.id}/do/cancel/"

    opened = dialogs.open_at(browser, url).content.decode()
    dialogs.send(browser, url)

    assert "Cancel KES 1,000.00" in opened
    assert "What has come stays paid." in opened
    assert timeline(intent.id).payment.due is None
    assert dialogs.open_at(browser, url).status_code in (404, 409)

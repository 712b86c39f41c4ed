"""The queue of money that nothing explains: what waits and for whom, and the dialogs that decide about it."""

import pytest
from django.urls import reverse

from apps.kit.money import Money
from apps.payments.contracts import InboundStatus, IntentStatus
from apps.payments.models import InboundReceipt, Refund
from tests import dialogs
from tests.factories import access, payments
from tests.portal.test_refund_pages import Inside

LIST = "admin:payments_inboundreceipt_changelist"
REASON = "The payer called and named his order."


@pytest.fixture
def visit(acme, enter):
    """Return a function that signs in and gives a browser that leaves this test in its organisation."""

    def signed_in(*who, **facts):
        return Inside(enter(*who, **facts), acme)

    return signed_in


def listed(browser, query=""):
    """Return the receipts that the list shows, the newest first, and the page."""
    page = browser.get(reverse(LIST) + query)
    return [row.receipt for row in page.context["cl"].result_list], page.content.decode()


def deed(inbound, name):
    return f"{reverse(LIST)}{inbound.id}/do/{name}/"


def now_of(inbound):
    return InboundReceipt.objects.get(id=inbound.id)


def test_the_queue_shows_what_waits_by_owner_and_by_doubt(visit):
    browser = visit("treasury_officer")
    owned = payments.held(receipt="NLR7RT61AA", reference="order 17", payer="254712345678")
    doubled = payments.held(receipt="NLR7RT61AB", reference="ORDER-17", payer="254712345678")
    hidden = payments.held(receipt="NLR7RT61AC", payer="ab" * 32, payer_name="Wanjiru")
    InboundReceipt.objects.filter(id=hidden.id).update(owner=None)

    receipts, page = listed(browser)

    assert receipts == [hidden.receipt, doubled.receipt, owned.receipt]
    assert "0712 ••• 678" in page
    assert "254712345678" not in page
    assert "ab" * 32 not in page
    assert "order 17" in page
    assert listed(browser, "?owner=me")[0] == [doubled.receipt, owned.receipt]
    assert listed(browser, "?owner=nobody")[0] == [hidden.receipt]
    assert listed(browser, "?state=DUPLICATE_SUSPECTED")[0] == [doubled.receipt]
    assert listed(browser, "?state=decided")[0] == []
    assert listed(browser, "?q=order17")[0] == [doubled.receipt, owned.receipt]


def test_a_person_takes_over_and_assigns_by_code(visit):
    inbound, intent = payments.held(), payments.intent()
    browser = visit("treasury_officer")

    dialogs.send(browser, deed(inbound, "take-over"))
    assert now_of(inbound).owner.user.email == "amina@example.test"
    dialogs.send(browser, deed(inbound, "assign"), payment_id=intent.code.lower(), reason=REASON)

    assert (now_of(inbound).status, now_of(inbound).intent_id) == (InboundStatus.ASSIGNED, intent.id)
    assert payments.reload(intent.id).status == IntentStatus.SUCCEEDED
    assert listed(browser)[0] == []
    assert listed(browser, "?state=decided")[0] == [inbound.receipt]


def test_what_names_no_payment_of_this_sum_is_refused_at_its_field(visit):
    inbound, other = payments.held(), payments.intent(money=Money(20_00, "KES"))
    browser = visit("treasury_officer")

    for typed, status, said in (
        ("nothing-of-ours", 422, "No payment has this"),
        (other.code, 409, "The payment asks for"),
    ):
        answer = dialogs.send(browser, deed(inbound, "assign"), payment_id=typed, reason=REASON)

        assert answer.status_code == status
        assert said in answer.content.decode()
    assert now_of(inbound).status == InboundStatus.SUSPENSE


def test_a_payment_of_another_branch_is_not_named(visit):
    inbound = payments.held()
    far = payments.intent(branch_id=access.branch("MSA", "Mombasa").id)
    browser = visit("treasury_officer", branches=(access.head_office(),))

    answer = dialogs.send(browser, deed(inbound, "assign"), payment_id=far.code, reason=REASON)

    assert answer.status_code == 422
    assert now_of(inbound).status == InboundStatus.SUSPENSE


def test_it_goes_back_as_a_refund(visit):
    inbound = payments.held()
    browser = visit("treasury_officer")

    dialogs.send(browser, deed(inbound, "give-back"), reason=REASON)

    assert now_of(inbound).status == InboundStatus.GIVING_BACK
    assert Refund.objects.get().payment_receipt == inbound.receipt
    assert "Goes back" in browser.get(f"{reverse(LIST)}{inbound.id}/change/").content.decode()


def test_who_only_reads_is_offered_nothing(visit):
    inbound = payments.held()
    browser = visit("auditor")

    page = browser.get(f"{reverse(LIST)}{inbound.id}/change/").content.decode()

    assert inbound.receipt in page
    assert "Assign…" not in page
    assert browser.get(deed(inbound, "take-over")).status_code == 403

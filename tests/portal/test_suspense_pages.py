"""The queue of money that nothing explains: what waits and for whom, and the dialogs that decide about it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.audit.models import AuditRecord
from apps.kit import clock
from apps.kit.actors import PROVIDER, SYSTEM
from apps.kit.money import Money
from apps.payments.contracts import CollectionTerms, InboundStatus, IntentStatus
from apps.payments.models import InboundReceipt, Refund
from apps.payments.selectors import policies
from apps.payments.services import intents, resolutions
from tests import dialogs
from tests.factories import access, payments
from tests.factories import refunds as made
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
    assert listed(browser, f"?owner={now_of(owned).owner_id}")[0] == [doubled.receipt, owned.receipt]
    assert listed(browser, "?owner=nobody")[0] == [hidden.receipt]
    assert listed(browser, "?state=DUPLICATE_SUSPECTED")[0] == [doubled.receipt]
    assert listed(browser, "?state=decided")[0] == []
    assert listed(browser, "?q=order17")[0] == [doubled.receipt, owned.receipt]
    hidden.provider_account.__class__.objects.update(confirm_from_minor=1_00)
    unconfirmed = payments.held(receipt="NLR7RT61AD", reference="HOUSE 7")
    receipts, page = listed(browser)
    assert receipts == [unconfirmed.receipt, hidden.receipt, doubled.receipt, owned.receipt]
    assert "6,000.00" in page
    assert listed(browser, "?state=UNCONFIRMED")[0] == [unconfirmed.receipt]
    assert "state=UNCONFIRMED" in page


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


def test_it_is_handed_over_to_who_may_decide(visit):
    inbound = payments.held()
    browser = visit("treasury_officer")
    colleague = access.member("treasury_officer", "brian@example.test")
    reader = access.member("auditor", "carol@example.test")

    refused = dialogs.send(browser, deed(inbound, "hand-over"), member=reader.id, reason=REASON)
    assert refused.status_code == 422
    dialogs.send(browser, deed(inbound, "hand-over"), member=colleague.id, reason=REASON)

    assert now_of(inbound).owner_id == colleague.id
    assert AuditRecord.objects.get(action="money.handed_over").reason == REASON
    with pytest.raises(resolutions.NotAble):
        resolutions.hand_over(
            inbound_id=inbound.id, member_id=reader.id, reason=REASON, actor=SYSTEM, now=payments.NOW
        )


def test_a_suggestion_leads_to_its_dialog(visit):
    inbound, intent = payments.held(), payments.intent(reference="ORDER-17")
    browser = visit("treasury_officer")

    page = browser.get(f"{reverse(LIST)}{inbound.id}/change/").content.decode()
    address = f"{deed(inbound, 'assign')}?payment={intent.code}"

    assert "The sum is the same" in page
    assert address in page
    assert f'value="{intent.code}"' in browser.get(address).content.decode()


def test_ages_are_counted_and_lead_to_their_rows(visit):
    old, young = payments.held(now=payments.NOW - timedelta(days=9)), payments.held()
    browser = visit("treasury_officer")

    with clock.fixed(payments.NOW + timedelta(hours=1)):
        strip = browser.get(reverse(LIST)).context["ages"]

        assert [bucket["line"].count for bucket in strip] == [1, 0, 1, 0]
        assert [str(money) for money in strip[2]["line"].sums] == ["KES 1,500.00"]
        assert listed(browser, strip[0]["query"])[0] == [young.receipt]
        assert listed(browser, strip[2]["query"])[0] == [old.receipt]
        assert listed(browser, "?age=x")[0] == []


def held_back(**facts):
    attempt = payments.waiting(**facts)
    report = payments.collected(attempt, money=Money(1400_00, "KES"))
    intents.record(attempt_id=attempt.id, report=report, actor=PROVIDER, now=payments.NOW)
    return payments.reloaded(attempt)


def test_money_of_payments_has_its_own_queue_and_goes_back(visit):
    attempt = held_back(reference="ORDER-17")
    made.paid(reference="ORDER-18")
    browser = visit("treasury_officer")
    address = reverse("admin:payments_paymentattempt_changelist")

    page = browser.get(address).content.decode()

    assert attempt.provider_receipt in page
    assert "Another sum" in page
    assert "ORDER-18" not in page
    dialogs.send(browser, f"{address}{attempt.id}/do/give-back/", reason=REASON)
    assert Refund.objects.get().attempt_id == attempt.id
    assert "Goes back" in browser.get(address).content.decode()
    assert browser.get(f"{address}{attempt.id}/change/").headers["Location"].endswith(f"{attempt.intent_id}/")


def asked_for(browser, address):
    with CaptureQueriesContext(connection) as asked:
        browser.get(address)
    return len(asked.captured_queries)


@pytest.mark.parametrize("one", [payments.held, held_back], ids=["unasked", "of payments"])
def test_a_queue_asks_the_same_for_one_row_and_for_many(visit, one):
    address = reverse(LIST if one is payments.held else "admin:payments_paymentattempt_changelist")
    browser = visit("treasury_officer")
    one()
    browser.get(address)
    for_one = asked_for(browser, address)
    for _ in range(4):
        one()

    assert asked_for(browser, address) == for_one


def test_who_only_reads_is_offered_nothing(visit):
    inbound = payments.held()
    browser = visit("auditor")

    page = browser.get(f"{reverse(LIST)}{inbound.id}/change/").content.decode()

    assert inbound.receipt in page
    assert "Assign…" not in page
    assert browser.get(deed(inbound, "take-over")).status_code == 403


def test_an_owner_says_for_how_long_a_payer_is_suspected_of_paying_twice(visit):
    browser = visit("owner")
    url = f"{reverse('admin:payments_paymentintent_changelist')}do/policy/"
    said = {"late_money": "ACCEPT", "reason": "Rent is paid weekly."}
    assert 'value="24"' in dialogs.open_at(browser, url).content.decode()

    wrong = dialogs.send(browser, url, **said, repeated_within_hours="0")
    assert list(wrong.context["form"].errors) == ["repeated_within_hours"]
    assert policies.current() == CollectionTerms()
    dialogs.send(browser, url, **said, repeated_within_hours="48")

    assert policies.current() == CollectionTerms(repeated_within_hours=48)

"""A pay page of a payment in parts: what has come, what is left to pay and how, and a receipt of each part."""

import pytest

from apps.events.models import OutboxEvent
from apps.integrations.contracts import RegistrationStatus
from apps.integrations.models import AddressRegistration
from apps.invoicing import rendering
from apps.invoicing import subscribers as invoicing
from apps.invoicing.selectors import receipts as issued
from apps.invoicing.services import receipts
from apps.kit import ids
from apps.kit.actors import SYSTEM
from apps.payments.models import PaymentIntent
from apps.payments.services import intents, pay_pages
from tests.factories import access, payments
from tests.factories.payments import NOW
from tests.invoicing.test_pay_page import PHONE, payer  # noqa: F401 (a fixture)
from tests.payments.test_late_money import choose
from tests.payments.test_pay_in_parts import A_THIRD, TWO_THIRDS, pay


@pytest.fixture(autouse=True)
def parts(payer):  # noqa: F811 (the fixture)
    access.portal()
    choose(takes_parts=True)


def issue(intent):
    rows = OutboxEvent.objects.filter(aggregate_id=intent.id).order_by("aggregate_version")
    paid = rows.filter(type__in=["payment_partially_paid", "payment_success"])
    invoicing.issue_receipts([row.as_event() for row in paid])
    found = issued.of_intent(intent.id)
    for receipt in found:
        receipts.render(receipt_id=receipt.id, now=NOW)
    return found


def test_says_what_has_come_and_how_to_pay_the_rest(payer):  # noqa: F811
    pay(payer.intent)
    receipt = issue(payer.intent)[0]

    said = payer.text()

    assert "A part of it has come" in said
    assert "Acme has received <b>KES 500.00</b> of KES 1,500.00." in said
    assert "<small>KES</small>1,000.00" in said
    assert "600111" in said
    assert payer.intent.code in said
    assert receipt.number in payer.get("/receipt.pdf")["Content-Disposition"]
    assert "Phone that pays" not in said
    payer.post("/prompt", phone=PHONE)
    assert payments.reload(payer.intent.id).is_partly_paid


def test_without_a_paybill_it_sends_the_payer_to_the_payee(payer):  # noqa: F811
    pay(payer.intent)
    last = AddressRegistration.objects.get()
    last.id, last.status, last._state.adding = ids.new(), RegistrationStatus.ELSEWHERE, True
    last.save(force_insert=True)

    said = payer.text()

    assert "Ask Acme how to pay the rest." in said
    assert "600111" not in said


def test_asks_for_no_more_once_another_payment_has_paid_the_rest(payer):  # noqa: F811
    payable = {"payable_type": "order", "payable_id": "ORD-17", "application_id": payer.intent.application_id}
    PaymentIntent.objects.filter(id=payer.intent.id).update(payable_type="order", payable_id="ORD-17")
    pay(payer.intent)
    rest = payments.intent(**payable, money=TWO_THIRDS)
    assert "Left to pay" in payer.text()

    pay(rest, TWO_THIRDS, "SKH0000002")
    said = payer.text()

    assert "Another payment has paid the rest." in said
    assert "<small>KES</small>500.00" in said
    assert "Left to pay" not in said
    assert "600111" not in said
    assert not pay_pages.due(payments.reload(payer.intent.id))


def test_offers_a_receipt_of_each_part_once_all_have_come(payer):  # noqa: F811
    pay(payer.intent)
    pay(payer.intent, TWO_THIRDS, "SKH0000002")
    assert "Your receipt is being made." in payer.text()

    first, second = issue(payer.intent)
    said = payer.text()

    assert "Paid. Thank you" in said
    assert "<b>KES 1,500.00</b>" in said
    for receipt in (first, second):
        assert f'title="{receipt.number}">Receipt of {receipt.money}</a>' in said
        answer = payer.get("/receipt.pdf", number=receipt.number)
        assert (answer.status_code, receipt.number in answer["Content-Disposition"]) == (200, True)
    assert second.number in payer.get("/receipt.pdf")["Content-Disposition"]
    assert payer.get("/receipt.pdf", number="ACME-RCT-1").status_code == 404


def test_waits_for_the_receipt_of_the_last_part_too(payer):  # noqa: F811
    pay(payer.intent)
    (first,) = issue(payer.intent)
    pay(payer.intent, TWO_THIRDS, "SKH0000002")

    said = payer.text()

    assert 'data-ready="no"' in said
    assert "Your receipt is being made." in said
    assert first.number not in said


def test_a_part_under_another_number_is_found_by_its_code(payer):  # noqa: F811
    pay(payer.intent)
    held = payments.held(money=A_THIRD, reference="TABLE 7", receipt="NLJ7RT61SV")
    payments.held(money=payments.KES_1500, reference="TABLE 8", receipt="NLJ7RT61SW")

    assert "Your money has arrived" in payer.post("/receipt", receipt="nlj7rt61sv").content.decode()
    assert "has not told us of NLJ7RT61SW" in payer.post("/receipt", receipt="nlj7rt61sw").content.decode()
    assert payer.post("/receipt", receipt="x").status_code == 422
    held.refresh_from_db()
    assert payer.intent.code in held.reason


def test_the_receipt_of_a_part_says_what_is_left(payer):  # noqa: F811
    pay(payer.intent)
    (receipt,) = issue(payer.intent)

    said = rendering.receipt_html(receipt)

    assert "Part of KES 1,500.00" in said
    assert "<dt>Left to pay</dt><dd>KES 1,000.00</dd>" in said


def test_asks_for_nothing_once_the_rest_was_cancelled(payer):  # noqa: F811
    pay(payer.intent)
    intents.cancel(intent_id=payer.intent.id, actor=SYSTEM, now=NOW)

    said = payer.text()

    assert "Acme asks for no more of it." in said
    assert "600111" not in said

"""Refunds, disputes, conversion and payouts of the Stripe face, driven by the official SDK."""

from collections.abc import Iterator

import pytest
import stripe

from apps.simulator import server
from tests.simulator import shops
from tests.simulator.shops import Shop

DAY = 24 * 3_600


@pytest.fixture
def shop(simulator: server.Running) -> Iterator[Shop]:
    """Return a shop with an account of its own."""
    with shops.shop(simulator) as made:
        yield made


def confirmed(shop, token, **changes):
    """Charge a test card at once."""
    order = {"amount": 1_000, "currency": "usd", "payment_method": token, "confirm": True}
    return shop.api.payment_intents.create({**order, "return_url": "https://shop.example/back", **changes})


@pytest.mark.parametrize(
    ("token", "code", "decline"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedLostCard", "card_declined", "lost_card"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error"),
        ("pm_card_radarBlock", "card_declined", "fraudulent"),
    ],
)
def test_a_decline_tells_its_reason_and_takes_nothing(shop, token, code, decline):
    with pytest.raises(stripe.CardError) as refusal:
        confirmed(shop, token)

    assert (refusal.value.http_status, refusal.value.code) == (402, code)
    assert refusal.value.error.decline_code == decline
    assert refusal.value.error.payment_intent.status == "requires_payment_method"
    assert shop.statement()["rows"] == []


def test_a_card_that_must_be_seen_is_not_charged_without_its_person(shop):
    asked = confirmed(shop, "pm_card_authenticationRequired")
    assert (asked.status, asked.next_action.type) == ("requires_action", "redirect_to_url")

    with pytest.raises(stripe.CardError) as refusal:
        confirmed(shop, "pm_card_authenticationRequired", off_session=True)

    assert refusal.value.code == "authentication_required"
    shop.act("intents", asked.id, "authenticate")
    assert shop.api.payment_intents.retrieve(asked.id).status == "succeeded"


def test_a_card_that_lets_itself_be_kept_may_fail_when_it_is_charged(shop):
    customer = shop.api.customers.create({"email": "amina@example.com"})
    kept = shop.api.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer.id})

    with pytest.raises(stripe.CardError):
        confirmed(shop, kept.id, customer=customer.id, off_session=True)
    with pytest.raises(stripe.CardError):
        shop.api.payment_methods.attach("pm_card_chargeDeclined", {"customer": customer.id})

    assert [method.id for method in shop.api.customers.payment_methods.list(customer.id).data] == [kept.id]


def test_a_held_sum_is_let_go_when_asked_and_by_time(shop):
    asked = confirmed(shop, "pm_card_visa", capture_method="manual")
    forgotten = confirmed(shop, "pm_card_visa", capture_method="manual")

    assert shop.api.payment_intents.cancel(asked.id).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.api.payment_intents.capture(asked.id)
    assert refusal.value.code == "payment_intent_unexpected_state"
    shop.tick(7 * DAY)

    assert shop.api.payment_intents.retrieve(forgotten.id).cancellation_reason == "automatic"
    assert shop.statement()["rows"] == []
    shop.told("charge.expired", "payment_intent.canceled")


def test_a_payment_is_given_back_in_parts_and_never_more_than_came(shop):
    intent = shop.paid().payment_intent
    order = {"payment_intent": intent.id}

    first = shop.api.refunds.create({**order, "amount": 1_000}, {"idempotency_key": "refund:1"})
    again = shop.api.refunds.create({**order, "amount": 1_000}, {"idempotency_key": "refund:1"})
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount"):
        shop.api.refunds.create({**order, "amount": 1_501})
    rest = shop.api.refunds.create(order, {"idempotency_key": "refund:2"})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.api.refunds.create(order)

    assert (first.id, first.status, rest.amount) == (again.id, "succeeded", 1_500)
    assert refusal.value.code == "charge_already_refunded"
    charge = shop.api.charges.retrieve(intent.latest_charge.id)
    assert (charge.amount_refunded, charge.refunded) == (2_500, True)
    assert shop.statement()["closing_balance"] == "-1.03"


def test_a_refund_that_succeeded_turns_out_to_have_failed(shop):
    intent = shop.paid("4000000000005126").payment_intent
    refund = shop.api.refunds.create({"payment_intent": intent.id, "amount": 700})
    assert refund.status == "succeeded"

    shop.tick(60)

    failed = shop.api.refunds.retrieve(refund.id)
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    assert shop.api.charges.retrieve(refund.charge).amount_refunded == 0
    assert shop.statement()["closing_balance"] == "23.97"
    assert [row["kind"] for row in shop.statement()["rows"]] == [
        "payment",
        "charge",
        "reversal",
        "reversal_failure",
    ]
    shop.told("refund.created", "refund.failed")


def test_refunds_wait_or_are_refused_by_card_and_by_script(shop):
    waiting = shop.api.refunds.create({"payment_intent": shop.paid("4000000000007726").payment_intent.id})
    shop.script({"action": "result", "code": "lost_or_stolen_card"}, path="/v1/refunds")
    refused = shop.api.refunds.create({"payment_intent": shop.paid().payment_intent.id})
    shop.script({"action": "late_failure", "ms": 5_000}, path="/v1/refunds")
    late = shop.api.refunds.create({"payment_intent": shop.paid().payment_intent.id})

    assert (waiting.status, refused.status, late.status) == ("pending", "failed", "succeeded")
    shop.tick(60)
    assert shop.api.refunds.retrieve(waiting.id).status == "succeeded"
    assert shop.api.refunds.retrieve(late.id).status == "failed"


def test_a_dispute_is_fought_and_won(shop, tmp_path):
    intent = shop.paid("4000000000000259").payment_intent
    (dispute,) = shop.api.disputes.list({"payment_intent": intent.id}).data
    assert (dispute.status, dispute.reason, dispute.amount) == ("needs_response", "fraudulent", 2_500)
    assert shop.statement()["closing_balance"] == "-16.03"
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.api.refunds.create({"payment_intent": intent.id})
    assert refusal.value.code == "charge_disputed"

    paper = tmp_path / "bill.pdf"
    paper.write_bytes(b"%PDF-1.7")
    files = stripe.StripeClient(
        "sk_test_savanna", base_addresses={"api": f"{shop.url}/stripe", "files": f"{shop.url}/stripe"}
    ).v1.files
    with paper.open("rb") as file:
        bill = files.create({"purpose": "dispute_evidence", "file": file}, {"idempotency_key": "bill"})
    evidence = {"customer_name": "Amina", "receipt": bill.id}
    staged = shop.api.disputes.update(dispute.id, {"evidence": evidence, "submit": False})
    sent = shop.api.disputes.update(dispute.id, {"submit": True})
    assert (staged.status, sent.status) == ("needs_response", "under_review")
    assert (sent.evidence.receipt, bill.size, bill.type) == (bill.id, 8, "pdf")
    shop.act("disputes", dispute.id, "win")

    won = shop.api.disputes.retrieve(dispute.id)
    assert (won.status, [row.net for row in won.balance_transactions]) == ("won", [-4_000, 2_500])
    assert shop.statement()["closing_balance"] == "8.97"
    with pytest.raises(stripe.InvalidRequestError):
        shop.api.disputes.close(dispute.id)
    shop.told("charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated")


def test_a_dispute_is_given_up_or_forgotten_and_lost(shop):
    given_up = shop.api.disputes.list(
        {"payment_intent": shop.paid("4000000000000259").payment_intent.id}
    ).data[0]
    forgotten = shop.api.disputes.list(
        {"payment_intent": shop.paid("4000000000002685").payment_intent.id}
    ).data[0]
    inquiry = shop.api.disputes.list(
        {"payment_intent": shop.paid("4000000000001976").payment_intent.id}
    ).data[0]

    assert shop.api.disputes.close(given_up.id).status == "lost"
    shop.tick(10 * DAY)

    assert shop.api.disputes.retrieve(forgotten.id).status == "lost"
    assert shop.api.disputes.retrieve(inquiry.id).status == "warning_closed"
    assert shop.api.disputes.retrieve(inquiry.id).balance_transactions == []


def test_another_currency_is_converted_before_the_fee(shop):
    shop.open(currency="usd", rates={"kes": "0.0077", "jpy": "0.0065"})
    shillings = confirmed(shop, "pm_card_visa", amount=150_000, currency="kes")
    yen = confirmed(shop, "pm_card_visa", amount=1_000, currency="jpy")
    shop.open(currency="usd", rates={"kes": "0.0080"})
    refund = shop.api.refunds.create(
        {"payment_intent": shillings.id, "amount": 50_000, "expand": ["balance_transaction"]}
    )

    rows = shop.api.balance_transactions.list({"type": "charge"}).data
    assert [(row.amount, row.currency, row.exchange_rate) for row in rows] == [
        (650, "usd", 0.0065),
        (1_155, "usd", 0.0077),
    ]
    assert rows[1].fee == 63
    assert (refund.balance_transaction.amount, refund.balance_transaction.exchange_rate) == (-400, 0.008)
    assert shop.api.charges.retrieve(yen.latest_charge).amount == 1_000


def test_what_is_available_is_paid_out_and_adds_up(shop):
    shop.paid()
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.api.payouts.create({"amount": 2_000, "currency": "usd"})
    assert refusal.value.code == "balance_insufficient"
    shop.tick(2 * DAY)

    payout = shop.control("POST", f"/accounts/{shops.ACCOUNT}/payout").json()

    rows = shop.api.balance_transactions.list({"payout": payout["id"]}).data
    assert {row.type: row.net for row in rows} == {"charge": 2_397, "payout": -2_397}
    assert shop.api.balance.retrieve().available[0].amount == 0
    shop.tick(DAY)
    assert shop.api.payouts.retrieve(payout["id"]).status == "paid"
    shop.act("payouts", payout["id"], "fail")
    assert shop.statement()["closing_balance"] == "23.97"

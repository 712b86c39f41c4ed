"""What may go wrong on the Stripe face: answers that are lost or spoilt, webhooks that are lost, doubled or forged."""

from collections.abc import Iterator

import pytest
import stripe

from apps.simulator import server
from tests.simulator import shops
from tests.simulator.conftest import eventually
from tests.simulator.shops import PAGE, SECRET, Shop


@pytest.fixture
def shop(simulator: server.Running) -> Iterator[Shop]:
    """Return a shop with an account of its own."""
    with shops.shop(simulator) as made:
        yield made


def sessions(shop):
    """Return the sessions that there are."""
    return shop.control("GET", "/stripe/sessions").json()["sessions"]


@pytest.mark.parametrize(
    ("action", "error"),
    [
        ("status", stripe.APIError),
        ("reset", stripe.APIConnectionError),
        ("malformed_json", stripe.APIError),
        ("html_error", stripe.APIError),
        ("empty_body", stripe.APIError),
        ("rate_limit", stripe.RateLimitError),
        ("expire_token", stripe.AuthenticationError),
    ],
)
def test_an_answer_is_spoilt_and_the_key_tells_the_truth(shop, action, error):
    is_processed = action not in {"rate_limit", "expire_token"}
    fields = {} if action == "expire_token" else {"processed": is_processed}
    shop.script({"action": action, **fields})

    with pytest.raises(error):
        shop.page("ATTEMPT-1:create")

    assert len(sessions(shop)) == int(is_processed)
    again = shop.page("ATTEMPT-1:create")
    assert [session["id"] for session in sessions(shop)] == [again.id]


def test_an_answer_that_never_comes(shop):
    shop.script({"action": "hang", "processed": True})
    hasty = stripe.StripeClient(
        "sk_test_savanna",
        base_addresses={"api": f"{shop.url}/stripe"},
        http_client=stripe.RequestsClient(timeout=0.5),
        max_network_retries=0,
    )

    with pytest.raises(stripe.APIConnectionError):
        hasty.v1.checkout.sessions.create(PAGE, {"idempotency_key": "ATTEMPT-1:create"})

    assert shop.page("ATTEMPT-1:create").id == sessions(shop)[0]["id"]


@pytest.mark.parametrize("is_processed", [True, False])
def test_stripe_may_keep_its_own_failure_under_the_key(shop, is_processed):
    shop.script({"action": "status", "processed": is_processed, "kept": True})
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            shop.page("ATTEMPT-1:create")

    assert len(sessions(shop)) == int(is_processed)
    shop.tick(24 * 3_600 + 1)
    assert shop.page("ATTEMPT-1:create").status == "open"


def test_a_script_decides_a_page_by_itself(shop):
    shop.script({"action": "result", "code": "0"})
    paid = shop.page()
    shop.script({"action": "result", "code": "insufficient_funds"}, {"action": "late_success", "ms": 60_000})
    late = shop.page()

    shop.tick(2)

    assert shop.read(paid.id).payment_status == "paid"
    assert shop.read(late.id).payment_intent.last_payment_error.decline_code == "insufficient_funds"
    shop.tick(60)
    assert shop.read(late.id).payment_status == "paid"


def test_magic_addresses_decide_a_page(shop):
    paid, poor, lost = (
        shop.page(customer_email=f"amina+{mark}@example.com") for mark in ("000", "001", "777")
    )
    with pytest.raises(stripe.APIError):
        shop.page(customer_email="amina+781@example.com")
    assert len(sessions(shop)) == 3

    shop.tick(2)

    assert [shop.read(page.id).payment_status for page in (paid, poor, lost)] == ["paid", "unpaid", "paid"]
    shop.told("checkout.session.completed", "payment_intent.payment_failed")
    assert [event.data.object.id for event in shop.told("checkout.session.completed")] == [paid.id]


def test_webhooks_are_lost_doubled_and_sent_before_the_answer(shop):
    shop.script("drop_callback")
    lost = shop.paid()
    shop.script({"action": "duplicate_callback", "n": 3})
    doubled = shop.paid()
    shop.script("callback_before_response")
    early = shop.page()

    assert early.id in [event.data.object.id for event in shop.mailbox.events()]
    assert shop.read(early.id).payment_status == "paid"
    completed = "checkout.session.completed"
    eventually(lambda: shop.mailbox.types().count(completed) == 4)
    told = [event.data.object.id for event in shop.told(completed)]
    assert sorted(told) == sorted([early.id, *[doubled.id] * 3])
    assert lost.id in [event.data.object.id for event in shop.api.events.list({"type": completed}).data]


def test_webhooks_with_a_wrong_signature_time_or_content(shop):
    shop.script("bad_signature")
    shop.paid()
    eventually(lambda: len(shop.mailbox.came) == 4)
    for signature, body in shop.mailbox.came:
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(body, signature, SECRET)

    shop.mailbox.came.clear()
    shop.script(
        {"action": "clock_skew", "seconds": -600}, {"action": "partial_result", "missing": ["amount_total"]}
    )
    shop.paid()
    eventually(lambda: len(shop.mailbox.came) == 4)
    for signature, body in shop.mailbox.came:
        with pytest.raises(stripe.SignatureVerificationError, match="outside the tolerance"):
            stripe.Webhook.construct_event(body, signature, SECRET)
        assert b"amount_total" not in body
        stripe.Webhook.construct_event(body, signature, SECRET, tolerance=1_000)


def test_a_webhook_that_is_not_taken_comes_again_with_a_new_signature(shop):
    shop.mailbox.status = 500
    shop.api.customers.create({"email": "amina@example.com"})
    eventually(lambda: len(shop.mailbox.came) == 1)
    shop.mailbox.status = 200

    shop.tick(6)

    eventually(lambda: len(shop.mailbox.came) == 2)
    (first, body), (second, same) = shop.mailbox.came
    assert (first != second, body == same) == (True, True)
    assert stripe.Webhook.construct_event(same, second, SECRET).type == "customer.created"
    assert shop.control("GET", "/state").json()["next_callback_at"] is None


def test_another_sum_moves_or_is_told_than_was_asked_for(shop):
    shop.script({"action": "wrong_amount", "amount": "20.00"})
    short = shop.paid()
    shop.script({"action": "wrong_amount_callback_only", "amount": "99.00"})
    lied = shop.paid()

    assert short.payment_intent.amount_received == 2_000
    assert lied.payment_intent.amount_received == 2_500
    eventually(lambda: len(shop.mailbox.came) == 8)
    told = {
        event.data.object.id: event.data.object.amount_total
        for event in shop.told("checkout.session.completed")
    }
    assert told == {short.id: 2_500, lied.id: 9_900}


def test_a_movement_may_be_missing_from_the_list_but_not_from_the_balance(shop):
    shop.script("statement_omit")
    shop.paid()

    assert shop.api.balance_transactions.list().data == []
    assert shop.statement()["rows"] == []
    assert shop.statement()["closing_balance"] == "23.97"


def test_a_reset_forgets_what_happened_but_not_who_is_told(shop):
    shop.paid()
    eventually(lambda: len(shop.mailbox.came) == 4)
    shop.control("POST", "/reset", {})

    assert shop.statement()["rows"] == []
    assert sessions(shop) == []
    shop.api.customers.create({})
    eventually(lambda: len(shop.mailbox.came) == 5)


def test_movements_that_nothing_caused_stand_beside_those_of_a_payment_and_a_refund(shop):
    shop.script(
        {"action": "statement_extra", "amount": "25.00", "details": "Correction"},
        {"action": "statement_extra", "amount": "3.10", "kind": "charge", "receipt": "txn_extra"},
    )
    paid = shop.paid()
    before = shop.statement()

    kinds = [(row["kind"], row["paid_in"], row["withdrawn"]) for row in before["rows"]]
    listed = shop.api.balance_transactions.list({"type": "adjustment", "expand": ["data.source"]}).data
    fee = shop.api.balance_transactions.retrieve("txn_extra")

    assert kinds[2:] == [("adjustment", "25.00", "0.00"), ("charge", "0.00", "3.10")]
    assert before["closing_balance"] == before["rows"][-1]["balance"]
    assert [(one.amount, one.source, one.reporting_category) for one in listed] == [
        (2500, None, "other_adjustment")
    ]
    assert (fee.net, fee.type, fee.reporting_category) == (-310, "stripe_fee", "fee")

    shop.script({"action": "statement_extra", "amount": "1.00"}, path="/v1/refunds")
    shop.api.refunds.create({"payment_intent": shop.read(paid.id).payment_intent.id})
    assert [row["kind"] for row in shop.statement()["rows"][4:]] == ["reversal", "adjustment"]

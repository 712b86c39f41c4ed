"""Checkout sessions of the Stripe face, driven by the official SDK."""

from collections.abc import Iterator

import pytest
import stripe

from apps.simulator import server
from tests.simulator import shops
from tests.simulator.shops import PAGE, Shop


@pytest.fixture
def shop(simulator: server.Running) -> Iterator[Shop]:
    """Return a shop with an account of its own."""
    with shops.shop(simulator) as made:
        yield made


def test_a_paid_page_moves_the_money_and_tells_of_it(shop):
    session = shop.page()
    assert (session.status, session.payment_status, session.payment_intent) == ("open", "unpaid", None)
    assert session.url.partition("#")[0] == f"{shop.url}/stripe/pay/{session.id}"
    assert len(session.url) == 400  # as long as Stripe's own

    shop.act("sessions", session.id, "pay", card="4242424242424242", email="amina@example.com")

    paid = shop.read(session.id)
    charge = paid.payment_intent.latest_charge
    assert (paid.status, paid.payment_status, paid.amount_total) == ("complete", "paid", 2_500)
    assert (paid.payment_intent.status, paid.payment_intent.amount_received) == ("succeeded", 2_500)
    assert paid.payment_intent.metadata.code == "ATTEMPT-1"
    assert charge.payment_method_details.card.last4 == "4242"
    assert (charge.balance_transaction.amount, charge.balance_transaction.fee) == (2_500, 103)
    assert [(row["kind"], row["paid_in"], row["withdrawn"]) for row in shop.statement()["rows"]] == [
        ("payment", "25.00", "0.00"),
        ("charge", "0.00", "1.03"),
    ]
    assert shop.statement()["closing_balance"] == "23.97"
    shop.told("payment_intent.created", "charge.succeeded", "payment_intent.succeeded")
    (completed,) = shop.told("checkout.session.completed")
    assert completed.data.object.client_reference_id == "ATTEMPT-1"


def test_a_declined_card_leaves_the_page_open_for_another(shop):
    session = shop.page()

    declined = shop.act("sessions", session.id, "pay", card="4000000000009995")

    assert (declined.status_code, declined.json()["code"]) == (409, "insufficient_funds")
    tried = shop.read(session.id)
    error = tried.payment_intent.last_payment_error
    assert (tried.status, tried.payment_intent.status) == ("open", "requires_payment_method")
    assert (error.code, error.decline_code) == ("card_declined", "insufficient_funds")
    assert shop.statement()["rows"] == []
    assert shop.act("sessions", session.id, "pay").json()["payment_status"] == "paid"
    assert shop.read(session.id).payment_intent.id == tried.payment_intent.id


def test_the_bank_may_want_to_see_the_person(shop):
    session = shop.page()
    shop.act("sessions", session.id, "pay", card="4000000000003220")
    assert shop.read(session.id).payment_intent.status == "requires_action"

    refused = shop.act("sessions", session.id, "authenticate", succeeds=False)
    assert refused.json()["code"] == "payment_intent_authentication_failure"
    shop.act("sessions", session.id, "pay", card="4000000000003220")
    shop.act("sessions", session.id, "pay", card="4000002760003184")
    shop.act("sessions", session.id, "authenticate")

    assert shop.read(session.id).payment_status == "paid"
    assert shop.statement()["closing_balance"] == "23.97"


def test_money_is_held_back_then_captured_in_part(shop):
    session = shop.paid(payment_intent_data={"capture_method": "manual"})
    intent = session.payment_intent
    assert (session.status, session.payment_status, intent.status) == (
        "complete",
        "unpaid",
        "requires_capture",
    )
    assert shop.statement()["rows"] == []

    shop.api.payment_intents.capture(intent.id, {"amount_to_capture": 2_000})

    taken = shop.read(session.id).payment_intent
    assert (taken.status, taken.amount_received) == ("succeeded", 2_000)
    assert shop.statement()["rows"][0]["paid_in"] == "20.00"


def test_a_page_expires_when_asked_and_by_time(shop):
    asked, forgotten = shop.page(), shop.page()

    assert shop.api.checkout.sessions.expire(asked.id).status == "expired"
    with pytest.raises(stripe.InvalidRequestError, match="status of `expired`"):
        shop.api.checkout.sessions.expire(asked.id)
    assert shop.read(forgotten.id).status == "open"
    shop.tick(24 * 3_600)

    assert shop.read(forgotten.id).status == "expired"
    assert shop.act("sessions", forgotten.id, "pay").status_code == 409
    assert shop.statement()["rows"] == []


def test_a_card_is_kept_and_charged_later(shop):
    session = shop.page(mode="setup", line_items=None, payment_intent_data=None, currency="usd")
    shop.act("sessions", session.id, "pay", card="4000002500003155", email="amina@example.com")
    shop.act("sessions", session.id, "authenticate")
    kept = shop.api.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent.payment_method"]})
    method = kept.setup_intent.payment_method
    assert (kept.setup_intent.status, method.card.last4) == ("succeeded", "3155")

    intent = shop.api.payment_intents.create(
        {
            "amount": 700,
            "currency": "usd",
            "customer": kept.customer,
            "payment_method": method.id,
            "off_session": True,
            "confirm": True,
        }
    )

    assert intent.status == "succeeded"
    assert shop.api.payment_methods.detach(method.id).customer is None


def test_a_key_replays_its_answer_and_refuses_another_request(shop):
    first = shop.page("ATTEMPT-1:create")

    again = shop.page("ATTEMPT-1:create")

    assert again.id == first.id
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    with pytest.raises(stripe.IdempotencyError):
        shop.page("ATTEMPT-1:create", client_reference_id="ATTEMPT-2")
    assert len(shop.api.checkout.sessions.list().data) == 1


@pytest.mark.parametrize(
    ("changes", "param", "code"),
    [
        ({"mode": None}, "mode", "parameter_missing"),
        ({"line_items": None}, "line_items", "parameter_missing"),
        ({"success_url": "shop"}, "success_url", "url_invalid"),
        ({"colour": "red"}, "colour", "parameter_unknown"),
        ({"customer": "cus_nobody"}, "customer", "resource_missing"),
    ],
)
def test_a_wrong_parameter_is_named(shop, changes, param, code):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.page(**changes)

    assert (refusal.value.http_status, refusal.value.param, refusal.value.code) == (400, param, code)
    assert shop.api.checkout.sessions.list().data == []


def test_a_stranger_is_refused(shop):
    with pytest.raises(stripe.AuthenticationError):
        shop.client("sk_test_stranger").checkout.sessions.create(PAGE)
    with pytest.raises(stripe.PermissionError):
        shop.api.checkout.sessions.create(PAGE, {"stripe_account": "acct_1Other"})

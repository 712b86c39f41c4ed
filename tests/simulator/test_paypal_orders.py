"""Orders of the PayPal face: opened, approved, taken, held back, given back; and what is refused."""

from collections.abc import Iterator

import pytest

from apps.simulator import server
from tests.simulator import wallets
from tests.simulator.wallets import ACCOUNT, Wallets, issue

ORDERS = "/v2/checkout/orders"


@pytest.fixture
def shop(simulator: server.Running) -> Iterator[Wallets]:
    """Return a shop with an account of its own."""
    with wallets.wallets(simulator) as made:
        yield made


def test_the_entrance(shop):
    token = shop.enter().json()
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 32_400)
    wrong = shop.enter("guessed")
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    assert shop.call("GET", "/v2/checkout/orders/NONE").json()["name"] == "RESOURCE_NOT_FOUND"

    shop.tick(32_401)

    late = shop.call("GET", "/v2/checkout/orders/NONE")
    assert (late.status_code, late.json()["error"]) == (401, "invalid_token")
    assert shop.http.get("/paypal/v2/checkout/orders/NONE").json()["name"] == "AUTHENTICATION_FAILURE"


def test_a_payment_from_the_order_to_the_statement(shop):
    order = shop.order()
    assert (order["status"], order["purchase_units"][0]["custom_id"]) == (
        "PAYER_ACTION_REQUIRED",
        "ATTEMPT-1",
    )
    assert [link["rel"] for link in order["links"]] == ["self", "payer-action", "update", "capture"]
    assert issue(shop.post(f"{ORDERS}/{order['id']}/capture")) == (422, "ORDER_NOT_APPROVED")

    approved = shop.act("orders", order["id"], "approve", email="amina@example.com").json()
    taken = shop.post(f"{ORDERS}/{order['id']}/capture", key="ATTEMPT-1:capture")

    assert (approved["status"], approved["payer"]["email_address"]) == ("APPROVED", "amina@example.com")
    assert (taken.status_code, taken.json()["status"]) == (201, "COMPLETED")
    (capture,) = taken.json()["purchase_units"][0]["payments"]["captures"]
    assert capture["seller_receivable_breakdown"] == {
        "gross_amount": {"currency_code": "USD", "value": "25.00"},
        "paypal_fee": {"currency_code": "USD", "value": "1.36"},
        "net_amount": {"currency_code": "USD", "value": "23.64"},
    }
    assert shop.read(f"/v2/payments/captures/{capture['id']}") == capture
    again = shop.post(f"{ORDERS}/{order['id']}/capture", key="ATTEMPT-1:capture")
    assert (again.status_code, again.json()) == (200, shop.read(f"{ORDERS}/{order['id']}"))
    assert issue(shop.post(f"{ORDERS}/{order['id']}/capture")) == (422, "ORDER_ALREADY_CAPTURED")
    assert [(row["kind"], row["paid_in"], row["withdrawn"]) for row in shop.statement()["rows"]] == [
        ("payment", "25.00", "0.00"),
        ("charge", "0.00", "1.36"),
    ]
    assert shop.statement()["rows"][0]["receipt"] == capture["id"]
    (completed,) = shop.told("PAYMENT.CAPTURE.COMPLETED")
    assert completed["resource"] == capture
    shop.told("CHECKOUT.ORDER.APPROVED", "CHECKOUT.ORDER.COMPLETED")


def test_a_request_id_is_known_for_six_hours(shop):
    draft = shop.draft()
    first, second = (shop.post(ORDERS, draft, key="ATTEMPT-1:create") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert issue(shop.post(ORDERS, shop.draft(custom_id="2"), key="ATTEMPT-1:create")) == (
        422,
        "DUPLICATE_REQUEST_ID",
    )
    missing = shop.call("POST", ORDERS, draft)
    assert issue(missing) == (400, "PAYPAL_REQUEST_ID_REQUIRED")

    shop.tick(6 * 3_600)

    assert shop.read(f"{ORDERS}/{first.json()['id']}")["status"] == "VOIDED"
    assert shop.post(ORDERS, draft, key="ATTEMPT-1:create").status_code == 201


@pytest.mark.parametrize(
    ("amount", "refused"),
    [
        ({"currency_code": "KES", "value": "10.00"}, (422, "CURRENCY_NOT_SUPPORTED")),
        ({"currency_code": "usd", "value": "10.00"}, (422, "INVALID_CURRENCY_CODE")),
        ({"currency_code": "USD", "value": "10.001"}, (422, "DECIMAL_PRECISION")),
        ({"currency_code": "JPY", "value": "10.50"}, (422, "DECIMALS_NOT_SUPPORTED")),
        ({"currency_code": "USD", "value": "0"}, (422, "CANNOT_BE_ZERO_OR_NEGATIVE")),
        ({"currency_code": "USD", "value": 10}, (400, "INVALID_PARAMETER_SYNTAX")),
        ({"currency_code": "USD"}, (400, "MISSING_REQUIRED_PARAMETER")),
        (
            {
                "currency_code": "USD",
                "value": "10.00",
                "breakdown": {"item_total": {"currency_code": "USD", "value": "9.00"}},
            },
            (422, "AMOUNT_MISMATCH"),
        ),
    ],
)
def test_amounts_that_paypal_does_not_take(shop, amount, refused):
    answer = shop.post(ORDERS, shop.draft(amount=amount))

    assert issue(answer) == refused
    assert answer.json()["details"][0]["field"].startswith("/purchase_units/0/amount")
    assert answer.headers["PayPal-Debug-Id"] == answer.json()["debug_id"]


def test_a_currency_without_decimals_is_converted_for_the_account(shop):
    shop.open(rates={"JPY": "0.0067"})

    capture = shop.paid(amount={"currency_code": "JPY", "value": "3000"})

    told = capture["seller_receivable_breakdown"]
    assert (told["paypal_fee"]["value"], told["net_amount"]["value"]) == ("154", "2846")
    assert told["receivable_amount"] == {"currency_code": "USD", "value": "19.07"}
    assert told["exchange_rate"] == {"source_currency": "JPY", "target_currency": "USD", "value": "0.0067"}
    assert shop.statement()["closing_balance"] == "19.07"


def test_a_wallet_without_money_sends_its_person_back(shop):
    order = shop.approved("empty")

    declined = shop.post(f"{ORDERS}/{order['id']}/capture")

    assert issue(declined) == (422, "INSTRUMENT_DECLINED")
    assert declined.json()["links"][0]["rel"] == "redirect"
    assert shop.read(f"{ORDERS}/{order['id']}")["status"] == "PAYER_ACTION_REQUIRED"
    shop.act("orders", order["id"], "approve")
    assert shop.post(f"{ORDERS}/{order['id']}/capture").json()["status"] == "COMPLETED"
    other = shop.approved()
    assert issue(shop.post(f"{ORDERS}/{other['id']}/capture")) == (422, "DUPLICATE_INVOICE_ID")
    assert len(shop.statement()["rows"]) == 2


@pytest.mark.parametrize(
    ("funding", "status", "event"),
    [("echeck", "COMPLETED", "COMPLETED"), ("echeck_fails", "DECLINED", "DENIED")],
)
def test_what_a_bank_pays_is_there_later_or_never(shop, funding, status, event):
    capture = shop.paid(funding)
    assert (capture["status"], capture["status_details"]) == ("PENDING", {"reason": "ECHECK"})
    assert shop.statement()["rows"] == []
    assert issue(shop.post(f"/v2/payments/captures/{capture['id']}/refund")) == (422, "PENDING_CAPTURE")

    shop.tick(60)

    assert shop.read(f"/v2/payments/captures/{capture['id']}")["status"] == status
    shop.told("PAYMENT.CAPTURE.PENDING", f"PAYMENT.CAPTURE.{event}")
    assert bool(shop.statement()["rows"]) is (status == "COMPLETED")


def test_money_is_held_back_then_taken_in_parts(shop):
    order = shop.approved(intent="AUTHORIZE")
    assert issue(shop.post(f"{ORDERS}/{order['id']}/capture")) == (422, "ACTION_DOES_NOT_MATCH_INTENT")
    done = shop.post(f"{ORDERS}/{order['id']}/authorize").json()
    (held,) = done["purchase_units"][0]["payments"]["authorizations"]
    path = f"/v2/payments/authorizations/{held['id']}"
    assert (held["status"], shop.statement()["rows"]) == ("CREATED", [])
    assert issue(shop.post(f"{path}/reauthorize")) == (422, "REAUTHORIZATION_TOO_SOON")

    part = shop.post(f"{path}/capture", {"amount": {"currency_code": "USD", "value": "10.00"}}).json()
    assert (part["status"], part["custom_id"], part["final_capture"]) == ("COMPLETED", "ATTEMPT-1", False)
    assert shop.read(path)["status"] == "PARTIALLY_CAPTURED"
    more = {"amount": {"currency_code": "USD", "value": "18.76"}}
    assert issue(shop.post(f"{path}/capture", more)) == (422, "MAX_CAPTURE_AMOUNT_EXCEEDED")
    assert shop.post(f"{path}/capture", {"final_capture": True}).json()["amount"]["value"] == "15.00"

    assert shop.read(path)["status"] == "CAPTURED"
    assert issue(shop.post(f"{path}/void")) == (422, "PREVIOUSLY_CAPTURED")
    assert len(shop.read(f"{ORDERS}/{order['id']}")["purchase_units"][0]["payments"]["captures"]) == 2


def test_what_is_held_back_is_let_go_when_asked_and_by_time(shop):
    paths = []
    for number in range(2):
        order = shop.approved(intent="AUTHORIZE", invoice_id=f"INV-{number}")
        done = shop.post(f"{ORDERS}/{order['id']}/authorize").json()
        held = done["purchase_units"][0]["payments"]["authorizations"][0]["id"]
        paths.append(f"/v2/payments/authorizations/{held}")

    assert shop.post(f"{paths[0]}/void", Prefer="return=minimal").status_code == 204
    shop.tick(4 * 24 * 3_600)
    shop.open()
    renewed = shop.post(f"{paths[1]}/reauthorize").json()
    shop.tick(29 * 24 * 3_600)
    shop.open()

    assert [shop.read(path)["status"] for path in paths] == ["VOIDED", "VOIDED"]
    late = shop.post(f"/v2/payments/authorizations/{renewed['id']}/capture")
    assert issue(late) == (422, "AUTHORIZATION_EXPIRED")
    shop.told("PAYMENT.AUTHORIZATION.CREATED", "PAYMENT.AUTHORIZATION.VOIDED")


def test_a_payment_goes_back_in_parts_until_nothing_is_left(shop):
    capture = shop.paid()
    path = f"/v2/payments/captures/{capture['id']}/refund"

    part = {"amount": {"currency_code": "USD", "value": "10.00"}, "custom_id": "REFUND-1"}
    first = shop.post(path, part, key="ATTEMPT-1:refund:1").json()
    assert shop.post(path, part, key="ATTEMPT-1:refund:1").json() == first
    assert shop.read(f"/v2/payments/captures/{capture['id']}")["status"] == "PARTIALLY_REFUNDED"
    assert issue(shop.post(path, {"amount": {"currency_code": "USD", "value": "15.01"}})) == (
        422,
        "REFUND_AMOUNT_EXCEEDED",
    )
    assert issue(shop.post(path, {"amount": {"currency_code": "EUR", "value": "1.00"}})) == (
        422,
        "REFUND_CAPTURE_CURRENCY_MISMATCH",
    )
    rest = shop.post(path, Prefer="return=minimal").json()

    assert set(rest) == {"id", "status", "links"}
    assert first["seller_payable_breakdown"]["total_refunded_amount"]["value"] == "10.00"
    assert shop.read(f"/v2/payments/refunds/{rest['id']}")["amount"]["value"] == "15.00"
    assert issue(shop.post(path)) == (422, "CAPTURE_FULLY_REFUNDED")
    assert [(row["kind"], row["withdrawn"]) for row in shop.statement()["rows"][2:]] == [
        ("reversal", "10.00"),
        ("reversal", "15.00"),
    ]
    assert shop.statement()["closing_balance"] == "-1.36"
    given_back = [event["resource"]["id"] for event in shop.told("PAYMENT.CAPTURE.REFUNDED")]
    assert set(given_back) <= {first["id"], rest["id"]}


def test_an_approval_that_nobody_uses_is_taken_back(shop):
    order = shop.approved()

    shop.tick(3 * 3_600)

    assert issue(shop.post(f"{ORDERS}/{order['id']}/capture")) == (422, "ORDER_EXPIRED")
    (told,) = shop.told("CHECKOUT.PAYMENT-APPROVAL.REVERSED")
    assert told["resource"]["order_id"] == order["id"]


def test_what_the_control_interface_refuses(shop):
    again = shop.control(
        "PUT", "/accounts/SAVANNA00USD2", {"client_id": wallets.CLIENT, "client_secret": "x"}
    )
    assert (again.status_code, again.json()["code"]) == (409, "client_id_in_use")
    for wrong in (
        {"currency": "KES"},
        {"rates": {"EUR": 1}},
        {"fee_bps": "3"},
        {"webhooks": ["x"]},
        {"x": 1},
    ):
        body = {"client_id": "another", "client_secret": "x", **wrong}
        answer = shop.control("PUT", "/accounts/SAVANNA00USD2", body)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_account")
    assert shop.act("orders", "NONE", "approve").json()["code"] == "unknown_object"
    assert shop.act("captures", shop.paid()["id"], "complete").json()["code"] == "CAPTURE_STATUS_NOT_VALID"
    assert shop.control("GET", "/paypal/orders").json()["orders"][0]["account"] == ACCOUNT
    assert shop.control("GET", "/state").json()["paypal"]["objects"]["order"] == 1

"""PayPal's official SDK drives the simulator's face of PayPal: what it sends is taken, what it gets it can read."""

from collections.abc import Iterator
from typing import Any

import pytest
from apimatic_core.exceptions.auth_validation_exception import AuthValidationException
from paypalserversdk.configuration import Configuration, Environment, Server
from paypalserversdk.exceptions.error_exception import ErrorException
from paypalserversdk.http.auth.o_auth_2 import ClientCredentialsAuthCredentials
from paypalserversdk.models.capture_request import CaptureRequest
from paypalserversdk.models.order_request import OrderRequest
from paypalserversdk.models.payment_token_request import PaymentTokenRequest
from paypalserversdk.models.refund_request import RefundRequest
from paypalserversdk.models.setup_token_request import SetupTokenRequest
from paypalserversdk.paypal_serversdk_client import PaypalServersdkClient

from apps.simulator import server
from tests.simulator import wallets
from tests.simulator.wallets import CLIENT, PLACES, SECRET, Wallets

WHOLE = {"prefer": "return=representation"}


@pytest.fixture
def shop(simulator: server.Running) -> Iterator[Wallets]:
    """Return a shop with an account of its own."""
    with wallets.wallets(simulator) as made:
        yield made


def client(shop: Wallets, secret: str = SECRET) -> Any:
    """Return the SDK, whose sandbox is the simulator."""
    hosts = {Environment.SANDBOX: {Server.DEFAULT: f"{shop.url}/paypal"}}
    simulated = type("Simulated", (Configuration,), {"environments": hosts})
    credentials = ClientCredentialsAuthCredentials(o_auth_client_id=CLIENT, o_auth_client_secret=secret)
    return PaypalServersdkClient(config=simulated(client_credentials_auth_credentials=credentials))


def opened(api: Any, shop: Wallets, key: str, **changes: Any) -> Any:
    """Return an order that the SDK has opened and its person approved."""
    body = OrderRequest.from_dictionary(shop.draft(**changes))
    order = api.orders.create_order({"body": body, "paypal_request_id": key, **WHOLE}).body
    assert shop.act("orders", order.id, "approve").status_code == 200
    return order


def test_the_sdk_pays_reads_and_gives_back(shop):
    api = client(shop)
    order = opened(api, shop, "A-1:create")
    assert (order.status, order.purchase_units[0].amount.value) == ("PAYER_ACTION_REQUIRED", "25.00")
    again = {"body": OrderRequest.from_dictionary(shop.draft()), "paypal_request_id": "A-1:create"}
    assert api.orders.create_order(again).body.id == order.id

    taken = api.orders.capture_order({"id": order.id, "paypal_request_id": "A-1:capture", **WHOLE}).body
    (capture,) = taken.purchase_units[0].payments.captures
    part = RefundRequest.from_dictionary({"amount": {"currency_code": "USD", "value": "10.00"}})
    refund = api.payments.refund_captured_payment(
        {"capture_id": capture.id, "paypal_request_id": "A-1:refund:1", "body": part, **WHOLE}
    ).body

    assert (taken.status, capture.status) == ("COMPLETED", "COMPLETED")
    assert capture.seller_receivable_breakdown.paypal_fee.value == "1.36"
    assert (refund.status, refund.seller_payable_breakdown.total_refunded_amount.value) == (
        "COMPLETED",
        "10.00",
    )
    assert api.payments.get_refund({"refund_id": refund.id}).body.amount.value == "10.00"
    assert api.payments.get_captured_payment({"capture_id": capture.id}).body.status == "PARTIALLY_REFUNDED"
    day = capture.create_time[:10]
    span = {"start_date": f"{day}T00:00:00Z", "end_date": f"{day}T23:59:59Z", "fields": "all"}
    found = api.transaction_search.search_transactions(span).body.transaction_details
    codes = [row.transaction_info.transaction_event_code for row in found]
    assert codes == ["T0006", "T1107"]


def test_the_sdk_holds_money_back_and_lets_it_go(shop):
    api = client(shop)
    held = []
    for number in (1, 2):
        order = opened(api, shop, f"A-{number}:create", intent="AUTHORIZE", invoice_id=f"INV-{number}")
        done = api.orders.authorize_order({"id": order.id, "paypal_request_id": f"A-{number}:hold", **WHOLE})
        held.append(done.body.purchase_units[0].payments.authorizations[0].id)

    part = CaptureRequest.from_dictionary(
        {"amount": {"currency_code": "USD", "value": "20.00"}, "final_capture": True}
    )
    taken = api.payments.capture_authorized_payment({"authorization_id": held[0], "body": part, **WHOLE}).body
    api.payments.void_payment({"authorization_id": held[1], "paypal_request_id": "A-2:release"})

    assert (taken.status, taken.amount.value) == ("COMPLETED", "20.00")
    states = [api.payments.get_authorized_payment({"authorization_id": each}).body.status for each in held]
    assert states == ["CAPTURED", "VOIDED"]


def test_the_sdk_keeps_a_wallet(shop):
    api = client(shop)
    wallet = {"paypal": {"usage_type": "MERCHANT", "experience_context": PLACES}}
    setup = api.vault.create_setup_token(
        {"body": SetupTokenRequest.from_dictionary({"payment_source": wallet}), "paypal_request_id": "S-1"}
    ).body
    shop.act("setups", setup.id, "approve")
    source = {"token": {"id": setup.id, "type": "SETUP_TOKEN"}}
    token = api.vault.create_payment_token(
        {"body": PaymentTokenRequest.from_dictionary({"payment_source": source}), "paypal_request_id": "S-2"}
    ).body

    body = OrderRequest.from_dictionary(shop.draft(source={"vault_id": token.id}))
    paid = api.orders.create_order({"body": body, "paypal_request_id": "A-1", **WHOLE}).body

    assert (api.vault.get_setup_token(setup.id).body.status, paid.status) == ("VAULTED", "COMPLETED")
    assert api.vault.get_payment_token(token.id).body.customer.id == setup.customer.id
    listed = api.vault.list_customer_payment_tokens({"customer_id": setup.customer.id}).body
    assert [each.id for each in listed.payment_tokens] == [token.id]
    api.vault.delete_payment_token(token.id)


def test_the_sdk_reads_refusals(shop):
    api = client(shop)
    order = opened(api, shop, "A-1:create")

    with pytest.raises(ErrorException) as refused:
        api.orders.capture_order(
            {
                "id": order.id,
                "paypal_request_id": "A-1:capture",
                "paypal_mock_response": '{"mock_application_codes": "INSTRUMENT_DECLINED"}',
            }
        )
    with pytest.raises(ErrorException) as missing:
        api.orders.get_order({"id": "NONE"})
    with pytest.raises(AuthValidationException, match="OAuthToken is undefined or expired"):
        client(shop, "guessed").orders.get_order({"id": order.id})

    assert (refused.value.name, refused.value.details[0].issue) == (
        "UNPROCESSABLE_ENTITY",
        "INSTRUMENT_DECLINED",
    )
    assert missing.value.details[0].issue == "INVALID_RESOURCE_ID"
    assert shop.statement()["rows"] == []

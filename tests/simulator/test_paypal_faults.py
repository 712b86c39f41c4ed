"""What may go wrong on the PayPal face: answers that are lost or spoilt, webhooks that are lost, doubled or forged."""

import json
from collections.abc import Iterator

import httpx
import pytest

from apps.simulator import server
from tests.simulator import wallets
from tests.simulator.conftest import eventually
from tests.simulator.wallets import WEBHOOK, Wallets, issue

ORDERS = "/v2/checkout/orders"
COMPLETED = "PAYMENT.CAPTURE.COMPLETED"


@pytest.fixture
def shop(simulator: server.Running) -> Iterator[Wallets]:
    """Return a shop with an account of its own."""
    with wallets.wallets(simulator) as made:
        yield made


def orders(shop: Wallets) -> list[str]:
    """Return the orders that there are."""
    return [order["id"] for order in shop.control("GET", "/paypal/orders").json()["orders"]]


@pytest.mark.parametrize(
    ("action", "status", "name"),
    [
        ("status", 500, "INTERNAL_SERVER_ERROR"),
        ("rate_limit", 429, "RATE_LIMIT_REACHED"),
        ("expire_token", 401, ""),
        ("malformed_json", 201, ""),
        ("html_error", 502, ""),
        ("empty_body", 200, ""),
        ("reset", 0, ""),
    ],
)
def test_an_answer_is_spoilt_and_the_key_tells_the_truth(shop, action, status, name):
    is_processed = action not in {"rate_limit", "expire_token"}
    fields = {} if action == "expire_token" else {"processed": is_processed}
    shop.script({"action": action, **fields}, body={"/purchase_units/0/custom_id": "ATTEMPT-1"})

    try:
        answer = shop.post(ORDERS, shop.draft(), key="ATTEMPT-1:create")
    except httpx.TransportError:
        answer = None

    assert status == (0 if answer is None else answer.status_code)
    assert name in ("" if answer is None else answer.text)
    assert len(orders(shop)) == int(is_processed)
    shop.open()
    again = shop.post(ORDERS, shop.draft(), key="ATTEMPT-1:create")
    assert orders(shop) == [again.json()["id"]]


def test_a_capture_whose_answer_is_lost_is_told_by_its_key(shop):
    order = shop.approved()
    shop.script("reset", path=f"{ORDERS}/*/capture")
    shop.script({"action": "hang", "processed": True}, path=f"{ORDERS}/*/capture")
    path = f"{ORDERS}/{order['id']}/capture"

    with pytest.raises(httpx.TransportError):
        shop.post(path, key="ATTEMPT-1:capture")
    assert shop.read(f"{ORDERS}/{order['id']}")["status"] == "APPROVED"
    shop.http.timeout = httpx.Timeout(0.5)
    with pytest.raises(httpx.ReadTimeout):
        shop.post(path, key="ATTEMPT-1:capture")
    shop.http.timeout = httpx.Timeout(10)

    again = shop.post(path, key="ATTEMPT-1:capture")
    assert (again.status_code, again.json()["status"]) == (200, "COMPLETED")
    assert len(shop.statement()["rows"]) == 2


def test_scripts_and_addresses_decide_an_order_by_themselves(shop):
    shop.script({"action": "result", "code": "0"})
    approved = shop.order(invoice_id="INV-1")
    shop.script({"action": "result", "code": "PAYER_CANNOT_PAY"})
    refused = shop.order(invoice_id="INV-2")
    magic = {
        mark: shop.order(source={"email_address": f"amina+{mark}@example.com"}, invoice_id=f"INV-{mark}")[
            "id"
        ]
        for mark in ("000", "017", "032", "777")
    }
    lost = shop.post(ORDERS, shop.draft(source={"email_address": "amina+781@example.com"}))
    assert (lost.status_code, len(orders(shop))) == (500, 6)

    shop.tick(2)

    assert shop.read(f"{ORDERS}/{magic['032']}")["status"] == "PAYER_ACTION_REQUIRED"
    assert shop.post(f"{ORDERS}/{approved['id']}/capture").json()["status"] == "COMPLETED"
    assert issue(shop.post(f"{ORDERS}/{refused['id']}/capture")) == (422, "PAYER_CANNOT_PAY")
    assert issue(shop.post(f"{ORDERS}/{magic['017']}/capture")) == (422, "TRANSACTION_LIMIT_EXCEEDED")
    for mark in ("000", "777"):
        assert shop.post(f"{ORDERS}/{magic[mark]}/capture").json()["status"] == "COMPLETED"
    eventually(lambda: shop.postbox.types().count(COMPLETED) == 2)
    invoices = [event["resource"]["invoice_id"] for event in shop.told(COMPLETED)]
    assert sorted(invoices) == ["INV-000", "INV-1"]


def test_scripts_decide_captures_and_refunds(shop):
    capture_path, refund_path = f"{ORDERS}/*/capture", "/v2/payments/captures/*/refund"
    shop.script({"action": "result", "code": "DECLINED"}, path=capture_path)
    assert shop.paid()["status"] == "DECLINED"
    shop.script({"action": "late_failure", "ms": 5_000}, path=capture_path)
    late = shop.paid()
    assert late["status"] == "PENDING"
    shop.tick(5)
    assert shop.read(f"/v2/payments/captures/{late['id']}")["status"] == "DECLINED"
    shop.script({"action": "wrong_amount", "amount": "20.00"}, path=capture_path)
    paid = shop.paid()
    assert (paid["amount"]["value"], shop.statement()["rows"][0]["paid_in"]) == ("20.00", "20.00")

    shop.script({"action": "result", "code": "REFUND_FAILED_INSUFFICIENT_FUNDS"}, path=refund_path)
    shop.script({"action": "result", "code": "PENDING"}, {"action": "late_failure"}, path=refund_path)
    path = f"/v2/payments/captures/{paid['id']}/refund"
    assert issue(shop.post(path)) == (422, "REFUND_FAILED_INSUFFICIENT_FUNDS")
    waiting = shop.post(path).json()
    assert (waiting["status"], waiting["status_details"]) == ("PENDING", {"reason": "ECHECK"})
    shop.tick(30)

    assert shop.read(f"/v2/payments/refunds/{waiting['id']}")["status"] == "FAILED"
    assert shop.read(f"/v2/payments/captures/{paid['id']}")["status"] == "COMPLETED"
    assert len(shop.statement()["rows"]) == 2
    shop.told("PAYMENT.REFUND.PENDING", "PAYMENT.REFUND.FAILED", "PAYMENT.CAPTURE.DENIED")


def test_a_header_refuses_any_call(shop):
    mock = {"PayPal-Mock-Response": json.dumps({"mock_application_codes": "TRANSACTION_REFUSED"})}

    assert issue(shop.post(f"{ORDERS}/{shop.approved()['id']}/capture", **mock)) == (
        422,
        "TRANSACTION_REFUSED",
    )
    assert shop.statement()["rows"] == []


def test_webhooks_are_genuine_unless_they_are_forged(shop):
    shop.paid(invoice_id="INV-1")
    shop.script("bad_signature", path=f"{ORDERS}/*/capture")
    shop.paid(invoice_id="INV-2")
    eventually(lambda: len(shop.postbox.came) == 6)

    for headers, body in shop.postbox.came:
        event = json.loads(body)
        is_forged = event["resource"].get("invoice_id") == "INV-2"
        is_forged |= event["event_type"] == "CHECKOUT.ORDER.COMPLETED" and b"INV-2" in body
        assert shop.is_genuine(headers, body) is not is_forged
        told = {
            "auth_algo": headers["PAYPAL-AUTH-ALGO"],
            "cert_url": headers["PAYPAL-CERT-URL"],
            "transmission_id": headers["PAYPAL-TRANSMISSION-ID"],
            "transmission_sig": headers["PAYPAL-TRANSMISSION-SIG"],
            "transmission_time": headers["PAYPAL-TRANSMISSION-TIME"],
            "webhook_id": WEBHOOK,
        }
        content = json.dumps(told)[:-1].encode() + b', "webhook_event": ' + body + b"}"
        answer = shop.http.post(
            "/paypal/v1/notifications/verify-webhook-signature",
            content=content,
            headers={"Authorization": f"Bearer {shop.token}", "Content-Type": "application/json"},
        )
        assert answer.json() == {"verification_status": "FAILURE" if is_forged else "SUCCESS"}
    headers, body = shop.postbox.came[0]
    assert shop.is_genuine(headers, body + b" ") is False
    assert shop.is_genuine(headers, body, webhook="ANOTHER") is False


def test_webhooks_are_lost_doubled_late_and_out_of_order(shop):
    path = f"{ORDERS}/*/capture"
    shop.script("drop_callback", path=path)
    lost = shop.paid(invoice_id="INV-1")
    shop.script({"action": "duplicate_callback", "n": 3}, path=path)
    doubled = shop.paid(invoice_id="INV-2")
    shop.script({"action": "delay_callback", "ms": 60_000}, path=path)
    late = shop.paid(invoice_id="INV-3")
    shop.script("callback_before_response")
    early = shop.order(invoice_id="INV-4")
    assert early["id"] in [event["resource"]["id"] for event in shop.postbox.events()]

    eventually(lambda: shop.postbox.types().count(COMPLETED) == 3)
    assert {event["resource"]["id"] for event in shop.told(COMPLETED)} == {doubled["id"]}
    shop.tick(60)
    eventually(lambda: shop.postbox.types().count(COMPLETED) == 4)
    assert late["id"] in [event["resource"]["id"] for event in shop.told(COMPLETED)]
    kept = shop.read(f"/v1/notifications/webhooks-events?event_type={COMPLETED}")["events"]
    (missed,) = [event for event in kept if event["resource"]["id"] == lost["id"]]
    shop.postbox.came.clear()
    shop.post(f"/v1/notifications/webhooks-events/{missed['id']}/resend")
    eventually(lambda: shop.postbox.events() == [missed])


def test_a_webhook_that_is_not_taken_comes_again_with_a_new_signature(shop):
    shop.postbox.status = 500
    shop.approved()
    eventually(lambda: len(shop.postbox.came) == 1)
    shop.postbox.status = 200

    shop.tick(6)

    eventually(lambda: len(shop.postbox.came) == 2)
    (first, body), (second, same) = shop.postbox.came
    assert body == same
    assert first["PAYPAL-TRANSMISSION-ID"] == second["PAYPAL-TRANSMISSION-ID"]
    assert first["PAYPAL-TRANSMISSION-SIG"] != second["PAYPAL-TRANSMISSION-SIG"]
    assert shop.is_genuine(second, same)


def test_webhooks_are_registered_listed_changed_and_deleted(shop):
    hooks = "/v1/notifications/webhooks"
    wanted = {"url": f"{shop.postbox.url}/other", "event_types": [{"name": COMPLETED}]}
    made = shop.post(hooks, wanted).json()
    assert issue(shop.post(hooks, wanted)) == (400, "WEBHOOK_URL_ALREADY_EXISTS")
    shop.paid()
    eventually(lambda: len(shop.postbox.came) == 4)
    assert shop.postbox.types().count(COMPLETED) == 2

    moved = [{"op": "replace", "path": "/url", "value": f"{shop.postbox.url}/moved"}]
    assert shop.call("PATCH", f"{hooks}/{made['id']}", moved).json()["url"].endswith("/moved")
    assert [hook["id"] for hook in shop.read(hooks)["webhooks"]] == [made["id"], WEBHOOK]
    assert shop.call("DELETE", f"{hooks}/{made['id']}").status_code == 204
    assert shop.call("GET", f"{hooks}/{made['id']}").status_code == 404


def test_a_movement_may_be_missing_from_the_list_but_not_from_the_balance(shop):
    shop.script("statement_omit", path=f"{ORDERS}/*/capture")
    shop.paid()

    assert shop.statement()["rows"] == []
    assert shop.statement()["closing_balance"] == "23.64"
    shop.control("POST", "/reset", {})
    shop.open()
    assert shop.statement()["closing_balance"] == "0.00"


def test_movements_that_nothing_caused_stand_beside_those_of_a_payment_and_a_refund(shop):
    shop.script(
        {"action": "statement_extra", "amount": "25.00", "details": "Correction"},
        {"action": "statement_extra", "amount": "3.10", "kind": "charge", "receipt": "EXTRA000000000001"},
        path=f"{ORDERS}/*/capture",
    )
    paid = shop.paid()
    before = shop.statement()
    day = paid["create_time"][:10]
    listed = shop.http.get(
        "/paypal/v1/reporting/transactions",
        params={"start_date": f"{day}T00:00:00Z", "end_date": f"{day}T23:59:59Z"},
        headers={"Authorization": f"Bearer {shop.token}"},
    ).json()["transaction_details"]

    told = [(row["kind"], row["event_code"], row["paid_in"], row["withdrawn"]) for row in before["rows"]]
    assert told[2:] == [("adjustment", "T1200", "25.00", "0.00"), ("charge", "T0100", "0.00", "3.10")]
    assert before["closing_balance"] == before["rows"][-1]["balance"]
    infos = [one["transaction_info"] for one in listed]
    extras = [(one["transaction_event_code"], one["transaction_amount"]["value"]) for one in infos[1:]]
    assert extras == [("T1200", "25.00"), ("T0100", "-3.10")]
    assert infos[2]["transaction_id"] == "EXTRA000000000001"

    shop.script({"action": "statement_extra", "amount": "1.00"}, path="/v2/payments/captures/*/refund")
    shop.post(f"/v2/payments/captures/{paid['id']}/refund")
    assert [row["kind"] for row in shop.statement()["rows"][4:]] == ["reversal", "adjustment"]

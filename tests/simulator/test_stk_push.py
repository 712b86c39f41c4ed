"""STK push of the Daraja face."""

import json
import re

import pytest


def test_accepts_a_push_and_shows_a_prompt(business):
    answer = business.push()

    content = answer.json()
    assert answer.status_code == 200
    assert content == {
        "MerchantRequestID": content["MerchantRequestID"],
        "CheckoutRequestID": content["CheckoutRequestID"],
        "ResponseCode": "0",
        "ResponseDescription": "Success. Request accepted for processing",
        "CustomerMessage": "Success. Request accepted for processing",
    }
    assert re.fullmatch(r"ws_CO_[0-9]{17}712345678", content["CheckoutRequestID"])
    assert re.fullmatch(r"[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{16}", content["MerchantRequestID"])
    (prompt,) = business.prompts()
    assert (prompt["state"], prompt["amount"], prompt["reference"]) == ("waiting", "1500.00", "ORD-2041")
    assert business.statement()["rows"] == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("BusinessShortCode", "60"),
        ("BusinessShortCode", None),
        ("BusinessShortCode", "6001000"),
        ("Timestamp", "2026-01-15"),
        ("Timestamp", "20261315093000"),
        ("Timestamp", None),
        ("TransactionType", "CustomerPayBill"),
        ("Amount", 0),
        ("Amount", -5),
        ("Amount", "10.50"),
        ("Amount", 10.5),
        ("Amount", True),
        ("Amount", "ten"),
        ("PartyA", "0712345678"),
        ("PartyA", "254812345678"),
        ("PhoneNumber", "+254712345678"),
        ("PhoneNumber", ["254712345678"]),
        ("PartyB", "x"),
        ("CallBackURL", "ftp://127.0.0.1/hooks"),
        ("CallBackURL", "not a url"),
        ("CallBackURL", "http://127.0.0.1:99999/hooks"),
        ("CallBackURL", "http://127.0.0.1/hooks/MPesa/1"),
        ("CallBackURL", "http://127.0.0.1/exec/1"),
        ("CallBackURL", "http://127.0.0.1/hooks?x=sql"),
        ("AccountReference", ""),
        ("AccountReference", "thirteen-char"),
        ("AccountReference", None),
        ("AccountReference", "a\x00b"),
        ("TransactionDesc", "fourteen chars"),
        ("Password", None),
    ],
)
def test_refuses_a_wrong_field(business, field, value):
    answer = business.push(**{field: value})

    assert answer.status_code == 400
    assert answer.json() == {
        "requestId": answer.json()["requestId"],
        "errorCode": "400.002.02",
        "errorMessage": f"Bad Request - Invalid {field}",
    }
    assert business.prompts() == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("Amount", "10"), ("TransactionDesc", ""), ("TransactionDesc", None), ("BusinessShortCode", 600100)],
)
def test_takes_the_forms_that_the_sheet_allows(business, field, value):
    assert business.push(**{field: value}).status_code == 200


def test_refuses_half_a_character(business):
    content = json.dumps(business.order(AccountReference="\ud800"))
    headers = {"Authorization": f"Bearer {business.token}", "Content-Type": "application/json"}

    answer = business.http.post("/daraja/mpesa/stkpush/v1/processrequest", content=content, headers=headers)

    assert answer.json()["errorMessage"] == "Bad Request - Invalid AccountReference"


def test_refuses_a_form_as_a_body(business):
    headers = {"Authorization": f"Bearer {business.token}"}

    answer = business.http.post(
        "/daraja/mpesa/stkpush/v1/processrequest", data=business.order(), headers=headers
    )

    assert answer.json()["errorMessage"] == "Bad Request - Invalid BusinessShortCode"


@pytest.mark.parametrize(("field", "value"), [("Password", "d3Jvbmc="), ("Timestamp", "20260115093001")])
def test_refuses_a_password_that_does_not_fit(business, field, value):
    answer = business.push(**{field: value})

    assert answer.status_code == 500
    assert answer.json()["errorCode"] == "500.001.1001"
    assert answer.json()["errorMessage"] == "Wrong credentials"
    assert business.prompts() == []


def test_refuses_an_unknown_shortcode(business):
    answer = business.push(BusinessShortCode="600999")

    assert answer.status_code == 500
    assert answer.json()["errorMessage"] == "Merchant does not exist"


def test_refuses_the_shortcode_of_another_consumer(business):
    other = business.account | {"consumer_key": "other", "consumer_secret": "other"}
    business.control("PUT", "/accounts/600200", other)

    answer = business.push(BusinessShortCode="600200")

    assert answer.json()["errorMessage"] == "Merchant does not exist"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "404.001.04"),
        ("Basic x", "404.001.04"),
        ("Bearer", "404.001.04"),
        ("Bearer made-up", "404.001.03"),
    ],
)
def test_refuses_a_call_without_a_living_token(business, header, code):
    headers = {"Authorization": header} if header else {}

    answer = business.http.post(
        "/daraja/mpesa/stkpush/v1/processrequest", json=business.order(), headers=headers
    )

    assert (answer.status_code, answer.json()["errorCode"]) == (404, code)
    assert business.prompts() == []


def test_refuses_another_method_and_another_path(business):
    assert business.http.get("/daraja/mpesa/stkpush/v1/processrequest").json()["errorCode"] == "405.001"
    assert business.post("/mpesa/stkpush/v9/processrequest", {}).json()["errorCode"] == "404.001.01"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"TransactionType": "CustomerBuyGoodsOnline"}, 2028),
        ({"PartyB": "600200"}, 2028),
        ({"PartyB": "600999"}, "SFC_IC0003"),
        ({"Amount": 250_001}, 3),
    ],
)
def test_declines_later_what_the_product_does_not_allow(business, changes, code):
    other = business.account | {"consumer_key": "other", "consumer_secret": "other"}
    business.control("PUT", "/accounts/600200", other)

    business.pushed(**changes)
    business.tick(2)

    (body,) = business.inbox.wait(1)
    assert body["Body"]["stkCallback"]["ResultCode"] == code
    assert business.statement()["rows"] == []


def test_pays_a_till_from_its_store_number(business):
    till = business.account | {"type": "till", "name": "Savanna Till"}
    business.control("PUT", "/accounts/600200", till)
    business.control("PUT", "/accounts/600201", till)
    business.shortcode = "600200"

    business.pushed(TransactionType="CustomerBuyGoodsOnline", PartyB="600201", phone="254700000000")
    business.tick(2)

    assert business.inbox.wait(1)
    assert business.statement()["rows"] == []
    business.shortcode = "600201"
    assert [row["kind"] for row in business.statement()["rows"]] == ["payment", "charge"]


def test_sends_the_success_callback_of_the_sheet(business):
    checkout = business.pushed()
    business.decide(checkout, "approve")

    (body,) = business.inbox.wait(1)
    (prompt,) = business.prompts()
    callback = body["Body"]["stkCallback"]
    items = callback["CallbackMetadata"]["Item"]
    assert list(callback) == [
        "MerchantRequestID",
        "CheckoutRequestID",
        "ResultCode",
        "ResultDesc",
        "CallbackMetadata",
    ]
    assert callback["ResultCode"] == 0
    assert callback["ResultDesc"] == "The service request is processed successfully."
    assert items[0] == {"Name": "Amount", "Value": 1500.0}
    assert isinstance(items[0]["Value"], float)
    assert items[1] == {"Name": "MpesaReceiptNumber", "Value": prompt["receipt"]}
    assert items[2] == {"Name": "Balance"}
    assert items[3]["Name"] == "TransactionDate"
    assert str(items[3]["Value"]) == re.sub(r"[^0-9]", "", prompt["decided_at"])[:14]
    assert prompt["decided_at"].endswith("+03:00")
    assert items[4] == {"Name": "PhoneNumber", "Value": 254712345678}
    assert re.fullmatch(r"[A-Z][A-Z0-9]{9}", prompt["receipt"])


def test_sends_the_failure_callback_of_the_sheet(business):
    checkout = business.pushed()
    business.decide(checkout, "cancel")

    (body,) = business.inbox.wait(1)
    callback = body["Body"]["stkCallback"]
    assert callback == {
        "MerchantRequestID": callback["MerchantRequestID"],
        "CheckoutRequestID": checkout,
        "ResultCode": 1032,
        "ResultDesc": "Request cancelled by user.",
    }


def test_never_repeats_a_callback_that_was_refused(business, eventually):
    business.inbox.status = 503
    business.decide(business.pushed(), "approve")
    eventually(lambda: business.log("callback"))

    business.tick(3_000)

    (entry,) = business.log("callback")
    assert (entry["state"], entry["status"]) == ("answered", 503)
    assert len(business.inbox.bodies) == 1


@pytest.mark.parametrize(
    "url", ["http://192.0.2.1/hooks/1", "https://127.0.0.1:9/hooks/1", "http://127.0.0.1:9/x"]
)
def test_records_a_callback_that_cannot_be_sent(business, eventually, url):
    business.decide(business.pushed(CallBackURL=url), "approve")

    eventually(lambda: business.log("callback"))

    (entry,) = business.log("callback")
    assert entry["state"] == "failed"
    assert entry["status"] is None
    assert entry["error"]

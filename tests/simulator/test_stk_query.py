"""STK query of the Daraja face."""

import pytest


def test_is_an_error_of_its_own_while_nobody_has_answered(business):
    answer = business.query(business.pushed())

    assert answer.status_code == 500
    assert answer.json()["errorCode"] == "500.001.1001"
    assert answer.json()["errorMessage"] == "The transaction is being processed"


def test_tells_success_without_amount_and_receipt(business):
    answer = business.push().json()
    business.decide(answer["CheckoutRequestID"], "approve")

    assert business.query(answer["CheckoutRequestID"]).json() == {
        "ResponseCode": "0",
        "ResponseDescription": "The service request has been accepted successfully",
        "MerchantRequestID": answer["MerchantRequestID"],
        "CheckoutRequestID": answer["CheckoutRequestID"],
        "ResultCode": "0",
        "ResultDesc": "The service request is processed successfully.",
    }


@pytest.mark.parametrize(("decision", "code"), [("cancel", "1032"), ("wrong-pin", "2001")])
def test_tells_a_failure(business, decision, code):
    checkout = business.pushed()
    business.decide(checkout, decision)

    assert business.query(checkout).json()["ResultCode"] == code


def test_refuses_an_unknown_ticket(business):
    answer = business.query("ws_CO_0")

    assert answer.status_code == 400
    assert answer.json()["errorMessage"] == "Bad Request - Invalid CheckoutRequestID"


def test_refuses_the_ticket_of_another_shortcode(business):
    checkout = business.pushed()
    business.control("PUT", "/accounts/600200", business.account)
    business.shortcode = "600200"

    assert business.query(checkout).json()["errorMessage"] == "Bad Request - Invalid CheckoutRequestID"


def test_refuses_a_wrong_password(business):
    body = {**business.secured(), "Password": "eA==", "CheckoutRequestID": business.pushed()}

    answer = business.post("/mpesa/stkpushquery/v1/query", body)

    assert answer.json()["errorMessage"] == "Wrong credentials"

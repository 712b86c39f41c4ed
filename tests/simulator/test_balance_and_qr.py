"""Account Balance and Dynamic QR of the Daraja face."""

import base64
import io

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding
from PIL import Image

BALANCE = "/mpesa/accountbalance/v1/query"
QR = "/mpesa/qrcode/v1/generate"


def question(business, *, password="Initiator-1", **changes):
    """Return the body that asks what the shortcode holds."""
    pem = business.control("GET", "/certificate").content
    public_key = x509.load_pem_x509_certificate(pem).public_key()
    return {
        "Initiator": "savanna-api",
        "SecurityCredential": base64.b64encode(
            public_key.encrypt(password.encode(), padding.PKCS1v15())
        ).decode(),
        "CommandID": "AccountBalance",
        "PartyA": business.shortcode,
        "IdentifierType": "4",
        "Remarks": "Balance",
        "QueueTimeOutURL": f"{business.inbox.url}/hooks/3f/9c/late",
        "ResultURL": f"{business.inbox.url}/hooks/3f/9c/balance",
        **changes,
    }


def asked(business, **changes):
    """Ask, let the result come, and return it."""
    accepted = business.post(BALANCE, question(business, **changes)).json()
    business.tick(1)
    return business.inbox.result_of(accepted["ConversationID"])


def told(result, outer="ResultParameters", inner="ResultParameter"):
    """Return the parameters of a result."""
    return {pair["Key"]: pair["Value"] for pair in result[outer][inner]}


def test_tells_the_closing_balance_of_the_statement(business):
    business.pay()

    result = asked(business)

    found = told(result)
    assert result["ResultCode"] == 0
    assert found["AccountBalance"].split("&") == [
        "Working Account|KES|0.00|0.00|0.00|0.00",
        "Float Account|KES|0.00|0.00|0.00|0.00",
        "Utility Account|KES|497.25|497.25|0.00|0.00",
        "Charges Paid Account|KES|0.00|0.00|0.00|0.00",
        "Organization Settlement Account|KES|0.00|0.00|0.00|0.00",
    ]
    assert len(str(found["BOCompletedTime"])) == 14
    assert business.statement()["closing_balance"] == "497.25"


def test_a_script_swaps_the_names_of_the_containers(business):
    business.script({"action": "partial_result", "swapped": True}, path=BALANCE)

    result = asked(business)

    assert set(told(result, "ResultParameter", "ResultParameters")) == {"AccountBalance", "BOCompletedTime"}


def test_a_wrong_password_learns_nothing_and_a_queue_may_give_up(business):
    refused = asked(business, password="Initiator-2")
    business.script({"action": "queue_timeout", "ms": 1_000}, path=BALANCE)
    given_up = asked(business)

    assert (refused["ResultCode"], "ResultParameters" in refused) == (2001, False)
    assert given_up["ResultType"] == 1
    assert business.inbox.paths[-1].endswith("/late")


def test_refuses_a_question_by_field(business):
    for field, value in (("CommandID", "Balance"), ("IdentifierType", "1"), ("Remarks", "")):
        answer = business.post(BALANCE, question(business, **{field: value}))

        assert answer.json()["errorMessage"] == f"Bad Request - Invalid {field}"
    assert business.log("callback") == []


def order(**changes):
    """Return the body that asks for a picture."""
    return {
        "MerchantName": "Savanna Kitchens",
        "RefNo": "INV-7",
        "Amount": "500",
        "TrxCode": "PB",
        "CPI": "600100",
        "Size": "300",
        **changes,
    }


@pytest.mark.parametrize("amount", ["500", 0])
def test_draws_a_picture_of_about_the_size_that_was_asked_for(business, amount):
    answer = business.post(QR, order(Amount=amount)).json()

    picture = Image.open(io.BytesIO(base64.b64decode(answer["QRCode"], validate=True)))
    assert (answer["ResponseCode"], picture.format) == ("00", "PNG")
    assert 250 < picture.width == picture.height <= 300


def test_refuses_a_picture_by_field(business):
    for field, value in (("TrxCode", "XX"), ("Amount", "1.5"), ("CPI", ""), ("Size", "9999"), ("RefNo", "")):
        answer = business.post(QR, order(**{field: value}))

        assert answer.json()["errorMessage"] == f"Bad Request - Invalid {field}"


def test_a_script_spoils_the_picture(business):
    business.script("html_error", path=QR)

    answer = business.post(QR, order())

    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html")

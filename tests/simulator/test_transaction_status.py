"""Transaction status of the Daraja face."""

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding

PATH = "/mpesa/transactionstatus/v1/query"


def encrypted(business, password):
    """Encrypt a password with the certificate that the simulator shows."""
    pem = business.control("GET", "/certificate").content
    public_key = x509.load_pem_x509_certificate(pem).public_key()
    return base64.b64encode(public_key.encrypt(password.encode(), padding.PKCS1v15())).decode()


def question(business, **changes):
    """Return the body of a question."""
    return {
        "Initiator": "savanna-api",
        "SecurityCredential": encrypted(business, "Initiator-1"),
        "CommandID": "TransactionStatusQuery",
        "TransactionID": "",
        "OriginalConversationID": "",
        "PartyA": business.shortcode,
        "IdentifierType": "4",
        "ResultURL": f"{business.inbox.url}/hooks/3f/9c/status",
        "QueueTimeOutURL": f"{business.inbox.url}/hooks/3f/9c/late",
        "Remarks": "status",
        "Occasion": "",
        **changes,
    }


def asked(business, **changes):
    """Ask, let the answer come, and return it."""
    answer = business.post(PATH, question(business, **changes))
    assert answer.status_code == 200, answer.text
    business.tick(1)
    result = business.inbox.wait(1)[-1]["Result"]
    assert result["ConversationID"] == answer.json()["ConversationID"]
    assert result["OriginatorConversationID"] == answer.json()["OriginatorConversationID"]
    return result


def parameters(result):
    """Return the parameters of a result; of a repeated key the last."""
    return {pair["Key"]: pair.get("Value") for pair in result["ResultParameters"]["ResultParameter"]}


def paid(business):
    """Make a payment whose callback is lost, and return the prompt."""
    business.pushed(phone="254700000777")
    business.tick(2)
    return business.prompts()[0]


def test_acknowledges_the_question(business):
    answer = business.post(PATH, question(business, TransactionID="SAB1234567"))

    assert answer.json()["ResponseCode"] == "0"
    assert answer.json()["ResponseDescription"] == "Accept the service request successfully."
    assert answer.json()["ConversationID"].startswith("AG_")


def test_finds_a_payment_by_receipt(business):
    prompt = paid(business)

    result = asked(business, TransactionID=prompt["receipt"])

    found = parameters(result)
    assert (result["ResultType"], result["ResultCode"]) == (0, 0)
    assert result["TransactionID"] == prompt["receipt"]
    assert found["ReceiptNo"] == prompt["receipt"]
    assert found["TransactionStatus"] == "Completed"
    assert found["Amount"] == 1500.0
    assert found["DebitPartyName"] == "600100 - Savanna Kitchens Ltd"


@pytest.mark.parametrize("field", ["merchant_request_id", "conversation_id", "id"])
def test_finds_a_payment_by_its_conversation(business, field):
    prompt = paid(business)

    result = asked(business, OriginalConversationID=prompt[field])

    assert parameters(result)["ReceiptNo"] == prompt["receipt"]


@pytest.mark.parametrize(
    ("decision", "fate"), [(None, "Initiated"), ("cancel", "Cancelled"), ("wrong-pin", "Declined")]
)
def test_tells_the_fate_of_what_was_not_paid(business, decision, fate):
    business.script({"action": "drop_callback"})
    checkout = business.pushed()
    if decision:
        business.decide(checkout, decision)

    result = asked(business, OriginalConversationID=business.prompts()[0]["merchant_request_id"])

    assert result["ResultCode"] == 0
    assert result["TransactionID"].endswith("0000000")
    assert parameters(result)["TransactionStatus"] == fate
    assert parameters(result)["ReceiptNo"] is None


@pytest.mark.parametrize(
    "changes", [{"Initiator": "someone"}, {"SecurityCredential": "bm90IGVuY3J5cHRlZA=="}]
)
def test_answers_a_wrong_initiator_with_2001(business, changes):
    prompt = paid(business)

    result = asked(business, TransactionID=prompt["receipt"], **changes)

    assert result["ResultCode"] == 2001
    assert "ResultParameters" not in result


def test_answers_a_wrong_password_with_2001(business):
    credential = encrypted(business, "Initiator-120260115093000")

    result = asked(business, TransactionID=paid(business)["receipt"], SecurityCredential=credential)

    assert result["ResultCode"] == 2001


def test_does_not_find_what_is_not_there(business):
    result = asked(business, TransactionID="SXXXXXXXXX")

    assert result["ResultCode"] == "R000002"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Initiator", ""),
        ("CommandID", "Status"),
        ("TransactionID", ""),
        ("PartyA", "x"),
        ("IdentifierType", "1"),
        ("ResultURL", "http://127.0.0.1/query"),
        ("QueueTimeOutURL", ""),
        ("Remarks", ""),
    ],
)
def test_refuses_a_wrong_field(business, field, value):
    answer = business.post(PATH, question(business, **{"TransactionID": "SAB1234567", field: value}))

    assert answer.status_code == 400
    assert answer.json()["errorMessage"] == f"Bad Request - Invalid {field}"


def test_refuses_an_unknown_shortcode(business):
    answer = business.post(PATH, question(business, TransactionID="SAB1234567", PartyA="600999"))

    assert answer.json()["errorMessage"] == "Merchant does not exist"


def test_loses_its_answer_when_told_to(business, eventually):
    prompt = paid(business)
    business.script("drop_callback", path=PATH)

    business.post(PATH, question(business, TransactionID=prompt["receipt"]))
    business.tick(60)

    eventually(lambda: [entry["state"] for entry in business.log("callback")] == ["dropped", "dropped"])
    assert business.inbox.bodies == []

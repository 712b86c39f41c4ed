"""Reversal of the Daraja face."""

import base64

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding

PATH = "/mpesa/reversal/v1/request"
STATUS = "/mpesa/transactionstatus/v1/query"


@pytest.fixture
def business(business):
    """Take no charges, so that what was paid can be given back."""
    business.control("PUT", "/accounts/600100", business.account | {"charge_bps": 0})
    return business


def credential(business, password="Initiator-1"):
    """Encrypt a password with the certificate that the simulator shows."""
    pem = business.control("GET", "/certificate").content
    public_key = x509.load_pem_x509_certificate(pem).public_key()
    return base64.b64encode(public_key.encrypt(password.encode(), padding.PKCS1v15())).decode()


def order(business, receipt, **changes):
    """Return the body of a reversal."""
    return {
        "Initiator": "savanna-api",
        "SecurityCredential": credential(business),
        "CommandID": "TransactionReversal",
        "TransactionID": receipt,
        "Amount": 1500,
        "ReceiverParty": business.shortcode,
        "RecieverIdentifierType": "11",
        "ResultURL": f"{business.inbox.url}/hooks/3f/9c/reversal",
        "QueueTimeOutURL": f"{business.inbox.url}/hooks/3f/9c/late",
        "Remarks": "Refund",
        "Occasion": "",
        **changes,
    }


def paid(business, phone="254712345678"):
    """Make a payment whose callback is lost, and return its receipt."""
    business.script("drop_callback")
    checkout = business.pushed(phone=phone)
    if phone.startswith("254700000"):
        business.tick(2)
    else:
        business.decide(checkout, "approve")
    return business.prompts()[0]["receipt"]


def reverse(business, receipt, **changes):
    """Ask for a reversal that is accepted."""
    answer = business.post(PATH, order(business, receipt, **changes))
    assert answer.status_code == 200, answer.text
    return answer.json()


def reversed_(business, receipt, **changes):
    """Reverse, let the result come, and return it."""
    before = len(business.inbox.bodies)
    accepted = reverse(business, receipt, **changes)
    business.tick(2)
    result = business.inbox.wait(before + 1)[-1]["Result"]
    assert result["OriginatorConversationID"] == accepted["OriginatorConversationID"]
    assert result["ConversationID"] == accepted["ConversationID"]
    return result


def parameters(result):
    """Return the parameters of a result; of a repeated key the last."""
    return {pair["Key"]: pair.get("Value") for pair in result["ResultParameters"]["ResultParameter"]}


def reversals(business):
    """Return all reversals, newest first."""
    return business.control("GET", "/reversals").json()["reversals"]


def withdrawn(business):
    """Return the receipts that were reversed, as the statement tells them."""
    return [row["linked_receipt"] for row in business.statement()["rows"] if row["kind"] == "reversal"]


def test_gives_the_whole_payment_back(business):
    receipt = paid(business)

    result = reversed_(business, receipt)

    (made,) = reversals(business)
    assert (result["ResultType"], result["ResultCode"]) == (0, 0)
    assert result["TransactionID"] == made["receipt"] != receipt
    assert parameters(result) | {"TransCompletedTime": 0} == {
        "DebitAccountBalance": "Utility Account|KES|0.00|0.00|0.00|0.00",
        "Amount": 1500.0,
        "TransCompletedTime": 0,
        "OriginalTransactionID": receipt,
        "Charge": 0,
        "CreditPartyPublicName": "254712345678 - PAYER 5678",
        "DebitPartyPublicName": "600100",
    }
    row = business.statement()["rows"][-1]
    assert (row["kind"], row["receipt"], row["withdrawn"]) == ("reversal", made["receipt"], "1500.00")
    assert (row["linked_receipt"], row["balance"]) == (receipt, "0.00")


def test_gives_back_what_came_unasked_and_tells_its_status(business):
    receipt = business.pay(amount="1500")["receipt"]

    result = reversed_(business, receipt)
    question = {
        "Initiator": "savanna-api",
        "SecurityCredential": credential(business),
        "CommandID": "TransactionStatusQuery",
        "TransactionID": receipt,
        "PartyA": business.shortcode,
        "IdentifierType": "4",
        "ResultURL": f"{business.inbox.url}/hooks/3f/9c/status",
        "QueueTimeOutURL": f"{business.inbox.url}/hooks/3f/9c/late",
        "Remarks": "Check",
    }
    business.post(STATUS, question)
    business.tick(1)

    told = parameters(business.inbox.wait(2)[-1]["Result"])
    assert result["ResultCode"] == 0
    assert withdrawn(business) == [receipt]
    assert (told["ReceiptNo"], told["TransactionStatus"], told["Amount"]) == (receipt, "Completed", 1500.0)


def test_decides_two_seconds_later(business):
    receipt = paid(business)

    reverse(business, receipt)

    assert [(made["state"], made["result_code"]) for made in reversals(business)] == [("waiting", "")]
    assert withdrawn(business) == []


def test_gives_a_payment_back_once(business):
    receipt = paid(business)
    paid(business)

    results = [reversed_(business, receipt)["ResultCode"] for _ in range(2)]

    assert results == [0, "R000001"]
    assert withdrawn(business) == [receipt]


def test_two_requests_at_once_give_it_back_once(business):
    receipt = paid(business)
    paid(business)
    reverse(business, receipt)
    reverse(business, receipt)

    business.tick(2)

    assert [made["result_code"] for made in reversals(business)] == ["R000001", "0"]
    assert withdrawn(business) == [receipt]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"TransactionID": "SXXXXXXXXX"}, "R000002"),
        ({"Amount": 700}, 2028),
        ({"Initiator": "someone"}, 2001),
        ({"SecurityCredential": "bm90IGVuY3J5cHRlZA=="}, 2001),
    ],
)
def test_declines_with_the_result(business, changes, code):
    receipt = paid(business)

    result = reversed_(business, receipt, **changes)

    assert result["ResultCode"] == code
    assert result["TransactionID"].endswith("0000000")
    assert "ResultParameters" not in result
    assert withdrawn(business) == []


def test_declines_what_the_balance_does_not_hold(business):
    business.control("PUT", "/accounts/600100", business.account)

    result = reversed_(business, paid(business))

    assert result["ResultCode"] == 1
    assert business.statement()["closing_balance"] == "1491.75"


def test_the_payer_has_the_money_again(business):
    business.script({"action": "wrong_amount", "amount": "100000000.00"}, "drop_callback")
    business.decide(business.pushed(), "approve")
    reverse(business, business.prompts()[0]["receipt"], Amount=100_000_000)
    business.tick(2)

    business.decide(business.pushed(), "approve")

    assert business.prompts()[0]["result_code"] == "0"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Initiator", ""),
        ("CommandID", "Reversal"),
        ("TransactionID", ""),
        ("Amount", 0),
        ("Amount", "10.50"),
        ("ReceiverParty", "x"),
        ("RecieverIdentifierType", "4"),
        ("ResultURL", "http://127.0.0.1/query"),
        ("QueueTimeOutURL", ""),
        ("Remarks", "R"),
    ],
)
def test_refuses_a_wrong_field(business, field, value):
    answer = business.post(PATH, order(business, paid(business), **{field: value}))

    assert answer.status_code == 400
    assert answer.json()["errorMessage"] == f"Bad Request - Invalid {field}"
    assert reversals(business) == []


def test_refuses_a_foreign_shortcode(business):
    answer = business.post(PATH, order(business, paid(business), ReceiverParty="600999"))

    assert answer.json()["errorMessage"] == "Merchant does not exist"


@pytest.mark.parametrize("field", ["id", "conversation_id", "receipt"])
def test_transaction_status_finds_a_reversal(business, field):
    receipt = paid(business)
    reversed_(business, receipt)
    (made,) = reversals(business)
    name = "TransactionID" if field == "receipt" else "OriginalConversationID"

    found = parameters(status_of(business, **{name: made[field]}))

    assert (found["TransactionStatus"], found["ReceiptNo"]) == ("Completed", made["receipt"])
    assert (found["Amount"], found["ReasonType"]) == (1500.0, "Transaction Reversal")


@pytest.mark.parametrize(
    ("phone", "ticks", "fate"),
    [
        ("254712345678", 0, "Initiated"),
        ("254700000801", 2, "Declined"),
        ("254700000885", 60, "Expired"),
        ("254700000886", 60, "Completed"),
    ],
)
def test_transaction_status_tells_the_fate_of_a_reversal(business, phone, ticks, fate):
    accepted = reverse(business, paid(business, phone))
    business.tick(ticks)

    result = status_of(business, OriginalConversationID=accepted["OriginatorConversationID"])

    assert parameters(result)["TransactionStatus"] == fate


def status_of(business, **changes):
    """Ask for a transaction and return the answer."""
    question = {
        "Initiator": "savanna-api",
        "SecurityCredential": credential(business),
        "CommandID": "TransactionStatusQuery",
        "TransactionID": "",
        "PartyA": business.shortcode,
        "IdentifierType": "4",
        "ResultURL": f"{business.inbox.url}/hooks/3f/9c/status",
        "QueueTimeOutURL": f"{business.inbox.url}/hooks/3f/9c/late",
        "Remarks": "status",
        **changes,
    }
    answer = business.post(STATUS, question)
    assert answer.status_code == 200, answer.text
    business.tick(1)
    return business.inbox.result_of(answer.json()["ConversationID"])


@pytest.mark.parametrize(
    ("suffix", "code", "given_back"),
    [("801", 1, 0), ("806", 2006, 0), ("811", 11, 0), ("878", 0, 1)],
)
def test_magic_numbers_decide_the_result(business, suffix, code, given_back):
    receipt = paid(business, f"254700000{suffix}")

    assert reversed_(business, receipt)["ResultCode"] == code

    assert len(withdrawn(business)) == given_back


@pytest.mark.parametrize(
    ("suffix", "given_back"), [("877", 1), ("880", 1), ("881", 0), ("882", 1), ("883", 0), ("884", 1)]
)
def test_magic_numbers_spoil_the_answer_or_lose_the_result(business, suffix, given_back):
    receipt = paid(business, f"254700000{suffix}")
    try:
        answer = business.post(PATH, order(business, receipt), timeout=0.3)
        status = answer.status_code
    except httpx.ReadTimeout:
        status = 0
    business.tick(2)

    assert status == {"877": 200, "881": 500, "882": 500}.get(suffix, 0)
    assert len(withdrawn(business)) == given_back
    assert len(business.inbox.wait(int(suffix in {"880", "882"}))) == int(suffix in {"880", "882"})


def test_sends_the_result_before_the_answer(business):
    receipt = paid(business, "254700000879")

    reverse(business, receipt)

    assert business.inbox.bodies[0]["Result"]["ResultCode"] == 0


@pytest.mark.parametrize(("suffix", "given_back"), [("885", 0), ("886", 1)])
def test_tells_the_other_address_when_the_queue_gave_up(business, eventually, suffix, given_back):
    receipt = paid(business, f"254700000{suffix}")
    accepted = reverse(business, receipt)
    business.tick(60)

    (body,) = business.inbox.wait(1)

    assert body["Result"] == {
        "ResultType": 1,
        "ResultCode": "1",
        "ResultDesc": "The service request timed out.",
        "OriginatorConversationID": accepted["OriginatorConversationID"],
        "ConversationID": accepted["ConversationID"],
    }
    eventually(lambda: business.log("callback")[-1]["url"].endswith("/late"))
    assert len(withdrawn(business)) == given_back


def test_gives_back_another_amount_when_told_to(business):
    receipt = paid(business)
    business.script({"action": "wrong_amount", "amount": "900.00"}, path=PATH)

    result = reversed_(business, receipt)

    assert parameters(result)["Amount"] == 900.0
    assert business.statement()["rows"][-1]["withdrawn"] == "900.00"


def test_announces_another_amount_than_it_gives_back(business):
    receipt = paid(business)
    business.script({"action": "wrong_amount_callback_only", "amount": "900.00"}, path=PATH)

    result = reversed_(business, receipt)

    assert parameters(result)["Amount"] == 900.0
    assert business.statement()["rows"][-1]["withdrawn"] == "1500.00"


def test_succeeds_late_after_it_has_failed(business):
    receipt = paid(business)
    business.script({"action": "result", "code": "26"}, {"action": "late_success", "ms": 5_000}, path=PATH)
    reverse(business, receipt)

    business.tick(7)

    codes = [body["Result"]["ResultCode"] for body in business.inbox.wait(2)]
    assert sorted(codes) == [0, 26]
    assert withdrawn(business) == [receipt]


@pytest.mark.parametrize(
    ("fields", "shape"),
    [
        ({}, None),
        ({"missing": ["Amount", "Charge"]}, ["DebitAccountBalance", "TransCompletedTime"]),
        ({"missing": ["DebitAccountBalance"], "as_object": True}, "Amount"),
    ],
)
def test_leaves_out_parts_of_a_result(business, fields, shape):
    receipt = paid(business)
    business.script({"action": "partial_result", **fields}, path=PATH)

    result = reversed_(business, receipt)

    held = result.get("ResultParameters", {}).get("ResultParameter")
    found = [pair["Key"] for pair in held][:2] if isinstance(held, list) else held and held["Key"]
    assert found == shape


def test_leaves_a_reversal_out_of_the_statement_when_told_to(business):
    receipt = paid(business)
    business.script("statement_omit", path=PATH)

    reversed_(business, receipt)

    assert withdrawn(business) == []
    assert business.statement()["closing_balance"] == "0.00"


def test_the_statement_page_shows_it(business):
    receipt = paid(business)
    reversed_(business, receipt)

    page = business.http.get("/statement/600100").text

    assert 'data-kind="reversal"' in page
    assert f"Reversal of {receipt} to 254712345678" in page

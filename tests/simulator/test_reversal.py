"""Reversal of the Daraja face."""

import pytest

from tests.simulator.reversing import (
    PATH,
    STATUS,
    credential,
    order,
    paid,
    parameters,
    reversals,
    reverse,
    reversed_,
    withdrawn,
)


@pytest.fixture
def business(business):
    """Take no charges, so that what was paid can be given back."""
    business.control("PUT", "/accounts/600100", business.account | {"charge_bps": 0})
    return business


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


def test_the_statement_page_shows_it(business):
    receipt = paid(business)
    reversed_(business, receipt)

    page = business.http.get("/statement/600100").text

    assert 'data-kind="reversal"' in page
    assert f"Reversal of {receipt} to 254712345678" in page

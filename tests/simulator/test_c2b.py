"""C2B of the Daraja face: registered addresses, payments that come unasked, validation and confirmation."""

import hashlib

import pytest

SIMULATE = "/mpesa/c2b/v2/simulate"
CREDENTIALS = {"Initiator": "savanna-api", "SecurityCredential": "bm90IGVuY3J5cHRlZA=="}


def made_up(business, **changes):
    """Return the body that lets a phone pay unasked."""
    return {
        "ShortCode": business.shortcode,
        "CommandID": "CustomerPayBillOnline",
        "Amount": 500,
        "Msisdn": 254712345678,
        "BillRefNumber": "INV-7",
        **changes,
    }


def replace_account(business, **changes):
    """Change the account of the business."""
    answer = business.control("PUT", "/accounts/600100", business.account | changes)
    assert answer.status_code == 200, answer.text


def kinds(business):
    """Return kind and receipt of every row of the statement."""
    return [(row["kind"], row["receipt"]) for row in business.statement()["rows"]]


def test_asks_then_moves_the_money_then_tells(business, inbox):
    inbox.answers["check"] = {"ResultCode": "0", "ResultDesc": "Accepted", "ThirdPartyTransID": "ours-1"}
    registered = business.register_urls()

    answer = business.post(SIMULATE, made_up(business))

    inbox.wait(2)
    assert registered.json() | {"OriginatorCoversationID": ""} == {
        "OriginatorCoversationID": "",
        "ResponseCode": "0",
        "ResponseDescription": "Success",
    }
    assert set(answer.json()) == {"OriginatorCoversationID", "ResponseCode", "ResponseDescription"}
    (asked,), (told,) = inbox.at("check"), inbox.at("c2b")
    (made,) = business.payments()
    assert asked | {"TransTime": ""} == {
        "TransactionType": "Pay Bill",
        "TransID": made["receipt"],
        "TransTime": "",
        "TransAmount": "500.00",
        "BusinessShortCode": "600100",
        "BillRefNumber": "INV-7",
        "InvoiceNumber": "",
        "OrgAccountBalance": "",
        "ThirdPartyTransID": "",
        "MSISDN": "254712345678",
        "FirstName": "PAYER",
        "MiddleName": "",
        "LastName": "5678",
    }
    same = {"TransTime": asked["TransTime"]}
    assert told | same == asked | {"OrgAccountBalance": "497.25", "ThirdPartyTransID": "ours-1"}
    assert len(told["TransTime"]) == 14
    assert kinds(business) == [("payment", made["receipt"]), ("charge", made["receipt"])]
    assert business.statement()["closing_balance"] == "497.25"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"ResultCode": "C2B00012", "ResultDesc": "Rejected"}, "C2B00012"),
        ({"ResultCode": "C2B00013", "ResultDesc": "Rejected"}, "C2B00013"),
        ({"ResultCode": 1, "ResultDesc": "Rejected"}, "C2B00016"),
    ],
)
def test_a_business_refuses(business, inbox, eventually, answer, code):
    inbox.answers["check"] = answer
    business.register_urls()

    business.pay()

    eventually(lambda: business.payments()[0]["state"] == "failed")
    assert business.payments()[0]["result_code"] == code
    assert business.statement()["rows"] == []
    assert inbox.at("c2b") == []


@pytest.mark.parametrize(("default", "state"), [("Completed", "paid"), ("Cancelled", "failed")])
@pytest.mark.parametrize("answer", ["unreadable", {"ResultDesc": "Accepted"}])
def test_an_answer_that_says_nothing_leaves_it_to_the_default(
    business, inbox, eventually, default, state, answer
):
    inbox.answers["check"] = answer
    business.register_urls(ResponseType=default)

    business.pay()

    eventually(lambda: business.payments()[0]["state"] == state)


@pytest.mark.parametrize(("default", "state"), [("Completed", "paid"), ("Cancelled", "failed")])
def test_the_default_counts_after_eight_seconds_and_a_late_answer_no_more(business, default, state):
    business.control("POST", "/clock", {"stopped": True})
    business.control("POST", "/callbacks/hold", {"hold": True})
    business.register_urls(ResponseType=default)
    business.pay()
    (asked,) = business.control("POST", "/callbacks/take", {}).json()["callbacks"]

    business.tick(7)
    waiting = business.payments()[0]["state"]
    business.tick(1)
    answered = business.control(
        "POST",
        f"/callbacks/{asked['id']}/answer",
        {"status": 200, "body": '{"ResultCode": "C2B00012"}'},
    )

    assert (asked["kind"], waiting, answered.status_code) == ("validation", "waiting", 200)
    assert business.payments()[0]["state"] == state


def test_who_took_a_validation_answers_it_once(business):
    business.control("POST", "/callbacks/hold", {"hold": True})
    business.register_urls()
    business.pay()
    (asked,) = business.control("POST", "/callbacks/take", {}).json()["callbacks"]
    body = {"status": 200, "body": '{"ResultCode": "C2B00012", "ResultDesc": "Rejected"}'}

    answers = [business.control("POST", f"/callbacks/{asked['id']}/answer", body) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 409]
    assert business.payments()[0]["result_code"] == "C2B00012"


def test_an_stk_payment_is_told_twice_with_one_receipt(business, inbox):
    business.register_urls()

    business.decide(business.pushed(), "approve")

    inbox.wait(2)
    (told,) = inbox.at("c2b")
    (pushed,) = inbox.at("stk")
    items = {
        item["Name"]: item.get("Value") for item in pushed["Body"]["stkCallback"]["CallbackMetadata"]["Item"]
    }
    assert told["TransID"] == items["MpesaReceiptNumber"]
    assert (told["BillRefNumber"], told["TransAmount"]) == ("ORD-2041", "1500.00")
    assert inbox.at("check") == []
    assert len(kinds(business)) == 2


def test_without_addresses_money_moves_and_nobody_is_told(business, inbox):
    made = business.pay()

    assert made["state"] == "paid"
    assert kinds(business)[0] == ("payment", made["receipt"])
    assert inbox.bodies == []


@pytest.mark.parametrize(
    ("form", "shown", "last_name"),
    [
        ("plain", "254712345678", "5678"),
        ("masked", "2547 ***** 678", ""),
        ("hashed", hashlib.sha256(b"254712345678").hexdigest(), ""),
    ],
)
def test_tells_the_payer_in_the_form_of_the_shortcode(business, inbox, form, shown, last_name):
    replace_account(business, payer_form=form, validation=False)
    business.register_urls(version="v1")

    business.pay()

    inbox.wait(1)
    assert inbox.at("check") == []
    (told,) = inbox.at("c2b")
    assert (told["MSISDN"], told["LastName"]) == (shown, last_name)


def test_a_till_has_no_account_number(business, inbox):
    replace_account(business, type="till")
    business.register_urls()

    refused = business.post(SIMULATE, made_up(business))
    business.post(SIMULATE, made_up(business, CommandID="CustomerBuyGoodsOnline", BillRefNumber=None))

    inbox.wait(2)
    assert refused.json()["errorMessage"] == "Bad Request - Invalid CommandID"
    (told,) = inbox.at("c2b")
    assert (told["TransactionType"], told["BillRefNumber"]) == ("Buy Goods", "")


def test_production_registers_once_until_a_person_deletes(business):
    replace_account(business, environment="production")

    answers = [business.register_urls() for _ in range(2)]
    simulated = business.post(SIMULATE, made_up(business))
    deleted = business.control("DELETE", "/accounts/600100/addresses")
    again = business.register_urls(ResponseType="Cancelled")

    assert [answer.status_code for answer in answers] == [200, 500]
    refused = answers[1].json()
    assert (refused["errorCode"], refused["errorMessage"]) == ("500.003.1001", "Urls are already registered")
    assert simulated.status_code == 404
    assert deleted.json() == {"removed": True}
    assert again.status_code == 200
    (account,) = business.control("GET", "/state").json()["accounts"]
    assert account["addresses"]["default"] == "refuse"


def test_the_sandbox_replaces_what_was_registered(business, inbox):
    business.register_urls(ConfirmationURL=f"{inbox.url}/old")
    business.register_urls()
    business.pay()

    inbox.wait(2)
    assert (len(inbox.at("c2b")), inbox.at("old")) == (1, [])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ResponseType", "completed"),
        ("ShortCode", "12"),
        ("ConfirmationURL", "http://127.0.0.1:9/hooks/MPESA/1"),
        ("ValidationURL", "http://127.0.0.1:9/hooks/cmd"),
        ("ValidationURL", ""),
    ],
)
def test_refuses_addresses_by_field(business, field, value):
    answer = business.register_urls(**{field: value})

    assert answer.json()["errorMessage"] == f"Bad Request - Invalid {field}"
    (account,) = business.control("GET", "/state").json()["accounts"]
    assert account["addresses"] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [("Amount", "1.50"), ("Msisdn", "0712345678"), ("BillRefNumber", "X" * 21), ("BillRefNumber", None)],
)
def test_refuses_a_simulated_payment_by_field(business, field, value):
    answer = business.post(SIMULATE, made_up(business, **{field: value}))

    assert answer.json()["errorMessage"] == f"Bad Request - Invalid {field}"
    assert business.payments() == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"shortcode": "999999"}, "SFC_IC0003"),
        ({"pin": "wrong"}, "2001"),
        ({"amount": "250001"}, "3"),
        ({"msisdn": "254700000001"}, "1"),
        ({"msisdn": "254700000781"}, "26"),
    ],
)
def test_the_phone_refuses_without_a_word_to_the_business(business, inbox, changes, code):
    business.register_urls()

    made = business.pay(**changes)

    assert (made["state"], made["result_code"]) == ("failed", code)
    assert business.statement()["rows"] == []
    assert inbox.bodies == []


def test_more_than_the_wallet_holds_is_refused(business):
    business.script({"action": "wrong_amount", "amount": "99999900.00"}, face="phone", path="/pay")
    business.pay()

    made = business.pay()

    assert (made["state"], made["result_code"]) == ("failed", "1")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/payments", {"msisdn": "0712"}),
        ("/payments", {"shortcode": "600100", "msisdn": "254712345678", "amount": "0"}),
        ("/payments", {"shortcode": "600100", "msisdn": "254712345678", "amount": "5", "pin": "1234"}),
        ("/payments", {"shortcode": "600100", "msisdn": "254712345678", "amount": "5", "colour": "red"}),
        ("/payments", {"shortcode": "600100", "msisdn": "254712345678", "amount": "5", "reference": "\n"}),
        ("/callbacks/1/answer", {"status": "200"}),
    ],
)
def test_control_refuses_what_makes_no_sense(business, path, body):
    answer = business.control("POST", path, body)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert business.payments() == []


@pytest.mark.parametrize("changes", [{"environment": "test"}, {"payer_form": "x"}, {"validation": "yes"}])
def test_control_refuses_settings_that_there_are_not(business, changes):
    answer = business.control("PUT", "/accounts/600100", business.account | changes)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_account")


@pytest.mark.parametrize(
    ("actions", "count"),
    [
        (["drop_callback"], 0),
        ([{"action": "duplicate_callback", "n": 3}], 3),
        ([{"action": "wrong_amount_callback_only", "amount": "7"}], 1),
        (["callback_before_response"], 1),
    ],
)
def test_a_script_spoils_the_confirmation(business, inbox, eventually, actions, count):
    replace_account(business, validation=False)
    business.register_urls()
    business.script(*actions, path=SIMULATE)

    business.post(SIMULATE, made_up(business))

    inbox.wait(count)
    eventually(lambda: len(business.log("callback")) == max(count, 1))
    assert len(inbox.at("c2b")) == count
    assert business.payments()[0]["moved"] == "500.00"


def test_late_success_pays_after_the_phone_has_said_no(business, inbox):
    replace_account(business, validation=False)
    business.register_urls()
    late = {"action": "late_success", "ms": 30_000}
    business.script({"action": "result", "code": "26"}, late, face="phone", path="/pay")

    first = business.pay()
    business.tick(30)

    (told,) = inbox.wait(1)
    assert (first["state"], business.payments()[0]["state"]) == ("failed", "paid")
    assert told["TransID"] == first["receipt"]


def test_a_payment_that_came_unasked_is_pulled(business):
    body = {
        "ShortCode": "600100",
        "RequestType": "Pull",
        "NominatedNumber": "0722000000",
        "CallBackURL": f"{business.inbox.url}/hooks/3f/9c/pull",
    }
    business.post("/pulltransactions/v1/register", body)
    made = business.pay()

    span = {"StartDate": "2020-01-01 00:00:00", "EndDate": "2099-01-01 00:00:00", "OffSetValue": "0"}
    answer = business.post("/pulltransactions/v1/query", {"ShortCode": "600100", **span})

    ((row,),) = answer.json()["Response"]
    assert (row["transactionId"], row["billreference"], row["amount"]) == (made["receipt"], "INV-7", "500.00")


def test_a_store_is_told_of_what_its_till_is_paid(business, inbox):
    till = business.account | {"type": "till", "name": "Savanna till", "store": "600100"}
    assert business.control("PUT", "/accounts/600190", till).status_code == 200
    business.register_urls()

    made = business.control(
        "POST",
        "/payments",
        {"shortcode": "600190", "msisdn": "254712345678", "amount": "500.00", "reference": ""},
    ).json()

    inbox.wait(2)
    (told,) = inbox.at("c2b")
    assert (told["TransID"], told["BusinessShortCode"]) == (made["receipt"], "600190")
    assert business.statement()["rows"] == []

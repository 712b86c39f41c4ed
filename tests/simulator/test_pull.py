"""Pull Transactions of the Daraja face."""

from datetime import datetime, timedelta

import pytest

REGISTER = "/pulltransactions/v1/register"
READ = "/pulltransactions/v1/query"


def registration(business, **changes):
    """Return the body that registers a shortcode."""
    return {
        "ShortCode": business.shortcode,
        "RequestType": "Pull",
        "NominatedNumber": "0722000000",
        "CallBackURL": f"{business.inbox.url}/hooks/3f/9c/pull",
        **changes,
    }


def question(business, *, hours=1, **changes):
    """Return the body that asks for the payments of the last hours."""
    now = datetime.fromisoformat(business.control("GET", "/health").json()["now"])
    return {
        "ShortCode": business.shortcode,
        "StartDate": (now - timedelta(hours=hours)).strftime("%Y-%m-%d %H:%M:%S"),
        "EndDate": now.strftime("%Y-%m-%d %H:%M:%S"),
        "OffSetValue": "0",
        **changes,
    }


def pulled(business, **changes):
    """Ask and return the answer."""
    answer = business.post(READ, question(business, **changes))
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def registered(business):
    """Return a business that has registered."""
    assert business.post(REGISTER, registration(business)).json()["ResponseStatus"] == "1000"
    return business


def test_registers_once(business):
    first, second = (business.post(REGISTER, registration(business)).json() for _ in range(2))

    assert (first["ResponseStatus"], first["ShortCode"]) == ("1000", "600100")
    assert second["ResponseStatus"] == "1001"
    assert set(first) == {"ResponseRefID", "ResponseStatus", "ShortCode", "ResponseDescription"}


def test_refuses_a_shortcode_that_has_not_registered(business):
    answer = business.post(READ, question(business))

    assert (answer.status_code, answer.json()["errorMessage"]) == (400, "Bad Request - Invalid ShortCode")


def test_tells_the_payments_as_a_list_in_a_list(registered):
    registered.decide(registered.pushed(), "approve")
    row = registered.statement()["rows"][0]

    content = pulled(registered)

    assert (content["ResponseCode"], content["ResponseMessage"]) == ("1000", "Success")
    assert content["Response"] == [
        [
            {
                "transactionId": row["receipt"],
                "trxDate": f"{row['completed_at'][:19]}Z",
                "msisdn": 254712345678,
                "sender": "MPESA",
                "transactiontype": "c2b-pay-bill-debit",
                "billreference": "ORD-2041",
                "amount": "1500.00",
                "organizationname": "Savanna Kitchens Ltd",
            }
        ]
    ]


def test_answers_none_with_1001(registered):
    registered.decide(registered.pushed(), "cancel")

    content = pulled(registered)

    assert (content["ResponseCode"], content["Response"]) == ("1001", [[]])


def test_leaves_charges_and_hidden_payments_out(registered):
    registered.script("statement_omit")
    for _ in range(2):
        registered.decide(registered.pushed(), "approve")

    rows = pulled(registered)["Response"][0]

    assert [row["transactionId"] for row in rows] == [registered.prompts()[0]["receipt"]]


def test_tells_payments_that_nobody_asked_for(registered):
    extra = {"action": "statement_extra", "amount": "40.00", "receipt": "SEXTRA0001"}
    registered.script(extra, {"action": "result", "code": "1032", "ms": 0})
    registered.pushed()
    registered.tick(1)

    (row,) = pulled(registered)["Response"][0]

    assert (row["transactionId"], row["amount"], row["msisdn"]) == ("SEXTRA0001", "40.00", None)


def test_reads_pages_of_a_hundred_from_an_offset(registered):
    extra = {"action": "statement_extra", "amount": "1.00"}
    registered.script(*[extra] * 130, {"action": "result", "code": "1032", "ms": 0})
    registered.pushed()
    registered.tick(1)

    pages = [pulled(registered, OffSetValue=str(offset))["Response"][0] for offset in (0, 100, 200)]

    assert [len(page) for page in pages] == [100, 30, 0]
    assert len({row["transactionId"] for page in pages for row in page}) == 130


def test_forgets_what_is_older_than_two_days(registered):
    registered.decide(registered.pushed(), "approve")

    registered.tick(47 * 3600)
    registered.refresh()
    assert len(pulled(registered, hours=60)["Response"][0]) == 1
    registered.tick(2 * 3600)
    registered.refresh()
    assert pulled(registered, hours=60)["Response"] == [[]]


def test_both_ends_of_the_span_are_within(registered):
    registered.control("POST", "/clock", {"stopped": True})
    registered.decide(registered.pushed(), "approve")

    assert len(pulled(registered, hours=0)["Response"][0]) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ShortCode", "x"),
        ("StartDate", "2026-11-02"),
        ("EndDate", "2026-13-02 10:00:00"),
        ("EndDate", "2020-01-02 10:00:00"),
        ("OffSetValue", "-1"),
    ],
)
def test_refuses_a_wrong_field(registered, field, value):
    answer = registered.post(READ, question(registered, **{field: value}))

    assert (answer.status_code, answer.json()["errorMessage"]) == (400, f"Bad Request - Invalid {field}")


def test_does_not_show_the_payments_of_another(registered):
    other = registered.account | {"consumer_key": "key-of-other", "consumer_secret": "other"}
    registered.control("PUT", "/accounts/600200", other)

    answer = registered.post(READ, question(registered, ShortCode="600200"))

    assert answer.json()["errorMessage"] == "Merchant does not exist"


@pytest.mark.parametrize(
    ("fields", "shape"),
    [
        ({}, "gone"),
        ({"missing": ["billreference"], "as_object": True}, "object"),
        ({"missing": ["amount"]}, "list"),
    ],
)
def test_leaves_out_parts_when_told_to(registered, fields, shape):
    registered.decide(registered.pushed(), "approve")
    registered.script({"action": "partial_result", **fields}, path=READ)

    content = pulled(registered)

    inner = content["Response"][0] if "Response" in content else "gone"
    assert {str: "gone", dict: "object", list: "list"}[type(inner)] == shape

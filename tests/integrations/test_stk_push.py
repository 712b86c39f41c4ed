"""The STK adapter against the payloads of Safaricom's pages: no network, no database."""

import ast
from pathlib import Path

import pytest

from apps.integrations.mpesa import codes, stk
from apps.integrations.ports import (
    CollectionReport,
    NextActionKind,
    Outcome,
    ProviderDeclined,
    ProviderUnavailable,
    ProviderUncertain,
)
from apps.kit import http
from apps.kit.money import Money
from tests.integrations import daraja
from tests.integrations.daraja import TICKET, answer, order, refused, said

ADAPTERS = Path(stk.__file__).parent
PORTAL_SAMPLE = (
    "MTc0Mzc5YmZiMjc5ZjlhYTliZGJjZjE1OGU5N2RkNzFhNDY3Y2QyZTBjODkzMDU5YjEwZjc4ZTZiNzJhZGExZWQyYzkx"
    "OTIwMjEwNjI4MDkyNDA4"
)


def test_password_is_that_of_the_portal_sample():
    found = stk.password("174379", daraja.SANDBOX_PASSKEY, "20210628092408")

    assert found == PORTAL_SAMPLE


def test_sends_the_order_in_darajas_words():
    port, line = daraja.stk(answer("stk_accepted.json"))

    ticket = port.request(order())

    assert ticket.value == "ws_CO_1007202409152617172396192"
    assert ticket.next_action.kind is NextActionKind.PROMPT
    assert line.kinds == ["oauth", "stk_push"]
    assert line.sent[0]["url"].endswith("/oauth/v1/generate?grant_type=client_credentials")
    assert line.sent[0]["headers"]["Authorization"] == "Basic a2V5OnNlY3JldA=="
    assert line.sent[1]["headers"]["Authorization"] == "Bearer c9SQxWWhmdVRlyh0zh8gZDTkubVF"
    assert line.sent[1]["url"] == "https://sandbox.safaricom.co.ke/mpesa/stkpush/v1/processrequest"
    assert line.sent[1]["body"] == {
        "BusinessShortCode": "174379",
        "Password": PORTAL_SAMPLE,
        "Timestamp": "20210628092408",
        "TransactionType": "CustomerPayBillOnline",
        "Amount": "1500",
        "PartyA": "254708374149",
        "PartyB": "174379",
        "PhoneNumber": "254708374149",
        "CallBackURL": daraja.CALLBACK_URL,
        "AccountReference": "K7PQ2M4XRT",
        "TransactionDesc": "Lunch for two",
    }


def test_a_till_receives_under_its_own_number():
    port, line = daraja.stk(answer("stk_accepted.json"), till_number="567890")

    port.request(order())

    sent = line.sent[1]["body"]
    assert (sent["TransactionType"], sent["BusinessShortCode"], sent["PartyB"]) == (
        "CustomerBuyGoodsOnline",
        "174379",
        "567890",
    )


@pytest.mark.parametrize("description", ["", "☕☕☕", "   "])
def test_an_unprintable_description_is_replaced(description):
    port, line = daraja.stk(answer("stk_accepted.json"))

    port.request(order(description=description))

    assert line.sent[1]["body"]["TransactionDesc"] == "Payment"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"money": Money(10_50, "KES")}, "invalid_request"),
        ({"money": Money(0, "KES")}, "invalid_request"),
        ({"money": Money(-1_00, "KES")}, "invalid_request"),
        ({"money": Money(10_00, "USD")}, "currency_not_supported"),
        ({"phone": "+255708374149"}, "invalid_request"),
        ({"phone": "0708374149"}, "invalid_request"),
        ({"code": "THIRTEENCHARS"}, "invalid_request"),
        ({"code": ""}, "invalid_request"),
    ],
)
def test_refuses_what_daraja_could_only_misunderstand(change, code):
    port, line = daraja.stk()

    with pytest.raises(ProviderDeclined) as refusal:
        port.request(order(**change))

    assert refusal.value.code == code
    assert line.sent == []


@pytest.mark.parametrize(
    ("came", "error", "code", "provider_code"),
    [
        (answer("error_invalid_shortcode.json", 400), ProviderDeclined, "invalid_request", "400.002.02"),
        (refused("404.001.01", "Resource not found", 404), ProviderDeclined, "configuration", "404.001.01"),
        (refused("404.001.04", "Invalid Authentication Header", 404), ProviderDeclined, "configuration", "404.001.04"),
        (refused("404.002.01", "Resource not found", 404), ProviderDeclined, "configuration", "404.002.01"),
        (refused("404.003.01", "Resource not found", 404), ProviderDeclined, "configuration", "404.003.01"),
        (refused("400.008.02", "Invalid grant type passed", 400), ProviderDeclined, "invalid_credentials", "400.008.02"),
        (refused("405.001", "Method Not Allowed", 405), ProviderDeclined, "configuration", "405.001"),
        (refused("400.002.05", "Invalid Request Payload", 400), ProviderDeclined, "invalid_request", "400.002.05"),
        (refused("500.001.1001", "Merchant does not exist"), ProviderDeclined, "configuration", "500.001.1001"),
        (refused("500.001.1001", "Wrong credentials"), ProviderDeclined, "invalid_credentials", "500.001.1001"),
        (
            refused("500.001.1001", "Unable to lock subscriber, a transaction is already in process"),
            ProviderDeclined,
            "subscriber_busy",
            "500.001.1001",
        ),
        (answer("fault_no_product.json", 401), ProviderDeclined, "configuration", "http:401"),
        (refused("500.003.02", "System is busy. Please try again"), ProviderUnavailable, "rate_limited", "500.003.02"),
        (refused("500.003.02", "Spike Arrest Violation"), ProviderUnavailable, "rate_limited", "500.003.02"),
        (refused("500.003.03", "Quota Violation"), ProviderUnavailable, "rate_limited", "500.003.03"),
        (said({"fault": {"faultstring": "Rate limit quota violation."}}, 429), ProviderUnavailable, "rate_limited", "http:429"),
        (said(b"slow down", 429), ProviderUnavailable, "rate_limited", "http:429"),
        (http.NotSent("dns", "no address"), ProviderUnavailable, "network_unreachable", "dns"),
        (http.Blocked("10.0.0.1 is not a public address"), ProviderUnavailable, "network_unreachable", "blocked"),
        (http.NoAnswer("timeout", "read"), ProviderUncertain, codes.OUTCOME_UNKNOWN, "timeout"),
        (refused("500.001.1001", "Internal Server Error"), ProviderUncertain, codes.OUTCOME_UNKNOWN, "500.001.1001"),
        (refused("500.003.1001", "Internal Server Error"), ProviderUncertain, codes.OUTCOME_UNKNOWN, "500.003.1001"),
        (refused("500.777.1", "Something new"), ProviderUncertain, codes.OUTCOME_UNKNOWN, "500.777.1"),
        (refused("400.002.02x", "not ours", 502), ProviderUncertain, codes.OUTCOME_UNKNOWN, "400.002.02x"),
        (said({"errorCode": "901.1", "errorMessage": "?"}, 400), ProviderUncertain, codes.OUTCOME_UNKNOWN, "901.1"),
        (answer("outage.html", 503), ProviderUncertain, codes.OUTCOME_UNKNOWN, "http:503"),
        (answer("outage.html", 200), ProviderUncertain, codes.OUTCOME_UNKNOWN, "http:200"),
        (answer("outage.html", 403), ProviderUncertain, codes.OUTCOME_UNKNOWN, "http:403"),
        (said(b""), ProviderUncertain, codes.OUTCOME_UNKNOWN, "http:200"),
        (said(b'{"ResponseCode": "0", "Checkout'), ProviderUncertain, codes.OUTCOME_UNKNOWN, "http:200"),
        (said(b"[1, 2]"), ProviderUncertain, codes.OUTCOME_UNKNOWN, "http:200"),
        (said(b"", 302), ProviderUncertain, codes.OUTCOME_UNKNOWN, "http:302"),
        (said(b"", 408), ProviderUncertain, codes.OUTCOME_UNKNOWN, "http:408"),
        (said({"ResponseCode": "0"}), ProviderUncertain, codes.OUTCOME_UNKNOWN, "0"),
        (said({"ResponseCode": "77", "ResponseDescription": "?"}), ProviderUncertain, codes.OUTCOME_UNKNOWN, "77"),
        (said({"ResponseCode": "1001", "ResponseDescription": "busy"}), ProviderDeclined, "subscriber_busy", "1001"),
    ],
)  # fmt: skip
def test_says_what_an_answer_lets_the_caller_do(came, error, code, provider_code):
    port, line = daraja.stk(came)

    with pytest.raises(error) as refusal:
        port.request(order())

    assert type(refusal.value) is error
    assert (refusal.value.code, refusal.value.provider_code) == (code, provider_code)
    assert line.kinds == ["oauth", "stk_push"]


@pytest.mark.parametrize("code", ["404.001.03", "400.003.01", "401.002.01", "401.003.01"])
def test_a_refused_token_is_replaced_and_the_same_request_sent_once_more(code):
    port, line = daraja.stk(refused(code, "Invalid Access Token", 404), answer("stk_accepted.json"))

    ticket = port.request(order())

    assert ticket.value == "ws_CO_1007202409152617172396192"
    assert line.kinds == ["oauth", "stk_push", "oauth", "stk_push"]
    assert line.orders[0]["body"] == line.orders[1]["body"]


def test_a_token_that_is_refused_twice_leaves_the_request_unsent():
    port, line = daraja.stk(*[answer("error_invalid_token.json", 404)] * 2)

    with pytest.raises(ProviderUnavailable) as refusal:
        port.request(order())

    assert refusal.value.code == codes.TOKEN_REFUSED
    assert len(line.orders) == 2


def test_nothing_is_repeated_after_an_open_answer_to_the_second_try():
    port, line = daraja.stk(answer("error_invalid_token.json", 404), http.NoAnswer("timeout"))

    with pytest.raises(ProviderUncertain):
        port.request(order())

    assert len(line.orders) == 2


@pytest.mark.parametrize(
    ("token", "error", "code"),
    [
        (said(b"", 400), ProviderDeclined, "invalid_credentials"),
        (
            refused("400.008.01", "Invalid Authentication passed", 400),
            ProviderDeclined,
            "invalid_credentials",
        ),
        (said(b"", 503), ProviderUnavailable, "provider_unavailable"),
        (said(b"<html>", 200), ProviderUnavailable, "provider_unavailable"),
        (said({"access_token": ""}), ProviderUnavailable, "provider_unavailable"),
        (http.NotSent("connect"), ProviderUnavailable, "network_unreachable"),
        (http.NoAnswer("timeout"), ProviderUnavailable, "network_unreachable"),
    ],
)
def test_without_a_token_nothing_is_asked_for(token, error, code):
    port, line = daraja.stk()
    line.token = token

    with pytest.raises(error) as refusal:
        port.request(order())

    assert (type(refusal.value), refusal.value.code) == (error, code)
    assert line.orders == []


@pytest.mark.parametrize(("life", "seconds"), [(3599, 3599), ("3599", 3599), (None, 3599), ("soon", 3599)])
def test_reads_the_life_of_a_token_in_any_form(life, seconds):
    tokens = daraja.Tokens()
    line = daraja.Line([answer("stk_query_success.json")])
    line.token = said({"access_token": "abc", "expires_in": life})

    daraja.client(line, tokens).post("stk_query", "/x", {})

    assert (tokens.kept, tokens.seconds) == ("abc", seconds)


def test_a_query_tells_success_without_sum_and_receipt():
    port, line = daraja.stk(answer("stk_query_success.json"))

    report = port.query(TICKET)

    assert report == CollectionReport(
        TICKET,
        Outcome.COLLECTED,
        provider_code="0",
        message="The service request is processed successfully.",
    )
    assert line.orders[0]["url"].endswith("/mpesa/stkpushquery/v1/query")
    assert line.orders[0]["body"] == {
        "BusinessShortCode": "174379",
        "Password": PORTAL_SAMPLE,
        "Timestamp": "20210628092408",
        "CheckoutRequestID": TICKET,
    }


@pytest.mark.parametrize(
    "came",
    [
        answer("stk_query_processing.json", 500),
        said({"ResponseCode": "0", "CheckoutRequestID": TICKET, "ResultCode": "4999", "ResultDesc": "..."}),
    ],
)
def test_a_query_while_the_payer_decides_is_pending(came):
    port, _ = daraja.stk(came)

    assert port.query(TICKET).outcome is Outcome.PENDING


@pytest.mark.parametrize(
    ("result_code", "reason"),
    [
        ("1", "insufficient_funds"),
        (1032, "customer_cancelled"),
        ("1037", "customer_unreachable"),
        ("1019", "expired"),
        ("2001", "authentication_failed"),
        ("SFC_IC0003", "configuration"),
        ("7777", "unknown_provider_code"),
    ],
)
def test_a_query_tells_the_refusal(result_code, reason):
    port, _ = daraja.stk(
        said(
            {"ResponseCode": "0", "CheckoutRequestID": TICKET, "ResultCode": result_code, "ResultDesc": "raw"}
        )
    )

    report = port.query(TICKET)

    assert (report.outcome, report.reason_code) == (Outcome.DECLINED, reason)
    assert report.provider_code == str(result_code)


@pytest.mark.parametrize(
    "came",
    [
        said({"ResponseCode": "0"}),
        said({"ResponseCode": "1", "ResultCode": "0"}),
        said({"ResponseCode": "0", "CheckoutRequestID": "ws_CO_another", "ResultCode": "0"}),
        refused("500.001.1001", "Internal Server Error"),
        answer("outage.html", 502),
        said(b""),
        http.NoAnswer("timeout"),
    ],
)
def test_a_query_without_a_clear_answer_stays_open(came):
    port, _ = daraja.stk(came)

    with pytest.raises(ProviderUncertain):
        port.query(TICKET)


@pytest.mark.parametrize(
    "path",  # the declaration names things for people, and is no adapter
    sorted(path for path in ADAPTERS.glob("*.py") if path.name != "provider.py"),
    ids=lambda path: path.name,
)
def test_the_adapter_knows_no_django_no_database_and_no_clock(path):
    imported = {
        name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    }

    assert not [name for name in imported if name.startswith(("django", "time", "redis", "httpx"))]
    assert not [name for name in imported if name in {"apps.kit.clock", "apps.integrations.models"}]

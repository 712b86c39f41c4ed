"""PayPal's adapters read its answers exactly: each row of the table of refusals, recorded objects, the form of requests."""

import ast
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from apps.integrations import paypal as folder
from apps.integrations.paypal import codes
from apps.integrations.paypal.orders import Orders
from apps.integrations.paypal.refunds import Refunds
from apps.integrations.ports import (
    MalformedCallback,
    Outcome,
    ProviderDeclined,
    ProviderUnavailable,
    ProviderUncertain,
)
from apps.kit import http
from apps.kit.money import Money
from tests.integrations.daraja import said
from tests.integrations.paypal_line import (
    CODE,
    MERCHANT,
    ORDER,
    capture,
    dollars,
    line,
    order,
    parsed,
    refused,
    told,
)

UNKNOWN = "provider_error_unknown_outcome"
USD_25 = Money(25_00, "USD")
HELD = {"id": "AUTH1", "status": "CREATED", "amount": dollars("25.00")}
PENDING = capture("PENDING", status_details={"reason": "ECHECK"})
RECEIPT = "40V95236PS9814847"


@pytest.mark.parametrize(
    ("answer", "error", "code", "theirs"),
    [
        (refused(400, name="INVALID_REQUEST"), ProviderDeclined, "invalid_request", "INVALID_REQUEST"),
        (
            refused(422, "DUPLICATE_INVOICE_ID"),
            ProviderDeclined,
            "duplicate_transaction",
            "DUPLICATE_INVOICE_ID",
        ),
        (refused(422, "AMOUNT_MISMATCH"), ProviderDeclined, "invalid_request", "AMOUNT_MISMATCH"),
        (
            refused(422, "INVALID_CURRENCY_CODE"),
            ProviderDeclined,
            "currency_not_supported",
            "INVALID_CURRENCY_CODE",
        ),
        (refused(422, "PAYEE_ACCOUNT_RESTRICTED"), ProviderDeclined, "merchant_account_restricted", None),
        (
            refused(422, "COMPLIANCE_VIOLATION"),
            ProviderDeclined,
            "compliance_blocked",
            "COMPLIANCE_VIOLATION",
        ),
        (refused(422, "SOMETHING_NEW"), ProviderDeclined, codes.UNKNOWN, "SOMETHING_NEW"),
        (refused(401, "INVALID_ACCOUNT_STATUS"), ProviderDeclined, "configuration", "INVALID_ACCOUNT_STATUS"),
        (
            refused(403, "PERMISSION_DENIED", "NOT_AUTHORIZED"),
            ProviderDeclined,
            "not_permitted",
            "PERMISSION_DENIED",
        ),
        (
            refused(409, "PREVIOUS_REQUEST_IN_PROGRESS"),
            ProviderUncertain,
            UNKNOWN,
            "PREVIOUS_REQUEST_IN_PROGRE",
        ),
        (
            refused(422, "ORDER_COMPLETION_IN_PROGRESS"),
            ProviderUncertain,
            UNKNOWN,
            "ORDER_COMPLETION_IN_PROGRE",
        ),
        (refused(422, "DUPLICATE_REQUEST_ID"), ProviderUncertain, UNKNOWN, "DUPLICATE_REQUEST_ID"),
        (refused(429, name="RATE_LIMIT_REACHED"), ProviderUnavailable, "rate_limited", "RATE_LIMIT_REACHED"),
        (said(b"<html>busy</html>", 429), ProviderUnavailable, "rate_limited", "http:429"),
        (refused(500, name="INTERNAL_SERVER_ERROR"), ProviderUncertain, UNKNOWN, "INTERNAL_SERVER_ERROR"),
        (refused(503, "INSTRUMENT_DECLINED"), ProviderUncertain, UNKNOWN, "INSTRUMENT_DECLINED"),
        (said(b"<html>", 404), ProviderUncertain, UNKNOWN, "http:404"),
        (said(b"", 200), ProviderUncertain, UNKNOWN, "http:200"),
        (said(b'{"id": "5O1', 201), ProviderUncertain, UNKNOWN, "http:201"),
        (said([1], 201), ProviderUncertain, UNKNOWN, "http:201"),
        (said({"status": "CREATED"}, 201), ProviderUncertain, UNKNOWN, ""),
        (http.NotSent("dns"), ProviderUnavailable, "network_unreachable", "dns"),
        (http.NoAnswer("timeout"), ProviderUncertain, UNKNOWN, "timeout"),
    ],
    ids=str,
)
def test_a_refusal_stands_for_what_to_do_next(answer, error, code, theirs):
    port, wire = line(answer)

    with pytest.raises((ProviderDeclined, ProviderUnavailable, ProviderUncertain)) as refusal:
        Orders(port, MERCHANT).request(order())

    assert (type(refusal.value), refusal.value.code) == (error, code)
    assert theirs is None or refusal.value.provider_code.startswith(theirs)
    assert len(wire.calls) == 1
    assert codes.MESSAGES.get(code) or error is not ProviderDeclined


def test_every_reason_has_a_sentence():
    every = {*codes.COLLECTING.values(), *codes.GIVING_BACK.values(), *codes.EVERYWHERE.values()}

    assert every | codes.OVER | {codes.TOKEN_REFUSED} <= set(codes.MESSAGES)


def test_a_token_that_is_refused_is_fetched_anew_once():
    gone = said({"error": "invalid_token", "error_description": "not found"}, 401)
    port, wire = line(gone, told("PAYER_ACTION_REQUIRED"), gone, gone)

    ticket = Orders(port, MERCHANT).request(order())
    with pytest.raises(ProviderUnavailable) as refusal:
        Orders(port, MERCHANT).request(order())

    assert ticket.value == ORDER
    assert refusal.value.code == codes.TOKEN_REFUSED
    assert wire.kinds == ["oauth", "order", "oauth", "order", "order", "oauth", "order"]


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        (said({"error": "invalid_client"}, 401), ProviderDeclined, "invalid_credentials"),
        (said(b"<html>", 500), ProviderUnavailable, "provider_unavailable"),
        (said({"access_token": ""}), ProviderUnavailable, "provider_unavailable"),
        (http.NoAnswer("timeout"), ProviderUnavailable, "network_unreachable"),
    ],
    ids=str,
)
def test_without_a_token_nothing_leaves(answer, error, code):
    port, wire = line()
    wire.token = answer

    with pytest.raises(error) as refusal:
        Orders(port, MERCHANT).request(order())

    assert refusal.value.code == code
    assert wire.calls == []


def test_a_request_asks_for_the_sum_on_paypals_page_under_our_code():
    port, wire = line(told("PAYER_ACTION_REQUIRED"))

    ticket = Orders(port, MERCHANT).request(order(email="amina@example.com"))

    [sent] = wire.calls
    assert (ticket.value, ticket.next_action.url) == (
        ORDER,
        f"https://www.paypal.com/checkoutnow?token={ORDER}",
    )
    assert (sent["method"], sent["url"]) == ("POST", "https://api-m.paypal.com/v2/checkout/orders")
    assert sent["headers"]["PayPal-Request-Id"] == f"{CODE}:create"
    assert sent["headers"]["Prefer"] == "return=representation"
    assert sent["headers"]["Authorization"] == "Bearer A21AAfirst"
    assert parsed(sent) == {
        "intent": "CAPTURE",
        "purchase_units": [
            {
                "reference_id": CODE,
                "custom_id": CODE,
                "invoice_id": CODE,
                "description": "Lunch",
                "amount": dollars("25.00"),
            }
        ],
        "payment_source": {
            "paypal": {
                "experience_context": {
                    "user_action": "PAY_NOW",
                    "shipping_preference": "NO_SHIPPING",
                    "payment_method_preference": "IMMEDIATE_PAYMENT_REQUIRED",
                    "return_url": "https://pay.example.test/p/1",
                    "cancel_url": "https://pay.example.test/p/1",
                },
                "email_address": "amina@example.com",
            }
        },
    }


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"money": Money(1500_00, "KES")}, "currency_not_supported"),
        ({"return_url": ""}, "invalid_request"),
    ],
    ids=str,
)
def test_what_paypal_cannot_take_does_not_leave(changes, code):
    port, wire = line()

    with pytest.raises(ProviderDeclined) as refusal:
        Orders(port, MERCHANT).request(order(**changes))

    assert refusal.value.code == code
    assert wire.sent == []


def test_a_kept_wallet_is_charged_without_a_page_and_another_accounts_order_is_refused():
    port, wire = line(told("COMPLETED", captures=[capture()]), told("CREATED"), told("COMPLETED"))

    ticket = Orders(port, MERCHANT).request(order(saved_method="8kk8451t", return_url="", is_captured=False))
    with pytest.raises(ProviderDeclined) as refusal:
        Orders(port, "ANOTHERMERCH1").request(order())
    with pytest.raises(ProviderUncertain):  # it was taken, by somebody else
        Orders(port, "ANOTHERMERCH1").request(order(saved_method="8kk8451t"))

    asked = parsed(wire.calls[0])
    assert (ticket.next_action, asked["intent"]) == (None, "AUTHORIZE")
    absent = {"payment_initiator": "MERCHANT", "usage": "DERIVED"}
    assert asked["payment_source"] == {"paypal": {"vault_id": "8kk8451t", "stored_credential": absent}}
    assert (refusal.value.code, refusal.value.provider_code) == ("configuration", "payee")


def test_a_kept_wallet_whose_payer_is_wanted_is_not_charged_without_him():
    port, _ = line(told("PAYER_ACTION_REQUIRED"))

    with pytest.raises(ProviderDeclined) as refusal:
        Orders(port, MERCHANT).request(order(saved_method="8kk8451t", return_url=""))

    assert (refusal.value.code, refusal.value.is_replayed) == ("authentication_required", True)
    assert refusal.value.provider_code == "PAYER_ACTION_REQUIRED"


@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        (told("CREATED"), Outcome.PENDING, ""),
        (told("PAYER_ACTION_REQUIRED"), Outcome.PENDING, ""),
        (told("APPROVED"), Outcome.AUTHORIZED, ""),
        (told("VOIDED"), Outcome.DECLINED, "expired"),
        (refused(404, "INVALID_RESOURCE_ID", "RESOURCE_NOT_FOUND"), Outcome.DECLINED, "expired"),
        (told("COMPLETED", captures=[capture()]), Outcome.COLLECTED, ""),
        (told("COMPLETED", captures=[capture("REFUNDED")]), Outcome.COLLECTED, ""),
        (told("COMPLETED", captures=[capture("DECLINED"), capture()]), Outcome.COLLECTED, ""),
        (told("COMPLETED", captures=[PENDING]), Outcome.PENDING, ""),
        (told("COMPLETED", captures=[capture("DECLINED")]), Outcome.DECLINED, "declined"),
        (told("COMPLETED", intent="AUTHORIZE", authorizations=[HELD]), Outcome.AUTHORIZED, ""),
        (
            told("COMPLETED", authorizations=[HELD], captures=[capture("DECLINED")]),
            Outcome.AUTHORIZED,
            "",
        ),
        (
            told("COMPLETED", authorizations=[{**HELD, "status": "CAPTURED"}], captures=[capture()]),
            Outcome.COLLECTED,
            "",
        ),
        (told("COMPLETED", authorizations=[{**HELD, "status": "PENDING"}]), Outcome.PENDING, ""),
        (
            told("COMPLETED", authorizations=[{**HELD, "status": "VOIDED"}]),
            Outcome.DECLINED,
            "customer_cancelled",
        ),
        (told("COMPLETED", authorizations=[{**HELD, "status": "DENIED"}]), Outcome.DECLINED, "declined"),
    ],
    ids=str,
)
def test_an_order_stands_for_what_became_of_the_payment_and_asking_takes_nothing(answer, outcome, reason):
    port, wire = line(answer)

    report = Orders(port, MERCHANT).query(ORDER)

    assert (report.ticket, report.outcome, report.reason_code) == (ORDER, outcome, reason)
    assert (report.money == USD_25) is (outcome in (Outcome.AUTHORIZED, Outcome.COLLECTED))
    assert (report.receipt == RECEIPT) is (outcome is Outcome.COLLECTED)
    assert [one["method"] for one in wire.calls] == ["GET"]


@pytest.mark.parametrize("status", ["NEW_WORD", "COMPLETED", ""])
def test_a_state_that_is_not_known_here_is_open(status):
    port, _ = line(told(status))

    with pytest.raises(ProviderUncertain):
        Orders(port, MERCHANT).query(ORDER)


def test_what_is_to_be_held_back_is_authorised_once_its_payer_agrees():
    approved = told("APPROVED", intent="AUTHORIZE")
    held = told("COMPLETED", intent="AUTHORIZE", authorizations=[HELD])
    port, wire = line(approved, held, approved, refused(422, "ORDER_ALREADY_AUTHORIZED"), held)
    declined, _ = line(approved, refused(422, "INSTRUMENT_DECLINED"))

    first, again = Orders(port, MERCHANT).query(ORDER), Orders(port, MERCHANT).query(ORDER)
    over = Orders(declined, MERCHANT).query(ORDER)

    assert (first.outcome, first.money) == (again.outcome, again.money) == (Outcome.AUTHORIZED, USD_25)
    assert wire.calls[1]["headers"]["PayPal-Request-Id"] == f"{CODE}:authorize"
    assert wire.kinds[1:] == ["order_query", "authorize", "order_query", "authorize", "order_query"]
    assert (over.outcome, over.reason_code) == (Outcome.DECLINED, "declined")


def converted(**facts: Any) -> dict[str, Any]:
    return {
        "gross_amount": dollars("25.00"),
        "paypal_fee": dollars("1.03"),
        "net_amount": dollars("23.97"),
        "receivable_amount": {"currency_code": "EUR", "value": "22.05"},
        "exchange_rate": {"source_currency": "USD", "target_currency": "EUR", "value": "0.92"},
        **facts,
    }


@pytest.mark.parametrize(
    ("breakdown", "fee", "settled", "rate"),
    [
        (converted(), Money(95, "EUR"), Money(23_00, "EUR"), Decimal("0.92")),
        (
            converted(paypal_fee_in_receivable_currency={"currency_code": "EUR", "value": "0.96"}),
            Money(96, "EUR"),
            Money(23_01, "EUR"),
            Decimal("0.92"),
        ),
        (converted(exchange_rate={}), None, None, None),
        (converted(receivable_amount={"value": "odd"}), Money(1_03, "USD"), None, None),
        ({"paypal_fee": dollars("-1.00")}, None, None, None),
        ({}, None, None, None),
    ],
    ids=str,
)
def test_fee_and_rate_come_from_the_breakdown_and_what_is_odd_is_left_out(breakdown, fee, settled, rate):
    port, _ = line(told("COMPLETED", captures=[capture(seller_receivable_breakdown=breakdown)]))

    report = Orders(port, MERCHANT).query(ORDER)

    assert (report.money, report.fee, report.settled, report.rate) == (USD_25, fee, settled, rate)
    assert report.occurred_at == datetime(2026, 11, 24, 7, 40, tzinfo=UTC)


def test_nothing_comes_as_a_plain_callback():
    port, _ = line()

    for read in (Orders(port, MERCHANT).read_callback, Refunds(port).read_result, Refunds(port).read_timeout):
        with pytest.raises(MalformedCallback):
            read({})


@pytest.mark.parametrize(
    "path", sorted(Path(folder.__file__).parent.glob("*.py")), ids=lambda path: path.name
)
def test_the_adapter_knows_no_django_no_database_and_no_clock(path):
    imported = {
        name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names]
        )
    }

    allowed = {"django.utils.translation"} if path.name == "provider.py" else set()
    assert not {name for name in imported if name.startswith(("django", "time", "redis", "httpx"))} - allowed
    assert not imported & {"apps.kit.clock", "apps.integrations.models"}

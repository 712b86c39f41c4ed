"""Stripe's adapters read its answers exactly: each row of the table of refusals, recorded objects, the form of requests."""

import ast
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from apps.integrations import stripe as folder
from apps.integrations.ports import (
    Evidence,
    EvidenceFile,
    MalformedCallback,
    Outcome,
    ProviderDeclined,
    ProviderUnavailable,
    ProviderUncertain,
    RefundOutcome,
)
from apps.integrations.stripe import codes
from apps.integrations.stripe.captures import Captures
from apps.integrations.stripe.checkout import Checkout
from apps.integrations.stripe.disputes import Disputes
from apps.integrations.stripe.refunds import RefundQuery, Refunds
from apps.kit import http
from apps.kit.money import Money
from tests.integrations.daraja import said
from tests.integrations.stripe_line import card, line, order, refused

PAYLOADS = Path(__file__).resolve().parent.parent / "payloads" / "stripe"
UNKNOWN = "provider_error_unknown_outcome"


@pytest.mark.parametrize(
    ("answer", "error", "code", "theirs"),
    [
        (refused(400), ProviderDeclined, "invalid_request", "http:400"),
        (refused(400, code="amount_too_small"), ProviderDeclined, "amount_too_small", "amount_too_small"),
        (refused(400, code="amount_too_large"), ProviderDeclined, "amount_too_large", "amount_too_large"),
        (refused(404, code="resource_missing"), ProviderDeclined, "not_found", "resource_missing"),
        (refused(401), ProviderDeclined, "invalid_credentials", "http:401"),
        (refused(403), ProviderDeclined, "not_permitted", "http:403"),
        (refused(400, type="idempotency_error"), ProviderUncertain, UNKNOWN, "http:400"),
        (refused(409, code="idempotency_key_in_use"), ProviderUncertain, UNKNOWN, "idempotency_key_in_use"),
        (refused(429, code="rate_limit"), ProviderUnavailable, "rate_limited", "rate_limit"),
        (refused(429, code="lock_timeout"), ProviderUnavailable, "rate_limited", "lock_timeout"),
        (said(b"<html>busy</html>", 429), ProviderUnavailable, "rate_limited", "http:429"),
        (
            card("card_declined", "insufficient_funds"),
            ProviderDeclined,
            "insufficient_funds",
            "insufficient_funds",
        ),
        (card("card_declined", "stolen_card"), ProviderDeclined, "declined_fraud", "stolen_card"),
        (card("card_declined", "do_not_honor"), ProviderDeclined, "declined", "do_not_honor"),
        (card("expired_card"), ProviderDeclined, "invalid_payment_method", "expired_card"),
        (
            card("authentication_required"),
            ProviderDeclined,
            "authentication_required",
            "authentication_required",
        ),
        (
            card("card_declined", "try_again_later"),
            ProviderDeclined,
            "provider_unavailable",
            "try_again_later",
        ),
        (card("card_declined", "new_word"), ProviderDeclined, codes.UNKNOWN, "new_word"),
        (refused(500, type="api_error"), ProviderUncertain, UNKNOWN, "http:500"),
        (refused(503, type="api_error"), ProviderUncertain, UNKNOWN, "http:503"),
        (said(b"<html>", 400), ProviderUncertain, UNKNOWN, "http:400"),
        (said(b"", 200), ProviderUncertain, UNKNOWN, "http:200"),
        (said(b'{"id": "cs_', 200), ProviderUncertain, UNKNOWN, "http:200"),
        (said([1], 200), ProviderUncertain, UNKNOWN, "http:200"),
        (said({"error": "gone"}, 400), ProviderUncertain, UNKNOWN, "http:400"),
        (said({"object": "checkout.session"}, 200), ProviderUncertain, UNKNOWN, ""),
        (http.NotSent("dns"), ProviderUnavailable, "network_unreachable", "dns"),
        (http.NoAnswer("timeout"), ProviderUncertain, UNKNOWN, "timeout"),
    ],
    ids=str,
)
def test_a_refusal_stands_for_what_to_do_next(answer, error, code, theirs):
    port, wire = line(answer)

    with pytest.raises((ProviderDeclined, ProviderUnavailable, ProviderUncertain)) as refusal:
        Checkout(port).request(order())

    assert (type(refusal.value), refusal.value.code, refusal.value.provider_code) == (error, code, theirs)
    assert len(wire.sent) == 1
    assert codes.MESSAGES.get(code) or error is not ProviderDeclined
    assert not refusal.value.is_replayed


def test_tells_a_refusal_that_was_given_to_the_first_sending():
    told = card("card_declined")
    port, _ = line(http.Answer(told.status, {"idempotent-replayed": "true"}, told.body, 12, "198.51.100.1"))

    with pytest.raises(ProviderDeclined) as refusal:
        Checkout(port).request(order())

    assert refusal.value.is_replayed


def test_a_request_asks_for_the_sum_on_the_hosted_page_and_puts_our_code_into_the_payment_too():
    port, wire = line(said({"id": "cs_1", "url": "https://checkout.stripe.com/c/1"}))

    ticket = Checkout(port).request(order(email="amina@example.com"))

    [sent] = wire.sent
    assert (ticket.value, ticket.next_action.url) == ("cs_1", "https://checkout.stripe.com/c/1")
    assert (sent["method"], sent["url"]) == ("POST", "https://api.stripe.com/v1/checkout/sessions")
    assert sent["headers"]["Idempotency-Key"] == "K7M2P9QX4T:create"
    assert dict(parse_qsl(sent["body"].decode())) == {
        "mode": "payment",
        "line_items[0][price_data][currency]": "kes",
        "line_items[0][price_data][unit_amount]": "150000",
        "line_items[0][price_data][product_data][name]": "Lunch",
        "line_items[0][quantity]": "1",
        "success_url": "https://pay.example.test/p/1",
        "cancel_url": "https://pay.example.test/p/1",
        "client_reference_id": "K7M2P9QX4T",
        "metadata[code]": "K7M2P9QX4T",
        "payment_intent_data[capture_method]": "automatic",
        "payment_intent_data[description]": "K7M2P9QX4T",
        "payment_intent_data[metadata][code]": "K7M2P9QX4T",
        "customer_email": "amina@example.com",
    }


@pytest.mark.parametrize(
    ("money", "unit"),
    [(Money(1500, "JPY"), "1500"), (Money(1_500, "KWD"), "1500")],
)
def test_sums_go_out_in_the_smallest_unit_of_their_currency(money, unit):
    port, wire = line(said({"id": "cs_1", "url": "https://checkout.stripe.com/c/1"}))

    Checkout(port).request(order(money=money))

    assert f"unit_amount%5D={unit}&" in wire.sent[0]["body"].decode() or (
        f"[unit_amount]={unit}&" in wire.sent[0]["body"].decode()
    )


def test_an_address_that_is_too_long_to_keep_is_not_cut():
    url = "https://checkout.stripe.com/c/pay/cs_1#".ljust(2001, "f")
    port, _ = line(said({"id": "cs_1", "url": url}), said({"id": "cs_1", "url": url[:-1]}))

    with pytest.raises(ProviderUncertain):
        Checkout(port).request(order())
    assert Checkout(port).request(order()).next_action.url == url[:-1]


@pytest.mark.parametrize("currency", ["USDC", "UGX"])
def test_a_currency_that_stripe_does_not_know_or_counts_otherwise_does_not_leave(currency):
    port, wire = line()

    with pytest.raises(ProviderDeclined) as refusal:
        Checkout(port).request(order(money=Money(1, currency)))

    assert (refusal.value.code, wire.sent) == ("currency_not_supported", [])


def recorded(name: str) -> Any:
    return json.loads((PAYLOADS / name).read_text())


def test_a_paid_session_is_read_exactly():
    port, _ = line(said(recorded("session_paid.json")))

    report = Checkout(port).query("cs_test_a1")

    assert (report.outcome, report.money, report.receipt) == (
        Outcome.COLLECTED,
        Money(20_00, "USD"),
        "ch_3MmlLrLkdIwHu7ix0snN0B15",
    )
    assert (report.fee, report.settled, report.rate) == (
        Money(72, "EUR"),
        Money(18_46, "EUR"),
        Decimal("0.9230769"),
    )
    assert report.occurred_at == datetime(2023, 3, 17, 16, 37, 20, tzinfo=UTC)
    assert report.method_details == {"brand": "visa", "last4": "4242"}


PAID = recorded("session_paid.json")


@pytest.mark.parametrize(
    ("changes", "payment", "outcome", "reason"),
    [
        ({"status": "open", "payment_intent": None}, None, Outcome.PENDING, ""),
        ({"status": "expired", "payment_intent": None}, None, Outcome.DECLINED, "expired"),
        ({"status": "open"}, {"status": "requires_action"}, Outcome.PENDING, ""),
        ({}, {"status": "processing"}, Outcome.PENDING, ""),
        ({}, {"status": "requires_capture"}, Outcome.AUTHORIZED, ""),
        ({}, {"status": "canceled", "cancellation_reason": "automatic"}, Outcome.DECLINED, "expired"),
        ({}, {"status": "canceled", "cancellation_reason": None}, Outcome.DECLINED, "customer_cancelled"),
        (
            {"payment_status": "unpaid"},
            {"status": "requires_payment_method", "last_payment_error": {"code": "card_declined"}},
            Outcome.DECLINED,
            "declined",
        ),
    ],
    ids=str,
)
def test_each_state_of_a_session_is_one_of_ours(changes, payment, outcome, reason):
    body = {**PAID, **changes}
    if payment:
        body["payment_intent"] = {**PAID["payment_intent"], "amount_capturable": 20_00, **payment}
    port, _ = line(said(body))

    report = Checkout(port).query("cs_test_a1")

    assert (report.outcome, report.reason_code) == (outcome, reason)
    assert report.receipt == ""


@pytest.mark.parametrize(
    ("movement", "told"),
    [
        ({"fee": None}, (None, Money(18_46, "EUR"))),
        ({"fee": -1}, (None, Money(18_46, "EUR"))),
        ({"fee": 18_47}, (Money(18_47, "EUR"), Money(18_46, "EUR"))),
        ({"amount": None}, (None, None)),
        ({"amount": 0}, (None, None)),
        ({"currency": "zzz"}, (None, None)),
        ({"currency": "usd"}, (Money(72, "USD"), None)),
        ({"currency": "usd", "fee": "0.72"}, (None, None)),
    ],
    ids=str,
)
def test_a_payment_is_told_though_its_fee_or_conversion_cannot_be_read(movement, told):
    payment = PAID["payment_intent"]
    charge = payment["latest_charge"]
    charge = {**charge, "balance_transaction": {**charge["balance_transaction"], **movement}}
    port, _ = line(said({**PAID, "payment_intent": {**payment, "latest_charge": charge}}))

    report = Checkout(port).query("cs_test_a1")

    assert (report.outcome, report.money) == (Outcome.COLLECTED, Money(20_00, "USD"))
    assert (report.fee, report.settled) == told
    assert (report.rate is None) == (report.settled is None)


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "odd", "payment_intent": None},
        {"payment_intent": None},
        {"payment_intent": {**PAID["payment_intent"], "status": "odd"}},
        {"payment_intent": {**PAID["payment_intent"], "amount_received": "20.00"}},
        {"payment_intent": {**PAID["payment_intent"], "amount_received": None}},
        {"payment_intent": {**PAID["payment_intent"], "currency": "zzz"}},
    ],
    ids=str,
)
def test_what_cannot_be_read_is_uncertain_and_never_a_failure(changes):
    port, _ = line(said({**PAID, **changes}))

    with pytest.raises(ProviderUncertain):
        Checkout(port).query("cs_test_a1")


@pytest.mark.parametrize(
    ("status", "failure", "outcome", "reason"),
    [
        ("pending", None, RefundOutcome.PENDING, ""),
        ("requires_action", None, RefundOutcome.PENDING, ""),
        ("succeeded", None, RefundOutcome.REFUNDED, ""),
        ("failed", "expired_or_canceled_card", RefundOutcome.DECLINED, "payer_account_restricted"),
        ("failed", "new_word", RefundOutcome.DECLINED, codes.UNKNOWN),
        ("canceled", None, RefundOutcome.DECLINED, "customer_cancelled"),
    ],
)
def test_each_state_of_a_refund_is_one_of_ours(status, failure, outcome, reason):
    refund = {"id": "re_1", "status": status, "failure_reason": failure, "amount": 5_00, "currency": "usd"}
    port, _ = line(said({**refund, "charge": "ch_1", "balance_transaction": None}))

    report = RefundQuery(port).query("re_1")

    assert (report.outcome, report.reason_code) == (outcome, reason)
    assert (report.money, report.payment_receipt) == (Money(5_00, "USD"), "ch_1")


@pytest.mark.parametrize(
    ("movement", "settled", "charge"),
    [
        ({"amount": -4_62, "currency": "eur", "fee": 0}, Money(4_62, "EUR"), None),
        ({"amount": -4_62, "currency": "eur", "fee": 25}, Money(4_62, "EUR"), Money(25, "EUR")),
        ({"amount": -5_00, "currency": "usd", "fee": 25}, None, Money(25, "USD")),
        ({"amount": -4_62, "currency": "zzz", "fee": 25}, None, None),
    ],
    ids=str,
)
def test_a_refund_tells_what_left_the_balance_in_the_currency_of_that(movement, settled, charge):
    refund = {"id": "re_1", "status": "succeeded", "amount": 5_00, "currency": "usd", "charge": "ch_1"}
    port, _ = line(said({**refund, "balance_transaction": movement}))

    report = RefundQuery(port).query("re_1")

    assert (report.outcome, report.money) == (RefundOutcome.REFUNDED, Money(5_00, "USD"))
    assert (report.settled, report.charge) == (settled, charge)


def test_each_order_to_capture_has_a_key_of_its_own_and_a_repeated_one_the_same():
    captured = PAID["payment_intent"]
    port, wire = line(*[said(captured)] * 4)
    orders = [(20_00, 1), (20_00, 1), (10_00, 2), (20_00, 3)]

    for minor, number in orders:
        Captures(Checkout(port)).capture("pi_1", Money(minor, "USD"), code="K7M2P9QX4T", number=number)

    assert [sent["headers"]["Idempotency-Key"] for sent in wire.sent] == [
        "K7M2P9QX4T:capture:2000:1",
        "K7M2P9QX4T:capture:2000:1",
        "K7M2P9QX4T:capture:1000:2",
        "K7M2P9QX4T:capture:2000:3",
    ]


def test_evidence_goes_with_its_documents_once_and_for_good():
    dispute = recorded("dispute.json")
    port, wire = line(said({"id": "file_1"}), said(dispute))
    file = EvidenceFile("communication", "mail.pdf", "application/pdf", b"%PDF-1.7")

    report = Disputes(port).submit("dp_1", Evidence(text="Eaten.", files=(file,)), code="D7M2P9QX4T")

    upload, update = wire.sent
    assert (upload["url"], upload["headers"]["Idempotency-Key"]) == (
        "https://files.stripe.com/v1/files",
        "D7M2P9QX4T:file:1",
    )
    assert b"%PDF-1.7" in upload["body"]
    assert b"dispute_evidence" in upload["body"]
    said_ = dict(parse_qsl(update["body"].decode()))
    assert (said_["evidence[uncategorized_text]"], said_["evidence[customer_communication]"]) == (
        "Eaten.",
        "file_1",
    )
    assert (said_["submit"], update["headers"]["Idempotency-Key"]) == ("true", "D7M2P9QX4T:evidence")
    assert (report.stage, report.withdrawn, report.fee) == (
        "UNDER_REVIEW",
        Money(10_00, "USD"),
        Money(15_00, "USD"),
    )


def test_nothing_comes_to_the_address_of_an_attempt():
    port, _ = line()

    for read in (Checkout(port).read_callback, Refunds(port).read_result, Refunds(port).read_timeout):
        with pytest.raises(MalformedCallback):
            read({"Body": {}})


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

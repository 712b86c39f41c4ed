"""PayPal's adapters take what a payer agreed to once, look at what was refused, and let go what they can."""

from typing import Any

import pytest

from apps.integrations.paypal.captures import Captures
from apps.integrations.paypal.orders import Orders
from apps.integrations.ports import (
    Outcome,
    ProviderDeclined,
)
from apps.kit.money import Money
from tests.integrations.daraja import said
from tests.integrations.paypal_line import (
    CODE,
    MERCHANT,
    ORDER,
    capture,
    dollars,
    line,
    parsed,
    refused,
    told,
)

USD_25 = Money(25_00, "USD")
HELD = {"id": "AUTH1", "status": "CREATED", "amount": dollars("25.00")}
RECEIPT = "40V95236PS9814847"


def capturing(*answers: Any) -> tuple[Captures, Any]:
    port, wire = line(*answers)
    return Captures(Orders(port, MERCHANT)), wire


def test_an_approved_order_is_taken_whole_under_its_number():
    port, wire = capturing(told("APPROVED"), told("COMPLETED", captures=[capture()]), told("APPROVED"))

    report = port.capture(ORDER, USD_25, code=CODE, number=2)
    with pytest.raises(ProviderDeclined) as part:
        port.capture(ORDER, Money(10_00, "USD"), code=CODE)

    assert (report.outcome, report.money, report.receipt) == (Outcome.COLLECTED, USD_25, RECEIPT)
    assert wire.calls[1]["url"].endswith(f"/v2/checkout/orders/{ORDER}/capture")
    assert wire.calls[1]["headers"]["PayPal-Request-Id"] == f"{CODE}:capture:2500:2"
    assert part.value.code == "invalid_request"
    assert len(wire.calls) == 3


def test_a_part_of_an_authorisation_is_taken_and_the_rest_let_go():
    held = told("COMPLETED", intent="AUTHORIZE", authorizations=[HELD])
    port, wire = capturing(held, said(capture(amount=dollars("10.00")), 201))

    report = port.capture(ORDER, Money(10_00, "USD"), code=CODE)

    assert (report.outcome, report.money, report.ticket) == (Outcome.COLLECTED, Money(10_00, "USD"), ORDER)
    assert wire.calls[1]["url"].endswith("/v2/payments/authorizations/AUTH1/capture")
    assert parsed(wire.calls[1]) == {"amount": dollars("10.00"), "final_capture": True}


@pytest.mark.parametrize(
    ("issue", "then", "outcome", "reason"),
    [
        ("ORDER_ALREADY_CAPTURED", told("COMPLETED", captures=[capture()]), Outcome.COLLECTED, ""),
        ("DUPLICATE_INVOICE_ID", told("COMPLETED", captures=[capture()]), Outcome.COLLECTED, ""),
        ("INSTRUMENT_DECLINED", told("PAYER_ACTION_REQUIRED"), Outcome.DECLINED, "declined"),
        ("PAYER_ACTION_REQUIRED", told("APPROVED"), Outcome.DECLINED, "authentication_required"),
        ("ORDER_NOT_APPROVED", told("CREATED"), Outcome.DECLINED, "authentication_required"),
        ("TRANSACTION_LIMIT_EXCEEDED", told("APPROVED"), Outcome.DECLINED, "limit_exceeded"),
        ("ORDER_EXPIRED", told("VOIDED"), Outcome.DECLINED, "expired"),
        ("SOMETHING_NEW", told("APPROVED"), Outcome.DECLINED, "unknown_provider_code"),
        ("PAYEE_ACCOUNT_RESTRICTED", told("APPROVED"), None, "merchant_account_restricted"),
        ("ORDER_ALREADY_CAPTURED", told("APPROVED"), None, "already_decided"),
    ],
)
def test_a_refused_capture_is_looked_at_before_it_is_believed(issue, then, outcome, reason):
    port, wire = capturing(told("APPROVED"), refused(422, issue), then)

    if outcome is None:
        with pytest.raises(ProviderDeclined) as refusal:
            port.capture(ORDER, USD_25, code=CODE)
        assert refusal.value.code == reason
    else:
        report = port.capture(ORDER, USD_25, code=CODE)
        assert (report.outcome, report.reason_code) == (outcome, reason)
    assert [one["method"] for one in wire.calls] == ["GET", "POST", "GET"]


def test_nothing_is_taken_of_what_was_taken_or_is_not_agreed_to():
    port, wire = capturing(told("COMPLETED", captures=[capture()]), told("CREATED"), told("VOIDED"))

    found = [port.capture(ORDER, USD_25, code=CODE).outcome for _ in range(3)]

    assert found == [Outcome.COLLECTED, Outcome.PENDING, Outcome.DECLINED]
    assert {one["method"] for one in wire.calls} == {"GET"}


def test_an_authorisation_is_voided_an_open_order_forgotten_and_an_approved_one_waited_for():
    held = told("COMPLETED", intent="AUTHORIZE", authorizations=[HELD])
    port, wire = capturing(
        held, said(b"", 204), told("CREATED"), told("APPROVED"), told("COMPLETED", captures=[capture()])
    )

    found = [port.release(ORDER, code=CODE) for _ in range(4)]

    assert [(one.outcome, one.reason_code) for one in found] == [
        (Outcome.DECLINED, "customer_cancelled"),
        (Outcome.DECLINED, "customer_cancelled"),
        (Outcome.PENDING, ""),
        (Outcome.COLLECTED, ""),
    ]
    assert wire.calls[1]["url"].endswith("/v2/payments/authorizations/AUTH1/void")

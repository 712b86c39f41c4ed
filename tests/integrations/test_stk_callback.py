"""The callback of STK push as Safaricom sends it, and as somebody else might."""

from datetime import UTC, datetime

import pytest

from apps.integrations.mpesa import codes
from apps.integrations.ports import (
    CollectionReport,
    MalformedCallback,
    Outcome,
)
from apps.kit import http
from apps.kit.money import Money
from tests.integrations import daraja
from tests.integrations.daraja import TICKET, parsed


def test_reads_a_success():
    port, _ = daraja.stk()

    report = port.read_callback(parsed("stk_callback_success.json"))

    assert report == CollectionReport(
        ticket=TICKET,
        outcome=Outcome.COLLECTED,
        money=Money(1_00, "KES"),
        receipt="NLJ7RT61SV",
        payer_phone="+254708374149",
        occurred_at=datetime(2019, 12, 19, 7, 21, 15, tzinfo=UTC),
        provider_code="0",
        message="The service request is processed successfully.",
    )


def test_reads_a_success_whose_numbers_are_texts():
    port, _ = daraja.stk()

    report = port.read_callback(parsed("stk_callback_success_as_text.json"))

    assert (report.outcome, report.money, report.receipt) == (
        Outcome.COLLECTED,
        Money(190_00, "KES"),
        "NLJ7RT61SV",
    )
    assert report.occurred_at == datetime(2019, 12, 19, 7, 21, 15, tzinfo=UTC)


def test_reads_a_refusal_which_has_no_metadata():
    port, _ = daraja.stk()

    report = port.read_callback(parsed("stk_callback_cancelled.json"))

    assert report == CollectionReport(
        ticket="ws_CO_21072024125243250722943992",
        outcome=Outcome.DECLINED,
        reason_code="customer_cancelled",
        provider_code="1032",
        message="The payer cancelled the request.",
    )


def test_an_unknown_result_is_a_refusal_and_keeps_what_was_said():
    port, _ = daraja.stk()

    report = port.read_callback(callback(ResultCode="X9", ResultDesc="Brand new reason"))

    assert (report.outcome, report.reason_code) == (Outcome.DECLINED, "unknown_provider_code")
    assert (report.provider_code, report.message) == ("X9", "Brand new reason")


@pytest.mark.parametrize("code", sorted(codes.STK_RESULTS))
def test_every_known_result_has_a_reason_and_a_sentence(code):
    port, _ = daraja.stk()

    report = port.read_callback(callback(ResultCode=code))

    assert report.outcome is Outcome.DECLINED
    assert report.reason_code == codes.STK_RESULTS[code]
    assert report.message.endswith(".")


def test_money_that_arrived_is_told_although_the_rest_cannot_be_read():
    port, _ = daraja.stk()

    report = port.read_callback(
        callback(
            items=[
                ("Amount", 5),
                ("MpesaReceiptNumber", ""),
                ("TransactionDate", "?"),
                ("PhoneNumber", "2547 ***** 126"),
            ]
        )
    )

    assert report.outcome is Outcome.COLLECTED
    assert report.money == Money(5_00, "KES")
    assert (report.receipt, report.payer_phone, report.occurred_at) == ("", "", None)


def test_a_success_without_metadata_tells_no_sum():
    port, _ = daraja.stk()

    report = port.read_callback(callback())

    assert (report.outcome, report.money, report.receipt) == (Outcome.COLLECTED, None, "")


@pytest.mark.parametrize(
    "amount",
    [
        "ten",
        "",
        "NaN",
        "Infinity",
        -5,
        0,
        True,
        [5],
        {"a": 1},
        "1.005",
        "1e-9",
        "1.0000000000000000000000000000000001",
        10**18,
    ],
)
def test_a_sum_that_is_none_is_refused(amount):
    port, _ = daraja.stk()
    payload = callback(items=[("MpesaReceiptNumber", "NLJ7RT61SV")])
    payload["Body"]["stkCallback"]["CallbackMetadata"]["Item"].append({"Name": "Amount", "Value": amount})

    if amount == "":
        assert port.read_callback(payload).money is None
        return
    with pytest.raises(MalformedCallback):
        port.read_callback(payload)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"Body": None},
        {"Body": []},
        {"Body": {"stkCallback": "x"}},
        {"Body": {"stkCallback": {"ResultCode": 0}}},
        {"Body": {"stkCallback": {"CheckoutRequestID": "", "ResultCode": 0}}},
        {"Body": {"stkCallback": {"CheckoutRequestID": TICKET}}},
        {"Body": {"stkCallback": {"CheckoutRequestID": TICKET, "ResultCode": None}}},
        {"Body": {"stkCallback": {"CheckoutRequestID": TICKET, "ResultCode": True}}},
        {"Body": {"stkCallback": {"CheckoutRequestID": TICKET, "ResultCode": []}}},
        {"Body": {"stkCallback": {"CheckoutRequestID": TICKET, "ResultCode": "  "}}},
        {"Body": {"stkCallback": {"CheckoutRequestID": TICKET, "ResultCode": "9" * 50}}},
    ],
)
def test_refuses_what_is_no_callback(body):
    port, _ = daraja.stk()

    with pytest.raises(MalformedCallback):
        port.read_callback(body)


@pytest.mark.parametrize("code", [b"1E+99999999", b"1E-99999999", b"0.5", b"NaN"])
def test_a_number_that_is_no_code_is_refused_without_being_written_out(code):
    port, _ = daraja.stk()

    with pytest.raises(MalformedCallback):
        port.read_callback(callback(ResultCode=http.parse_json(code)))


def test_texts_are_fit_for_the_database():
    port, _ = daraja.stk()

    report = port.read_callback(callback(ResultCode="X\x009", ResultDesc="a\x00b" + "c" * 1000))

    assert report.provider_code == "X9"
    assert report.message.startswith("ab")
    assert len(report.message) <= 300


def callback(items=(), **changes):
    body = {"CheckoutRequestID": TICKET, "ResultCode": 0, "ResultDesc": "said", **changes}
    if items:
        body["CallbackMetadata"] = {"Item": [{"Name": name, "Value": value} for name, value in items]}
    return {"Body": {"stkCallback": body}}

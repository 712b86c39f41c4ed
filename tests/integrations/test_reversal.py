"""The reversal adapter against the payloads of Safaricom's pages: no network, no database."""

import base64
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from apps.integrations.ports import (
    MalformedCallback,
    ProviderDeclined,
    ProviderUnavailable,
    ProviderUncertain,
    RefundOutcome,
    RefundReport,
    RefundRequest,
)
from apps.kit import http
from apps.kit.money import Money
from tests.integrations import daraja
from tests.integrations.daraja import answer, certified, parsed, refused, said

TICKET = "71840-27539181-07"
HOOK = "https://pay.example.test/hooks/a/b"
KES_1500 = Money(1_500_00, "KES")


def order(money: Money = KES_1500) -> RefundRequest:
    return RefundRequest(
        money=money,
        receipt="NLJ7RT61SV",
        code="K7PQ2M4XRT",
        callback_url=f"{HOOK}/refund",
        timeout_url=f"{HOOK}/refund-timeout",
    )


@pytest.fixture(scope="module")
def pair():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key, certified(key)


def test_asks_for_the_whole_sum_in_the_initiators_name(pair):
    key, certificate = pair
    port, line = daraja.refund_port(answer("reversal_accepted.json"), certificate=certificate)

    ticket = port.request(order())

    assert (ticket.value, ticket.next_action) == (TICKET, None)
    sent = line.orders[0]["body"]
    credential = sent.pop("SecurityCredential")
    assert key.decrypt(base64.b64decode(credential), padding.PKCS1v15()) == b"Safaricom123"
    assert line.orders[0]["url"].endswith("/mpesa/reversal/v1/request")
    assert sent == {
        "Initiator": "testapi",
        "CommandID": "TransactionReversal",
        "TransactionID": "NLJ7RT61SV",
        "Amount": "1500",
        "ReceiverParty": "174379",
        "RecieverIdentifierType": "11",
        "ResultURL": f"{HOOK}/refund",
        "QueueTimeOutURL": f"{HOOK}/refund-timeout",
        "Remarks": "Refund K7PQ2M4XRT",
        "Occasion": "",
    }


@pytest.mark.parametrize("money", [Money(1_500_50, "KES"), Money(15_00, "USD"), Money(0, "KES")])
def test_a_sum_that_cannot_be_written_never_leaves(pair, money):
    port, line = daraja.refund_port(certificate=pair[1])

    with pytest.raises(ProviderDeclined):
        port.request(order(money))

    assert line.sent == []


def test_without_a_certificate_nothing_leaves():
    port, line = daraja.refund_port()

    with pytest.raises(ProviderDeclined) as refusal:
        port.request(order())

    assert refusal.value.code == "configuration"
    assert line.sent == []


@pytest.mark.parametrize(
    "came",
    [
        said({"ResponseCode": "1", "OriginatorConversationID": TICKET}),
        said({"ResponseCode": "0"}),
        said(b""),
        said(b"<html>Service unavailable</html>", 503),
        refused("500.003.1001", "Internal Server Error"),
        http.NoAnswer("timeout"),
    ],
)
def test_what_was_not_clearly_taken_is_open_and_sent_once(pair, came):
    port, line = daraja.refund_port(came, certificate=pair[1])

    with pytest.raises(ProviderUncertain):
        port.request(order())

    assert len(line.orders) == 1


@pytest.mark.parametrize(
    ("came", "error"),
    [
        (refused("400.002.02", "Bad Request - Invalid TransactionID", 400), ProviderDeclined),
        (refused("500.003.02", "Spike Arrest Violation"), ProviderUnavailable),
        (http.NotSent("connect"), ProviderUnavailable),
    ],
)
def test_what_was_clearly_not_taken_is_not_open(pair, came, error):
    port, _ = daraja.refund_port(came, certificate=pair[1])

    with pytest.raises(error):
        port.request(order())


def test_reads_a_reversal_that_was_made():
    port, _ = daraja.refund_port()

    report = port.read_result(parsed("reversal_success.json"))

    assert report == RefundReport(
        ticket=TICKET,
        outcome=RefundOutcome.REFUNDED,
        money=KES_1500,
        receipt="NLJ90ABCDE",
        payment_receipt="NLJ7RT61SV",
        payer_phone="+254708374149",
        charge=Money(27_00, "KES"),
        occurred_at=datetime(2019, 12, 19, 8, 2, 11, tzinfo=UTC),
        provider_code="0",
        message="The service request is processed successfully.",
    )


def test_a_single_parameter_and_missing_ones_are_read_too():
    port, _ = daraja.refund_port()
    payload = parsed("reversal_success.json")
    payload["Result"]["ResultCode"] = "0"
    payload["Result"]["ResultParameters"] = {"ResultParameter": {"Key": "Amount", "Value": "1500.00"}}

    report = port.read_result(payload)

    assert (report.outcome, report.money, report.charge) == (RefundOutcome.REFUNDED, KES_1500, None)
    assert (report.payment_receipt, report.occurred_at) == ("", None)


@pytest.mark.parametrize(
    ("code", "outcome", "reason"),
    [
        ("R000001", RefundOutcome.ALREADY, "already_reversed"),
        ("R000002", RefundOutcome.DECLINED, "payment_receipt_refused"),
        (1, RefundOutcome.DECLINED, "float_insufficient"),
        (11, RefundOutcome.DECLINED, "merchant_account_restricted"),
        (21, RefundOutcome.DECLINED, "not_permitted"),
        ("2001", RefundOutcome.DECLINED, "invalid_credentials"),
        (2006, RefundOutcome.DECLINED, "merchant_account_restricted"),
        (2028, RefundOutcome.DECLINED, "not_permitted"),
        (8006, RefundOutcome.DECLINED, "credential_locked"),
        ("XYZ_9", RefundOutcome.DECLINED, "unknown_provider_code"),
    ],
)
def test_codes_mean_what_they_mean_for_a_reversal(code, outcome, reason):
    port, _ = daraja.refund_port()
    payload = parsed("reversal_already_reversed.json")
    payload["Result"]["ResultCode"] = code

    report = port.read_result(payload)

    assert (report.outcome, report.reason_code, report.provider_code) == (outcome, reason, str(code))
    assert (report.receipt, report.money) == ("", None)


def test_a_time_out_is_no_lack_of_money():
    port, _ = daraja.refund_port()

    as_result = port.read_result(parsed("reversal_timed_out.json"))
    as_timeout = port.read_timeout(parsed("reversal_timed_out.json"))

    assert as_result == as_timeout
    assert (as_result.outcome, as_result.ticket) == (RefundOutcome.LOST, TICKET)


def test_whatever_comes_to_the_address_for_time_outs_is_one():
    port, _ = daraja.refund_port()

    report = port.read_timeout({"anything": "else"})

    assert (report.outcome, report.ticket) == (RefundOutcome.LOST, "")


@pytest.mark.parametrize(
    "body",
    [{}, {"Result": []}, {"Result": {"ResultCode": 0}}, {"Result": {"OriginatorConversationID": "1"}}],
)
def test_refuses_what_is_no_result(body):
    port, _ = daraja.refund_port()

    with pytest.raises(MalformedCallback):
        port.read_result(body)

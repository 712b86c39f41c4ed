"""The status adapter against the payloads of Safaricom's pages: no network, no database."""

import base64
import copy
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from apps.integrations.mpesa.initiator import security_credential
from apps.integrations.ports import (
    CollectionReport,
    MalformedCallback,
    Outcome,
    ProviderDeclined,
    ProviderUncertain,
    RefundOutcome,
    RefundReport,
    StatusRequest,
)
from apps.kit import http
from apps.kit.money import Money
from tests.integrations import daraja
from tests.integrations.daraja import answer, certified, parsed, said

CONVERSATION = "AG_20240706_20106e9209f64bebd05b"
QUESTION = StatusRequest(receipt="NLJ7RT61SV", callback_url="https://pay.example.test/hooks/a/b/status")


@pytest.fixture(scope="module")
def pair():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key, certified(key)


def test_the_credential_opens_with_the_private_key_and_differs_each_time(pair):
    key, certificate = pair

    first = security_credential("Safaricom123", certificate)
    second = security_credential("Safaricom123", certificate)

    assert len(first) == 344
    assert first != second
    assert key.decrypt(base64.b64decode(first), padding.PKCS1v15()) == b"Safaricom123"


@pytest.mark.parametrize("certificate", ["nonsense", certified(ec.generate_private_key(ec.SECP256R1()))])
def test_a_certificate_that_cannot_encrypt_is_a_configuration_error(certificate):
    with pytest.raises(ProviderDeclined) as refusal:
        security_credential("Safaricom123", certificate)

    assert refusal.value.code == "configuration"


def test_asks_by_receipt(pair):
    key, certificate = pair
    port, line = daraja.status_port(answer("status_accepted.json"), certificate=certificate)

    ticket = port.request_status(QUESTION)

    assert (ticket.value, ticket.next_action) == (CONVERSATION, None)
    sent = line.orders[0]["body"]
    credential = sent.pop("SecurityCredential")
    assert key.decrypt(base64.b64decode(credential), padding.PKCS1v15()) == b"Safaricom123"
    assert line.orders[0]["url"].endswith("/mpesa/transactionstatus/v1/query")
    assert sent == {
        "Initiator": "testapi",
        "CommandID": "TransactionStatusQuery",
        "TransactionID": "NLJ7RT61SV",
        "PartyA": "174379",
        "IdentifierType": "4",
        "ResultURL": QUESTION.callback_url,
        "QueueTimeOutURL": QUESTION.callback_url,
        "Remarks": "Status",
        "Occasion": "",
    }


def test_asks_by_the_ticket_of_the_request(pair):
    port, line = daraja.status_port(answer("status_accepted.json"), certificate=pair[1])

    port.request_status(StatusRequest(ticket="71840-27539181-07", callback_url=QUESTION.callback_url))

    sent = line.orders[0]["body"]
    assert sent["OriginalConversationID"] == "71840-27539181-07"
    assert "TransactionID" not in sent


def test_a_question_names_a_movement():
    port, line = daraja.status_port()

    with pytest.raises(ProviderDeclined):
        port.request_status(StatusRequest(callback_url=QUESTION.callback_url))

    assert line.sent == []


def test_reads_the_fate_of_a_reversal():
    port, _ = daraja.status_port()

    report = port.read_refund(parsed("status_reversal_completed.json"))

    assert report == RefundReport(
        ticket="71840-27539181-07",
        outcome=RefundOutcome.REFUNDED,
        money=Money(1_500_00, "KES"),
        receipt="NLJ90ABCDE",
        payer_phone="+254708374149",
        payer="254708374149",
        charge=Money(27_00, "KES"),
        occurred_at=datetime(2019, 12, 19, 8, 2, 11, tzinfo=UTC),
        provider_code="0",
        message="The service request is processed successfully.",
    )


@pytest.mark.parametrize(
    ("fate", "outcome", "reason"),
    [
        ("Cancelled", RefundOutcome.DECLINED, "cancelled"),
        ("Declined", RefundOutcome.DECLINED, "declined"),
        ("Expired", RefundOutcome.DECLINED, "expired"),
        ("Authorized", RefundOutcome.PENDING, ""),
    ],
)
def test_a_reversal_that_was_not_made_gives_no_receipt(fate, outcome, reason):
    port, _ = daraja.status_port()
    payload = parsed("status_reversal_completed.json")
    for pair in payload["Result"]["ResultParameters"]["ResultParameter"]:
        if pair["Key"] == "TransactionStatus":
            pair["Value"] = fate

    report = port.read_refund(payload)

    assert (report.outcome, report.reason_code, report.receipt) == (outcome, reason, "")


def test_without_a_certificate_nothing_is_asked():
    port, line = daraja.status_port()

    with pytest.raises(ProviderDeclined):
        port.request_status(QUESTION)

    assert line.sent == []


@pytest.mark.parametrize(
    "came", [said({"ResponseCode": "1"}), said({"ResponseCode": "0"}), said(b""), http.NoAnswer("timeout")]
)
def test_a_question_that_was_not_clearly_taken_is_open(pair, came):
    port, _ = daraja.status_port(came, certificate=pair[1])

    with pytest.raises(ProviderUncertain):
        port.request_status(QUESTION)


def test_reads_a_completed_movement():
    port, _ = daraja.status_port()

    report = port.read_result(parsed("status_completed.json"))

    assert report == CollectionReport(
        ticket=CONVERSATION,
        outcome=Outcome.COLLECTED,
        money=Money(1_500_00, "KES"),
        receipt="NLJ7RT61SV",
        payer_phone="+254708374149",
        payer="254708374149",
        occurred_at=datetime(2019, 12, 19, 7, 21, 15, tzinfo=UTC),
        provider_code="0",
        message="The service request is processed successfully.",
    )


@pytest.mark.parametrize(
    ("fate", "outcome", "reason"),
    [
        ("Cancelled", Outcome.DECLINED, "customer_cancelled"),
        ("Declined", Outcome.DECLINED, "declined"),
        ("Expired", Outcome.DECLINED, "expired"),
        ("Initiated", Outcome.PENDING, ""),
        ("Authorized", Outcome.PENDING, ""),
        ("Pending Authorized", Outcome.PENDING, ""),
        ("Something new", Outcome.PENDING, ""),
    ],
)
def test_the_fate_is_that_of_the_movement_and_not_of_the_question(fate, outcome, reason):
    port, _ = daraja.status_port()
    payload = parsed("status_completed.json")
    for pair in payload["Result"]["ResultParameters"]["ResultParameter"]:
        if pair["Key"] == "TransactionStatus":
            pair["Value"] = fate

    report = port.read_result(payload)

    assert (report.outcome, report.reason_code, report.money) == (outcome, reason, None)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("status_refused.json", "invalid_credentials"), ("status_timed_out.json", "unknown_provider_code")],
)
def test_a_question_that_failed_says_nothing_of_the_movement(name, reason):
    port, _ = daraja.status_port()

    report = port.read_result(parsed(name))

    assert (report.outcome, report.reason_code) == (Outcome.PENDING, reason)


def test_swapped_names_and_a_single_parameter_are_read_too():
    port, _ = daraja.status_port()
    swapped = parsed("status_completed.json")
    parameters = swapped["Result"].pop("ResultParameters")["ResultParameter"]
    swapped["Result"]["ResultParameter"] = {"ResultParameters": parameters}
    single = copy.deepcopy(swapped)
    single["Result"]["ResultParameter"] = None
    single["Result"]["ResultParameters"] = {
        "ResultParameter": {"Key": "TransactionStatus", "Value": "Completed"}
    }

    assert port.read_result(swapped).money == Money(1_500_00, "KES")
    assert port.read_result(single).outcome is Outcome.COLLECTED
    assert port.read_result(single).money is None


@pytest.mark.parametrize(
    "body",
    [{}, {"Result": []}, {"Result": {"ResultCode": 0}}, {"Result": {"ConversationID": "AG_1"}}],
)
def test_refuses_what_is_no_result(body):
    port, _ = daraja.status_port()

    with pytest.raises(MalformedCallback):
        port.read_result(body)

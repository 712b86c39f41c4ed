"""The adapters of balances and QR codes against the payloads of Safaricom's pages: no network, no database."""

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from apps.integrations.ports import (
    BalanceReport,
    MalformedCallback,
    NamedBalance,
    ProviderDeclined,
    ProviderUncertain,
)
from apps.kit.money import Money
from tests.integrations import daraja
from tests.integrations.daraja import answer, certified, parsed, said

CONVERSATION = "AG_20200206_00005e091a8ec6b9eac5"
ADDRESSES = {
    "callback_url": "https://pay.example.test/hooks/0189/3f9c/balance",
    "timeout_url": "https://pay.example.test/hooks/0189/3f9c/balance-timeout",
}


@pytest.fixture(scope="module")
def certificate():
    return certified(rsa.generate_private_key(public_exponent=65537, key_size=2048))


def kes(minor):
    return Money(minor, "KES")


def test_asks_for_the_balances_of_the_short_code(certificate):
    port, line = daraja.balance_port(answer("status_accepted.json"), certificate=certificate)

    ticket = port.request(**ADDRESSES)

    sent = line.orders[0]["body"]
    assert ticket.value == "AG_20240706_20106e9209f64bebd05b"
    assert line.orders[0]["url"].endswith("/mpesa/accountbalance/v1/query")
    assert len(sent.pop("SecurityCredential")) == 344
    assert sent == {
        "Initiator": "testapi",
        "CommandID": "AccountBalance",
        "PartyA": "174379",
        "IdentifierType": "4",
        "Remarks": "Balance",
        "QueueTimeOutURL": ADDRESSES["timeout_url"],
        "ResultURL": ADDRESSES["callback_url"],
    }


def test_a_question_that_was_not_clearly_taken_is_open(certificate):
    port, _ = daraja.balance_port(said({"ResponseCode": "1"}), certificate=certificate)

    with pytest.raises(ProviderUncertain):
        port.request(**ADDRESSES)


def test_without_a_certificate_nothing_is_asked():
    port, line = daraja.balance_port()

    with pytest.raises(ProviderDeclined):
        port.request(**ADDRESSES)

    assert line.sent == []


def test_reads_every_purse():
    port, _ = daraja.balance_port()

    report = port.read_result(parsed("balance_completed.json"))

    assert report == BalanceReport(
        ticket=CONVERSATION,
        balances=(
            NamedBalance("Working Account", kes(700_000_00), kes(700_000_00)),
            NamedBalance("Float Account", kes(0), kes(0)),
            NamedBalance("Utility Account", kes(228_037_00), kes(228_036_50)),
            NamedBalance("Charges Paid Account", kes(-1_540_00), kes(-1_540_00)),
            NamedBalance("Organization Settlement Account", kes(0), kes(0)),
        ),
        told_at=datetime(2020, 1, 9, 9, 57, 10, tzinfo=UTC),
        provider_code="0",
        message="The service request is processed successfully",
    )


def test_swapped_names_are_read_too():
    port, _ = daraja.balance_port()
    swapped = parsed("balance_completed.json")
    swapped["Result"]["ResultParameter"] = {
        "ResultParameters": swapped["Result"].pop("ResultParameters")["ResultParameter"]
    }

    assert len(port.read_result(swapped).balances) == 5


def test_a_question_that_failed_tells_no_balance():
    port, _ = daraja.balance_port()

    report = port.read_result(parsed("balance_refused.json"))

    assert (report.balances, report.reason_code) == ((), "invalid_credentials")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Working Account",
        "Working Account|USD|1.00|1.00|0.00|0.00",
        "Working Account|KES|much|1.00",
        "|KES|1|1",
    ],
)
def test_one_purse_that_cannot_be_read_spoils_the_sum(text):
    port, _ = daraja.balance_port()
    payload = parsed("balance_completed.json")
    payload["Result"]["ResultParameters"]["ResultParameter"][0]["Value"] = (
        f"Utility Account|KES|1.00|1.00|0.00|0.00&{text}"
    )

    with pytest.raises(MalformedCallback):
        port.read_result(payload)


@pytest.mark.parametrize("body", [{}, {"Result": []}, {"Result": {"ConversationID": "AG_1"}}])
def test_refuses_what_is_no_result(body):
    port, _ = daraja.balance_port()

    with pytest.raises(MalformedCallback):
        port.read_result(body)


@pytest.mark.parametrize(
    ("till_number", "money", "wanted"),
    [
        ("", kes(1_500_00), {"Amount": "1500", "TrxCode": "PB", "CPI": "174379"}),
        ("600123", None, {"Amount": "0", "TrxCode": "BG", "CPI": "600123"}),
    ],
)
def test_makes_a_picture(till_number, money, wanted):
    port, line = daraja.qr_port(answer("qr_made.json"), till_number=till_number)

    picture = port.make(money=money, reference="K7PQ2M4XRT", size=300)

    assert picture.startswith(b"\x89PNG")
    assert line.orders[0]["url"].endswith("/mpesa/qrcode/v1/generate")
    assert line.orders[0]["body"] == {
        "MerchantName": "Acme Traders of Westla",
        "RefNo": "K7PQ2M4XRT",
        "Size": "300",
        **wanted,
    }


@pytest.mark.parametrize(
    "wrong", [{"size": 10}, {"reference": ""}, {"reference": "K" * 13}, {"money": kes(1_50)}]
)
def test_refuses_what_makes_no_picture(wrong):
    port, line = daraja.qr_port()

    with pytest.raises(ProviderDeclined):
        port.make(**{"money": None, "reference": "K7PQ2M4XRT", "size": 300, **wrong})

    assert line.sent == []


@pytest.mark.parametrize("code", [None, "", "no base64!", "aGVsbG8="])
def test_an_answer_without_a_picture_is_none(code):
    port, _ = daraja.qr_port(said({"ResponseCode": "00", "QRCode": code}))

    with pytest.raises(ProviderUncertain):
        port.make(money=None, reference="K7PQ2M4XRT", size=300)

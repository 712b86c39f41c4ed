"""The C2B adapter against the payloads of Safaricom's pages: no network, no database."""

import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.integrations.mpesa import values
from apps.integrations.ports import (
    InboundCheck,
    InboundReport,
    MalformedCallback,
    Payer,
    PayerKind,
    ProviderDeclined,
    ProviderUnavailable,
    ProviderUncertain,
    Registration,
)
from apps.kit import http
from apps.kit.money import Money
from tests.integrations import daraja
from tests.integrations.daraja import answer, parsed, refused, said

ADDRESSES = {
    "confirmation_url": "https://pay.example.test/hooks/0189/3f9c/c2b",
    "validation_url": "https://pay.example.test/hooks/0189/3f9c/check",
}
DIGEST = hashlib.sha256(b"254708374149").hexdigest()
patient = settings(deadline=None, suppress_health_check=list(HealthCheck))
LETTERS = "0123456789*xX +abcdefABCDEF\x00\N{BULLET}\N{LATIN SMALL LETTER U WITH DIAERESIS}"
mobiles = st.builds("254{}{:08d}".format, st.sampled_from("17"), st.integers(0, 99_999_999))


@pytest.mark.parametrize(
    ("version", "is_accepted", "response_type"), [("v2", True, "Completed"), ("v1", False, "Cancelled")]
)
def test_registers_both_addresses(version, is_accepted, response_type):
    port, line = daraja.inbound_port(answer("c2b_registered.json"), version=version)

    done = port.register(**ADDRESSES, is_accepted_by_default=is_accepted)

    assert done is Registration.DONE
    assert line.orders[0]["url"].endswith(f"/mpesa/c2b/{version}/registerurl")
    assert line.orders[0]["body"] == {
        "ShortCode": "174379",
        "ResponseType": response_type,
        "ConfirmationURL": ADDRESSES["confirmation_url"],
        "ValidationURL": ADDRESSES["validation_url"],
    }


def test_addresses_that_are_registered_already_are_a_fact_and_no_error():
    port, _ = daraja.inbound_port(refused("500.003.1001", "Urls are already registered"))

    assert port.register(**ADDRESSES, is_accepted_by_default=True) is Registration.ELSEWHERE


@pytest.mark.parametrize(
    ("came", "error"),
    [
        (refused("500.003.1001", "Internal Server Error"), ProviderUncertain),
        (said({"ResponseCode": "1", "ResponseDescription": "No"}), ProviderUncertain),
        (said({}), ProviderUncertain),
        (http.NoAnswer("timeout"), ProviderUncertain),
        (http.NotSent("refused"), ProviderUnavailable),
        (refused("400.003.02", "Bad Request - Invalid ShortCode", 400), ProviderDeclined),
    ],
)
def test_a_registration_that_is_not_clearly_done_is_an_error(came, error):
    port, _ = daraja.inbound_port(came)

    with pytest.raises(error):
        port.register(**ADDRESSES, is_accepted_by_default=True)


@pytest.mark.parametrize("word", ["mpesa", "M-Pesa", "safaricom", "exe", "cmd", "SQL", "query"])
def test_an_address_that_is_rejected_is_not_sent(word):
    port, line = daraja.inbound_port()
    addresses = {**ADDRESSES, "validation_url": f"https://{word}.example.test/hooks/0189/3f9c/check"}

    with pytest.raises(ProviderDeclined):
        port.register(**addresses, is_accepted_by_default=True)

    assert line.sent == []


def test_reads_a_confirmation():
    port, _ = daraja.inbound_port()

    report = port.read_notice(parsed("c2b_confirmation.json"))

    assert report == InboundReport(
        receipt="RKL51ZDR4F",
        money=Money(5_00, "KES"),
        reference="Sample Transaction",
        payer="2547 ***** 126",
        payer_name="NICHOLAS",
        paid_to="600966",
        occurred_at=datetime(2023, 11, 21, 9, 13, 25, tzinfo=UTC),
        kind="Pay Bill",
        balance=Money(25_00, "KES"),
    )


def test_reads_a_check_of_a_till_where_nothing_is_typed_and_the_number_is_hashed():
    port, _ = daraja.inbound_port()

    report = port.read_notice(parsed("c2b_validation.json"))

    assert (report.kind, report.reference, report.balance) == ("Buy Goods", "", None)
    assert report.payer_name == "NICHOLAS JOHN SONGOK"
    assert port.read_payer(report.payer).kind is PayerKind.HASHED


@pytest.mark.parametrize(
    "changes",
    [
        {"TransID": None},
        {"TransID": "SKE0000000"},
        {"TransAmount": ""},
        {"TransAmount": "-5.00"},
        {"TransAmount": "0"},
        {"TransAmount": "five"},
        {"TransAmount": "5.001"},
    ],
)
def test_refuses_a_notice_without_receipt_or_sum(changes):
    port, _ = daraja.inbound_port()

    with pytest.raises(MalformedCallback):
        port.read_notice({**parsed("c2b_confirmation.json"), **changes})


def test_what_is_not_vital_may_be_missing():
    port, _ = daraja.inbound_port()

    report = port.read_notice({"TransID": "RKL51ZDR4F", "TransAmount": 5})

    assert report == InboundReport(receipt="RKL51ZDR4F", money=Money(5_00, "KES"))


@pytest.mark.parametrize(
    ("check", "body"),
    [
        (
            InboundCheck.ACCEPT,
            {"ResultCode": "0", "ResultDesc": "Accepted", "ThirdPartyTransID": "0189d3a0"},
        ),
        (InboundCheck.BAD_PAYER, {"ResultCode": "C2B00011", "ResultDesc": "Rejected"}),
        (InboundCheck.BAD_ACCOUNT, {"ResultCode": "C2B00012", "ResultDesc": "Rejected"}),
        (InboundCheck.BAD_AMOUNT, {"ResultCode": "C2B00013", "ResultDesc": "Rejected"}),
        (InboundCheck.OTHER, {"ResultCode": "C2B00016", "ResultDesc": "Rejected"}),
    ],
)
def test_answers_a_check_in_the_words_of_daraja(check, body):
    port, _ = daraja.inbound_port()

    assert port.check_answer(check, "0189d3a0") == body


@pytest.mark.parametrize(
    ("text", "payer"),
    [
        ("254708374149", Payer(PayerKind.PLAIN, phone="+254708374149")),
        ("+254 708 374 149", Payer(PayerKind.PLAIN, phone="+254708374149")),
        ("0708374149", Payer(PayerKind.PLAIN, phone="+254708374149")),
        ("2547 ***** 126", Payer(PayerKind.MASKED, prefix="2547", suffix="126")),
        ("0708***149", Payer(PayerKind.MASKED, prefix="254708", suffix="149")),
        ("*********26", Payer(PayerKind.MASKED, prefix="", suffix="26")),
        (DIGEST.upper(), Payer(PayerKind.HASHED, digest=DIGEST)),
        *(
            (text, Payer(PayerKind.UNKNOWN))
            for text in ("", "*****", "2*", "JANE DOE", "600997", DIGEST[:-1])
        ),
    ],
)
def test_reads_who_paid(text, payer):
    port, _ = daraja.inbound_port()

    assert port.read_payer(text) == payer


@patient
@given(digits=mobiles, shown=st.tuples(st.integers(0, 9), st.integers(2, 3)))
def test_a_number_is_known_again_plain_masked_and_hashed(digits, shown):
    start, end = shown
    mask = f"{digits[:start]} ***** {digits[-end:]}"

    for text in (digits, mask, hashlib.sha256(digits.encode()).hexdigest()):
        assert values.payer(text).may_be(f"+{digits}")


@patient
@given(digits=mobiles, other=mobiles)
def test_only_a_mask_may_fit_another_number(digits, other):
    is_same = digits == other

    assert values.payer(digits).may_be(f"+{other}") is is_same
    assert values.payer(hashlib.sha256(digits.encode()).hexdigest()).may_be(f"+{other}") is is_same
    assert values.payer(f"{digits[:4]}*****{digits[-3:]}").may_be(f"+{other}") is (
        (digits[:4], digits[-3:]) == (other[:4], other[-3:])
    )


@patient
@given(st.text(LETTERS, max_size=80))
def test_any_text_is_read(text):
    assert values.payer(text).kind in PayerKind

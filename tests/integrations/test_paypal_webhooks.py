"""Signed messages of PayPal: proven by a certificate of its own host and a root that we trust, and read only for what to look at again."""

import base64
import json
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from apps.integrations.paypal import certificates
from apps.integrations.paypal.certificates import Certificates
from apps.integrations.paypal.client import API_URL
from apps.integrations.paypal.webhooks import Webhooks
from apps.integrations.ports import (
    ForgedCallback,
    MalformedCallback,
    Nudge,
    NudgeKind,
    ProviderUnavailable,
    RawWebhook,
)
from apps.kit import http
from tests.integrations.daraja import said
from tests.integrations.paypal_line import CODE, ORDER, line

NOW = datetime(2026, 11, 24, 7, 40, tzinfo=UTC)
STAMP = "2026-11-24T07:40:00Z"
WEBHOOK = "8PT597110X687430LKGECATA"
CERTIFICATE = "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-90621ff1"
NAME = "messageverificationcerts.paypal.com"
CAPTURE = {
    "id": "40V95236PS9814847",
    "custom_id": CODE,
    "supplementary_data": {"related_ids": {"order_id": ORDER}},
}
VOUCHED, NOT_VOUCHED = said({"verification_status": "SUCCESS"}), said({"verification_status": "FAILURE"})


def certificate(name: str, key: Any, *, issuer: str, by: Any, is_authority: bool) -> x509.Certificate:
    def called(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
    ) | {"encipher_only": False, "decipher_only": False}
    usage |= {"digital_signature": not is_authority, "key_cert_sign": is_authority, "crl_sign": is_authority}
    made = (
        x509.CertificateBuilder()
        .subject_name(called(name))
        .issuer_name(called(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=30))
        .not_valid_after(NOW + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
    )
    if not is_authority:
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return made.sign(by, hashes.SHA256())


ROOT_KEY, KEY, STRANGER = (rsa.generate_private_key(public_exponent=65_537, key_size=2_048) for _ in range(3))
ROOT = certificate("A root", ROOT_KEY, issuer="A root", by=ROOT_KEY, is_authority=True)
LEAF = certificate(NAME, KEY, issuer="A root", by=ROOT_KEY, is_authority=False)
NOBODYS = certificate(NAME, KEY, issuer="A root", by=STRANGER, is_authority=False)
ELSEWHERE = certificate("paypal.com.example.test", KEY, issuer="A root", by=ROOT_KEY, is_authority=False)


def pem(made: x509.Certificate) -> http.Answer:
    return said(made.public_bytes(serialization.Encoding.PEM))


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    certificates._fetched.clear()
    yield
    certificates._fetched.clear()


def event(type_: str = "PAYMENT.CAPTURE.COMPLETED", about: Any = CAPTURE, **changes: Any) -> bytes:
    facts = {"id": "WH-1", "event_type": type_, "resource_type": "capture", "resource": about}
    return json.dumps({**facts, **changes}).encode()


def signed(body: bytes, *, key: Any = KEY, webhook: str = WEBHOOK, **changes: str) -> dict[str, str]:
    headers = {
        "paypal-transmission-id": "69cd13f0-d67a-11e5-baa3-778b53f4ae55",
        "paypal-transmission-time": STAMP,
        "paypal-cert-url": CERTIFICATE,
        "paypal-auth-algo": "SHA256withRSA",
        **changes,
    }
    names = ("paypal-transmission-id", "paypal-transmission-time")
    text = "|".join([*(headers[name] for name in names), webhook, str(zlib.crc32(body))])
    signature = key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return {"paypal-transmission-sig": base64.b64encode(signature).decode(), **headers}


def read(
    body: bytes, headers: dict[str, str], *answers: Any, base_url: str = API_URL, webhook: str = WEBHOOK
) -> tuple[Nudge, list[dict[str, Any]]]:
    port, wire = line(*answers, base_url=base_url)
    webhooks = Webhooks(webhook, port, Certificates(port, [ROOT]))
    return webhooks.read(RawWebhook(body, headers, NOW)), wire.sent


@pytest.mark.parametrize(
    ("type_", "kind", "about", "expected"),
    [
        ("PAYMENT.CAPTURE.COMPLETED", "capture", CAPTURE, (NudgeKind.COLLECTION, ORDER, CODE)),
        ("PAYMENT.CAPTURE.DENIED", "capture", CAPTURE, (NudgeKind.COLLECTION, ORDER, CODE)),
        ("PAYMENT.AUTHORIZATION.VOIDED", "authorization", CAPTURE, (NudgeKind.COLLECTION, ORDER, CODE)),
        (
            "CHECKOUT.ORDER.APPROVED",
            "checkout-order",
            {"id": ORDER, "purchase_units": [{"custom_id": CODE}]},
            (NudgeKind.COLLECTION, ORDER, CODE),
        ),
        (
            "CHECKOUT.PAYMENT-APPROVAL.REVERSED",
            "checkout-order",
            {"order_id": ORDER},
            (NudgeKind.COLLECTION, ORDER, ""),
        ),
        (
            "PAYMENT.CAPTURE.REFUNDED",
            "refund",
            {"id": "R1", "custom_id": f"{CODE}-2"},
            (NudgeKind.REFUND, "R1", CODE),
        ),
        (
            "PAYMENT.CAPTURE.REVERSED",
            "refund",
            {"id": "R1", "note_to_payer": "Reversed"},
            (NudgeKind.NONE, "", ""),
        ),
        ("PAYMENT.REFUND.FAILED", "refund", {"id": "R1"}, (NudgeKind.REFUND, "R1", "")),
        ("CUSTOMER.DISPUTE.CREATED", "dispute", {"dispute_id": "D1"}, (NudgeKind.DISPUTE, "D1", "")),
        ("VAULT.PAYMENT-TOKEN.DELETED", "payment_token", {"id": "T1"}, (NudgeKind.METHOD, "T1", "")),
        ("PAYMENT.PAYOUTSBATCH.SUCCESS", "payouts", {"id": "P1"}, (NudgeKind.NONE, "", "")),
    ],
    ids=str,
)
def test_says_what_to_look_at_again(type_, kind, about, expected):
    body = event(type_, about, resource_type=kind)

    nudge, sent = read(body, signed(body), pem(LEAF))

    assert (nudge.kind, nudge.ticket, nudge.code) == expected
    assert (nudge.event_id, nudge.type) == ("WH-1", type_)
    assert [(one["kind"], one["url"]) for one in sent] == [("certificate", CERTIFICATE)]
    assert "Authorization" not in sent[0]["headers"]


def test_a_certificate_is_fetched_once_and_anew_where_it_does_not_fit():
    body = event()
    read(body, signed(body), pem(LEAF))

    assert read(body, signed(body))[1] == []
    certificates._fetched[CERTIFICATE] = pem(NOBODYS).body
    assert [one["kind"] for one in read(body, signed(body), pem(LEAF))[1]] == ["certificate"]


def test_the_certificate_of_a_simulator_is_trusted_for_its_address():
    body, base = event(), "http://127.0.0.1:8099/paypal"
    headers = signed(body, **{"paypal-cert-url": f"{base}/v1/notifications/certs/C1"})

    assert read(body, headers, pem(NOBODYS), base_url=base)[0].code == CODE
    with pytest.raises(ForgedCallback):
        read(body, signed(body), base_url=base)


BAD = {
    "by a stranger": {"key": STRANGER},
    "for another webhook": {"webhook": "ANOTHER"},
}
CHANGED: dict[str, dict[str, str]] = {
    "not signed": {"paypal-transmission-sig": ""},
    "no base64": {"paypal-transmission-sig": "?"},
    "another way": {"paypal-auth-algo": "SHA1withRSA"},
    "another host": {"paypal-cert-url": "https://api.paypal.com.example.test/v1/notifications/certs/C"},
    "another user": {"paypal-cert-url": "https://api.paypal.com@example.test/v1/notifications/certs/C"},
    "another port": {"paypal-cert-url": "https://api.paypal.com:8443/v1/notifications/certs/C"},
    "the sandbox": {"paypal-cert-url": "https://api.sandbox.paypal.com/v1/notifications/certs/C"},
    "in clear": {"paypal-cert-url": "http://api.paypal.com/v1/notifications/certs/C"},
    "another path": {"paypal-cert-url": "https://api.paypal.com/anything"},
    "too old": {"paypal-transmission-time": "2026-11-20T07:39:59Z"},
    "to come": {"paypal-transmission-time": "2026-11-24T07:45:01Z"},
    "no time": {"paypal-transmission-time": "yesterday"},
}


@pytest.mark.parametrize("how", [*BAD, *CHANGED, "another body", "no webhook here"])
def test_what_is_not_proven_is_forged(how):
    body = event()
    headers = {**signed(body, **BAD.get(how, {})), **CHANGED.get(how, {})}
    if how in ("too old", "to come"):
        headers = signed(body, **CHANGED[how])

    with pytest.raises(ForgedCallback):
        read(
            body + b" " if how == "another body" else body,
            headers,
            pem(LEAF),
            webhook="" if how == "no webhook here" else WEBHOOK,
        )


@pytest.mark.parametrize(
    "found",
    [pem(NOBODYS), pem(ELSEWHERE), said(b"no certificate"), said(b"", 503)],
    ids=["nobody's", "of another host", "none at all", "not to be had"],
)
def test_paypal_is_asked_where_its_certificate_is_none_to_go_by(found):
    body = event()

    nudge, sent = read(body, signed(body), found, VOUCHED)
    with pytest.raises(ForgedCallback):
        read(body, signed(body), found, NOT_VOUCHED)

    asked = sent[-1]
    assert nudge.code == CODE
    assert (asked["kind"], asked["url"]) == (
        "webhook_check",
        f"{API_URL}/v1/notifications/verify-webhook-signature",
    )
    assert asked["body"].endswith(b', "webhook_event": ' + body + b"}")
    assert json.loads(asked["body"])["webhook_id"] == WEBHOOK


def test_what_nobody_can_prove_now_is_read_again_later():
    body = event()

    with pytest.raises(ProviderUnavailable):
        read(body, signed(body), http.NoAnswer("timeout"), http.NoAnswer("timeout"))


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", event(about={}), event(id=None)], ids=str)
def test_what_is_no_message_is_said_to_be_none(body):
    with pytest.raises(MalformedCallback):
        read(body, signed(body), pem(LEAF))


def test_the_machine_has_roots_to_trust():
    assert certificates.roots()

"""Signed messages of PayPal: proven by its certificate, or by itself, and read only for what to look at again."""

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from apps.integrations.paypal import answers
from apps.integrations.paypal.certificates import Certificates
from apps.integrations.paypal.client import PaypalLine
from apps.integrations.ports import (
    ForgedCallback,
    MalformedCallback,
    Nudge,
    NudgeKind,
    ProviderUnavailable,
    ProviderUncertain,
    RawWebhook,
)

ALGORITHM = "SHA256withRSA"
OLDEST = timedelta(days=4)
"""How old a message may be: PayPal repeats what was not taken for three days."""
AHEAD = timedelta(minutes=5)
VERIFY = "/v1/notifications/verify-webhook-signature"
KINDS: tuple[tuple[str, NudgeKind], ...] = (
    ("CHECKOUT.ORDER.", NudgeKind.COLLECTION),
    ("CHECKOUT.PAYMENT-APPROVAL.", NudgeKind.COLLECTION),
    ("PAYMENT.AUTHORIZATION.", NudgeKind.COLLECTION),
    ("PAYMENT.CAPTURE.REVERSED", NudgeKind.NONE),
    ("PAYMENT.CAPTURE.", NudgeKind.COLLECTION),
    ("PAYMENT.REFUND.", NudgeKind.REFUND),
    ("CUSTOMER.DISPUTE.", NudgeKind.DISPUTE),
    ("VAULT.PAYMENT-TOKEN.", NudgeKind.METHOD),
)
"""By the beginning of a message's type; the first that fits. What reverses a capture is a dispute, which tells of itself."""


@dataclass(frozen=True, slots=True)
class Transmission:
    """What the headers of a message say of its signature."""

    id: str
    told_at: str
    at: datetime
    algorithm: str
    certificate: str
    signature: str

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Self:
        """Read the headers; raise ForgedCallback where one is missing or cannot be read."""
        names = ("id", "time", "sig")
        id_, told_at, signature = (headers.get(f"paypal-transmission-{name}", "") for name in names)
        certificate, algorithm = (headers.get(f"paypal-{name}", "") for name in ("cert-url", "auth-algo"))
        at = answers.instant(told_at)
        if not id_ or at is None or not certificate or not signature:
            raise ForgedCallback("The message is not signed.")
        if algorithm != ALGORITHM:
            raise ForgedCallback("The message is signed in a way that is not known here.")
        return cls(id_, told_at, at, algorithm, certificate, signature)

    def decoded(self) -> bytes:
        try:
            return base64.b64decode(self.signature, validate=True)
        except (binascii.Error, ValueError) as error:
            raise ForgedCallback("The signature cannot be read.") from error


@dataclass(frozen=True, slots=True)
class Webhooks:
    """
    The messages of one account, which PayPal knows by ``webhook_id``. Where its certificate cannot be had or is not one to go by, PayPal
    itself is asked whether it signed.
    """

    webhook_id: str
    line: PaypalLine
    certificates: Certificates

    def read(self, raw: RawWebhook) -> Nudge:
        self._prove(raw)
        event = answers.body(raw.body)
        if event is None:
            raise MalformedCallback("The body is no JSON object.")
        event_id, type_ = answers.text(event.get("id")), answers.text(event.get("event_type"))
        about = answers.part(event, "resource")
        if not event_id or not type_:
            raise MalformedCallback("This is no event.")
        kind = _kind(type_, answers.text(event.get("resource_type")))
        if kind is NudgeKind.NONE:
            return Nudge(event_id, kind, type=type_)
        ticket, code = _ticket(kind, type_, about), _code(about)
        if kind is NudgeKind.REFUND:
            code = code.partition("-")[0]  # of the payment; beside it stands the number of the refund
        if not ticket and not code:
            raise MalformedCallback(f"An event of the type {type_} names no object.")
        return Nudge(event_id, kind, ticket=ticket, code=code, type=type_)

    def _prove(self, raw: RawWebhook) -> None:
        if not self.webhook_id:
            raise ForgedCallback("The account does not know the webhook by whose id its messages are proven.")
        sent = Transmission.of(raw.headers)
        if not -AHEAD <= raw.received_at - sent.at <= OLDEST:
            raise ForgedCallback("The signature is of another time.")
        if not self.certificates.is_pinned(sent.certificate):
            raise ForgedCallback("The certificate does not lie at PayPal's own address.")
        signed = f"{sent.id}|{sent.told_at}|{self.webhook_id}|{zlib.crc32(raw.body)}".encode()
        try:
            is_proven = self.certificates.prove(sent.certificate, sent.decoded(), signed, at=raw.received_at)
        except ProviderUnavailable:
            is_proven = None
        if is_proven is None:
            is_proven = self._is_vouched_for(raw.body, sent)
        if not is_proven:
            raise ForgedCallback("The signature does not fit.")

    def _is_vouched_for(self, body: bytes, sent: Transmission) -> bool:
        """Ask PayPal whether it signed these bytes, which are handed on as they came: written anew they would be others."""
        facts = {
            "auth_algo": sent.algorithm,
            "cert_url": sent.certificate,
            "transmission_id": sent.id,
            "transmission_sig": sent.signature,
            "transmission_time": sent.told_at,
            "webhook_id": self.webhook_id,
        }
        if answers.body(body) is None:
            raise MalformedCallback("The body is no JSON object.")
        content = json.dumps(facts).encode()[:-1] + b', "webhook_event": ' + body + b"}"
        try:
            told = self.line.send("webhook_check", "POST", VERIFY, content)
        except ProviderUncertain as error:
            raise ProviderUnavailable(
                "provider_unavailable", error.message, provider_code=error.provider_code
            ) from error
        return told.get("verification_status") == "SUCCESS"


def _kind(type_: str, about: str) -> NudgeKind:
    """Return what a message is about. One that a capture was refunded tells of the refund."""
    kind = next((kind for beginning, kind in KINDS if type_.startswith(beginning)), NudgeKind.NONE)
    return NudgeKind.REFUND if kind is NudgeKind.COLLECTION and about == "refund" else kind


def _ticket(kind: NudgeKind, type_: str, about: Mapping[str, Any]) -> str:
    """Return the handle to ask after; captures and authorisations are asked after by their order."""
    if kind is NudgeKind.DISPUTE:
        return answers.text(about.get("dispute_id"))
    if kind is NudgeKind.COLLECTION and not type_.startswith("CHECKOUT.ORDER."):
        related = answers.part(answers.part(about, "supplementary_data"), "related_ids")
        return answers.text(related.get("order_id") or about.get("order_id"))
    return answers.text(about.get("id"))


def _code(about: Mapping[str, Any]) -> str:
    """Return our own code, which an order bears in its unit and everything else by itself."""
    return answers.text(about.get("custom_id") or answers.first(about, "purchase_units").get("custom_id"))

"""Signatures of webhooks by Standard Webhooks 1.0.0: HMAC-SHA256 over id, time and body."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

PREFIX = "whsec_"
SECRET_SIZE = 32
SIZE_MIN, SIZE_MAX = 24, 64
LONGEST_TIMESTAMP = 12
TOLERANCE = timedelta(minutes=5)


class SecretInvalid(ValueError):
    """The text is not a signing secret: whsec_ and base64 of 24 to 64 bytes."""


class SignatureInvalid(ValueError):
    """The headers do not prove that the body comes from a holder of the secret, now."""


def new_secret() -> bytes:
    return secrets.token_bytes(SECRET_SIZE)


def secret_text(secret: bytes) -> str:
    """Return a secret as people and libraries carry it: ``whsec_`` and base64."""
    return PREFIX + base64.b64encode(secret).decode()


def read_secret(text: str) -> bytes:
    """Return the bytes of ``whsec_…``; raise SecretInvalid."""
    try:
        secret = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if not text.startswith(PREFIX) or not SIZE_MIN <= len(secret) <= SIZE_MAX:
        raise SecretInvalid("A signing secret is whsec_ followed by base64 of 24 to 64 bytes.")
    return secret


def headers(*, message_id: str, at: datetime, body: bytes, keys: Sequence[bytes]) -> dict[str, str]:
    """Return the three headers; ``at`` is the time of this attempt, and every key adds one signature."""
    timestamp = str(int(at.timestamp()))
    signed = " ".join(f"v1,{_signature(message_id, timestamp, body, key)}" for key in keys)
    return {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": signed}


def verify(given: Mapping[str, str], *, body: bytes, keys: Sequence[bytes], now: datetime) -> None:
    """Check headers (names in lower case) against the body as a receiver would; raise SignatureInvalid saying why."""
    message_id, timestamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    signatures = given.get("webhook-signature", "")
    if not (message_id and timestamp and signatures):
        raise SignatureInvalid("A webhook header is missing.")
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > LONGEST_TIMESTAMP:
        raise SignatureInvalid("The timestamp is not a number of seconds.")
    if abs(int(timestamp) - now.timestamp()) > TOLERANCE.total_seconds():
        raise SignatureInvalid("The timestamp is more than 5 minutes away from now.")
    found = [entry.removeprefix("v1,").encode() for entry in signatures.split(" ") if entry.startswith("v1,")]
    expected = [_signature(message_id, timestamp, body, key).encode() for key in keys]
    if not any(hmac.compare_digest(one, other) for one in found for other in expected):
        raise SignatureInvalid("No signature fits the body and the secret.")


def _signature(message_id: str, timestamp: str, body: bytes, key: bytes) -> str:
    signed = f"{message_id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()

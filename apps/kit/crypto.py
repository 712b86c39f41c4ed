"""Small secrets: sealed by AES-256-GCM with a random nonce in front, or kept as a keyed hash."""

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

NONCE_SIZE = 12


class Unreadable(ValueError):
    """The value was not sealed with this key for this purpose, or was changed since."""


def seal(key: bytes, plaintext: bytes, purpose: bytes) -> bytes:
    """Encrypt under a key of 32 bytes; ``purpose`` is bound to the value and must be given again to open it."""
    nonce = os.urandom(NONCE_SIZE)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, purpose)


def open_sealed(key: bytes, sealed: bytes, purpose: bytes) -> bytes:
    """Return the plaintext; raise Unreadable for another key, another purpose or changed bytes."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_SIZE], sealed[NONCE_SIZE:], purpose)
    except InvalidTag:
        raise Unreadable("this value cannot be opened with this key and purpose") from None


def keyed_hash(text: str, purpose: bytes) -> str:
    """Return the HMAC-SHA256 of a secret in hex, under a pepper that is derived from the master key for this purpose alone."""
    pepper = hmac.digest(str(settings.TREASURY["MASTER_KEY"]).encode(), purpose, hashlib.sha256)
    return hmac.new(pepper, text.encode(), hashlib.sha256).hexdigest()

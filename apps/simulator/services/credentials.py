"""The key pair with which businesses encrypt an initiator's password, made once per store."""

import base64
import binascii
import hmac
import sqlite3
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from apps.simulator.contracts import Account
from apps.simulator.store import read_setting, write_setting

KEY = "private_key"
CERTIFICATE = "certificate"
VALID_FROM = datetime(2024, 1, 1, tzinfo=UTC)
VALID_DAYS = 36_500


def certificate(*, tx: sqlite3.Connection) -> str:
    """Return the public certificate as PEM."""
    _ensure_pair(tx=tx)
    return read_setting(tx=tx, key=CERTIFICATE) or ""


def decrypt(*, tx: sqlite3.Connection, credential: str) -> bytes | None:
    """Return the password inside a SecurityCredential (base64 of RSA with PKCS#1 v1.5), or None."""
    _ensure_pair(tx=tx)
    pem = read_setting(tx=tx, key=KEY) or ""
    try:
        return _private_key(pem).decrypt(base64.b64decode(credential, validate=True), padding.PKCS1v15())
    except (binascii.Error, ValueError):
        return None


def are_right(*, tx: sqlite3.Connection, account: Account, initiator: str, credential: str) -> bool:
    """Tell whether this is the account's initiator with its password; an account without one has no right pair."""
    password = decrypt(tx=tx, credential=credential)
    return (
        password is not None
        and bool(account.initiator)
        and initiator == account.initiator
        and hmac.compare_digest(password, account.initiator_password.encode())
    )


@lru_cache(maxsize=8)
def _private_key(pem: str) -> rsa.RSAPrivateKey:
    private_key = serialization.load_pem_private_key(pem.encode(), password=None)
    assert isinstance(private_key, rsa.RSAPrivateKey)
    return private_key


def _ensure_pair(*, tx: sqlite3.Connection) -> None:
    if read_setting(tx=tx, key=KEY) is not None:
        return
    private_key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Simulated M-Pesa API")])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(VALID_FROM)
        .not_valid_after(VALID_FROM + timedelta(days=VALID_DAYS))
        .sign(private_key, hashes.SHA256())
    )
    pem = private_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_setting(tx=tx, key=KEY, value=pem.decode())
    write_setting(tx=tx, key=CERTIFICATE, value=signed.public_bytes(serialization.Encoding.PEM).decode())

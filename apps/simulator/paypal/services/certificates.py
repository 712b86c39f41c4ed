"""The keys that sign webhooks: a root that a client can pin, the certificate of the signer, and the key of a stranger."""

import base64
import sqlite3
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from apps.simulator.store import read_setting, write_setting

ROOT, CHAIN, SIGNER, STRANGER = "paypal_root", "paypal_chain", "paypal_signer", "paypal_stranger"
SUBJECT = "messageverificationcerts.paypal.com"
NAME = "CERT-360caa42-fca2a594-90621ff1"
PATH = f"/v1/notifications/certs/{NAME}"
VALID_FROM = datetime(2020, 1, 1, tzinfo=UTC)
VALID_DAYS = 36_500


def root(*, tx: sqlite3.Connection) -> str:
    """Return the certificate that a client pins, as PEM."""
    _ensure(tx=tx)
    return read_setting(tx=tx, key=ROOT) or ""


def chain(*, tx: sqlite3.Connection) -> str:
    """Return the certificate of the signer and the root that has signed it, as PEM."""
    _ensure(tx=tx)
    return read_setting(tx=tx, key=CHAIN) or ""


def sign(*, tx: sqlite3.Connection, message: bytes, is_stranger: bool = False) -> str:
    """Return the base64 of an RSA signature (PKCS#1 v1.5, SHA-256), by the signer or by somebody else."""
    _ensure(tx=tx)
    key = _private_key(read_setting(tx=tx, key=STRANGER if is_stranger else SIGNER) or "")
    return base64.b64encode(key.sign(message, padding.PKCS1v15(), hashes.SHA256())).decode()


def is_signed(*, tx: sqlite3.Connection, message: bytes, signature: str) -> bool:
    """Tell whether the signer has signed a message; the same message is signed in the same way each time."""
    return sign(tx=tx, message=message) == signature


@lru_cache(maxsize=8)
def _private_key(pem: str) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def _ensure(*, tx: sqlite3.Connection) -> None:
    if read_setting(tx=tx, key=ROOT) is not None:
        return
    above, signer, stranger = _keys()
    own = _certificate(
        "Simulated PayPal Root", above, issuer="Simulated PayPal Root", by=above, is_authority=True
    )
    leaf = _certificate(SUBJECT, signer, issuer="Simulated PayPal Root", by=above, is_authority=False)
    write_setting(tx=tx, key=ROOT, value=own)
    write_setting(tx=tx, key=CHAIN, value=leaf + own)
    write_setting(tx=tx, key=SIGNER, value=_pem(signer))
    write_setting(tx=tx, key=STRANGER, value=_pem(stranger))


@cache
def _keys() -> tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey, rsa.RSAPrivateKey]:
    """Return the keys of root, signer and stranger for every new store of this process: drawing them takes long."""
    above, signer, stranger = (
        rsa.generate_private_key(public_exponent=65_537, key_size=2_048) for _ in range(3)
    )
    return above, signer, stranger


def _certificate(
    subject: str, key: rsa.RSAPrivateKey, *, issuer: str, by: rsa.RSAPrivateKey, is_authority: bool
) -> str:
    made = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(VALID_FROM)
        .not_valid_after(VALID_FROM + timedelta(days=VALID_DAYS))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(_usage(is_authority=is_authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
    )
    if not is_authority:
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(subject)]), critical=False)
        purposes = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH])
        made = made.add_extension(purposes, critical=False)
    return made.sign(by, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(key: rsa.RSAPrivateKey) -> str:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()

"""The certificates by which PayPal signs its messages: fetched from its own host alone, and traced to a root that we trust."""

import ssl
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from apps.integrations.paypal.client import PaypalLine

PATH = "/v1/notifications/certs/"
DOMAIN = ".paypal.com"
KEPT_AT_MOST = 16

_fetched: dict[str, bytes] = {}
"""What lay at an address: the certificate of an address does not change, and each message names one."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """The certificates of the installation of PayPal that an account belongs to; ``roots`` are who may vouch for them."""

    line: PaypalLine = field(repr=False)
    roots: Sequence[x509.Certificate] = field(repr=False)

    def is_pinned(self, url: str) -> bool:
        """Say whether a certificate may lie there: at PayPal's own host of this installation, below the path of certificates."""
        base, told = urlsplit(self.line.base_url), urlsplit(url)
        host = base.hostname or ""
        if not host.endswith(DOMAIN):
            return url.startswith(f"{self.line.base_url}{PATH}")
        hosts = {host, host.replace("api-m.", "api.", 1)}
        return told.scheme == "https" and told.netloc in hosts and told.path.startswith(PATH)

    def prove(self, url: str, signature: bytes, signed: bytes, *, at: datetime) -> bool | None:
        """
        Say whether the certificate at a pinned address signed this; None where it is not one to go by. Raises
        ProviderUnavailable where it cannot be had.
        """
        is_kept = url in _fetched
        verdict = self._verdict(self._pem(url), signature, signed, at=at)
        if verdict or not is_kept:
            return verdict
        del _fetched[url]
        return self._verdict(self._pem(url), signature, signed, at=at)

    def _pem(self, url: str) -> bytes:
        if url not in _fetched:
            found = self.line.fetch("certificate", url)
            if len(_fetched) >= KEPT_AT_MOST:
                _fetched.clear()
            _fetched[url] = found
        return _fetched[url]

    def _verdict(self, pem: bytes, signature: bytes, signed: bytes, *, at: datetime) -> bool | None:
        try:
            chain = x509.load_pem_x509_certificates(pem)
        except ValueError:
            return None
        key = chain[0].public_key()
        if not isinstance(key, rsa.RSAPublicKey) or not self._is_trusted(chain, at=at):
            return None
        try:
            key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True

    def _is_trusted(self, chain: Sequence[x509.Certificate], *, at: datetime) -> bool:
        """
        Say whether the first certificate is valid and PayPal's. That of a simulator is trusted for its address alone: nobody
        vouches for it.
        """
        leaf = chain[0]
        if not leaf.not_valid_before_utc <= at <= leaf.not_valid_after_utc:
            return False
        if not (urlsplit(self.line.base_url).hostname or "").endswith(DOMAIN):
            return True
        name = next((name for name in _names(leaf) if name.endswith(DOMAIN)), "")
        if not name or not self.roots:
            return False
        verifier = (
            PolicyBuilder().store(Store(list(self.roots))).time(at).build_server_verifier(x509.DNSName(name))
        )
        try:
            verifier.verify(leaf, list(chain[1:]))
        except VerificationError:
            return False
        return True


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return []
    return [name for name in found.value.get_values_for_type(x509.DNSName) if "*" not in name]


@cache
def roots() -> Sequence[x509.Certificate]:
    """Return the roots that this machine trusts; one that is not of the form of today vouches for nobody."""
    found = ssl.create_default_context().get_ca_certs(binary_form=True)
    return tuple(root for each in found for root in _loaded(each))


def _loaded(root: bytes) -> list[x509.Certificate]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return [x509.load_der_x509_certificate(root)]
        except (ValueError, Warning):
            return []

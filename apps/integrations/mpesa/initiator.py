"""The initiator in whose name questions are asked and money is moved, and the orders that carry its credential."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509 import load_pem_x509_certificate

from apps.integrations.mpesa import codes, values
from apps.integrations.mpesa.client import DarajaClient
from apps.integrations.ports import ProviderDeclined


def security_credential(password: str, certificate: str) -> str:
    """
    Encrypt a password for Safaricom: RSA, PKCS#1 v1.5, base64. Every call gives another text.

    Raises ProviderDeclined with ``configuration`` where the certificate cannot be used.
    """
    try:
        key = load_pem_x509_certificate(certificate.encode()).public_key()
    except ValueError:
        raise ProviderDeclined("configuration", "The account's certificate cannot be read.") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise ProviderDeclined("configuration", "The account's certificate holds no RSA key.")
    return base64.b64encode(key.encrypt(password.encode(), padding.PKCS1v15())).decode()


@dataclass(frozen=True, slots=True)
class Initiator:
    """A user of the organisation at Safaricom, with what its password is sealed with on the way."""

    name: str
    password: str = field(repr=False)
    certificate: str = field(repr=False)

    def signature(self) -> dict[str, str]:
        """Return the two fields that every order of an initiator carries; ProviderDeclined where one cannot be made."""
        if not (self.name and self.password and self.certificate):
            raise ProviderDeclined("configuration", "The account has no initiator or no certificate.")
        return {
            "Initiator": self.name,
            "SecurityCredential": security_credential(self.password, self.certificate),
        }


@dataclass(frozen=True, slots=True)
class Accepted:
    """What came back at once; each is empty where it was not told."""

    response_code: str
    conversation: str
    originator: str

    @property
    def is_taken(self) -> bool:
        return self.response_code == codes.SUCCESS


def order(client: DarajaClient, kind: str, path: str, body: Mapping[str, str]) -> Accepted:
    """Send an order that is answered later, and return what was answered at once."""
    answer = client.post(kind, path, body)
    return Accepted(
        values.text(answer.get("ResponseCode")).strip(),
        values.text(answer.get("ConversationID")).strip(),
        values.text(answer.get("OriginatorConversationID")).strip(),
    )

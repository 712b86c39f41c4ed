"""How PayPal signs: an RSA signature over the number of the transmission, its time, the webhook and the CRC-32 of the body."""

import sqlite3
import zlib
from collections.abc import Mapping

from apps.simulator.paypal.services import certificates, objects

ALGORITHM = "SHA256withRSA"


def headers(tx: sqlite3.Connection, signing: Mapping[str, object], body: str, at: int) -> dict[str, str]:
    """Return the headers of a body that leaves at a virtual time; ``skew_ms`` moves the time."""
    told = objects.instant(at + int(str(signing.get("skew_ms", 0))))
    number = str(signing["transmission_id"])
    signed = message(number=number, time=told, webhook=str(signing["webhook_id"]), body=body.encode())
    return {
        "PAYPAL-TRANSMISSION-ID": number,
        "PAYPAL-TRANSMISSION-TIME": told,
        "PAYPAL-TRANSMISSION-SIG": certificates.sign(
            tx=tx, message=signed, is_stranger=bool(signing.get("is_bad"))
        ),
        "PAYPAL-CERT-URL": f"{signing['origin']}/paypal{certificates.PATH}",
        "PAYPAL-AUTH-ALGO": ALGORITHM,
    }


def message(*, number: str, time: str, webhook: str, body: bytes) -> bytes:
    """Return what is signed; the checksum is written as a decimal number."""
    return f"{number}|{time}|{webhook}|{zlib.crc32(body)}".encode()

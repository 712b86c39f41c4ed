"""Dynamic QR as a picture for payers: their M-Pesa app reads short code, reference and sum from it."""

import base64
import binascii
from dataclasses import dataclass

from apps.integrations.mpesa import codes, values
from apps.integrations.mpesa.client import DarajaClient
from apps.integrations.ports import ProviderDeclined, ProviderUncertain
from apps.kit.money import Money

QR_PATH = "/mpesa/qrcode/v1/generate"
TO_PAYBILL = "PB"
TO_TILL = "BG"
OPEN_AMOUNT = "0"
SIZES = range(100, 1001)
REFERENCE_LENGTH = 12
NAME_LENGTH = 22
PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class DynamicQr:
    """Pictures for one short code; ``name`` is what the payer reads, ``till_number`` is empty for a paybill."""

    client: DarajaClient
    short_code: str
    till_number: str
    name: str

    def make(self, *, money: Money | None, reference: str, size: int) -> bytes:
        if size not in SIZES:
            raise ProviderDeclined("invalid_request", "The picture's side has 100 to 1000 pixels.")
        if not 0 < len(reference) <= REFERENCE_LENGTH:
            raise ProviderDeclined("invalid_request", "The reference has more than 12 characters or none.")
        body = {
            "MerchantName": self.name[:NAME_LENGTH],
            "RefNo": reference,
            "Amount": values.whole_shillings(money) if money else OPEN_AMOUNT,
            "TrxCode": TO_TILL if self.till_number else TO_PAYBILL,
            "CPI": self.till_number or self.short_code,
            "Size": str(size),
        }
        answer = self.client.post("qr", QR_PATH, body)
        picture = _decoded(answer.get("QRCode"))
        if not picture.startswith(PNG):
            raise ProviderUncertain(
                codes.OUTCOME_UNKNOWN,
                values.text(answer.get("ResponseDescription")) or "no picture came",
                provider_code=values.text(answer.get("ResponseCode")).strip()[: values.LONGEST_CODE],
            )
        return picture


def _decoded(value: object) -> bytes:
    """Return what a text in base64 holds; nothing for anything else. Its success code is not the same everywhere."""
    try:
        return base64.b64decode(str(value or ""), validate=True)
    except (binascii.Error, ValueError):
        return b""

"""Dynamic QR of the Daraja face: a picture that names whom to pay, how much and for what."""

import base64
import io

import segno

from apps.simulator.api import fields
from apps.simulator.api.calls import Call, ok
from apps.simulator.contracts import Response
from apps.simulator.services import identifiers

CODES = ("BG", "WA", "PB", "SM", "SB")
SIDES = range(50, 2_001)
QUIET_ZONE = 4


def generate(call: Call) -> Response:
    """Draw the picture; Amount 0 leaves the sum to the payer."""
    call.consumer()
    body = call.body
    name = fields.words(body, "MerchantName", longest=100)
    reference = fields.words(body, "RefNo", longest=20)
    amount = fields.matching(body, "Amount", pattern="[0-9]{1,9}")
    code = fields.one_of(body, "TrxCode", choices=CODES)
    receiver = fields.matching(body, "CPI", pattern="[0-9]{5,12}")
    side = int(fields.matching(body, "Size", pattern="[0-9]{1,4}"))
    if side not in SIDES:
        raise fields.invalid("Size")
    picture = _png(content="|".join((code, receiver, amount, reference, name)), side=side)
    return ok(
        {
            "ResponseCode": "00",
            "RequestID": identifiers.request(tx=call.tx),
            "ResponseDescription": "QR Code Successfully Generated.",
            "QRCode": base64.b64encode(picture).decode(),
        }
    )


def _png(*, content: str, side: int) -> bytes:
    """Draw a code whose side comes as close to the one asked for as whole dots allow."""
    code = segno.make_qr(content, error="m")
    dots, _ = code.symbol_size(border=QUIET_ZONE)
    drawn = io.BytesIO()
    code.save(drawn, kind="png", scale=max(side // dots, 1), border=QUIET_ZONE)
    return drawn.getvalue()

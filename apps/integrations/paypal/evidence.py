"""What we say of a disputed payment, as the form that PayPal takes."""

import json
from collections.abc import Sequence
from typing import Any

from apps.integrations.ports import Evidence, EvidenceFile, ProviderDeclined

LONGEST_NOTES = 2000
TEXTS = {
    "text": "",
    "product": "Product",
    "customer_name": "Customer",
    "customer_email": "E-mail",
    "customer_ip": "Address on the net",
    "billing_address": "Billing address",
    "service_date": "Served on",
    "shipping_address": "Shipping address",
    "shipping_date": "Shipped on",
    "refund_policy": "Refund policy",
    "refund_refusal": "Why nothing was given back",
    "duplicate_of": "Another payment than",
}
"""How each field of our evidence begins in the notes: PayPal has one text for them."""


def form(given: Evidence, *, code: str) -> tuple[bytes, str]:
    """Return the body of a form and its media type; raise ProviderDeclined where nothing is said."""
    parts = _parts(given)
    if not parts:
        raise ProviderDeclined("invalid_request", "Say something, or hand in a document.")
    boundary = f"evidence-{code}".replace(":", "-")  # with a colon it would have to be quoted
    fields = [_field("input", "", "application/json", json.dumps({"evidences": parts}).encode())]
    fields += [
        _field(f"file{number}", file.name, file.media_type, file.content)
        for number, file in enumerate(given.files, start=1)
    ]
    start = f"--{boundary}\r\n".encode()
    body = b"".join(start + field for field in fields) + f"--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"


def _parts(given: Evidence) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if given.tracking_number:
        tracked = {
            "carrier_name": "OTHER",
            "carrier_name_other": given.carrier or "Other",
            "tracking_number": given.tracking_number,
        }
        found.append({"evidence_type": "PROOF_OF_FULFILLMENT", "evidence_info": {"tracking_info": [tracked]}})
    if given.refund_receipt:
        info = {"refund_ids": [given.refund_receipt]}
        found.append({"evidence_type": "PROOF_OF_REFUND", "evidence_info": info})
    notes = _notes(given)
    if notes or given.files:
        found.append(_other(notes, given.files))
    return found


def _other(notes: str, files: Sequence[EvidenceFile]) -> dict[str, Any]:
    documents = [{"name": file.name} for file in files]
    return {
        "evidence_type": "OTHER",
        **({"notes": notes} if notes else {}),
        **({"documents": documents} if documents else {}),
    }


def _notes(given: Evidence) -> str:
    lines = [(label, getattr(given, name)) for name, label in TEXTS.items()]
    return "\n".join(f"{label}: {value}" if label else str(value) for label, value in lines if value)[
        :LONGEST_NOTES
    ]


def _field(name: str, filename: str, media_type: str, content: bytes) -> bytes:
    file = f'; filename="{_plain(filename)}"' if filename else ""
    head = (
        f'Content-Disposition: form-data; name="{name}"{file}\r\nContent-Type: {_plain(media_type)}\r\n\r\n'
    )
    return head.encode() + content + b"\r\n"


def _plain(text: str) -> str:
    """Return a text that cannot end the line or the quotes in which it stands."""
    return "".join(letter for letter in text if letter.isprintable() and letter not in '"\\')

"""The facts that invoicing publishes."""

from typing import Any

from apps.events.contracts import Audience, NewEvent, declare
from apps.invoicing.contracts import ID_PREFIX, DocumentType
from apps.invoicing.models import Document
from apps.kit import ids
from apps.kit.serializers import instant_text

AGGREGATE = "document"
TEXT = {"type": "string"}
RECEIPT_FIELDS: dict[str, Any] = {
    "id": {"type": "string", "pattern": "^rcp_"},
    "object": {"const": "receipt"},
    "number": TEXT,
    "payment_id": {"type": "string", "pattern": "^pi_"},
    "amount": {"type": "object", "required": ["amount", "currency"]},
    "part_of": {"type": ["object", "null"], "required": ["amount", "currency"]},
    "left": {"type": ["object", "null"], "required": ["amount", "currency"]},
    "payer": {"type": "object", "required": ["phone", "name"]},
    "branch_id": {"type": "string", "pattern": "^br_"},
    "application_id": {"type": "string", "pattern": "^app_"},
    "method": TEXT,
    "provider_receipt": TEXT,
    "reference": TEXT,
    "description": TEXT,
    "paid_at": {"type": "string", "format": "date-time"},
    "issued_at": {"type": "string", "format": "date-time"},
}
RECEIPT_SCHEMA = {
    "type": "object",
    "required": sorted(RECEIPT_FIELDS),
    "properties": RECEIPT_FIELDS,
    "additionalProperties": False,
}
FILE_SCHEMA = {
    "type": "object",
    "required": ["sha256", "size", "content_type"],
    "properties": {"sha256": TEXT, "size": {"type": "integer"}, "content_type": TEXT},
    "additionalProperties": False,
}

RECEIPT_ISSUED = declare(
    "receipt_issued",
    topic="treasury.receipt.issued",
    audience=Audience.PARTNER,
    schema={
        "type": "object",
        "required": ["object"],
        "properties": {"object": RECEIPT_SCHEMA},
        "additionalProperties": False,
    },
    summary="A receipt was issued for money that arrived.",
)
RECEIPT_RENDERED = declare(
    "receipt_rendered",
    topic="treasury.receipt.rendered",
    audience=Audience.INTERNAL,
    schema={
        "type": "object",
        "required": ["object", "file"],
        "properties": {"object": RECEIPT_SCHEMA, "file": FILE_SCHEMA},
        "additionalProperties": False,
    },
    summary="The PDF of a receipt is stored.",
)


def snapshot(receipt: Document) -> dict[str, Any]:
    """Return the public form of a receipt: what the API answers (there with its file) and what events carry."""
    return {
        "id": ids.encode(ID_PREFIX[DocumentType.RECEIPT], receipt.id),
        "object": "receipt",
        "number": receipt.number,
        "payment_id": ids.encode("pi", receipt.intent_id),
        "amount": receipt.money.wire(),
        "part_of": receipt.part_of.wire() if receipt.part_of else None,
        "left": receipt.left.wire() if receipt.left else None,
        "payer": {"phone": receipt.payer_phone, "name": receipt.payer_name},
        "branch_id": ids.encode("br", receipt.branch_id),
        "application_id": ids.encode("app", receipt.application_id),
        "method": receipt.method,
        "provider_receipt": receipt.provider_receipt,
        "reference": receipt.reference,
        "description": receipt.description,
        "paid_at": instant_text(receipt.paid_at),
        "issued_at": instant_text(receipt.issued_at),
    }


def issued(receipt: Document) -> NewEvent:
    return _event(RECEIPT_ISSUED, receipt, {"object": snapshot(receipt)})


def rendered(receipt: Document, *, sha256: str, size: int, content_type: str) -> NewEvent:
    file = {"sha256": sha256, "size": size, "content_type": content_type}
    return _event(RECEIPT_RENDERED, receipt, {"object": snapshot(receipt), "file": file})


def _event(event_type: Any, receipt: Document, data: dict[str, Any]) -> NewEvent:
    return NewEvent(event_type, AGGREGATE, receipt.id, data, receipt.branch_id, receipt.application_id)

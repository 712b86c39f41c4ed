"""The shapes of what events of payments carry, as JSON schemas that the catalogue holds them to."""

from typing import Any

from apps.payments.contracts import (
    DisputeAnswer,
    DisputeFlag,
    DisputeStatus,
    InboundStatus,
    IntentStatus,
    RefundStatus,
)
from apps.payments.contracts.saving import ConsentUse, SavedMethodStatus

TEXT = {"type": "string"}
INSTANT_OR_NULL = {"type": ["string", "null"], "format": "date-time"}
MONEY: dict[str, Any] = {
    "type": "object",
    "required": ["amount", "currency"],
    "properties": {"amount": {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}, "currency": TEXT},
    "additionalProperties": False,
}
MONEY_OR_NULL = {"anyOf": [MONEY, {"type": "null"}]}


def object_of(properties: dict[str, Any], *, nullable: bool = False) -> dict[str, Any]:
    return {
        "type": ["object", "null"] if nullable else "object",
        "required": sorted(properties),
        "properties": properties,
        "additionalProperties": False,
    }


INTENT_SCHEMA = object_of(
    {
        "id": {"type": "string", "pattern": "^pi_"},
        "object": {"const": "payment_intent"},
        "status": {"enum": [state.lower() for state in IntentStatus]},
        "amount": MONEY,
        "received": MONEY_OR_NULL,
        "fee": MONEY_OR_NULL,
        "refunded": MONEY_OR_NULL,
        "parts": {
            "type": "array",
            "items": object_of(
                {
                    "attempt_id": {"type": "string", "pattern": "^pa_"},
                    "received": MONEY,
                    "fee": MONEY,
                    "refunded": MONEY,
                    "provider_receipt": TEXT,
                    "booked_at": {"type": "string", "format": "date-time"},
                }
            ),
        },
        "due": MONEY_OR_NULL,
        "method": {"type": ["string", "null"]},
        "methods": {"type": "array", "items": TEXT},
        "payer": object_of({"phone": TEXT, "name": TEXT, "email": TEXT}),
        "capture": {"type": "boolean"},
        "authorized": MONEY_OR_NULL,
        "capture_refusal": TEXT,
        "credited": MONEY_OR_NULL,
        "exchange_rate": {"type": ["string", "null"]},
        "card": object_of({"brand": TEXT, "last4": TEXT}, nullable=True),
        "saved_method_id": {"type": ["string", "null"]},
        "branch_id": {"type": "string", "pattern": "^br_"},
        "application_id": {"type": "string", "pattern": "^app_"},
        "reference": TEXT,
        "paybill_code": TEXT,
        "payable": object_of({"type": TEXT, "id": TEXT}, nullable=True),
        "description": TEXT,
        "metadata": {"type": "object", "additionalProperties": TEXT},
        "provider_receipt": TEXT,
        "late": {"type": "boolean"},
        "cancel_requested": {"type": "boolean"},
        "next_action": object_of({"type": TEXT, "message": TEXT, "url": TEXT}, nullable=True),
        "failure": object_of({"code": TEXT, "message": TEXT}, nullable=True),
        "latest_attempt": object_of(
            {
                "id": {"type": "string", "pattern": "^pa_"},
                "status": TEXT,
                "code": TEXT,
                "ticket": TEXT,
            },
            nullable=True,
        ),
        "created_at": {"type": "string", "format": "date-time"},
        "settled_at": INSTANT_OR_NULL,
        "expires_at": {"type": "string", "format": "date-time"},
    }
)
REFUND_SCHEMA = object_of(
    {
        "id": {"type": "string", "pattern": "^re_"},
        "object": {"const": "refund"},
        "payment_id": {"type": "string", "pattern": "^pi_"},
        "status": {"enum": [state.lower() for state in RefundStatus]},
        "amount": MONEY,
        "charge": MONEY_OR_NULL,
        "reason": TEXT,
        "branch_id": {"type": "string", "pattern": "^br_"},
        "application_id": {"type": "string", "pattern": "^app_"},
        "payment_receipt": TEXT,
        "provider_receipt": TEXT,
        "approval_id": {"type": ["string", "null"]},
        "failure": object_of({"code": TEXT, "message": TEXT}, nullable=True),
        "created_at": {"type": "string", "format": "date-time"},
        "refunded_at": INSTANT_OR_NULL,
    }
)
METHOD_SCHEMA = object_of(
    {
        "id": {"type": "string", "pattern": "^pm_"},
        "object": {"const": "payment_method"},
        "status": {"enum": [state.lower() for state in SavedMethodStatus]},
        "method": TEXT,
        "currency": TEXT,
        "payer": object_of({"reference": TEXT, "name": TEXT}),
        "consent": object_of(
            {
                "text": TEXT,
                "use": {"enum": [use.lower() for use in ConsentUse]},
                "given_at": {"type": "string", "format": "date-time"},
                "ip_address": {"type": ["string", "null"]},
            }
        ),
        "card": object_of(
            {"brand": TEXT, "last4": TEXT, "expires": TEXT, "fingerprint": TEXT}, nullable=True
        ),
        "wallet": object_of({"brand": TEXT, "fingerprint": TEXT}, nullable=True),
        "branch_id": {"type": "string", "pattern": "^br_"},
        "application_id": {"type": "string", "pattern": "^app_"},
        "next_action": object_of({"type": TEXT, "url": TEXT}, nullable=True),
        "failure": object_of({"code": TEXT, "message": TEXT}, nullable=True),
        "forget_requested": {"type": "boolean"},
        "created_at": {"type": "string", "format": "date-time"},
        "saved_at": INSTANT_OR_NULL,
        "forgotten_at": INSTANT_OR_NULL,
    }
)
INBOUND_SCHEMA = object_of(
    {
        "id": {"type": "string", "pattern": "^ir_"},
        "object": {"const": "inbound_receipt"},
        "status": {"enum": [state.lower() for state in InboundStatus]},
        "amount": MONEY,
        "provider": TEXT,
        "provider_receipt": TEXT,
        "reference": TEXT,
        "payer": object_of({"text": TEXT, "name": TEXT}),
        "sources": {"type": "array", "items": TEXT},
        "reason": TEXT,
        "payment_id": {"type": ["string", "null"]},
        "branch_id": {"type": "string", "pattern": "^br_"},
        "application_id": {"type": "string", "pattern": "^app_"},
        "occurred_at": INSTANT_OR_NULL,
        "received_at": {"type": "string", "format": "date-time"},
        "resolved_at": INSTANT_OR_NULL,
    }
)
ATTEMPT_SCHEMA = object_of(
    {
        "id": {"type": "string", "pattern": "^pa_"},
        "status": TEXT,
        "received": MONEY_OR_NULL,
        "provider_receipt": TEXT,
    }
)
DISPUTE_SCHEMA = object_of(
    {
        "id": {"type": "string", "pattern": "^dp_"},
        "object": {"const": "payment_dispute"},
        "payment_id": {"type": ["string", "null"]},
        "status": {"enum": [state.lower() for state in DisputeStatus]},
        "is_inquiry": {"type": "boolean"},
        "flag": {"enum": [*(flag.lower() for flag in DisputeFlag), None]},
        "amount": MONEY,
        "reason": TEXT,
        "provider": TEXT,
        "provider_reason": TEXT,
        "provider_dispute": TEXT,
        "payment_receipt": TEXT,
        "answer": {"enum": [*(answer.lower() for answer in DisputeAnswer), None]},
        "answer_refusal": TEXT,
        "may_appeal": {"type": "boolean"},
        "is_appealing": {"type": "boolean"},
        "approval_id": {"type": ["string", "null"]},
        "withdrawn": MONEY_OR_NULL,
        "reinstated": MONEY_OR_NULL,
        "fee": MONEY_OR_NULL,
        "lost": MONEY_OR_NULL,
        "branch_id": {"type": "string", "pattern": "^br_"},
        "application_id": {"type": "string", "pattern": "^app_"},
        "opened_at": INSTANT_OR_NULL,
        "due_by": INSTANT_OR_NULL,
        "closed_at": INSTANT_OR_NULL,
    }
)

"""The facts that disbursements publishes, and the public snapshots that they carry."""

from typing import Any

from apps.disbursements.contracts import ConnectedStatus, TransferStatus
from apps.disbursements.models import ConnectedAccount, Transfer
from apps.events.contracts import Audience, EventType, NewEvent, declare
from apps.kit import ids
from apps.kit.serializers import instant_text

CONNECTED_ACCOUNT = "connected_account"
TRANSFER = "transfer"

TEXT = {"type": "string"}
INSTANT = {"type": "string", "format": "date-time"}
INSTANT_OR_NULL = {"type": ["string", "null"], "format": "date-time"}
MONEY: dict[str, Any] = {
    "type": "object",
    "required": ["amount", "currency"],
    "properties": {"amount": {"type": "string", "pattern": r"^\d+(\.\d+)?$"}, "currency": TEXT},
    "additionalProperties": False,
}


def _object_of(properties: dict[str, Any], *, nullable: bool = False) -> dict[str, Any]:
    return {
        "type": ["object", "null"] if nullable else "object",
        "required": sorted(properties),
        "properties": properties,
        "additionalProperties": False,
    }


FAILURE = _object_of({"code": TEXT, "message": TEXT}, nullable=True)
ACCOUNT_SCHEMA = _object_of(
    {
        "id": {"type": "string", "pattern": "^ca_"},
        "object": {"const": CONNECTED_ACCOUNT},
        "status": {"enum": [state.lower() for state in ConnectedStatus]},
        "party_id": {"type": "string", "pattern": "^pty_"},
        "provider": TEXT,
        "provider_account_id": {"type": "string", "pattern": "^pac_"},
        "provider_reference": TEXT,
        "country": TEXT,
        "currency": TEXT,
        "needs": {"type": "array", "items": TEXT},
        "due_by": INSTANT_OR_NULL,
        "failure": FAILURE,
        "branch_id": {"type": "string", "pattern": "^br_"},
        "application_id": {"type": "string", "pattern": "^app_"},
        "created_at": INSTANT,
        "opened_at": INSTANT_OR_NULL,
        "closed_at": INSTANT_OR_NULL,
    }
)
TRANSFER_SCHEMA = _object_of(
    {
        "id": {"type": "string", "pattern": "^tr_"},
        "object": {"const": TRANSFER},
        "status": {"enum": [state.lower() for state in TransferStatus]},
        "connected_account_id": {"type": "string", "pattern": "^ca_"},
        "party_id": {"type": "string", "pattern": "^pty_"},
        "amount": MONEY,
        "moved": MONEY,
        "reversed": MONEY,
        "reversing": MONEY,
        "reference": TEXT,
        "provider": TEXT,
        "provider_reference": TEXT,
        "approval_id": {"type": ["string", "null"]},
        "failure": FAILURE,
        "branch_id": {"type": "string", "pattern": "^br_"},
        "application_id": {"type": "string", "pattern": "^app_"},
        "created_at": INSTANT,
        "succeeded_at": INSTANT_OR_NULL,
        "closed_at": INSTANT_OR_NULL,
    }
)


def _declare(noun: str, verb: str, schema: dict[str, Any], summary: str) -> EventType:
    return declare(
        f"{noun}_{verb}",
        topic=f"treasury.{noun}.{verb}",
        audience=Audience.PARTNER,
        schema=_object_of({"object": schema}),
        summary=summary,
    )


def _of_account(verb: str, summary: str) -> EventType:
    return _declare(CONNECTED_ACCOUNT, verb, ACCOUNT_SCHEMA, summary)


def _of_transfer(verb: str, summary: str) -> EventType:
    return _declare(TRANSFER, verb, TRANSFER_SCHEMA, summary)


ACCOUNT_OPENED = _of_account(
    "opened", "The provider keeps an account for a party, who has to tell it what it asks: ask for a link."
)
ACCOUNT_UPDATED = _of_account(
    "updated", "What a provider says of a party's account changed: its state, what it needs, or until when."
)
ACCOUNT_CLOSED = _of_account("closed", "A party's account at the provider can be paid to no more, for good.")
ACCOUNT_FAILED = _of_account("failed", "The provider opens no account for a party.")
ACCOUNT_UNKNOWN = _of_account(
    "unknown", "Nobody knows whether the provider opened an account for a party. The provider is asked."
)
ACCOUNT_FOUND = _of_account(
    "found",
    "The provider opened an account for a party after all, which people had closed as not opened. Nobody is paid by it.",
)
TRANSFER_REQUESTED = _of_transfer(
    "requested", "A party is to be paid what we owe it; other people may have to agree first."
)
TRANSFER_SUCCEEDED = _of_transfer("succeeded", "The provider has paid a party's account; it is booked.")
TRANSFER_FAILED = _of_transfer(
    "failed", "A party was not paid: the provider will not. We owe it the money again."
)
TRANSFER_CANCELLED = _of_transfer("cancelled", "A transfer that other people had to agree to was not sent.")
TRANSFER_UNKNOWN = _of_transfer(
    "unknown", "Nobody knows whether a party was paid, or whether a part came back. The provider is asked."
)
TRANSFER_REVERSED = _of_transfer("reversed", "A part of a transfer, or all of it, came back; it is booked.")
TRANSFER_REVERSAL_FAILED = _of_transfer(
    "reversal_failed", "A part of a transfer that was to come back stays with the party."
)


def account_snapshot(account: ConnectedAccount) -> dict[str, Any]:
    """Return the public form of a connected account: what the API answers and what events carry under ``object``."""
    return {
        "id": ids.encode("ca", account.id),
        "object": CONNECTED_ACCOUNT,
        "status": account.status.lower(),
        "party_id": ids.encode("pty", account.party_id),
        "provider": account.provider,
        "provider_account_id": ids.encode("pac", account.provider_account_id),
        "provider_reference": account.ticket,
        "country": account.country,
        "currency": account.currency,
        "needs": list(account.needs),
        "due_by": _instant(account.due_by),
        "failure": _failure(account, ConnectedStatus.FAILED),
        "branch_id": ids.encode("br", account.branch_id),
        "application_id": ids.encode("app", account.application_id),
        "created_at": instant_text(account.created_at),
        "opened_at": _instant(account.opened_at),
        "closed_at": _instant(account.closed_at),
    }


def snapshot(transfer: Transfer) -> dict[str, Any]:
    """Return the public form of a transfer: what the API answers and what events carry under ``object``."""
    return {
        "id": ids.encode("tr", transfer.id),
        "object": TRANSFER,
        "status": transfer.status.lower(),
        "connected_account_id": ids.encode("ca", transfer.connected_account_id),
        "party_id": ids.encode("pty", transfer.connected_account.party_id),
        "amount": transfer.money.wire(),
        "moved": transfer.moved.wire(),
        "reversed": transfer.reversed.wire(),
        "reversing": transfer.reversing.wire(),
        "reference": transfer.reference,
        "provider": transfer.provider,
        "provider_reference": transfer.ticket,
        "approval_id": ids.encode("apr", transfer.approval_id) if transfer.approval_id else None,
        "failure": _failure(transfer, TransferStatus.FAILED, TransferStatus.CANCELLED),
        "branch_id": ids.encode("br", transfer.branch_id),
        "application_id": ids.encode("app", transfer.application_id),
        "created_at": instant_text(transfer.created_at),
        "succeeded_at": _instant(transfer.succeeded_at),
        "closed_at": _instant(transfer.closed_at),
    }


def about_account(event_type: EventType, account: ConnectedAccount) -> NewEvent:
    """Return the event of this type with the present snapshot of a connected account."""
    return NewEvent(
        type=event_type,
        aggregate_type=CONNECTED_ACCOUNT,
        aggregate_id=account.id,
        data={"object": account_snapshot(account)},
        branch_id=account.branch_id,
        application_id=account.application_id,
    )


def about(event_type: EventType, transfer: Transfer) -> NewEvent:
    """Return the event of this type with the present snapshot of a transfer."""
    return NewEvent(
        type=event_type,
        aggregate_type=TRANSFER,
        aggregate_id=transfer.id,
        data={"object": snapshot(transfer)},
        branch_id=transfer.branch_id,
        application_id=transfer.application_id,
    )


def _instant(at: Any) -> str | None:
    return instant_text(at) if at else None


def _failure(row: ConnectedAccount | Transfer, *states: str) -> dict[str, str] | None:
    if row.status not in states:
        return None
    return {"code": row.failure_code, "message": row.failure_message}

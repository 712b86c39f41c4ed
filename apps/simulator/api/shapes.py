"""The JSON of the control interface."""

import json

from apps.simulator.contracts import Account, Callback, Payment, Prompt, Registration, Reversal, StatementRow
from apps.simulator.services.amounts import text
from apps.simulator.services.clock import iso


def account(value: Account, registration: Registration | None) -> dict[str, object]:
    """Return an account without its secrets."""
    return {
        "shortcode": value.shortcode,
        "type": value.type,
        "name": value.name,
        "consumer_key": value.consumer_key,
        "initiator": value.initiator,
        "charge_bps": value.charge_bps,
        "environment": value.environment,
        "payer_form": value.payer_form,
        "validation": value.is_validating,
        "store": value.store,
        "addresses": registration
        and {
            "confirmation": registration.confirmation_url,
            "validation": registration.validation_url,
            "default": "refuse" if registration.is_refused_by_default else "accept",
        },
        "balance": text(cents=value.balance_cents),
    }


def prompt(value: Prompt) -> dict[str, object]:
    """Return a prompt with its outcome."""
    return {
        "id": value.id,
        "merchant_request_id": value.merchant_request_id,
        "conversation_id": value.conversation_id,
        "shortcode": value.shortcode,
        "receiver": value.receiver,
        "business_name": value.business_name,
        "msisdn": value.msisdn,
        "amount": text(cents=value.amount_cents),
        "reference": value.reference,
        "description": value.description,
        "callback_url": value.callback_url,
        "state": value.state,
        "result_code": value.result_code,
        "result_desc": value.result_desc,
        "receipt": value.receipt,
        "moved": text(cents=value.moved_cents),
        "charge": text(cents=value.charge_cents),
        "is_ignored": value.is_ignored,
        "created_at": iso(at=value.created_at),
        "expires_at": iso(at=value.expires_at),
        "decided_at": iso(at=value.decided_at),
    }


def payment(value: Payment) -> dict[str, object]:
    """Return a payment that came unasked with its outcome; its receipt stands for money once it is paid."""
    return {
        "receipt": value.receipt,
        "shortcode": value.receiver,
        "business_name": value.business_name,
        "msisdn": value.payer,
        "amount": text(cents=value.amount_cents),
        "reference": value.reference,
        "state": value.state,
        "result_code": value.result_code,
        "result_desc": value.result_desc,
        "third_party_id": value.third_party_id,
        "moved": text(cents=value.moved_cents),
        "charge": text(cents=value.charge_cents),
        "created_at": iso(at=value.created_at),
        "decided_at": iso(at=value.decided_at),
    }


def reversal(value: Reversal) -> dict[str, object]:
    """Return a reversal with its outcome."""
    return {
        "id": value.id,
        "conversation_id": value.conversation_id,
        "shortcode": value.shortcode,
        "original_receipt": value.original_receipt,
        "payer": value.payer,
        "amount": text(cents=value.amount_cents),
        "state": value.state,
        "result_code": value.result_code,
        "receipt": value.receipt,
        "moved": text(cents=value.moved_cents),
        "created_at": iso(at=value.created_at),
        "decided_at": iso(at=value.decided_at),
    }


def callback(value: Callback) -> dict[str, object]:
    """Return a callback that is handed out."""
    return {
        "id": value.id,
        "kind": value.kind,
        "cause": value.cause,
        "url": value.url,
        "body": json.loads(value.body),
        "text": value.body,
        "headers": dict(value.headers),
        "due_at": iso(at=value.due_at),
        "before_response": value.is_first,
        "source": value.source,
    }


def statement(value: Account, rows: list[StatementRow]) -> dict[str, object]:
    """Return a statement from the first movement on."""
    return {
        "shortcode": value.shortcode,
        "name": value.name,
        "currency": "KES",
        "opening_balance": "0.00",
        "closing_balance": text(cents=value.balance_cents),
        "rows": [statement_row(row) for row in rows],
    }


def statement_row(value: StatementRow) -> dict[str, object]:
    """Return one movement; one of paid_in and withdrawn is 0.00."""
    return {
        "receipt": value.receipt,
        "initiated_at": iso(at=value.initiated_at),
        "completed_at": iso(at=value.completed_at),
        "details": value.details,
        "status": "Completed",
        "kind": value.kind,
        "paid_in": text(cents=value.paid_in_cents),
        "withdrawn": text(cents=value.withdrawn_cents),
        "balance": text(cents=value.balance_cents),
        "other_party": value.other_party,
        "account_reference": value.reference,
        "linked_receipt": value.linked_receipt,
    }

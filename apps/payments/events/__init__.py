"""The facts that payments publishes, and the public snapshots of intents and refunds that they carry."""

from datetime import datetime
from typing import Any

from apps.events.contracts import Audience, EventType, NewEvent, declare
from apps.kit import ids
from apps.kit.money import Money, total
from apps.kit.serializers import instant_text
from apps.payments.contracts import IntentStatus, RefundStatus
from apps.payments.events import methods as methods
from apps.payments.events.schemas import (
    ATTEMPT_SCHEMA,
    INBOUND_SCHEMA,
    INTENT_SCHEMA,
    REFUND_SCHEMA,
    object_of,
)
from apps.payments.models import InboundReceipt, PaymentAttempt, PaymentIntent, Refund

AGGREGATE = "payment_intent"
REFUND_AGGREGATE = "refund"
INBOUND_AGGREGATE = "inbound_receipt"
REFUND_CLOSED_WITH_REASON = {RefundStatus.FAILED, RefundStatus.CANCELLED}
CLOSED_WITH_REASON = {IntentStatus.FAILED, IntentStatus.EXPIRED, IntentStatus.CANCELLED}


def _declare(
    name: str,
    topic: str,
    summary: str,
    *,
    audience: Audience = Audience.PARTNER,
    of: dict[str, Any] = INTENT_SCHEMA,
) -> EventType:
    return declare(name, topic=topic, audience=audience, schema=object_of({"object": of}), summary=summary)


CREATED = _declare("payment_intent_created", "treasury.payment_intent.created", "A payment was asked for.")
INITIATED = _declare("payment_initiated", "treasury.payment.initiated", "The provider accepted our request.")
AUTHORIZED = _declare(
    "payment_authorized",
    "treasury.payment.authorized",
    "The payer agreed and the provider holds the sum back: it waits to be captured.",
)
CAPTURED = _declare("payment_captured", "treasury.payment.captured", "The provider confirmed the money.")
SUCCESS = _declare(
    "payment_success",
    "treasury.payment.success",
    "The money is confirmed and booked. At most once per payment; may follow payment_failed (late: true).",
)
PARTIALLY_PAID = _declare(
    "payment_partially_paid",
    "treasury.payment.partially_paid",
    "A part of the sum came unasked under the payment's code and is booked; the rest may follow. Told once for each part but the last.",
)
FAILED = _declare("payment_failed", "treasury.payment.failed", "The payment ended without money.")
CANCELLED = _declare("payment_cancelled", "treasury.payment.cancelled", "The payment was cancelled.")
EXPIRED = _declare("payment_expired", "treasury.payment.expired", "The payment was not confirmed in time.")
IN_REVIEW = declare(
    "payment_in_review",
    topic="treasury.payment.in_review",
    audience=Audience.PARTNER,
    schema=object_of({"object": INTENT_SCHEMA, "attempt": ATTEMPT_SCHEMA}),
    summary="Money arrived that does not fit the payment: it waits in suspense for a person.",
)
UNKNOWN = _declare(
    "payment_unknown",
    "treasury.payment.unknown",
    "Nobody can say yet what became of the payment.",
    audience=Audience.INTERNAL,
)
MONEY_UNMATCHED = _declare(
    "money_unmatched",
    "treasury.money.unmatched",
    "Money that no payment explains arrived, could not be given back, or is not taken by a dispute any more: it is booked and waits"
    " in suspense for a person.",
    of=INBOUND_SCHEMA,
)
MONEY_UNCONFIRMED = _declare(
    "money_unconfirmed",
    "treasury.money.unconfirmed",
    "So much money is said to have come unasked that the provider is asked first: it is booked nowhere yet. Told again where it"
    " did not confirm it: a person looks at it.",
    audience=Audience.INTERNAL,
    of=INBOUND_SCHEMA,
)
MONEY_MATCHED = _declare(
    "money_matched",
    "treasury.money.matched",
    "Money that had waited in suspense is of a payment, as a later message or a person said.",
    of=INBOUND_SCHEMA,
)
MONEY_TAKEN_BACK = _declare(
    "money_taken_back",
    "treasury.money.taken_back",
    "Money that had waited in suspense was taken by a dispute that is lost: nothing of it is left.",
    of=INBOUND_SCHEMA,
)


REFUND_REQUESTED = _declare(
    "refund_requested",
    "treasury.refund.requested",
    "Somebody asked for money to go back; it may wait for an approval.",
    of=REFUND_SCHEMA,
)
REFUND_SUCCEEDED = _declare(
    "refund_succeeded",
    "treasury.refund.succeeded",
    "The money went back and is booked. May follow refund_failed.",
    of=REFUND_SCHEMA,
)
REFUND_FAILED = _declare(
    "refund_failed", "treasury.refund.failed", "The money did not go back.", of=REFUND_SCHEMA
)
REFUND_CANCELLED = _declare(
    "refund_cancelled",
    "treasury.refund.cancelled",
    "Nothing was sent: the refund was not approved, or an earlier one of the payment was carried out after all.",
    of=REFUND_SCHEMA,
)
REFUND_UNKNOWN = _declare(
    "refund_unknown",
    "treasury.refund.unknown",
    "Nobody can say yet whether the money went back.",
    audience=Audience.INTERNAL,
    of=REFUND_SCHEMA,
)


def snapshot(intent: PaymentIntent) -> dict[str, Any]:
    """
    Return the public form of an intent: what the API answers and what events carry under ``object``.

    Reads ``intent.current_attempt``, so select it with the intent. Money that was taken from the payment is not told of.
    Of a payment in parts ``received``, ``fee`` and ``refunded`` are those of all parts, ``provider_receipt`` that of the last one.
    """
    attempt = intent.current_attempt
    has_money = attempt is not None and attempt.surrendered_at is None
    parts = _parts(intent) if intent.is_in_parts else []
    paying = parts or ([attempt] if attempt and has_money else [])
    return {
        "id": ids.encode("pi", intent.id),
        "object": AGGREGATE,
        "status": intent.status.lower(),
        "amount": intent.money.wire(),
        "received": _wire(total(one.received for one in paying)),
        "fee": _wire(total(one.fee for one in paying)),
        "refunded": _wire(total(one.refunded for one in paying)),
        "parts": [_part(one) for one in parts],
        "due": intent.due.wire() if intent.is_partly_paid else None,
        "method": intent.method.lower() or None,
        "methods": [method.lower() for method in intent.methods],
        "payer": {"phone": intent.payer_phone, "name": intent.payer_name, "email": intent.payer_email},
        "capture": intent.is_captured,
        "authorized": _wire(attempt.held) if attempt else None,
        "capture_refusal": attempt.capture_refusal if attempt else "",
        "credited": _wire(attempt.settled) if attempt and has_money else None,
        "exchange_rate": _rate(attempt) if attempt and has_money else None,
        "card": _card(attempt) if attempt else None,
        "saved_method_id": ids.encode("pm", intent.saved_method_id) if intent.saved_method_id else None,
        "branch_id": ids.encode("br", intent.branch_id),
        "application_id": ids.encode("app", intent.application_id),
        "reference": intent.reference,
        "paybill_code": intent.code,
        "payable": {"type": intent.payable_type, "id": intent.payable_id} if intent.payable_id else None,
        "description": intent.description,
        "metadata": intent.metadata,
        "provider_receipt": attempt.provider_receipt if attempt and has_money else "",
        "late": intent.is_late,
        "cancel_requested": intent.cancel_requested_at is not None,
        "next_action": _next_action(intent),
        "failure": _failure(intent),
        "latest_attempt": _attempt(attempt) if attempt else None,
        "created_at": instant_text(intent.created_at),
        "settled_at": _instant(intent.settled_at),
        "expires_at": instant_text(intent.expires_at),
    }


def about(event_type: EventType, intent: PaymentIntent) -> NewEvent:
    """Return the event of this type with the present snapshot of the intent."""
    return _event(event_type, intent, {"object": snapshot(intent)})


def settled(attempt: PaymentAttempt) -> tuple[NewEvent, ...]:
    """Return what is said of booked money: captured and success, partially paid while more is due, or in review when it went to suspense."""
    intent = attempt.intent
    if attempt.is_in_suspense:
        return (in_review(attempt),)
    if intent.is_partly_paid:
        return (about(PARTIALLY_PAID, intent),)
    return about(CAPTURED, intent), about(SUCCESS, intent)


def in_review(attempt: PaymentAttempt) -> NewEvent:
    """Return the event that asks for a person to look at the money of this attempt."""
    data = {
        "object": snapshot(attempt.intent),
        "attempt": {
            "id": ids.encode("pa", attempt.id),
            "status": attempt.status.lower(),
            "received": _wire(attempt.received),
            "provider_receipt": attempt.provider_receipt,
        },
    }
    return _event(IN_REVIEW, attempt.intent, data)


def closed(intent: PaymentIntent) -> NewEvent:
    """Return the event of an intent that ended without money."""
    return about(CANCELLED if intent.status == IntentStatus.CANCELLED else FAILED, intent)


def refund_snapshot(refund: Refund) -> dict[str, Any]:
    """Return the public form of a refund: what the API answers and what events carry under ``object``."""
    return {
        "id": ids.encode("re", refund.id),
        "object": REFUND_AGGREGATE,
        "payment_id": ids.encode("pi", refund.intent_id),
        "status": refund.status.lower(),
        "amount": refund.money.wire(),
        "charge": _wire(refund.charge),
        "reason": refund.reason,
        "branch_id": ids.encode("br", refund.branch_id),
        "application_id": ids.encode("app", refund.application_id),
        "payment_receipt": refund.payment_receipt,
        "provider_receipt": refund.provider_receipt,
        "approval_id": ids.encode("apr", refund.approval_id) if refund.approval_id else None,
        "failure": {"code": refund.failure_code, "message": refund.failure_message}
        if refund.status in REFUND_CLOSED_WITH_REASON
        else None,
        "created_at": instant_text(refund.created_at),
        "refunded_at": _instant(refund.refunded_at),
    }


def about_refund(event_type: EventType, refund: Refund) -> NewEvent:
    """Return the event of this type with the present snapshot of the refund."""
    return NewEvent(
        type=event_type,
        aggregate_type=REFUND_AGGREGATE,
        aggregate_id=refund.id,
        data={"object": refund_snapshot(refund)},
        branch_id=refund.branch_id,
        application_id=refund.application_id,
    )


def inbound_snapshot(inbound: InboundReceipt) -> dict[str, Any]:
    """Return the public form of money that arrived: what the API answers and what events carry under ``object``."""
    return {
        "id": ids.encode("ir", inbound.id),
        "object": INBOUND_AGGREGATE,
        "status": inbound.status.lower(),
        "amount": inbound.money.wire(),
        "provider": inbound.provider,
        "provider_receipt": inbound.receipt,
        "reference": inbound.reference,
        "payer": {"text": inbound.payer, "name": inbound.payer_name},
        "sources": [source.lower() for source in inbound.sources],
        "reason": inbound.reason,
        "payment_id": ids.encode("pi", inbound.intent_id) if inbound.intent_id else None,
        "branch_id": ids.encode("br", inbound.branch_id),
        "application_id": ids.encode("app", inbound.application_id),
        "occurred_at": _instant(inbound.occurred_at),
        "received_at": instant_text(inbound.received_at),
        "resolved_at": _instant(inbound.resolved_at),
    }


def about_money(event_type: EventType, inbound: InboundReceipt) -> NewEvent:
    """Return the event of this type with the present snapshot of money that arrived."""
    return NewEvent(
        type=event_type,
        aggregate_type=INBOUND_AGGREGATE,
        aggregate_id=inbound.id,
        data={"object": inbound_snapshot(inbound)},
        branch_id=inbound.branch_id,
        application_id=inbound.application_id,
    )


def _instant(at: datetime | None) -> str | None:
    return instant_text(at) if at else None


def _event(event_type: EventType, intent: PaymentIntent, data: dict[str, Any]) -> NewEvent:
    return NewEvent(
        type=event_type,
        aggregate_type=AGGREGATE,
        aggregate_id=intent.id,
        data=data,
        branch_id=intent.branch_id,
        application_id=intent.application_id,
    )


def _wire(money: Money | None) -> dict[str, str] | None:
    return money.wire() if money else None


def _parts(intent: PaymentIntent) -> list[PaymentAttempt]:
    if "paying" in vars(intent):
        return intent.paying
    return list(PaymentAttempt.objects.paying().filter(intent_id=intent.id))


def _part(attempt: PaymentAttempt) -> dict[str, Any]:
    return {
        "attempt_id": ids.encode("pa", attempt.id),
        "received": _wire(attempt.received),
        "fee": _wire(attempt.fee),
        "refunded": _wire(attempt.refunded),
        "provider_receipt": attempt.provider_receipt,
        "booked_at": _instant(attempt.booked_at),
    }


def _rate(attempt: PaymentAttempt) -> str | None:
    return None if attempt.rate is None else f"{attempt.rate.normalize():f}"


def _card(attempt: PaymentAttempt) -> dict[str, str] | None:
    if not attempt.method_last4:
        return None
    return {"brand": attempt.method_brand, "last4": attempt.method_last4}


def _attempt(attempt: PaymentAttempt) -> dict[str, str]:
    return {
        "id": ids.encode("pa", attempt.id),
        "status": attempt.status.lower(),
        "code": attempt.code,
        "ticket": attempt.ticket,
    }


def _next_action(intent: PaymentIntent) -> dict[str, str] | None:
    attempt = intent.current_attempt
    if attempt is None or intent.status != IntentStatus.ACTION_REQUIRED:
        return None
    return {
        "type": attempt.next_action.lower(),
        "message": attempt.next_action_message,
        "url": attempt.next_action_url,
    }


def _failure(intent: PaymentIntent) -> dict[str, str] | None:
    if intent.status not in CLOSED_WITH_REASON or not intent.failure_code:
        return None
    return {"code": intent.failure_code, "message": intent.failure_message}

"""The facts that payments publishes about ways to pay that payers let us keep."""

from typing import Any

from apps.events.contracts import Audience, EventType, NewEvent, declare
from apps.kit import ids
from apps.kit.serializers import instant_text
from apps.payments.contracts.saving import SavedMethodStatus
from apps.payments.events.schemas import METHOD_SCHEMA, object_of
from apps.payments.models import SavedMethod

AGGREGATE = "payment_method"


def _declare(name: str, topic: str, summary: str) -> EventType:
    schema = object_of({"object": METHOD_SCHEMA})
    return declare(name, topic=topic, audience=Audience.PARTNER, schema=schema, summary=summary)


INITIATED = _declare(
    "payment_method_initiated",
    "treasury.payment_method.initiated",
    "The provider has a page on which the payer lets a way to pay be saved: next_action tells its address.",
)
SAVED = _declare(
    "payment_method_saved",
    "treasury.payment_method.saved",
    "The payer lets a way to pay be saved: it may be charged as far as he agreed.",
)
FAILED = _declare(
    "payment_method_failed",
    "treasury.payment_method.failed",
    "No way to pay was saved: the payer did not agree in time, or the provider will not keep it.",
)
FORGOTTEN = _declare(
    "payment_method_forgotten",
    "treasury.payment_method.forgotten",
    "The provider keeps a way to pay no more: somebody asked for that, or it was dropped there.",
)


def snapshot(saved: SavedMethod) -> dict[str, Any]:
    """Return the public form of a saved method: what the API answers and what events carry under ``object``."""
    return {
        "id": ids.encode("pm", saved.id),
        "object": AGGREGATE,
        "status": saved.status.lower(),
        "method": saved.method.lower(),
        "currency": saved.currency,
        "payer": {"reference": saved.payer_reference, "name": saved.payer_name},
        "consent": {
            "text": saved.consent_text,
            "use": saved.consent_use.lower(),
            "given_at": instant_text(saved.consent_at),
            "ip_address": saved.consent_address,
        },
        "card": _card(saved),
        "wallet": _wallet(saved),
        "branch_id": ids.encode("br", saved.branch_id),
        "application_id": ids.encode("app", saved.application_id),
        "next_action": {"type": "redirect", "url": saved.page} if saved.page else None,
        "failure": {"code": saved.failure_code, "message": saved.failure_message}
        if saved.status == SavedMethodStatus.FAILED
        else None,
        "forget_requested": saved.forget_requested_at is not None,
        "created_at": instant_text(saved.created_at),
        "saved_at": instant_text(saved.saved_at) if saved.saved_at else None,
        "forgotten_at": instant_text(saved.forgotten_at) if saved.forgotten_at else None,
    }


def about(event_type: EventType, saved: SavedMethod) -> NewEvent:
    """Return the event of this type with the present snapshot of the saved method."""
    return NewEvent(
        type=event_type,
        aggregate_type=AGGREGATE,
        aggregate_id=saved.id,
        data={"object": snapshot(saved)},
        branch_id=saved.branch_id,
        application_id=saved.application_id,
    )


def _card(saved: SavedMethod) -> dict[str, str] | None:
    if not saved.last4:
        return None
    return {name: getattr(saved, name) for name in ("brand", "last4", "expires", "fingerprint")}


def _wallet(saved: SavedMethod) -> dict[str, str] | None:
    if saved.last4 or not saved.brand:
        return None
    return {"brand": saved.brand, "fingerprint": saved.fingerprint}

"""The facts about disputes that payments publishes, and the public snapshot that they carry."""

from datetime import datetime
from typing import Any

from apps.events.contracts import Audience, EventType, NewEvent, declare
from apps.kit import ids
from apps.kit.money import Money
from apps.kit.serializers import instant_text
from apps.payments.contracts import DisputeStatus
from apps.payments.events.schemas import DISPUTE_SCHEMA, object_of
from apps.payments.models import Dispute
from apps.payments.models.dispute import TAKEN_STATES
from apps.payments.models.disputed_money import Moves

AGGREGATE = "payment_dispute"


def _declare(name: str, summary: str) -> EventType:
    return declare(
        f"payment_dispute_{name}",
        topic=f"treasury.payment_dispute.{name}",
        audience=Audience.PARTNER,
        schema=object_of({"object": DISPUTE_SCHEMA}),
        summary=summary,
    )


OPENED = _declare("opened", "A payer disputes a payment, or his bank asks about it (is_inquiry).")
UPDATED = _declare(
    "updated",
    "A dispute goes on: its state, its deadline, what of its payment it holds or whether it may be appealed changed.",
)
FUNDS_WITHDRAWN = _declare(
    "funds_withdrawn", "The provider took the disputed money from our balance; it is booked."
)
FUNDS_REINSTATED = _declare("funds_reinstated", "The disputed money came back; it is booked.")
DUE_SOON = _declare(
    "due_soon",
    "Nothing has been said to a dispute and the answer is due: told 7, 3 and 1 days and 12 hours before.",
)
WON = _declare("won", "A dispute ended in our favour. Its money may come back later.")
LOST = _declare(
    "lost", "A dispute ended against us: lost, given up (accepted) or not answered in time (expired)."
)
CLOSED = _declare("closed", "A dispute was settled before it took any money; it may begin anew.")


def snapshot(dispute: Dispute) -> dict[str, Any]:
    """Return the public form of a dispute: what the API answers and what events carry under ``object``."""
    return {
        "id": ids.encode("dp", dispute.id),
        "object": AGGREGATE,
        "payment_id": ids.encode("pi", dispute.intent_id) if dispute.intent_id else None,
        "status": dispute.status.lower(),
        "is_inquiry": dispute.is_inquiry,
        "flag": dispute.flag.lower() or None,
        "amount": dispute.money.wire(),
        "reason": dispute.reason_code,
        "provider": dispute.provider,
        "provider_reason": dispute.provider_reason,
        "provider_dispute": dispute.ticket,
        "payment_receipt": dispute.payment_receipt,
        "answer": dispute.answer.lower() or None,
        "answer_refusal": dispute.answer_refusal,
        "may_appeal": dispute.is_appealable,
        "is_appealing": dispute.is_appealing,
        "approval_id": ids.encode("apr", dispute.approval_id) if dispute.approval_id else None,
        "withdrawn": _wire(dispute.withdrawn),
        "reinstated": _wire(dispute.reinstated),
        "fee": _wire(dispute.fee),
        "lost": _wire(dispute.lost),
        "branch_id": ids.encode("br", dispute.branch_id),
        "application_id": ids.encode("app", dispute.application_id),
        "opened_at": _instant(dispute.opened_at),
        "due_by": _instant(dispute.due_by),
        "closed_at": _instant(dispute.closed_at),
    }


def about(event_type: EventType, dispute: Dispute) -> NewEvent:
    """Return the event of this type with the present snapshot of the dispute."""
    return NewEvent(
        type=event_type,
        aggregate_type=AGGREGATE,
        aggregate_id=dispute.id,
        data={"object": snapshot(dispute)},
        branch_id=dispute.branch_id,
        application_id=dispute.application_id,
    )


def told(dispute: Dispute, *, was: str, moved: Moves) -> list[NewEvent]:
    """Return what is said of a dispute that was in the state ``was`` (empty: it is new) and had moved so much."""
    said = [OPENED] if not was else []
    if dispute.withdrawn_minor > moved.withdrawn:
        said.append(FUNDS_WITHDRAWN)
    if dispute.reinstated_minor > moved.reinstated:
        said.append(FUNDS_REINSTATED)
    if dispute.status != was and not dispute.is_open:
        said.append(_end(dispute))
    return [about(event_type, dispute) for event_type in said or [UPDATED]]


def _end(dispute: Dispute) -> EventType:
    if dispute.status in TAKEN_STATES:
        return LOST
    return WON if dispute.status == DisputeStatus.WON else CLOSED


def _wire(money: Money | None) -> dict[str, str] | None:
    return money.wire() if money else None


def _instant(at: datetime | None) -> str | None:
    return instant_text(at) if at else None

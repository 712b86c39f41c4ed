"""The facts that approvals publishes, and the public snapshot of a request that they carry."""

from typing import Any

from apps.approvals.contracts import ApprovalStatus, ReminderStage
from apps.approvals.models import ApprovalReminder, ApprovalRequest
from apps.events.contracts import Audience, EventType, NewEvent, declare
from apps.kit import ids
from apps.kit.serializers import MONEY_SCHEMA, instant_text

AGGREGATE = "approval_request"
PREFIX = "apr"

TEXT = {"type": "string"}
INSTANT = {"type": "string", "format": "date-time"}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": sorted(properties),
        "properties": properties,
        "additionalProperties": False,
    }


REQUEST_SCHEMA = _object(
    {
        "id": {"type": "string", "pattern": f"^{PREFIX}_"},
        "object": {"const": AGGREGATE},
        "kind": TEXT,
        "status": {"enum": [state.lower() for state in ApprovalStatus]},
        "subject": _object({"id": {"type": "string", "format": "uuid"}, "reference": TEXT}),
        "summary": TEXT,
        "amount": {"anyOf": [MONEY_SCHEMA, {"type": "null"}]},
        "payload_hash": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "payload_version": {"type": "integer", "minimum": 1},
        "step": _object(
            {"current": {"type": "integer", "minimum": 1}, "count": {"type": "integer", "minimum": 1}}
        ),
        "reason": TEXT,
        "branch_id": {"type": "string", "pattern": "^br_"},
        "application_id": {"type": "string", "pattern": "^app_"},
        "created_at": INSTANT,
        "expires_at": INSTANT,
        "decided_at": {"type": ["string", "null"], "format": "date-time"},
    }
)


def _declare(name: str, topic: str, summary: str) -> EventType:
    schema = _object({"object": REQUEST_SCHEMA})
    return declare(name, topic=topic, audience=Audience.PARTNER, schema=schema, summary=summary)


REQUESTED = _declare(
    "approval_requested",
    "treasury.approval.requested",
    "A deed waits for approval; said again when it was edited, for earlier decisions are void then.",
)
DECIDED = _declare(
    "approval_decided",
    "treasury.approval.decided",
    "A request was approved, refused, withdrawn or not decided in time; said once.",
)


REMINDER = declare(
    "approval_reminder",
    topic="treasury.approval.reminder",
    audience=Audience.PARTNER,
    schema=_object(
        {
            "object": REQUEST_SCHEMA,
            "stage": {"enum": [stage.lower() for stage in ReminderStage]},
            "roles": {"type": "array", "items": TEXT, "minItems": 1},
            "waiting_hours": {"type": "integer", "minimum": 0},
        }
    ),
    summary="A request waits longer at a step than its rule says: once to who decides it, once to who is told as well.",
)


def snapshot(request: ApprovalRequest) -> dict[str, Any]:
    """Return the public form of a request: what the API answers and what events carry under ``object``."""
    return {
        "id": ids.encode(PREFIX, request.id),
        "object": AGGREGATE,
        "kind": request.kind,
        "status": request.status.lower(),
        "subject": {"id": str(request.subject_id), "reference": request.subject_reference},
        "summary": request.summary,
        "amount": request.money.wire() if request.money else None,
        "payload_hash": request.payload_hash,
        "payload_version": request.payload_version,
        "step": {"current": request.current_step, "count": request.step_count},
        "reason": request.reason,
        "branch_id": ids.encode("br", request.branch_id),
        "application_id": ids.encode("app", request.application_id),
        "created_at": instant_text(request.created_at),
        "expires_at": instant_text(request.expires_at),
        "decided_at": instant_text(request.decided_at) if request.decided_at else None,
    }


def reminder(sent: ApprovalReminder) -> NewEvent:
    """Return the event of a reminder: what waits, for how long, and the roles that are to know."""
    request = sent.request
    waiting = sent.sent_at - request.step_began_at
    return NewEvent(
        type=REMINDER,
        aggregate_type=AGGREGATE,
        aggregate_id=request.id,
        data={
            "object": snapshot(request),
            "stage": sent.stage.lower(),
            "roles": sent.roles,
            "waiting_hours": int(waiting.total_seconds() // 3600),
        },
        branch_id=request.branch_id,
        application_id=request.application_id,
    )


def about(event_type: EventType, request: ApprovalRequest) -> NewEvent:
    """Return the event of this type with the present snapshot of the request."""
    return NewEvent(
        type=event_type,
        aggregate_type=AGGREGATE,
        aggregate_id=request.id,
        data={"object": snapshot(request)},
        branch_id=request.branch_id,
        application_id=request.application_id,
    )

"""The facts that the ledger publishes, and the public snapshot of a period."""

from typing import Any
from uuid import UUID, uuid5

from apps.events.contracts import Audience, EventType, NewEvent, declare
from apps.kit import ids
from apps.kit.serializers import instant_text
from apps.ledger.contracts import PeriodState
from apps.ledger.models import Period

PERIOD_AGGREGATE = "period"
PERIOD_PREFIX = "per"
FX_SOURCE = "fx_source"
NAMESPACE = UUID("0b4ce2fb-9fb7-5d0f-8ad4-3f5b1c7f6a10")
TEXT = {"type": "string"}

DAY = {"type": "string", "format": "date"}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": sorted(properties),
        "properties": properties,
        "additionalProperties": False,
    }


PERIOD_SCHEMA = _object(
    {
        "id": {"type": "string", "pattern": f"^{PERIOD_PREFIX}_"},
        "object": {"const": PERIOD_AGGREGATE},
        "start_date": DAY,
        "end_date": DAY,
        "status": {"enum": [state.lower() for state in PeriodState]},
        "revision": {"type": "integer", "minimum": 1},
        "year_end": {"type": "boolean"},
        "closed_at": {"type": ["string", "null"], "format": "date-time"},
        "checkpoint_hash": {"type": ["string", "null"], "pattern": "^[0-9a-f]{64}$"},
        "branch_id": {"type": "string", "pattern": "^br_"},
        "application_id": {"type": "string", "pattern": "^app_"},
    }
)


def _declare(name: str, topic: str, summary: str) -> EventType:
    schema = _object({"object": PERIOD_SCHEMA})
    return declare(name, topic=topic, audience=Audience.PARTNER, schema=schema, summary=summary)


PERIOD_CLOSED = _declare(
    "period_closed",
    "treasury.period.closed",
    "Nothing can be dated into this period any more; the balances at its end are kept.",
)
PERIOD_REOPENED = _declare(
    "period_reopened",
    "treasury.period.reopened",
    "The last closed period takes postings again; what was reported of it may change.",
)


def about_period(event_type: EventType, period: Period, *, branch_id: UUID, application_id: UUID) -> NewEvent:
    """Return the event of this type with the present snapshot of the period; it is said for the organisation as a whole."""
    snapshot = {
        "id": ids.encode(PERIOD_PREFIX, period.uid),
        "object": PERIOD_AGGREGATE,
        "start_date": period.start_date.isoformat(),
        "end_date": period.end_date.isoformat(),
        "status": period.state.lower(),
        "revision": period.revision,
        "year_end": period.is_year_end,
        "closed_at": instant_text(period.closed_at) if period.closed_at else None,
        "checkpoint_hash": bytes(period.checkpoint_hash).hex() if period.checkpoint_hash else None,
        "branch_id": ids.encode("br", branch_id),
        "application_id": ids.encode("app", application_id),
    }
    return NewEvent(
        type=event_type,
        aggregate_type=PERIOD_AGGREGATE,
        aggregate_id=period.uid,
        data={"object": snapshot},
        branch_id=branch_id,
        application_id=application_id,
    )


RATES_TROUBLED = declare(
    "fx_rates_troubled",
    topic="treasury.fx_rates.troubled",
    audience=Audience.INTERNAL,
    schema={
        "type": "object",
        "required": ["detail", "reason", "source"],
        "properties": {"source": TEXT, "reason": TEXT, "detail": TEXT},
        "additionalProperties": False,
    },
    summary="A source of exchange rates gave none, none that is young enough, or some that cannot be; nothing is guessed in their place.",
)


def rates_troubled(source: str, *, reason: str, detail: str) -> NewEvent:
    """Return the event that says what was wrong with a source."""
    return NewEvent(
        type=RATES_TROUBLED,
        aggregate_type=FX_SOURCE,
        aggregate_id=uuid5(NAMESPACE, source),
        data={"source": source, "reason": reason, "detail": detail[:300]},
    )

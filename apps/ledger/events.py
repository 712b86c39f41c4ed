"""The facts that the ledger publishes."""

from uuid import UUID, uuid5

from apps.events.contracts import Audience, NewEvent, declare

FX_SOURCE = "fx_source"
NAMESPACE = UUID("0b4ce2fb-9fb7-5d0f-8ad4-3f5b1c7f6a10")
TEXT = {"type": "string"}

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

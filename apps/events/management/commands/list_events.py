"""Write the catalogue of events, docs/events.md, from the types that the apps declare."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.core.management.base import BaseCommand

from apps.events.contracts import REGISTRY, Audience, EventType

HEAD = """# Events

Facts that the treasury publishes. Made by `script/console list_events` from the code; a test compares the two.

Partner events reach webhook endpoints and `GET /v1/{tenantId}/events`, in a CloudEvents 1.0 envelope:

    {"specversion": "1.0", "id": "evt_…", "source": "treasury/ten_…", "type": "payment_success",
     "topic": "treasury.payment.success", "subject": "pi_…", "time": "2026-11-24T07:41:58.120Z", "timestamp": "…",
     "datacontenttype": "application/json", "dataschema": "urn:treasury:event:payment_success:1", "tenantid": "ten_…",
     "branchid": "br_…", "mode": "live", "aggregateid": "pi_…", "aggregateversion": 7, "data": {"object": {…}}}

- Match on `type`. New types and new fields may come at any time; a field never changes its meaning.
- An event may come twice: remember `id`, which is the `webhook-id` header too.
- Webhooks may overtake each other: `aggregateversion` grows with every event of one object.
- Verify with any [Standard Webhooks](https://www.standardwebhooks.com) library and the endpoint's `whsec_…`. Answer 2xx
  within 20 seconds. Anything else is retried after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h (spread by
  20 %, later where `Retry-After` asks for it); 410 switches the endpoint off, and so do five days of nothing but failures.

Internal events are for our own handlers only (`treasury/wiring.py`) and never leave.
"""
TITLES = {Audience.PARTNER: "Partner events", Audience.INTERNAL: "Internal events"}


class Command(BaseCommand):
    """Print the document; ``script/console list_events > docs/events.md`` brings it up to date."""

    help = __doc__
    requires_system_checks: list[str] = []

    def handle(self, *_: Any, **__: Any) -> None:
        self.stdout.write(document(REGISTRY.values()), ending="")


def document(types: Any) -> str:
    """Return docs/events.md for these event types."""
    parts = [HEAD]
    shown: dict[str, str] = {}
    for audience, title in TITLES.items():
        parts.append(f"\n## {title}\n")
        chosen = sorted((kind for kind in types if kind.audience == audience), key=lambda kind: kind.name)
        parts += [section(kind, shown) for kind in chosen]
    return "".join(parts)


def section(kind: EventType, shown: dict[str, str]) -> str:
    """Return the part about one type: what it means and what ``data`` holds; ``shown`` knows the data told before."""
    rows = "\n".join(fields(kind.schema))
    first = shown.setdefault(rows, kind.name)
    data = (
        f"| data | type | always |\n|---|---|---|\n{rows}" if first == kind.name else f"Data as in `{first}`."
    )
    return (
        f"\n### `{kind.name}`\n\n{kind.summary}\n\nTopic `{kind.topic}`, version {kind.version}.\n\n{data}\n"
    )


def fields(schema: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Yield a row for each field of a schema, nested ones by their path."""
    for name, inner in schema.get("properties", {}).items():
        always = "yes" if name in schema.get("required", ()) else ""
        yield f"| `{path}{name}` | {type_of(inner).replace('|', '&#124;')} | {always} |"
        yield from fields(object_of(inner), f"{path}{name}.")


def object_of(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the object schema inside: itself, or the one of its alternatives that has properties."""
    alternatives = [schema, *schema.get("anyOf", ()), *schema.get("oneOf", ())]
    return next((one for one in alternatives if "properties" in one), {})


def type_of(schema: Mapping[str, Any]) -> str:
    """Return in words what a value may be."""
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" if value is not None else "null" for value in schema["enum"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(type_of(one) for one in schema[key])
    kind = schema.get("type", "any")
    text = " or ".join(kind) if isinstance(kind, list) else str(kind)
    return f"{text} `{schema['pattern']}`" if "pattern" in schema else text

"""The facts that access publishes: what becomes of links between the organisation and applications of the directory."""

from typing import Any

from apps.events.contracts import Audience, EventType, NewEvent, declare
from apps.kit import ids
from apps.tenancy.contracts import LinkOrigin, LinkStatus
from apps.tenancy.selectors.links import LinkRequest

AGGREGATE = "link"
ID_PREFIX = "lnk"
TEXT = {"type": "string"}
LINK_FIELDS: dict[str, Any] = {
    "id": {"type": "string", "pattern": f"^{ID_PREFIX}_"},
    "object": {"const": "link"},
    "name": TEXT,
    "homepage": TEXT,
    "origin": {"enum": [origin.lower() for origin in LinkOrigin]},
    "status": {"enum": [status.lower() for status in LinkStatus]},
    "scopes": {"type": "array", "items": TEXT},
    "reason": TEXT,
}
SCHEMA = {
    "type": "object",
    "required": ["object"],
    "properties": {
        "object": {
            "type": "object",
            "required": sorted(LINK_FIELDS),
            "properties": LINK_FIELDS,
            "additionalProperties": False,
        }
    },
    "additionalProperties": False,
}


def _declare(name: str, summary: str) -> EventType:
    """Declare an event for the organisation's own people: no other application learns who asks or is let in."""
    return declare(
        f"application_link_{name}",
        topic=f"treasury.application.link_{name}",
        audience=Audience.INTERNAL,
        schema=SCHEMA,
        summary=summary,
    )


REQUESTED = _declare("requested", "An application of the directory asks to be let in.")
ACCEPTED = _declare("accepted", "An application was let in, by approval or by an invite.")
REFUSED = _declare("refused", "An application that asked was refused.")
EXPIRED = _declare("expired", "Nobody answered an application in time.")
CHANGE_REQUESTED = _declare("change_requested", "An application asks to be granted something else.")
CHANGED = _declare("changed", "What the link of an application grants has changed.")
CHANGE_REFUSED = _declare("change_refused", "An application that asked for a change was refused it.")
CHANGE_EXPIRED = _declare("change_expired", "Nobody answered an application that asked for a change in time.")
REVOKED = _declare("revoked", "A link has ended, and the keys of the application with it.")


def of_link(kind: EventType, link: LinkRequest) -> NewEvent:
    return NewEvent(kind, AGGREGATE, link.id, {"object": snapshot(link)})


def snapshot(link: LinkRequest) -> dict[str, Any]:
    """Return what events say of a link."""
    return {
        "id": ids.encode(ID_PREFIX, link.id),
        "object": "link",
        "name": link.application.name,
        "homepage": link.application.homepage,
        "origin": link.origin.lower(),
        "status": link.status.lower(),
        "scopes": link.scopes,
        "reason": link.reason,
    }

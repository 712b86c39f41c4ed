"""The facts that access publishes: what becomes of links between the organisation and applications of the directory."""

from typing import Any

from apps.events.contracts import Audience, EventType, NewEvent, declare
from apps.kit import ids
from apps.tenancy.contracts import LinkOrigin, LinkStatus
from apps.tenancy.selectors.links import GrantChange, LinkRequest

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
CHANGE: dict[str, Any] = {
    "type": "object",
    "required": ["branch_id", "reason", "scopes"],
    "properties": {
        "scopes": LINK_FIELDS["scopes"],
        "branch_id": {"type": ["string", "null"], "pattern": "^br_"},
        "reason": TEXT,
    },
    "additionalProperties": False,
}
"""What was asked for, and why it was refused where it was."""


def _schema(fields: dict[str, Any]) -> dict[str, Any]:
    shown = {
        "type": "object",
        "required": sorted(fields),
        "properties": fields,
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "required": ["object"],
        "properties": {"object": shown},
        "additionalProperties": False,
    }


def _declare(name: str, summary: str, *, is_about_a_change: bool = False) -> EventType:
    """Declare an event for the organisation's own people: no other application learns who asks or is let in."""
    return declare(
        f"application_link_{name}",
        topic=f"treasury.application.link_{name}",
        audience=Audience.INTERNAL,
        schema=_schema(LINK_FIELDS | {"change": CHANGE} if is_about_a_change else LINK_FIELDS),
        summary=summary,
    )


REQUESTED = _declare("requested", "An application of the directory asks to be let in.")
ACCEPTED = _declare("accepted", "An application was let in, by approval or by an invite.")
REFUSED = _declare("refused", "An application that asked was refused.")
EXPIRED = _declare("expired", "Nobody answered an application in time.")
CHANGE_REQUESTED = _declare(
    "change_requested", "An application asks to be granted something else.", is_about_a_change=True
)
CHANGED = _declare("changed", "What the link of an application grants has changed.")
CHANGE_REFUSED = _declare(
    "change_refused", "An application that asked for a change was refused it.", is_about_a_change=True
)
CHANGE_EXPIRED = _declare(
    "change_expired",
    "Nobody answered an application that asked for a change in time.",
    is_about_a_change=True,
)
REVOKED = _declare("revoked", "A link has ended, and the keys of the application with it.")


def of_link(kind: EventType, link: LinkRequest, change: GrantChange | None = None) -> NewEvent:
    """Return the fact about a link, and about the change that it is asked to be granted where there is one."""
    shown = snapshot(link)
    if change is not None:
        place = change.branch_id_there
        shown["change"] = {
            "scopes": change.scopes,
            "branch_id": ids.encode("br", place) if place else None,
            "reason": change.reason,
        }
    return NewEvent(kind, AGGREGATE, link.id, {"object": shown})


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

"""Endpoints of events and of the addresses that are told of them."""

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from apps.simulator.stripe.api.listing import PAGING, page
from apps.simulator.stripe.contracts import Body
from apps.simulator.stripe.services import endpoints, objects

if TYPE_CHECKING:
    from apps.simulator.stripe.api.calls import Call

KEPT_FOR = 30 * 24 * 3_600


def create(call: "Call") -> Body:
    """Listen at an address; the secret is shown this once."""
    params = call.params
    params.only("api_version", "connect", "description", "enabled_events", "expand", "metadata", "url")
    wanted = params.texts("enabled_events")
    if not wanted:
        raise params.missing("enabled_events")
    return endpoints.add(
        call.scope,
        url=params.address("url", is_required=True) or "",
        enabled_events=wanted,
        is_connect=params.flag("connect"),
        description=params.text("description"),
        metadata=params.metadata(),
    )


def retrieve(call: "Call", identifier: str) -> Body:
    """Return an endpoint, without its secret."""
    return objects.get(call.scope, "webhook_endpoint", identifier)


def list_all(call: "Call") -> Body:
    """List endpoints."""
    call.params.only(*PAGING)
    return page(objects.newest(call.scope, "webhook_endpoint"), call.params, url="/v1/webhook_endpoints")


def update(call: "Call", identifier: str) -> Body:
    """Change an endpoint."""
    params = call.params
    params.only("description", "disabled", "enabled_events", "expand", "metadata", "url")
    endpoint = objects.get(call.scope, "webhook_endpoint", identifier)
    endpoint |= {
        "enabled_events": params.texts("enabled_events") or endpoint["enabled_events"],
        "url": params.address("url") or endpoint["url"],
        "metadata": endpoint["metadata"] | params.metadata(),
    }
    if "disabled" in params.values:
        endpoint["status"] = "disabled" if params.flag("disabled") else "enabled"
    return objects.save(call.scope, endpoint)


def remove(call: "Call", identifier: str) -> Body:
    """Listen there no more."""
    objects.get(call.scope, "webhook_endpoint", identifier)
    objects.remove(call.scope, identifier)
    return {"id": identifier, "object": "webhook_endpoint", "deleted": True}


def retrieve_event(call: "Call", identifier: str) -> Body:
    """Return an event."""
    return objects.get(call.scope, "event", identifier)


def list_events(call: "Call") -> Body:
    """List the events of the last thirty days."""
    call.params.only(*PAGING, "type", "types")
    single = call.params.text("type")
    wanted = call.params.texts("types") or ([single] if single else ["*"])
    found = [
        event
        for event in objects.newest(call.scope, "event")
        if event["created"] > call.scope.seconds - KEPT_FOR
        and any(fnmatchcase(event["type"], pattern) for pattern in wanted)
    ]
    return page(found, call.params, url="/v1/events")

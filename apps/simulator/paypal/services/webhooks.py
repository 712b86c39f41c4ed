"""Webhooks of an account: an address and the events that it wants to be told of."""

from apps.simulator.paypal.contracts import Body, PayPalRefusal, Scope
from apps.simulator.paypal.services import ids, objects

MOST = 10


def add(scope: Scope, *, url: str, names: list[str], identifier: str = "") -> Body:
    """Listen at an address; raise PayPalRefusal for one that listens already, and for one more than ten."""
    held = objects.newest(scope, "webhook")
    if any(hook["url"] == url for hook in held):
        raise PayPalRefusal(400, "WEBHOOK_URL_ALREADY_EXISTS", at="/url", value=url)
    if len(held) >= MOST:
        raise PayPalRefusal(400, "WEBHOOK_NUMBER_LIMIT_EXCEEDED")
    identifier = identifier or ids.draw(tx=scope.tx, kind="webhook")
    own = f"/v1/notifications/webhooks/{identifier}"
    body: Body = {
        "id": identifier,
        "url": url,
        "event_types": [_type(name) for name in names],
        "links": [
            objects.link(scope, own, "self"),
            objects.link(scope, own, "update", "PATCH"),
            objects.link(scope, own, "delete", "DELETE"),
        ],
    }
    return objects.add(scope, "webhook", body)


def change(scope: Scope, hook: Body, *, url: str | None, names: list[str] | None) -> Body:
    """Move to another address, or listen to other events."""
    changed: Body = {} if url is None else {"url": url}
    changed |= {} if names is None else {"event_types": [_type(name) for name in names]}
    return objects.save(scope, hook["id"], hook | changed)


def forget_all(scope: Scope) -> None:
    """Listen nowhere any more."""
    for hook in objects.newest(scope, "webhook"):
        objects.remove(scope, hook["id"])


def _type(name: str) -> Body:
    return {"name": name, "description": "", "status": "ENABLED"}

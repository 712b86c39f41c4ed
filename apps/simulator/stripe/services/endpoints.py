"""Webhook endpoints of an account: an address, the events that it wants, and the secret that signs them."""

from apps.simulator.stripe.contracts import Body, Scope
from apps.simulator.stripe.services import ids, objects
from apps.simulator.stripe.services.events import API_VERSION


def add(
    scope: Scope,
    *,
    url: str,
    enabled_events: list[str],
    secret: str = "",
    is_connect: bool = False,
    **told: object,
) -> Body:
    """Listen at an address, and return the endpoint with the secret that is shown this once."""
    secret = secret or ids.draw(tx=scope.tx, kind="webhook_secret")
    body: Body = {
        "id": ids.draw(tx=scope.tx, kind="webhook_endpoint"),
        "object": "webhook_endpoint",
        "api_version": API_VERSION,
        "application": None,
        "created": scope.seconds,
        "description": told.get("description") or None,
        "enabled_events": enabled_events,
        "livemode": scope.account.is_live,
        "metadata": told.get("metadata") or {},
        "status": "enabled",
        "url": url,
    }
    objects.add(scope, body, secret=secret, is_connect=is_connect)
    return body | {"secret": secret}


def forget_all(scope: Scope) -> None:
    """Listen nowhere any more."""
    for endpoint in objects.newest(scope, "webhook_endpoint"):
        objects.remove(scope, endpoint["id"])

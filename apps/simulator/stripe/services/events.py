"""Events: what happened to an object, kept for thirty days and sent to the endpoints that want to know."""

import json
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from apps.simulator.services import callbacks
from apps.simulator.stripe.contracts import Body, Scope
from apps.simulator.stripe.services import accounts, ids, objects

API_VERSION = "2026-10-28.endive"
SENT_AFTER_MS = 200
SUMS = ("amount", "amount_total", "amount_subtotal", "amount_received", "amount_captured")


def tell(scope: Scope, name: str, body: Body) -> Body:
    """Keep an event about an object as it now stands, and owe it to every endpoint that listens."""
    event: Body = {
        "id": ids.draw(tx=scope.tx, kind="event"),
        "object": "event",
        "api_version": API_VERSION,
        "created": scope.seconds,
        "data": {"object": _announced(scope, body)},
        "livemode": scope.account.is_live,
        "pending_webhooks": 0,
        "request": {"id": scope.request or None, "idempotency_key": scope.key or None},
        "type": name,
    }
    listeners = _listeners(scope, name)
    event["pending_webhooks"] = len(listeners)
    if scope.account.platform:
        event["account"] = scope.account.id
    objects.add(scope, event, cause=body["id"])
    for url, secret in listeners:
        _owe(scope, event, url=url, secret=secret)
    return event


def _owe(scope: Scope, event: Body, *, url: str, secret: str) -> None:
    delivery = scope.plan.callback
    signing = {
        "scheme": "stripe",
        "secret": secret,
        "skew_ms": scope.plan.skew_ms,
        "is_bad": delivery.is_badly_signed,
    }
    callbacks.queue(
        tx=scope.tx,
        cause=event["id"],
        kind="webhook",
        url=url,
        payload=event,
        delivery=replace(delivery, signing=json.dumps(signing)),
        now=scope.now + (0 if delivery.is_first else SENT_AFTER_MS),
    )


def _listeners(scope: Scope, name: str) -> list[tuple[str, str]]:
    """Return address and secret of the endpoints of the account, and of its platform where it is connected."""
    own = [(scope, endpoint, False) for endpoint in objects.newest(scope, "webhook_endpoint")]
    if scope.account.platform:
        platform = accounts.get(tx=scope.tx, identifier=scope.account.platform)
        over = Scope(tx=scope.tx, account=platform, now=scope.now)
        own += [(over, endpoint, True) for endpoint in objects.newest(over, "webhook_endpoint")]
    found = []
    for owner, endpoint, is_connect in own:
        held = objects.private(owner, endpoint["id"])
        wanted = any(fnmatchcase(name, pattern) for pattern in endpoint["enabled_events"])
        if wanted and endpoint["status"] == "enabled" and bool(held["is_connect"]) is is_connect:
            found.append((endpoint["url"], held["secret"]))
    return found[::-1]


def _announced(scope: Scope, body: Body) -> Body:
    """Return the object as the event tells it: a plan may leave fields out of it, or tell another sum."""
    told: dict[str, Any] = dict(body)
    if scope.plan.announced_cents is not None:
        told |= {name: scope.plan.announced_cents for name in SUMS if told.get(name)}
    missing = tuple(told) if scope.plan.missing is None else scope.plan.missing
    return {name: value for name, value in told.items() if name not in missing}


def wrong_sum(scope: Scope, amount: int) -> int:
    """Return the sum that really moves: the one that was asked for, unless a plan says another."""
    return amount if scope.plan.moved_cents is None else scope.plan.moved_cents

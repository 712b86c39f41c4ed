"""Events: what happened to a resource, kept and sent to the addresses that want to know."""

import json
from dataclasses import replace
from typing import Any

from apps.simulator.paypal.contracts import Body, Scope
from apps.simulator.paypal.services import currencies, ids, objects
from apps.simulator.services import callbacks

SENT_AFTER_MS = 200
EVERYTHING = "*"
KINDS = {
    "CHECKOUT.ORDER": ("checkout-order", "2.0"),
    "CHECKOUT.PAYMENT-APPROVAL": ("checkout-order", "2.0"),
    "PAYMENT.AUTHORIZATION": ("authorization", "2.0"),
    "PAYMENT.CAPTURE": ("capture", "2.0"),
    "PAYMENT.REFUND": ("refund", "2.0"),
    "CUSTOMER.DISPUTE": ("dispute", "1.0"),
    "VAULT.PAYMENT-TOKEN": ("payment_token", "3.0"),
}
NAMES = ("id", "dispute_id", "order_id")
"""What identifies a resource."""
GIVEN_BACK = ("PAYMENT.CAPTURE.REFUNDED", "PAYMENT.CAPTURE.REVERSED")
"""Events of a capture whose resource is the refund that gave it back."""


def tell(scope: Scope, name: str, resource: Body, *, summary: str) -> Body:
    """Keep an event about a resource as it now stands, and owe it to every address that listens."""
    identifier = ids.draw(tx=scope.tx, kind="event")
    kind, version = KINDS[name.rpartition(".")[0]]
    event: Body = {
        "id": identifier,
        "event_version": "1.0",
        "create_time": objects.instant(scope.now),
        "resource_type": "refund" if name in GIVEN_BACK else kind,
        "resource_version": version,
        "event_type": name,
        "summary": summary,
        "resource": _announced(scope, resource),
        "links": [
            objects.link(scope, f"/v1/notifications/webhooks-events/{identifier}", "self"),
            objects.link(scope, f"/v1/notifications/webhooks-events/{identifier}/resend", "resend", "POST"),
        ],
    }
    objects.add(scope, "event", event, cause=next(resource[name] for name in NAMES if name in resource))
    for hook in reversed(objects.newest(scope, "webhook")):
        wanted = {kind["name"] for kind in hook["event_types"]}
        if wanted & {name, EVERYTHING}:
            owe(scope, event, hook)
    return event


def owe(scope: Scope, event: Body, hook: Body) -> None:
    """Owe an event to one address, in the way that the plan wants it to travel."""
    delivery = scope.plan.callback
    signing = {
        "scheme": "paypal",
        "webhook_id": hook["id"],
        "origin": objects.private(scope, hook["id"])["origin"],
        "transmission_id": ids.transmission(tx=scope.tx),
        "skew_ms": scope.plan.skew_ms,
        "is_bad": delivery.is_badly_signed,
    }
    callbacks.queue(
        tx=scope.tx,
        cause=event["id"],
        kind="webhook",
        url=hook["url"],
        payload=event,
        delivery=replace(delivery, signing=json.dumps(signing)),
        now=scope.now + (0 if delivery.is_first else SENT_AFTER_MS),
    )


def _announced(scope: Scope, resource: Body) -> Body:
    """Return the resource as the event tells it: a plan may leave fields out of it, or tell another sum."""
    told: dict[str, Any] = dict(resource)
    if scope.plan.announced_cents is not None and "amount" in told:
        told["amount"] = currencies.money(scope.plan.announced_cents, told["amount"]["currency_code"])
    missing = tuple(told) if scope.plan.missing is None else scope.plan.missing
    return {name: value for name, value in told.items() if name not in missing}

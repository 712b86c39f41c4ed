"""Endpoints of webhooks: the addresses that are told, what was told, and whether it was PayPal who told it."""

import json
from typing import TYPE_CHECKING

from apps.simulator.paypal.contracts import PayPalRefusal, Reply
from apps.simulator.paypal.services import certificates, events, objects, transmissions, webhooks

if TYPE_CHECKING:
    from apps.simulator.paypal.api.calls import Call

MOST_TYPES = 500
FIRST_PAGE, LARGEST_PAGE = 10, 300


def create(call: "Call") -> Reply:
    """Listen at an address."""
    url = call.fields.address("url", is_required=True)
    names = [
        kind.text("name", is_required=True) for kind in call.fields.items("event_types", most=MOST_TYPES)
    ]
    return Reply(201, webhooks.add(call.scope, url=url, names=names))


def retrieve(call: "Call", identifier: str) -> Reply:
    """Return a webhook."""
    return Reply(200, objects.get(call.scope, "webhook", identifier))


def list_all(call: "Call") -> Reply:
    """List webhooks."""
    return Reply(200, {"webhooks": objects.newest(call.scope, "webhook")})


def update(call: "Call", identifier: str) -> Reply:
    """Move to another address, or listen to other events."""
    hook = objects.get(call.scope, "webhook", identifier)
    try:
        changes = {change["path"]: change["value"] for change in json.loads(call.request.body)}
    except (ValueError, KeyError, TypeError) as broken:
        raise PayPalRefusal(400, "MALFORMED_REQUEST_JSON") from broken
    kinds = changes.get("/event_types")
    names = None if kinds is None else [str(kind.get("name")) for kind in kinds]
    return Reply(200, webhooks.change(call.scope, hook, url=changes.get("/url"), names=names))


def remove(call: "Call", identifier: str) -> Reply:
    """Listen there no more."""
    objects.get(call.scope, "webhook", identifier)
    objects.remove(call.scope, identifier)
    return Reply(204)


def list_events(call: "Call") -> Reply:
    """List what was told, newest first."""
    query = call.request.query
    size = query.get("page_size", str(FIRST_PAGE))
    if not size.isdecimal() or not 1 <= int(size) <= LARGEST_PAGE:
        raise PayPalRefusal(400, "INVALID_PARAMETER_VALUE", at="page_size", value=size)
    since, until = (query.get(name, "") for name in ("start_time", "end_time"))
    found = [
        event
        for event in objects.newest(call.scope, "event")
        if query.get("event_type", event["event_type"]) == event["event_type"]
        and (not since or objects.moment(event["create_time"]) >= objects.moment(since))
        and (not until or objects.moment(event["create_time"]) <= objects.moment(until))
    ]
    return Reply(200, {"events": found[: int(size)], "count": len(found[: int(size)]), "links": []})


def retrieve_event(call: "Call", identifier: str) -> Reply:
    """Return what was told."""
    return Reply(200, objects.get(call.scope, "event", identifier))


def resend(call: "Call", identifier: str) -> Reply:
    """Tell it once more, to all addresses or to those that are named."""
    event = objects.get(call.scope, "event", identifier)
    wanted = call.fields.values.get("webhook_ids")
    for hook in objects.newest(call.scope, "webhook"):
        if not wanted or hook["id"] in wanted:
            events.owe(call.scope, event, hook)
    return Reply(202, event)


def verify(call: "Call") -> Reply:
    """Say whether a message is PayPal's: its checksum is taken over the bytes of ``webhook_event`` as they came."""
    given = call.fields
    told = {
        name: given.text(name, is_required=True, longest=1_000)
        for name in (
            "auth_algo",
            "cert_url",
            "transmission_id",
            "transmission_sig",
            "transmission_time",
            "webhook_id",
        )
    }
    if not isinstance(given.values.get("webhook_event"), dict):
        raise given.missing("webhook_event")
    message = transmissions.message(
        number=told["transmission_id"],
        time=told["transmission_time"],
        webhook=told["webhook_id"],
        body=_raw(call.request.body.decode(), "webhook_event").encode(),
    )
    is_ours = (
        told["auth_algo"] == transmissions.ALGORITHM
        and objects.find(call.scope, "webhook", told["webhook_id"]) is not None
        and certificates.is_signed(tx=call.tx, message=message, signature=told["transmission_sig"])
    )
    return Reply(200, {"verification_status": "SUCCESS" if is_ours else "FAILURE"})


def _raw(body: str, name: str) -> str:
    """Return the text of one field of an object as it was written."""
    decoder, place = json.JSONDecoder(), body.index("{") + 1
    while True:
        place = _skip(body, place, ", \t\r\n")
        field, place = decoder.raw_decode(body, place)
        start = _skip(body, place, ": \t\r\n")
        _, place = decoder.raw_decode(body, start)
        if field == name:
            return body[start:place]


def _skip(body: str, place: int, blanks: str) -> int:
    while body[place] in blanks:
        place += 1
    return place

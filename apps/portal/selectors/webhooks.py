"""Webhook deliveries and sandbox inboxes, for a person in the portal."""

import json
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.access.selectors import scope
from apps.access.selectors.scope import Principal
from apps.events.selectors import inboxes, webhooks
from apps.events.services import sandbox_inboxes
from apps.kit import errors, ids
from apps.portal.contracts import (
    Arrival,
    DeliveryDetail,
    DeliveryLine,
    Fact,
    InboxLine,
    Raw,
    Step,
    Target,
    Tone,
)
from apps.portal.selectors import states, words
from apps.tenancy.selectors import organisations

SIGNATURES = {True: "valid", False: "invalid", None: "unchecked"}


def deliveries(caller: Principal) -> QuerySet[Any]:
    """Return the deliveries of events of the caller's branches to the endpoints of every application, newest first."""
    rows = webhooks.deliveries(application_id=None, branch_ids=None)
    branch_ids = scope.branch_ids(caller)
    visible = rows if branch_ids is None else rows.filter(event__branch_id__in=branch_ids)
    return visible.order_by("-id")


def line(delivery: Any) -> DeliveryLine:
    """Return a delivery read with its event and endpoint as one line of a list."""
    return DeliveryLine(
        id=delivery.id,
        event=delivery.event.type,
        subject=_subject(delivery.event),
        url=delivery.endpoint.url,
        host=words.host(delivery.endpoint.url),
        status=str(delivery.status),
        badge=states.WEBHOOK[delivery.status],
        attempts=delivery.attempt_count,
        answer=_answer(delivery.last_http_status, delivery.last_error),
        created_at=delivery.created_at,
        next_attempt_at=delivery.next_attempt_at,
        finished_at=delivery.finished_at,
    )


def detail(delivery_id: UUID, caller: Principal) -> DeliveryDetail:
    """Return one delivery; raise NotFound for one that the caller may not see."""
    delivery = deliveries(caller).filter(id=delivery_id).first()
    if delivery is None:
        raise errors.NotFound("There is no such webhook delivery.")
    event = delivery.event
    attempts = sorted(delivery.attempts.all(), key=lambda attempt: attempt.number)
    return DeliveryDetail(
        line=line(delivery),
        attempts=tuple(_attempt(attempt) for attempt in attempts),
        payload=words.without_phones(json.dumps(event.data, indent=2, ensure_ascii=False)),
        about=_about(event),
        identifiers=(
            Fact(_("Webhook id"), ids.encode("evt", event.id)),
            Fact(_("Delivery"), str(delivery.id)),
            *([Fact(_("Request id"), event.request_id)] if event.request_id else []),
        ),
    )


def _attempt(attempt: Any) -> Step:
    is_good = not attempt.error
    status = attempt.http_status if attempt.http_status is not None else _("no answer")
    title = _("Attempt %(number)s: %(status)s") % {"number": attempt.number, "status": status}
    where = f" {attempt.address}" if attempt.address else ""
    text = f"{attempt.duration_ms} ms{where}"
    if attempt.error:
        text = f"{text}. {attempt.error_detail or attempt.error}"
    headers = "\n".join(f"{name}: {value}" for name, value in attempt.response_headers.items())
    answer = f"{headers}\n\n{attempt.response_body}".strip()
    return Step(
        attempt.at,
        Tone.DONE if is_good else Tone.FAILED,
        "check_circle" if is_good else "cancel",
        title,
        text,
        raws=(Raw(_("Answer"), answer),) if answer else (),
    )


def _answer(http_status: int | None, error: str) -> str:
    if http_status is not None:
        return str(http_status)
    return error.lower().replace("_", " ") or "not tried yet"


def _subject(event: Any) -> str:
    shown = event.data.get("object")
    return str(shown.get("id", "")) if isinstance(shown, dict) else ""


def _about(event: Any) -> Target | None:
    if event.aggregate_type != "payment_intent":
        return None
    return Target("payment", event.aggregate_id, ids.encode("pi", event.aggregate_id))


def is_sandbox_available(caller: Principal) -> bool:
    """Say whether this person may see inboxes: they hold events of every branch."""
    return sandbox_inboxes.is_available() and scope.branch_ids(caller) is None


def inbox_lines(caller: Principal) -> list[InboxLine]:
    """Return the organisation's inboxes, newest first; raise NotFound where there can be none."""
    _require_sandbox(caller)
    return [_inbox(inbox) for inbox in inboxes.visible(application_id=None)]


def inbox(inbox_id: UUID, caller: Principal) -> InboxLine:
    """Return one inbox; raise NotFound."""
    _require_sandbox(caller)
    found = inboxes.get(inbox_id)
    if found is None:
        raise errors.NotFound("There is no such sandbox inbox.")
    return _inbox(found)


def arrivals(inbox_id: UUID) -> QuerySet[Any]:
    """Return what an inbox received; whether the reader may see it was decided where the inbox was read."""
    return inboxes.requests(inbox_id)


def arrival(request: Any) -> Arrival:
    """Return a received request for people."""
    body = bytes(request.body).decode("utf-8", errors="replace")
    payload = _parsed(body)
    headers = "\n".join(f"{name}: {value}" for name, value in sorted(request.headers.items()))
    return Arrival(
        id=request.id,
        title=str(payload.get("type", "")) or request.method,
        received_at=request.received_at,
        signature=SIGNATURES[request.is_signature_valid],
        badge=states.SIGNATURE[request.is_signature_valid],
        note=request.signature_note,
        webhook_id=request.webhook_id,
        answered=request.answered_status,
        raws=(
            Raw(_("Body"), json.dumps(payload, indent=2, ensure_ascii=False) if payload else body),
            Raw(_("Headers"), headers),
        ),
    )


def _parsed(body: str) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _inbox(inbox: Any) -> InboxLine:
    failing = (
        _("%(status)s, %(count)s more times") % {"status": inbox.fail_status, "count": inbox.fail_remaining}
        if inbox.fail_remaining
        else ""
    )
    label = inbox.label or _("Inbox %(token)s") % {"token": inbox.token[:8]}
    return InboxLine(inbox.id, label, sandbox_inboxes.url(inbox), inbox.created_at, failing)


def _require_sandbox(caller: Principal) -> None:
    if not is_sandbox_available(caller):
        name = organisations.current().name
        raise errors.NotFound(
            f"{name} has no sandbox inboxes that you may see: they are for test organisations."
        )

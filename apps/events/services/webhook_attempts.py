"""Attempts to deliver a webhook: claimed by a lease, sent outside any transaction, recorded whatever happens."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.events import rendering
from apps.events.models import AttemptError, EndpointStatus, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from apps.events.services import signatures, webhook_endpoints, webhook_urls
from apps.kit import faults, http, ids, schema
from apps.tenancy.selectors import organisations

BODY_KEPT = 4096
HEADERS_KEPT = 50
HEADER_LENGTH = 500
DETAIL_LENGTH = 500
GONE = 410
KINDS = {
    "dns": AttemptError.DNS,
    "blocked": AttemptError.SSRF_BLOCKED,
    "tls": AttemptError.TLS,
    "timeout": AttemptError.TIMEOUT,
    "connect_timeout": AttemptError.TIMEOUT,
    "too_large": AttemptError.TOO_LARGE,
}


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to send one delivery once: what to send and to where; ``number`` is the fence."""

    delivery_id: UUID
    number: int
    url: str
    headers: dict[str, str]
    body: bytes
    policy: http.AddressPolicy
    at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one attempt brought: an answer, or a reason why there is none."""

    duration_ms: int
    answer: http.Answer | None = None
    error: AttemptError | None = None
    detail: str = ""

    @property
    def http_status(self) -> int | None:
        return None if self.answer is None else self.answer.status


def make(*, delivery_id: UUID, now: datetime) -> bool:
    """
    Send one delivery if it is due and nobody else is sending it; return whether an attempt was made.

    Never two senders at once: a claim keeps others away for its lease, after which a killed sender's delivery is sent
    again under the same webhook id. Call it outside a transaction.
    """
    claim = _claim(delivery_id, now)
    if claim is None:
        return False
    faults.reach("events.before_webhook")
    outcome = _send(claim)
    faults.reach("events.after_webhook")
    _record(claim, outcome)
    return True


@transaction.atomic
def _claim(delivery_id: UUID, now: datetime) -> Claim | None:
    row = (
        WebhookDelivery.objects.due(now)
        .filter(id=delivery_id)
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("endpoint", "event")
        .first()
    )
    if row is None:
        return None
    endpoint = row.endpoint
    if endpoint.deleted_at is not None or endpoint.status != EndpointStatus.ENABLED:
        row.cancel(at=now)
        row.save(update_fields=["status", "next_attempt_at", "locked_until", "finished_at"])
        return None
    row.claim(at=now)
    row.save(update_fields=["attempt_count", "step", "locked_until"])
    body = rendering.body(row.event, organisation=organisations.current())
    signed = signatures.headers(
        message_id=ids.encode(rendering.EVENT, row.event_id),
        at=now,
        body=body,
        keys=webhook_endpoints.signing_keys(endpoint, now),
    )
    headers = {"content-type": "application/json", "user-agent": "Treasury-Webhooks/1.0", **signed}
    return Claim(row.id, row.attempt_count, endpoint.url, headers, body, webhook_urls.policy(), now)


def _send(claim: Claim) -> Outcome:
    client = http.Client(policy=claim.policy, read_timeout=settings.TREASURY["WEBHOOK_TIMEOUT"])
    schema.rest()
    started = time.monotonic()
    try:
        webhook_urls.check(claim.url)
        answer = client.send("POST", claim.url, headers=claim.headers, content=claim.body)
    except webhook_urls.WebhookUrlInvalid as refusal:
        return Outcome(0, error=AttemptError.SSRF_BLOCKED, detail=refusal.detail)
    except (http.NotSent, http.NoAnswer) as failure:
        kind = KINDS.get(failure.kind, AttemptError.TCP)
        return Outcome(_milliseconds_since(started), error=kind, detail=str(failure))
    return Outcome(answer.elapsed_ms, answer, _refusal(answer.status))


def _refusal(status: int) -> AttemptError | None:
    """Only 2xx is success; a redirect is not followed."""
    match status // 100:
        case 2:
            return None
        case 3:
            return AttemptError.HTTP_3XX
        case 4:
            return AttemptError.HTTP_4XX
        case _:
            return AttemptError.HTTP_5XX


@transaction.atomic
def _record(claim: Claim, outcome: Outcome) -> None:
    """Keep the attempt, and move the delivery unless its lease ended and another sender has taken over."""
    ended = claim.at + timedelta(milliseconds=outcome.duration_ms)
    row = WebhookDelivery.objects.locked().select_related("endpoint").get(id=claim.delivery_id)
    _insert(claim, outcome)
    if row.attempt_count != claim.number:
        return
    if outcome.error is None and outcome.answer is not None:
        row.deliver(http_status=outcome.answer.status, at=ended)
    else:
        row.fail(
            error=outcome.error or AttemptError.TCP,
            http_status=outcome.http_status,
            retry_after=retry_after(outcome.answer, ended),
            at=ended,
        )
    _judge(row, outcome, ended)
    row.save(
        update_fields=[
            "status",
            "last_http_status",
            "last_error",
            "next_attempt_at",
            "locked_until",
            "finished_at",
        ]
    )


def _judge(row: WebhookDelivery, outcome: Outcome, now: datetime) -> None:
    """Keep the endpoint's health: gone or failing for five days switches it off, an answer clears it."""
    if outcome.error is None and row.endpoint.failing_since is None:
        return
    endpoint = WebhookEndpoint.objects.locked().get(id=row.endpoint_id)
    if outcome.error is None:
        endpoint.answered()
    else:
        endpoint.failed(at=now)
    is_gone = outcome.http_status == GONE
    if endpoint.status == EndpointStatus.ENABLED and (is_gone or endpoint.is_failing_too_long(now)):
        reason = "The endpoint answered 410 Gone." if is_gone else "Every delivery has failed for five days."
        webhook_endpoints.give_up(endpoint=endpoint, reason=reason, now=now)
    else:
        endpoint.save(update_fields=["failing_since"])
    if is_gone and row.next_attempt_at is not None:
        row.cancel(at=now)


def _insert(claim: Claim, outcome: Outcome) -> None:
    answer = outcome.answer
    WebhookAttempt.objects.create(
        delivery_id=claim.delivery_id,
        number=claim.number,
        url=claim.url,
        at=claim.at,
        duration_ms=outcome.duration_ms,
        address=answer.address if answer else "",
        http_status=outcome.http_status,
        response_headers=_kept_headers(answer) if answer else {},
        response_body=_text(answer.body[:BODY_KEPT]) if answer else "",
        error=outcome.error or "",
        error_detail=_text(outcome.detail.encode())[:DETAIL_LENGTH],
    )


def retry_after(answer: http.Answer | None, now: datetime) -> timedelta | None:
    """Return the wait that the receiver asked for, as seconds or as a date (RFC 9110 section 10.2.3), or None."""
    text = answer.headers.get("retry-after", "").strip() if answer else ""
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text), 10**6))
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(aware - now, timedelta(0))


def _kept_headers(answer: http.Answer) -> dict[str, str]:
    kept = list(answer.headers.items())[:HEADERS_KEPT]
    return {
        _text(name.encode())[:HEADER_LENGTH]: _text(value.encode())[:HEADER_LENGTH] for name, value in kept
    }


def _text(raw: bytes) -> str:
    """Return text that PostgreSQL can hold, whatever a receiver sent."""
    return raw.decode("utf-8", "replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _milliseconds_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)

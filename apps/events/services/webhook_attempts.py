"""Attempts to deliver webhooks: claimed by a lease, sent outside any transaction, recorded whatever happens."""

import time
from collections.abc import Sequence
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
from apps.kit.compiled import Compiled, Inserted, Saved
from apps.tenancy.selectors import organisations

SENT_AT_ONCE = 10
CANCELLED_AT_ONCE = 1000
SHARE = timedelta(seconds=5)
_KEPT = Inserted[WebhookAttempt]()
_MOVED = Saved[WebhookDelivery](
    "status", "last_http_status", "last_error", "next_attempt_at", "locked_until", "finished_at"
)
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
    """The right to send one delivery once; ``number`` is the fence."""

    delivery_id: UUID
    number: int
    message_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """Deliveries to one endpoint that one sender has taken up: to where they go, and what signs them."""

    endpoint_id: UUID
    url: str
    policy: http.AddressPolicy
    keys: list[bytes]
    claims: list[Claim]


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


@dataclass(frozen=True, slots=True)
class Attempt:
    """One delivery that was sent: by which claim, when, and what came of it."""

    claim: Claim
    at: datetime
    outcome: Outcome

    @property
    def ended_at(self) -> datetime:
        return self.at + timedelta(milliseconds=self.outcome.duration_ms)

    @property
    def is_gone(self) -> bool:
        return self.outcome.http_status == GONE


def make(*, endpoint_id: UUID, now: datetime) -> int:
    """
    Send to one endpoint what is due and nobody else is sending, one after the other; return how many attempts were made.

    Ten at most, and no more once five seconds have passed or the endpoint is gone: what was not sent is due again at once.
    Never two senders of one delivery: a claim keeps others away for its lease, after which what a killed sender held
    is sent again under the same webhook id. Call it outside a transaction.
    """
    batch = _claim(endpoint_id, now)
    if not batch.claims:
        return 0
    attempts = _attempts(batch, now)
    _record(batch, attempts)
    return len(attempts)


_ENDPOINT = Compiled(lambda endpoint_id: WebhookEndpoint.objects.filter(id=endpoint_id), UUID)
_DUE = Compiled(
    lambda now, endpoint_id: (
        WebhookDelivery.objects.due(now)
        .filter(endpoint_id=endpoint_id)
        .order_by("next_attempt_at", "id")
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("event")[:SENT_AT_ONCE]
    ),
    datetime,
    UUID,
)


@transaction.atomic
def _claim(endpoint_id: UUID, now: datetime) -> Batch:
    endpoint = _ENDPOINT.one(endpoint_id)
    if endpoint.deleted_at is not None or endpoint.status != EndpointStatus.ENABLED:
        _cancel(endpoint, now)
        return Batch(endpoint.id, endpoint.url, webhook_urls.policy(), [], [])
    rows = _DUE.all(now, endpoint_id)
    WebhookDelivery.objects.filter(id__in=[row.id for row in rows]).claim(at=now)
    claims = [
        Claim(
            row.id,
            row.attempt_count + 1,
            ids.encode(rendering.EVENT, row.event_id),
            rendering.body(row.event, organisation=organisations.current()),
        )
        for row in rows
    ]
    keys = webhook_endpoints.signing_keys(endpoint, now) if rows else []
    return Batch(endpoint.id, endpoint.url, webhook_urls.policy(), keys, claims)


def _cancel(endpoint: WebhookEndpoint, now: datetime) -> None:
    due = WebhookDelivery.objects.due(now).filter(endpoint=endpoint).order_by("next_attempt_at", "id")
    cancelled = list(due.select_for_update(skip_locked=True, of=("self",))[:CANCELLED_AT_ONCE])
    for row in cancelled:
        row.cancel(at=now)
    _MOVED.save(*cancelled)


def _attempts(batch: Batch, now: datetime) -> list[Attempt]:
    """Send until the share of time is over. Nothing is read or written meanwhile, and no connection is held."""
    schema.rest()
    at, made = now, list[Attempt]()
    client = http.Client(policy=batch.policy, read_timeout=settings.TREASURY["WEBHOOK_TIMEOUT"])
    with client.line(batch.url) as line:
        for claim in batch.claims:
            faults.reach("events.before_webhook")
            attempt = Attempt(claim, at, _send(line, batch.keys, claim, at))
            faults.reach("events.after_webhook")
            made.append(attempt)
            at = attempt.ended_at
            if attempt.is_gone or at - now > SHARE:
                break
    return made


def _send(line: http.Line, keys: list[bytes], claim: Claim, at: datetime) -> Outcome:
    signed = signatures.headers(message_id=claim.message_id, at=at, body=claim.body, keys=keys)
    headers = {"content-type": "application/json", "user-agent": "Treasury-Webhooks/1.0", **signed}
    started = time.monotonic()
    try:
        webhook_urls.check(line.url)
        answer = line.send("POST", headers=headers, content=claim.body)
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
def _record(batch: Batch, attempts: Sequence[Attempt]) -> None:
    """
    Keep the attempts, move their deliveries and give back what was not sent.

    A delivery whose lease ended meanwhile, and that another sender has taken over, is left to him.
    """
    held = {claim.delivery_id: claim.number for claim in batch.claims}
    locked = WebhookDelivery.objects.locked().filter(id__in=held).order_by("id")
    rows = {row.id: row for row in locked if row.attempt_count == held[row.id]}
    _KEPT.insert(*(_row(batch.url, attempt) for attempt in attempts))
    sent = {attempt.claim.delivery_id for attempt in attempts}
    unsent = rows.keys() - sent
    if unsent:
        WebhookDelivery.objects.filter(id__in=unsent).give_back()
    owned = [attempt for attempt in attempts if attempt.claim.delivery_id in rows]
    for attempt in owned:
        _move(rows[attempt.claim.delivery_id], attempt)
    _judge(batch.endpoint_id, owned)
    _MOVED.save(*(rows[attempt.claim.delivery_id] for attempt in owned))


def _move(row: WebhookDelivery, attempt: Attempt) -> None:
    outcome = attempt.outcome
    if outcome.error is None and outcome.answer is not None:
        row.deliver(http_status=outcome.answer.status, at=attempt.ended_at)
        return
    row.fail(
        error=outcome.error or AttemptError.TCP,
        http_status=outcome.http_status,
        retry_after=retry_after(outcome.answer, attempt.ended_at),
        at=attempt.ended_at,
    )
    if attempt.is_gone and row.next_attempt_at is not None:
        row.cancel(at=attempt.ended_at)


def _judge(endpoint_id: UUID, attempts: Sequence[Attempt]) -> None:
    """Keep the endpoint's health: gone or failing for five days switches it off, an answer clears it."""
    is_well = all(attempt.outcome.error is None for attempt in attempts)
    if not attempts or (is_well and _ENDPOINT.one(endpoint_id).failing_since is None):
        return
    endpoint = WebhookEndpoint.objects.locked().get(id=endpoint_id)
    for attempt in attempts:
        if attempt.outcome.error is None:
            endpoint.answered()
        else:
            endpoint.failed(at=attempt.ended_at)
    last = attempts[-1]
    if endpoint.status == EndpointStatus.ENABLED and (
        last.is_gone or endpoint.is_failing_too_long(last.ended_at)
    ):
        reason = (
            "The endpoint answered 410 Gone." if last.is_gone else "Every delivery has failed for five days."
        )
        webhook_endpoints.give_up(endpoint=endpoint, reason=reason, now=last.ended_at)
    else:
        endpoint.save(update_fields=["failing_since"])


def _row(url: str, attempt: Attempt) -> WebhookAttempt:
    outcome, answer = attempt.outcome, attempt.outcome.answer
    return WebhookAttempt(
        delivery_id=attempt.claim.delivery_id,
        number=attempt.claim.number,
        url=url,
        at=attempt.at,
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

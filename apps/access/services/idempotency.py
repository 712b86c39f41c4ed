"""Answers kept for repeated requests: found, stored with the work, and purged when nobody repeats any more."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.access.models import IdempotencyRecord
from apps.kit import errors, locks
from apps.kit.compiled import Compiled, Inserted

PURGE_BATCH = 1000


class KeyReused(errors.Invalid):
    """The idempotency key was used before, for another request."""

    code = "idempotency_key_reused"
    title = "Idempotency key reused"


class InProgress(errors.DomainError):
    """A request with this idempotency key is being worked on at this moment."""

    code = "idempotency_in_progress"
    title = "Request in progress"
    category = "request"
    retryable = True
    wait = 0.5
    """Seconds; goes out as ``Retry-After: 1``."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A rendered HTTP answer: what a repeated request gets, byte by byte."""

    status: int
    headers: Mapping[str, str]
    body: bytes


_KEPT = Inserted[IdempotencyRecord]()
_ANSWERED = Compiled(
    lambda application_id, key: IdempotencyRecord.objects.filter(application_id=application_id, key=key),
    UUID,
    str,
)


def claim(*, application_id: UUID, key: str, fingerprint: str) -> Answer | None:
    """
    Hold the key until the transaction ends, and return the stored answer if the request was answered before.

    Never waits. Raises InProgress while another transaction holds the key, and KeyReused when the key was used for
    another request.
    """
    if not locks.try_advisory(f"idempotency:{application_id}:{key}"):
        raise InProgress("A request with this Idempotency-Key is in progress. Repeat it in a second.")
    record = _ANSWERED.first(application_id, key)
    if record is None:
        return None
    if record.fingerprint != fingerprint:
        raise KeyReused("This Idempotency-Key was used for another request. Take a new key.")
    return Answer(record.status, record.headers, bytes(record.body))


def store(
    *,
    application_id: UUID,
    key: str,
    fingerprint: str,
    method: str,
    path: str,
    answer: Answer,
    now: datetime,
) -> None:
    """Keep the answer in the transaction of the work; the caller holds the key by ``claim``."""
    _KEPT.insert(
        IdempotencyRecord(
            application_id=application_id,
            key=key,
            fingerprint=fingerprint,
            method=method,
            path=path[:500],
            status=answer.status,
            headers=dict(answer.headers),
            body=answer.body,
            created_at=now,
        )
    )


def purge(*, now: datetime) -> int:
    """
    Remove the records that are older than TREASURY["IDEMPOTENCY_HOURS"] (72) and return how many there were.

    Works in batches, each with a transaction of its own, so that requests never wait long.
    """
    before = now - timedelta(hours=cast(int, settings.TREASURY["IDEMPOTENCY_HOURS"]))
    removed = 0
    while True:
        with transaction.atomic():
            old = IdempotencyRecord.objects.filter(created_at__lt=before).order_by("created_at")
            batch = list(old.values_list("id", flat=True)[:PURGE_BATCH])
            removed += IdempotencyRecord.objects.filter(id__in=batch).delete()[0]
        if len(batch) < PURGE_BATCH:
            return removed

"""The inbox of callbacks: stored before anybody reads them, announced, and kept until each has found its subject."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

import redis
from django.core.cache import cache
from django.db import transaction

from apps.events.services import outbox
from apps.integrations import events
from apps.integrations.contracts import CallbackStatus, StoredCallback
from apps.integrations.models import CallbackProcessing, ProviderCallback
from apps.integrations.models.redaction import without_secrets
from apps.kit import logs, schema
from apps.kit.errors import DomainError, NotFound

PER_SOURCE_AND_MINUTE = 3000
WINDOW = timedelta(minutes=1)
HEADERS_MAX = 60
HEADER_LENGTH = 1000
NOTE_LENGTH = 300
BATCH = 200

log = logs.get(__name__)


class CallbackUnknown(NotFound):
    """There is no callback with that id."""

    code = "callback_unknown"
    title = "No such callback"


class TooManyCallbacks(DomainError):
    """One address has sent more in a minute than any provider does; what it sends now is not kept."""

    code = "rate_limited"
    title = "Too many requests"
    status = 429
    category = "rate"
    retryable = True


@transaction.atomic
def store(
    *, token: str, kind: str, body: bytes, headers: Mapping[str, str], remote_ip: str, now: datetime
) -> StoredCallback:
    """
    Keep a callback as it came and announce it, in one transaction. Nothing of it is read, so forged ones are kept too.

    Raises TooManyCallbacks beyond 3,000 in a minute from one address: real callbacks lost that way are made good by
    the poller.
    """
    _admit(remote_ip)
    kept = dict(list(headers.items())[:HEADERS_MAX])
    callback = ProviderCallback.objects.create(
        token=token,
        kind=kind,
        body=body,
        headers=without_secrets({name: _storable(value) for name, value in kept.items()}),
        remote_ip=remote_ip or None,
        sha256=hashlib.sha256(body).hexdigest(),
        received_at=now,
    )
    CallbackProcessing.objects.create(callback=callback)
    outbox.publish(events.received(callback), now=now)
    return callback.as_stored()


def get(callback_id: UUID) -> StoredCallback:
    """Return a callback as it came in; raise CallbackUnknown."""
    callback = ProviderCallback.objects.filter(id=callback_id).first()
    if callback is None:
        raise CallbackUnknown("There is no callback with that id.")
    return callback.as_stored()


@transaction.atomic
def mark(
    callback_id: UUID,
    status: CallbackStatus,
    note: str = "",
    *,
    now: datetime,
    subject_id: UUID | None = None,
) -> None:
    """
    Write down what became of a callback, in the transaction that made it so.

    The first final verdict stands: a later one changes nothing. UNMATCHED has it announced again after 5 seconds,
    30 seconds, 2 and 15 minutes, and parks it for people after that. Raises CallbackUnknown.
    """
    processing = CallbackProcessing.objects.locked().filter(callback_id=callback_id).first()
    if processing is None:
        raise CallbackUnknown("There is no callback with that id.")
    if processing.is_final:
        return
    text = note.replace("\x00", "")[:NOTE_LENGTH]
    if status == CallbackStatus.UNMATCHED:
        processing.postpone(note=text, at=now)
    else:
        processing.finish(verdict=CallbackStatus(status), note=text, subject_id=subject_id, at=now)
    processing.save()
    if processing.is_parked:
        log.warning("callback_parked", callback_id=str(callback_id), note=text)


@transaction.atomic
def rematch_due(*, now: datetime) -> int:
    """Announce the unmatched callbacks whose time has come once more, and return how many; safe to run at the same time."""
    due = list(
        CallbackProcessing.objects.due(now)
        .select_for_update(of=("self",), skip_locked=True)
        .select_related("callback")
        .order_by("match_again_at")[:BATCH]
    )
    for processing in due:
        processing.take()
        processing.save(update_fields=["match_again_at"])
        outbox.publish(events.received(processing.callback), now=now)
    return len(due)


def _storable(value: str) -> str:
    return value.replace("\x00", "")[:HEADER_LENGTH]


def _admit(remote_ip: str) -> None:
    """Count one more of this address; a cache that is down lets everything in, because callbacks do not come twice."""
    key = f"callbacks:{schema.name()}:{remote_ip}"
    try:
        cache.add(key, 0, timeout=int(WINDOW.total_seconds()))
        count = cache.incr(key)
    except (redis.RedisError, ValueError) as error:  # ValueError: the window ended between the two
        log.warning("callback_count_unavailable", reason=type(error).__name__)
        return
    if count > PER_SOURCE_AND_MINUTE:
        raise TooManyCallbacks("Too many callbacks from this address; they are not kept.")

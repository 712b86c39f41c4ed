"""The inbox of callbacks: stored before anybody reads them, announced, and kept with what became of each."""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.events.services import outbox
from apps.integrations import events
from apps.integrations.contracts import WEBHOOK, CallbackStatus, StoredCallback
from apps.integrations.models import CallbackProcessing, ProviderCallback
from apps.integrations.models.callback import EVENT_ID_LENGTH
from apps.integrations.models.redaction import without_secrets
from apps.kit import logs, rate_limits, remote, schema
from apps.kit.compiled import Compiled, Inserted, Saved
from apps.kit.errors import NotFound
from apps.kit.rate_limits import InOutage, Limit

PER_SOURCE_AND_MINUTE = 12_000
"""A provider sends all that it has to tell from few addresses: two hundred a second must come through."""
BYTES_PER_SOURCE_AND_MINUTE = 60_000_000
WINDOW = 60
HEADERS_MAX = 60
HEADER_LENGTH = 1000
NOTE_LENGTH = 300
SIGNATURE = re.compile(r"-(signature|sig)$", re.IGNORECASE)

log = logs.get(__name__)


class CallbackUnknown(NotFound):
    """There is no callback with that id."""

    code = "callback_unknown"
    title = "No such callback"


_STORED = Inserted[ProviderCallback]()
_BEGUN = Inserted[CallbackProcessing]()
_BY_ID = Compiled(lambda callback_id: ProviderCallback.objects.filter(id=callback_id), UUID)
_PROCESSING = Compiled(
    lambda callback_id: CallbackProcessing.objects.locked().filter(callback_id=callback_id), UUID
)
_MARKED = Saved[CallbackProcessing]("status", "subject_id", "note", "event_id", "finished_at")


@transaction.atomic
def store(
    *,
    token: str,
    kind: str,
    body: bytes,
    headers: Mapping[str, str],
    remote_ip: str,
    now: datetime,
    is_announced: bool = True,
) -> StoredCallback:
    """
    Keep a callback as it came and announce it, in one transaction. Nothing of it is read, so forged ones are kept too.

    What is answered by its meaning, at once, is not announced: whoever answers it says what became of it.

    Raises RateLimited beyond 12,000, or 60 MB, in a minute from one source: of real callbacks lost that way the poller makes
    good those that were asked for, and lists of movements, where they are read, the others.
    """
    _admit(remote_ip, size=len(body), now=now)
    kept = dict(list(headers.items())[:HEADERS_MAX])
    callback = ProviderCallback(
        token=token,
        kind=kind,
        body=body,
        headers=_headers(kind, {name: _storable(value) for name, value in kept.items()}),
        remote_ip=remote_ip or None,
        sha256=hashlib.sha256(body).hexdigest(),
        received_at=now,
    )
    _STORED.insert(callback)
    _BEGUN.insert(CallbackProcessing(callback=callback))
    if is_announced:
        outbox.publish(events.received(callback), now=now, is_first=True)
    return callback.as_stored()


def get(callback_id: UUID) -> StoredCallback:
    """Return a callback as it came in; raise CallbackUnknown."""
    return _found(callback_id).as_stored()


def _found(callback_id: UUID) -> ProviderCallback:
    callback = _BY_ID.first(callback_id)
    if callback is None:
        raise CallbackUnknown("There is no callback with that id.")
    return callback


@transaction.atomic(savepoint=False)
def mark(
    callback_id: UUID,
    status: CallbackStatus,
    note: str = "",
    *,
    now: datetime,
    subject_id: UUID | None = None,
    event_id: str = "",
) -> None:
    """
    Write down what became of a callback, in the transaction that made it so.

    ``event_id`` is by which its provider knows a signed message. The first final verdict stands: a later one changes nothing. UNMATCHED is not final: it waits for people, is logged
    as a warning, and a later verdict may end it. Raises CallbackUnknown.
    """
    processing = _PROCESSING.first(callback_id)
    if processing is None:
        raise CallbackUnknown("There is no callback with that id.")
    if processing.is_final:
        return
    processing.event_id = processing.event_id or event_id.replace("\x00", "")[:EVENT_ID_LENGTH]
    text = note.replace("\x00", "")[:NOTE_LENGTH]
    if status == CallbackStatus.UNMATCHED:
        processing.set_aside(note=text, subject_id=subject_id)
        log.warning("callback_unmatched", callback_id=str(callback_id), note=text)
    else:
        processing.finish(verdict=CallbackStatus(status), note=text, subject_id=subject_id, at=now)
    _MARKED.save(processing)


def is_repeated(callback_id: UUID, *, event_id: str) -> bool:
    """Say whether another message that came to the same address under the same id of its provider was applied."""
    token = ProviderCallback.objects.filter(id=callback_id).values("token")[:1]
    others = CallbackProcessing.objects.filter(
        event_id=event_id, callback__token=token, status=CallbackStatus.APPLIED.value
    )
    return bool(event_id) and others.exclude(callback_id=callback_id).exists()


@transaction.atomic
def announce_again(callback_id: UUID, *, now: datetime) -> None:
    """Have a stored callback read once more, by whoever read it when it came. Raises CallbackUnknown."""
    outbox.publish(events.received(_found(callback_id)), now=now)


def _headers(kind: str, came: Mapping[str, str]) -> Mapping[str, str]:
    """Return headers without secrets. The signature of a signed message is none: it proves that message and no other."""
    shown = without_secrets(came)
    return {name: came[name] if kind == WEBHOOK and SIGNATURE.search(name) else shown[name] for name in came}


def _storable(value: str) -> str:
    return value.replace("\x00", "")[:HEADER_LENGTH]


def _admit(remote_ip: str, *, size: int, now: datetime) -> None:
    """Count this source's callbacks and bytes; a Redis that is away lets all in, because callbacks do not come twice."""
    source = f"callbacks:{schema.name()}:{remote.holder(remote_ip)}"
    limits = [
        Limit("callbacks", f"{source}:count", PER_SOURCE_AND_MINUTE, WINDOW),
        Limit("bytes", f"{source}:bytes", BYTES_PER_SOURCE_AND_MINUTE, WINDOW, cost=size),
    ]
    refusal = "Too many callbacks from this address; they are not kept."
    rate_limits.require(limits, now=now, in_outage=InOutage.LET_IN, refusal=refusal)

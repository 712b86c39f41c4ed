"""Callbacks to businesses: queued in the store, then sent once by a background thread or handed out once; only signed ones are repeated."""

import http.client
import ipaddress
import json
import socket
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import SplitResult, urlsplit

from apps.simulator.contracts import Callback, CallbackState, Delivery
from apps.simulator.services import call_log, signatures
from apps.simulator.store import Store, read_setting, write_setting

TIMEOUT_SECONDS = 5
VALIDATION_SECONDS = 8
HTTP_OK = 200
HTTP_MULTIPLE_CHOICES = 300
LARGEST_ANSWER = 16_384
HELD = "callbacks_held"
BEHIND_MS = 60_000
OVERTAKEN_MS = 500
REPEATS_MS = (5_000, 60_000, 300_000, 1_800_000, 7_200_000, 28_800_000)
"""How long after each try of a signed message that was not taken the next one comes."""
COLUMNS = "id, cause, kind, url, body, due_at, is_first, behind, source, signing, attempt"


class AddressRefused(Exception):
    """The simulator sends to plain HTTP on this computer only."""


class NotTaken(Exception):
    """No validation of this number has been handed out and waits for its answer."""


def queue(
    *,
    tx: sqlite3.Connection,
    cause: str,
    kind: str,
    url: str,
    payload: Mapping[str, object],
    delivery: Delivery,
    now: int,
) -> None:
    """Owe a message as often and as late as its delivery says, and replay older ones beside it if it says so."""
    body = json.dumps(payload)
    state = CallbackState.DROPPED if delivery.is_dropped else CallbackState.QUEUED
    waits_ms = delivery.delay_ms + (BEHIND_MS if delivery.behind else 0)
    for copy in range(delivery.count):
        callback = Callback(
            id=0,
            cause=cause,
            kind=kind,
            url=url,
            body=body,
            due_at=now + waits_ms + copy * delivery.spacing_ms,
            is_first=delivery.is_first,
            behind=delivery.behind,
            source=delivery.source,
            signing=delivery.signing,
        )
        _insert(tx=tx, callback=callback, state=state)
    if state is CallbackState.DROPPED:
        entry = _entry(Callback(0, cause, kind, url, body, now)) | {"state": state}
        call_log.record(tx=tx, kind="callback", entry=entry, now=now)
    for old in _latest_sent(tx=tx, count=delivery.replay_count):
        _insert(
            tx=tx, callback=replace(old, due_at=now, is_first=False, behind=0), state=CallbackState.QUEUED
        )


def hold(*, tx: sqlite3.Connection, is_held: bool) -> None:
    """From now on hand callbacks out instead of sending them, or send them again."""
    write_setting(tx=tx, key=HELD, value="yes" if is_held else "")


def are_held(*, tx: sqlite3.Connection) -> bool:
    """Tell whether callbacks are handed out and not sent."""
    return bool(read_setting(tx=tx, key=HELD))


def take(*, tx: sqlite3.Connection, now: int, limit: int) -> list[Callback]:
    """Hand out what is due, in the order in which it fell due; nothing is handed out twice."""
    rows = tx.execute(
        f"UPDATE callback SET state = 'taken' WHERE id IN (SELECT id FROM callback WHERE state = 'queued' "  # noqa: S608
        f"AND due_at <= ? ORDER BY due_at, id LIMIT ?) RETURNING {COLUMNS}",
        (now, limit),
    ).fetchall()
    taken = sorted(
        (_signed(tx, row, now=now) for row in rows), key=lambda callback: (callback.due_at, callback.id)
    )
    for callback in taken:
        entry = _entry(callback) | {"state": CallbackState.TAKEN}
        call_log.record(tx=tx, kind="callback", entry=entry, now=now)
    return taken


def claim_due(*, tx: sqlite3.Connection, now: int, cause: str | None = None) -> list[Callback]:
    """Claim what is due, of one cause or of all; who claims a callback must send it. Held ones stay."""
    if are_held(tx=tx):
        return []
    rows = tx.execute(
        f"UPDATE callback SET state = 'sending' "  # noqa: S608
        f"WHERE state = 'queued' AND due_at <= ? AND (? IS NULL OR cause = ?) RETURNING {COLUMNS}",
        (now, cause, cause),
    ).fetchall()
    return sorted((_signed(tx, row, now=now) for row in rows), key=lambda callback: callback.id)


def claim_first(*, tx: sqlite3.Connection, now: int) -> list[Callback]:
    """Claim the signed messages that must leave before the answer to their request; held ones stay."""
    if are_held(tx=tx):
        return []
    rows = tx.execute(
        f"UPDATE callback SET state = 'sending' "  # noqa: S608
        f"WHERE state = 'queued' AND is_first = 1 AND signing <> '' AND due_at <= ? RETURNING {COLUMNS}",
        (now,),
    ).fetchall()
    return sorted((_signed(tx, row, now=now) for row in rows), key=lambda callback: callback.id)


def next_due(*, tx: sqlite3.Connection) -> int | None:
    """Return when the next callback is due, held or not."""
    return tx.execute("SELECT min(due_at) FROM callback WHERE state = 'queued'").fetchone()[0]


def give_up_interrupted(*, tx: sqlite3.Connection, now: int) -> None:
    """
    Mark what was being sent when the simulator died; whether it arrived is not known, so it is not sent again.

    A rail that signs sends it again, as it does whenever it was not answered.
    """
    rows = tx.execute(
        f"UPDATE callback SET state = 'failed', error = 'interrupted by a restart' "  # noqa: S608
        f"WHERE state = 'sending' RETURNING {COLUMNS}"
    ).fetchall()
    for row in rows:
        entry = _entry(_callback(row)) | {
            "state": CallbackState.FAILED,
            "error": "interrupted by a restart",
        }
        call_log.record(tx=tx, kind="callback", entry=entry, now=now)
        _repeat(tx=tx, callback=_callback(row), now=now)


def deliver(*, store: Store, callback: Callback, now: int) -> bytes | None:
    """
    Send a claimed callback, record what came of it, and return the body of an answer with status 200.

    No transaction is open meanwhile.
    """
    status, answer, error = None, b"", ""
    try:
        status, answer = _post(callback)
    except (OSError, http.client.HTTPException, AddressRefused) as problem:
        error = f"{type(problem).__name__}: {problem}"
    state = CallbackState.ANSWERED if status is not None else CallbackState.FAILED
    with store.transaction() as tx:
        tx.execute(
            "UPDATE callback SET state = ?, http_status = ?, error = ? WHERE id = ?",
            (state, status, error, callback.id),
        )
        entry = _entry(callback) | {"state": state, "status": status, "error": error}
        call_log.record(tx=tx, kind="callback", entry=entry, now=now)
        if status is None or status >= HTTP_MULTIPLE_CHOICES:
            _repeat(tx=tx, callback=callback, now=now)
    return answer if status == HTTP_OK else None


def answer_taken(*, tx: sqlite3.Connection, number: int, status: int | None) -> Callback:
    """Keep what a validation that was handed out is answered with; raise NotTaken for anything else."""
    row = tx.execute(
        f"UPDATE callback SET state = 'answered', http_status = ? "  # noqa: S608
        f"WHERE id = ? AND kind = 'validation' AND state = 'taken' RETURNING {COLUMNS}",
        (status, number),
    ).fetchone()
    if row is None:
        raise NotTaken(number)
    return _callback(row)


def _post(callback: Callback) -> tuple[int, bytes]:
    parts = urlsplit(callback.url)
    address = _loopback_address(parts)
    source = (callback.source, 0) if callback.source and ":" not in address else None
    seconds = VALIDATION_SECONDS if callback.kind == "validation" else TIMEOUT_SECONDS
    connection = http.client.HTTPConnection(address, parts.port or 80, timeout=seconds, source_address=source)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"Content-Type": "application/json", "Host": parts.netloc, "Connection": "close"}
        headers |= dict(callback.headers)
        connection.request("POST", target, body=callback.body.encode(), headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read(LARGEST_ANSWER)
    finally:
        connection.close()


def _loopback_address(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if parts.scheme != "http" or not host:
        raise AddressRefused("Callbacks go to http:// addresses only.")
    if host == "localhost" or host.endswith(".localhost"):
        host = "127.0.0.1"
    found = socket.getaddrinfo(host, parts.port or 80, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    if not all(ipaddress.ip_address(address).is_loopback for address in addresses):
        raise AddressRefused(f"{host} is not this computer.")
    return addresses[0]


def _latest_sent(*, tx: sqlite3.Connection, count: int) -> list[Callback]:
    rows = tx.execute(
        f"SELECT {COLUMNS} FROM callback WHERE state IN ('answered', 'failed', 'taken') "  # noqa: S608
        "ORDER BY id DESC LIMIT ?",
        (count,),
    )
    return [_callback(row) for row in rows]


def _insert(*, tx: sqlite3.Connection, callback: Callback, state: CallbackState) -> None:
    if state is CallbackState.QUEUED and not callback.behind:
        _let_overtake(tx=tx, due_at=callback.due_at)
    tx.execute(
        "INSERT INTO callback (cause, kind, url, body, due_at, is_first, behind, source, signing, attempt, state) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            callback.cause,
            callback.kind,
            callback.url,
            callback.body,
            callback.due_at,
            int(callback.is_first),
            callback.behind,
            callback.source,
            callback.signing,
            callback.attempt,
            state,
        ),
    )


def _let_overtake(*, tx: sqlite3.Connection, due_at: int) -> None:
    """Count a message for those that wait behind others; the last that they wait for is followed by them."""
    tx.execute(
        "UPDATE callback SET behind = behind - 1, due_at = CASE behind WHEN 1 THEN ? ELSE due_at END "
        "WHERE state = 'queued' AND behind > 0",
        (due_at + OVERTAKEN_MS,),
    )


def _repeat(*, tx: sqlite3.Connection, callback: Callback, now: int) -> None:
    """Owe a signed message once more where it was not taken and is not given up."""
    if not callback.signing or callback.attempt >= len(REPEATS_MS):
        return
    again = replace(
        callback, due_at=now + REPEATS_MS[callback.attempt], attempt=callback.attempt + 1, is_first=False
    )
    _insert(tx=tx, callback=again, state=CallbackState.QUEUED)


def _signed(tx: sqlite3.Connection, row: sqlite3.Row, *, now: int) -> Callback:
    """Sign what is about to leave, at the time when it does."""
    callback = _callback(row)
    if not callback.signing:
        return callback
    headers = signatures.headers(tx=tx, signing=json.loads(callback.signing), body=callback.body, at=now)
    return replace(callback, headers=tuple(headers.items()))


def _callback(row: sqlite3.Row) -> Callback:
    return Callback(**{**dict(row), "is_first": bool(row["is_first"])})


def _entry(callback: Callback) -> dict[str, object]:
    return {
        "callback": callback.kind,
        "cause": callback.cause,
        "url": callback.url,
        "body": json.loads(callback.body),
    }

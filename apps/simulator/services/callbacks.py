"""Callbacks to businesses: queued in the store, sent once by a background thread, never repeated."""

import http.client
import ipaddress
import json
import socket
import sqlite3
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from apps.simulator.contracts import Callback, CallbackState, Plan
from apps.simulator.services import call_log
from apps.simulator.store import Store

TIMEOUT_SECONDS = 5
LARGEST_ANSWER = 16_384


class AddressRefused(Exception):
    """The simulator sends to plain HTTP on this computer only."""


def queue(
    *,
    tx: sqlite3.Connection,
    prompt_id: str,
    kind: str,
    url: str,
    payload: Mapping[str, object],
    plan: Plan,
    now: int,
) -> None:
    """Owe a callback as often and as late as the plan says, and replay older ones beside it if it says so."""
    body = json.dumps(payload)
    state = CallbackState.DROPPED if plan.is_callback_dropped else CallbackState.QUEUED
    for copy in range(plan.callback_count):
        due_at = now + plan.callback_delay_ms + copy * plan.callback_spacing_ms
        _insert(tx=tx, callback=Callback(0, prompt_id, kind, url, body), due_at=due_at, state=state)
    if state is CallbackState.DROPPED:
        entry = _entry(Callback(0, prompt_id, kind, url, body)) | {"state": state}
        call_log.record(tx=tx, kind="callback", entry=entry, now=now)
    for old in _latest_sent(tx=tx, count=plan.replay_count):
        _insert(tx=tx, callback=old, due_at=now, state=CallbackState.QUEUED)


def claim_due(*, tx: sqlite3.Connection, now: int, prompt_id: str | None = None) -> list[Callback]:
    """Take what is due, of one prompt or of all; who takes a callback must send it."""
    rows = tx.execute(
        "UPDATE callback SET state = 'sending' "
        "WHERE state = 'queued' AND due_at <= ? AND (? IS NULL OR prompt_id = ?) "
        "RETURNING id, prompt_id, kind, url, body",
        (now, prompt_id, prompt_id),
    ).fetchall()
    return sorted((Callback(**dict(row)) for row in rows), key=lambda callback: callback.id)


def next_due(*, tx: sqlite3.Connection) -> int | None:
    """Return when the next callback is due."""
    return tx.execute("SELECT min(due_at) FROM callback WHERE state = 'queued'").fetchone()[0]


def give_up_interrupted(*, tx: sqlite3.Connection, now: int) -> None:
    """Mark what was being sent when the simulator died; whether it arrived is not known, so it is not sent again."""
    rows = tx.execute(
        "UPDATE callback SET state = 'failed', error = 'interrupted by a restart' WHERE state = 'sending' "
        "RETURNING id, prompt_id, kind, url, body"
    ).fetchall()
    for row in rows:
        entry = _entry(Callback(**dict(row))) | {
            "state": CallbackState.FAILED,
            "error": "interrupted by a restart",
        }
        call_log.record(tx=tx, kind="callback", entry=entry, now=now)


def deliver(*, store: Store, callback: Callback, now: int) -> None:
    """Send a claimed callback and record what came of it; no transaction is open meanwhile."""
    status, error = None, ""
    try:
        status = _post(url=callback.url, body=callback.body.encode())
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


def _post(*, url: str, body: bytes) -> int:
    parts = urlsplit(url)
    address = _loopback_address(parts)
    connection = http.client.HTTPConnection(address, parts.port or 80, timeout=TIMEOUT_SECONDS)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"Content-Type": "application/json", "Host": parts.netloc, "Connection": "close"}
        connection.request("POST", target, body=body, headers=headers)
        answer = connection.getresponse()
        answer.read(LARGEST_ANSWER)
        return answer.status
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
        "SELECT id, prompt_id, kind, url, body FROM callback WHERE state IN ('answered', 'failed') "
        "ORDER BY id DESC LIMIT ?",
        (count,),
    )
    return [Callback(**dict(row)) for row in rows]


def _insert(*, tx: sqlite3.Connection, callback: Callback, due_at: int, state: CallbackState) -> None:
    tx.execute(
        "INSERT INTO callback (prompt_id, kind, url, body, due_at, state) VALUES (?, ?, ?, ?, ?, ?)",
        (callback.prompt_id, callback.kind, callback.url, callback.body, due_at, state),
    )


def _entry(callback: Callback) -> dict[str, object]:
    return {
        "callback": callback.kind,
        "prompt": callback.prompt_id,
        "url": callback.url,
        "body": json.loads(callback.body),
    }

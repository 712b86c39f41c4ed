"""Background jobs by name, started after the commit of the transaction that asks for them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from celery import current_app
from django.core.cache import cache
from django.db import transaction
from kombu.exceptions import ChannelError, OperationalError
from redis import RedisError

from apps.kit import logs, schema

SCHEMA_HEADER = "_schema_name"
"""Where a message names its organisation."""

WAITING_SECONDS = 30
"""
For how long a shared job that was sent and has not begun stands for others. It may have been lost on the way, which a sweep makes
good within seconds; most likely it waits its turn, and more of the same would only make that longer.
"""

BACKLOG = 200
"""So many jobs in one queue are a backlog: its workers take longer for them than a sweep leaves a job before it sends another."""

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """A job that was asked for; ``countdown`` is in seconds."""

    name: str
    arguments: Mapping[str, Any]
    countdown: float = 0.0


_held: ContextVar[list[Job] | None] = ContextVar("held_jobs", default=None)
_gathered: ContextVar[dict[str, Callable[[], None]] | None] = ContextVar("gathered_jobs", default=None)
"""What sends each shared job that waits for the end of its context, by what it is."""


def enqueue(
    name: str,
    *,
    countdown: float | None = None,
    queue: str | None = None,
    is_shared: bool = False,
    **arguments: Any,
) -> None:
    """
    Start the task ``name`` once the present transaction has committed (at once outside a transaction).

    A wake-up, not a promise: the broker may lose it, so every job that matters is also a row that a sweep finds.
    A broker that is down is logged and fails nobody: what was committed stands, and so do the jobs after this one.
    It runs in the organisation that was entered when it was asked for, whatever has been entered by the commit. Raises
    KeyError at once for a name that no task has. UUIDs travel as text.

    A shared job looks for what is due and calls ``began`` before it looks: one that was sent and has not begun will see
    what was committed since, so it stands for this one too and nothing is sent.
    """
    task = current_app.tasks[name]
    payload = {key: str(value) if isinstance(value, UUID) else value for key, value in arguments.items()}
    organisation = schema.name()
    options: dict[str, Any] = {
        "countdown": countdown,
        "headers": {SCHEMA_HEADER: organisation},
        **({"queue": queue} if queue else {}),
    }

    waiting = _waiting(organisation, name, payload) if is_shared else ""

    def send() -> None:
        held = _held.get()
        if held is not None:
            held.append(Job(name, payload, countdown or 0.0))
            return
        if waiting and not _is_first(waiting):
            return
        try:
            task.apply_async(kwargs=payload, **options)
        except OperationalError as error:
            log.error("job_not_started", task=name, reason=str(error))  # noqa: TRY400 (the reason says it all)

    def start() -> None:
        gathered = _gathered.get()
        if waiting and gathered is not None:
            gathered[waiting] = send
        else:
            send()

    transaction.on_commit(start, robust=True)


@contextmanager
def gathering(name: str, **arguments: Any) -> Iterator[None]:
    """
    Send each shared job that is asked for in this context once, at its end or as soon as ``send_gathered`` is called.

    The shared job of this name is the one that gathers: it looks again itself for what is due, so no other is sent for that.
    """
    gathered: dict[str, Callable[[], None]] = {}
    token = _gathered.set(gathered)
    try:
        yield
        gathered.pop(_waiting(schema.name(), name, arguments), None)
    finally:
        _gathered.reset(token)
        _send_all(gathered)


def send_gathered() -> None:
    """Send what has been gathered until now: before something that takes its time."""
    _send_all(_gathered.get() or {})


def _send_all(gathered: dict[str, Callable[[], None]]) -> None:
    while gathered:
        _, send = gathered.popitem()
        send()


def began(name: str, **arguments: Any) -> None:
    """Say, before anything is looked for, that a shared job of the present organisation has begun: the next one is sent again."""
    with suppress(RedisError):
        cache.delete(_waiting(schema.name(), name, arguments))


def is_backed_up(queue: str) -> bool:
    """
    Say whether more jobs wait in a queue than its workers do at once: none of them can be called lost then, and one more of the
    same would only make the others wait longer. A broker that is away has none.
    """
    try:
        with current_app.connection_or_acquire() as connection:
            known = connection.default_channel.queue_declare(queue=queue, passive=True)
    except (OperationalError, ChannelError, RedisError):
        return False
    return known.message_count >= BACKLOG


def _is_first(waiting: str) -> bool:
    """Say whether no such job waits. A cache that is away knows of none."""
    try:
        return cache.add(waiting, 1, WAITING_SECONDS)
    except RedisError:
        return True


def _waiting(organisation: str, name: str, payload: Mapping[str, Any]) -> str:
    return ":".join(["waiting", organisation, name, *(f"{key}={payload[key]}" for key in sorted(payload))])


@contextmanager
def held() -> Iterator[list[Job]]:
    """Keep the jobs of this context in a list, each after its commit, and send none: for who plays time and runs them himself."""
    kept: list[Job] = []
    token = _held.set(kept)
    try:
        yield kept
    finally:
        _held.reset(token)


def run(job: Job) -> None:
    """Do a held job here and now, in the organisation that was entered, as a worker would."""
    current_app.tasks[job.name](**job.arguments)

"""Background jobs by name, started after the commit of the transaction that asks for them."""

from typing import Any
from uuid import UUID

from celery import current_app
from django.db import transaction


def enqueue(name: str, *, countdown: float | None = None, queue: str | None = None, **arguments: Any) -> None:
    """
    Start the task ``name`` once the present transaction has committed (at once outside a transaction).

    A wake-up, not a promise: the broker may lose it, so every job that matters is also a row that a sweep finds.
    Raises KeyError at once for a name that no task has. UUIDs travel as text.
    """
    task = current_app.tasks[name]
    payload = {key: str(value) if isinstance(value, UUID) else value for key, value in arguments.items()}
    options: dict[str, Any] = {"countdown": countdown, **({"queue": queue} if queue else {})}
    transaction.on_commit(lambda: task.apply_async(kwargs=payload, **options))

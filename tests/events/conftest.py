"""What the tests of events share: two event types in the catalogue, a wiring map, schema checks, and a receiver."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from celery.signals import before_task_publish

from apps.events.contracts import REGISTRY
from tests.events import handlers
from tests.events.receiver import Receiver
from tests.factories.events import INTERNAL_TYPE, PARTNER_TYPE


@pytest.fixture(autouse=True)
def catalogue(monkeypatch, settings) -> None:
    for event_type in (PARTNER_TYPE, INTERNAL_TYPE):
        monkeypatch.setitem(REGISTRY, event_type.name, event_type)
    settings.EVENT_WIRING = "tests.events.handlers.HANDLERS"
    settings.TREASURY = {**settings.TREASURY, "VALIDATE_EVENTS": True}
    handlers.forget()


@pytest.fixture
def receiver(settings) -> Iterator[Receiver]:
    """Run a real HTTP server where the sandbox inboxes are, the only loopback address that webhooks may reach."""
    with Receiver() as server:
        settings.TREASURY = {
            **settings.TREASURY,
            "SANDBOX_INBOX_PREFIX": server.prefix,
            "WEBHOOK_TIMEOUT": 0.5,
        }
        yield server


@pytest.fixture
def waking(django_capture_on_commit_callbacks) -> Callable[[], AbstractContextManager[list]]:
    """Return a context that commits and lists what went to the broker meanwhile: task, queue, arguments."""

    @contextmanager
    def commit() -> Iterator[list]:
        woken: list[tuple[str, str, dict[str, Any]]] = []

        def note(sender: str, body: Any, routing_key: str, **_: Any) -> None:
            woken.append((sender, routing_key, body[1]))

        before_task_publish.connect(note)
        try:
            with django_capture_on_commit_callbacks(execute=True):
                yield woken
        finally:
            before_task_publish.disconnect(note)

    return commit

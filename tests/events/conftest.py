"""What the tests of events share: two event types in the catalogue, a wiring map, schema checks, and a receiver."""

from collections.abc import Iterator

import pytest

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

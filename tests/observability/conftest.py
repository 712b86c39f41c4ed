"""What the tests of logs and reports share: the lines that would be written, and the envelopes that would be sent."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sentry_sdk
import structlog
from django.conf import settings
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from treasury import reporting

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def nothing_bound() -> None:
    """Forget the request or task of the test before."""
    structlog.contextvars.clear_contextvars()


class Kept(Transport):
    """Keeps what it is asked to send."""

    def __init__(self, options: dict[str, Any] | None = None) -> None:
        super().__init__(options)
        self.envelopes: list[Envelope] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.envelopes.append(envelope)

    def events(self) -> list[dict[str, Any]]:
        return [item.get_event() for envelope in self.envelopes for item in envelope.items]

    def everything(self) -> str:
        return "".join(envelope.serialize().decode() for envelope in self.envelopes)


@contextmanager
def on_root(handler: logging.Handler) -> Iterator[None]:
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Return what has been logged so far, as the console shows it."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    options = {name: value for name, value in settings.LOGGING["formatters"]["json"].items() if name != "()"}
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(**options))
    with on_root(handler):
        yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]


@pytest.fixture
def reports() -> Iterator[Kept]:
    """Connect Sentry with a transport that keeps everything, as a deployment with a DSN does."""
    kept = Kept()
    handler = reporting.start(
        dsn="https://key@sentry.example/1", release="9.8.7", environment="testing", transport=kept
    )
    with on_root(handler):
        yield kept
    sentry_sdk.get_client().close()
    sentry_sdk.get_global_scope().set_client(None)

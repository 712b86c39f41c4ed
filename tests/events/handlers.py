"""Handlers that the tests wire: one that writes, one that talks to the world, and one that fails when told to."""

from collections.abc import Sequence

from apps.audit.services import records
from apps.events.contracts import Event, Handler
from apps.kit.actors import SYSTEM

HANDLERS = {
    "stock_counted": (Handler("tests.events.handlers.write"),),
    "order_placed": (
        Handler("tests.events.handlers.write"),
        Handler("tests.events.handlers.talk", queue="documents", atomic=False),
    ),
}

BATCHES = {"stock_counted": (Handler("tests.events.handlers.write_all", batch=True),)}

seen: list[tuple[str, int]] = []
taken: list[int] = []
failing: set[str] = set()


class Broken(Exception):
    """A handler was told to fail."""


def forget() -> None:
    seen.clear()
    taken.clear()
    failing.clear()


def write(event: Event) -> None:
    """Leave an audit record, so that a test sees what was kept of it; then fail if told to."""
    records.write(
        action="test.handled",
        object_type=event.type,
        object_id=str(event.seq),
        actor=SYSTEM,
        now=event.occurred_at,
    )
    _note("write", event)


def write_all(events: Sequence[Event]) -> None:
    taken.append(len(events))
    for event in events:
        write(event)


def talk(event: Event) -> None:
    _note("talk", event)


def _note(name: str, event: Event) -> None:
    seen.append((name, event.seq))
    if name in failing or str(event.aggregate_id) in failing:
        raise Broken(f"{name} was told to fail")

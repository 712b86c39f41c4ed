"""What crosses the border of the events app: event types and their catalogue, a new event, an event, a handler."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class Audience(StrEnum):
    """Who may learn of an event: partners through webhooks and the API, or only our own handlers."""

    PARTNER = "PARTNER"
    INTERNAL = "INTERNAL"


@dataclass(frozen=True, slots=True)
class EventType:
    """
    One kind of fact. ``name`` is what partners match on (``payment_success``), ``topic`` its place on a bus
    (``treasury.payment.success``); ``schema`` is the JSON Schema of ``data``, ``version`` the version of that schema.
    """

    name: str
    topic: str
    audience: Audience
    version: int
    schema: Mapping[str, Any]
    summary: str = ""


REGISTRY: dict[str, EventType] = {}


class DeclaredTwice(ValueError):
    """Two modules declare an event type of the same name in different ways."""


def declare(
    name: str,
    *,
    topic: str,
    audience: Audience,
    schema: Mapping[str, Any],
    version: int = 1,
    summary: str = "",
) -> EventType:
    """Enter an event type in the catalogue and return it; call it at import of an app's ``events`` module."""
    event_type = EventType(name, topic, audience, version, schema, summary)
    if REGISTRY.setdefault(name, event_type) != event_type:
        raise DeclaredTwice(f"{name} is declared twice")
    return event_type


@dataclass(frozen=True, slots=True)
class NewEvent:
    """
    A fact to publish. ``data`` is plain JSON (texts, not UUIDs or Decimals); a partner event holds the public snapshot
    under ``data["object"]`` with its prefixed ``id``, and names its branch and application.
    """

    type: EventType
    aggregate_type: str
    aggregate_id: UUID
    data: Mapping[str, Any]
    branch_id: UUID | None = None
    application_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """
    A published fact, as a handler receives it.

    Handlers get the events of one aggregate in the order of ``seq`` and may get one twice unless they are atomic.
    ``aggregate_version`` counts the events of the aggregate from 1.
    """

    id: UUID
    seq: int
    type: str
    aggregate_type: str
    aggregate_id: UUID
    aggregate_version: int
    data: Mapping[str, Any]
    branch_id: UUID | None
    application_id: UUID | None
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Handler:
    """
    A subscriber by dotted path, ``apps.payments.subscribers.apply_callback``, called with the event alone.

    An atomic handler runs in one transaction with the mark that it is done: its effects happen exactly once. One that
    is not atomic runs outside any transaction (it may talk to the world or work for long), at least once.

    An atomic one that takes several (``batch``) is called with a list of events, each of another aggregate: for what is done under one lock that all
    of them need. Where it fails nothing of any of them stays, and each is tried again alone.
    """

    path: str
    queue: str = "events"
    atomic: bool = True
    batch: bool = False

    def __post_init__(self) -> None:
        if self.batch and not self.atomic:
            raise ValueError(f"{self.path} takes several events, so it has to be atomic.")


HandlerMap = Mapping[str, tuple[Handler, ...]]

"""Publishing: an event is a row in the transaction that makes it true."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.utils.module_loading import import_string

from apps.events.contracts import REGISTRY, Audience, Event, Handler, HandlerMap, NewEvent
from apps.events.models import EventDelivery, OutboxEvent
from apps.events.services import webhook_deliveries
from apps.kit import jobs, locks
from apps.kit.compiled import Inserted, Read


class NotInTransaction(transaction.TransactionManagementError):
    """An event is published in the transaction that makes it true, or not at all."""


class NotDeclared(LookupError):
    """The event's type is not in the catalogue."""


class DataInvalid(ValueError):
    """The event's data is not what its type declares."""


TOGETHER = 3
"""How many relays of one queue wait at most to go on together; with fewer, threads that have nothing to do would not help."""

_TOLD = Inserted[OutboxEvent]()
_TO_HANDLERS = Inserted[EventDelivery]()
_LAST_VERSION = Read(
    lambda aggregate_id: (
        OutboxEvent.objects.filter(aggregate_id=aggregate_id)
        .order_by("-aggregate_version")
        .values_list("aggregate_version")[:1]
    ),
    UUID,
)


def publish(*events: NewEvent, now: datetime, is_first: bool = False) -> list[Event]:
    """
    Publish facts with the present transaction: all of them when it commits, none when it does not.

    Events of one aggregate are numbered and delivered in the order of their commits: a second transaction that
    publishes for the same aggregate waits for the first. Webhooks of partner events are planned with them, for the
    endpoints that listen at this moment. ``is_first`` says that their aggregates were made in this transaction: nobody
    else knows them, so nothing is locked or looked up. Raises NotInTransaction outside a transaction, NotDeclared
    for an unknown type and, where TREASURY["VALIDATE_EVENTS"] is set (development and tests), DataInvalid.
    """
    if not connection.in_atomic_block:
        raise NotInTransaction("publish events inside the transaction that makes them true")
    for event in events:
        _check(event)

    aggregates = {event.aggregate_id for event in events}
    versions = dict.fromkeys(aggregates, 0) if is_first else _last_versions(aggregates)
    request_id = str(structlog.contextvars.get_contextvars().get("request_id", ""))
    rows = [_row(event, versions, request_id, now) for event in events]
    _TOLD.insert(*rows)
    wiring: HandlerMap = import_string(settings.EVENT_WIRING)
    deliveries = [_delivery(row, handler, now) for row in rows for handler in wiring.get(row.type, ())]
    _TO_HANDLERS.insert(*deliveries)
    webhook_deliveries.plan(rows, now=now)
    wake(delivery.queue for delivery in deliveries)
    return [row.as_event() for row in rows]


def wake(queues: Iterable[str], *, is_sweep: bool = False) -> None:
    """Start the relay of each queue after the commit, where none waits to begin; a sweep does not trust that one waits."""
    for queue in sorted(set(queues)):
        jobs.enqueue("events.relay", queue=queue, is_shared=not is_sweep, lane=queue)


def wake_together(queue: str) -> None:
    """Start relays of a queue in which more is due than one can do, until so many wait to begin as share it."""
    for place in range(TOGETHER):
        jobs.enqueue("events.relay", queue=queue, is_shared=True, lane=queue, place=place)


def _check(event: NewEvent) -> None:
    if REGISTRY.get(event.type.name) != event.type:
        raise NotDeclared(event.type.name)
    if not settings.TREASURY["VALIDATE_EVENTS"]:
        return
    if event.type.audience == Audience.PARTNER and "id" not in event.data.get("object", {}):
        raise DataInvalid(f"{event.type.name}: a partner event holds its object with its public id")
    try:
        _validator(event.type.name)(event.data)
    except ValueError as error:
        raise DataInvalid(f"{event.type.name}: {error}") from error


@cache
def _validator(name: str) -> Callable[[Any], Any]:
    """Return what raises a ValueError for data that is not of this type."""
    import fastjsonschema  # noqa: PLC0415 (only where events are validated)

    compiled: Callable[[Any], Any] = fastjsonschema.compile(dict(REGISTRY[name].schema), use_formats=False)
    return compiled


def _last_versions(aggregates: set[UUID]) -> dict[UUID, int]:
    """Lock the aggregates in one order, so that two publishers never wait for each other, and return their last version."""
    last = {}
    for aggregate_id in sorted(aggregates):
        locks.advisory(f"events:{aggregate_id}")
        last[aggregate_id] = _LAST_VERSION.value(aggregate_id) or 0
    return last


def _row(event: NewEvent, versions: dict[UUID, int], request_id: str, now: datetime) -> OutboxEvent:
    versions[event.aggregate_id] += 1
    return OutboxEvent(
        type=event.type.name,
        version=event.type.version,
        audience=event.type.audience,
        aggregate_type=event.aggregate_type,
        aggregate_id=event.aggregate_id,
        aggregate_version=versions[event.aggregate_id],
        data=dict(event.data),
        branch_id=event.branch_id,
        application_id=event.application_id,
        request_id=request_id,
        occurred_at=now,
    )


def _delivery(row: OutboxEvent, handler: Handler, now: datetime) -> EventDelivery:
    return EventDelivery(
        event=row,
        seq=row.seq,
        aggregate_id=row.aggregate_id,
        handler=handler.path,
        queue=handler.queue,
        is_atomic=handler.atomic,
        available_at=now,
    )

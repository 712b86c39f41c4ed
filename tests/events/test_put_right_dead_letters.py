"""Put right dead letters: a person requeues or skips, and it is on record."""

from datetime import timedelta

import pytest

from apps.audit.models import AuditRecord
from apps.events.models import DeliveryStatus, EventDelivery
from apps.events.services import deliveries, relay
from apps.kit import ids
from apps.kit.actors import Actor, ActorKind
from tests.events import handlers
from tests.factories import events as factory
from tests.factories.events import INTERNAL_TYPE, NOW

ANNE = Actor(ActorKind.USER, "anne", person="anne")
LATER = NOW + timedelta(days=40)


@pytest.fixture
def dead(acme) -> EventDelivery:
    """A dead delivery, with a later event of its aggregate waiting behind it."""
    order = ids.new()
    factory.publish(INTERNAL_TYPE, aggregate_id=order)
    factory.publish(INTERNAL_TYPE, aggregate_id=order)
    handlers.failing.add("write")
    for day in range(20):
        relay.run_due(queue="events", now=NOW + timedelta(days=day))
    handlers.forget()
    return EventDelivery.objects.get(status=DeliveryStatus.DEAD)


def drain() -> None:
    while relay.run_due(queue="events", now=LATER):
        pass


def test_requeue_runs_it_and_what_waited_behind(dead):
    deliveries.requeue(delivery_id=dead.id, actor=ANNE, now=LATER)
    drain()

    assert list(EventDelivery.objects.values_list("status", flat=True)) == ["DONE", "DONE"]
    assert [seq for _, seq in handlers.seen] == sorted(seq for _, seq in handlers.seen)
    record = AuditRecord.objects.get(action="event_delivery.requeued")
    assert (record.person, record.object_id) == ("anne", str(dead.id))
    assert record.changes == {"status": ["DEAD", "PENDING"]}


def test_requeue_gives_twenty_more_attempts_and_keeps_the_fence(dead):
    deliveries.requeue(delivery_id=dead.id, actor=ANNE, now=LATER)
    handlers.failing.add("write")

    relay.run_due(queue="events", now=LATER)

    dead.refresh_from_db()
    assert (dead.status, dead.attempts, dead.attempt_limit) == (DeliveryStatus.PENDING, 21, 40)
    assert dead.available_at == LATER + timedelta(seconds=1)


def test_skip_lets_the_later_events_go_on(dead):
    deliveries.skip(delivery_id=dead.id, reason="counted by hand", actor=ANNE, now=LATER)
    drain()

    assert sorted(EventDelivery.objects.values_list("status", flat=True)) == ["DONE", "SKIPPED"]
    assert AuditRecord.objects.get(action="event_delivery.skipped").reason == "counted by hand"


@pytest.mark.parametrize("reason", ["", "no", "  ok   "])
def test_skip_needs_a_reason(dead, reason):
    with pytest.raises(deliveries.ReasonRequired):
        deliveries.skip(delivery_id=dead.id, reason=reason, actor=ANNE, now=LATER)

    dead.refresh_from_db()
    assert dead.status == DeliveryStatus.DEAD
    assert AuditRecord.objects.filter(action="event_delivery.skipped").count() == 0


def test_refuses_what_is_not_dead_or_not_there(dead):
    waiting = EventDelivery.objects.get(status=DeliveryStatus.PENDING)

    with pytest.raises(deliveries.DeliveryNotDead):
        deliveries.requeue(delivery_id=waiting.id, actor=ANNE, now=LATER)
    with pytest.raises(deliveries.DeliveryNotDead):
        deliveries.skip(delivery_id=waiting.id, reason="long enough", actor=ANNE, now=LATER)
    with pytest.raises(deliveries.DeliveryUnknown):
        deliveries.requeue(delivery_id=ids.new(), actor=ANNE, now=LATER)

    assert AuditRecord.objects.filter(object_type="event_delivery").count() == 0

"""Relay events: to every handler, in order, whatever breaks on the way."""

from datetime import timedelta

import pytest
from django.db import connection

from apps.audit.models import AuditRecord
from apps.events.contracts import Handler
from apps.events.models import DeliveryStatus, EventDelivery
from apps.events.models.delivery import ATTEMPTS_MAX
from apps.events.services import deliveries, relay
from apps.kit import ids
from tests.events import handlers
from tests.factories import events as factory
from tests.factories.events import INTERNAL_TYPE, NOW

WRITE, TALK = "tests.events.handlers.write", "tests.events.handlers.talk"
DAY = timedelta(days=1)


def drain(queue: str, now=NOW) -> int:
    """Run a queue until nothing is due, and return how many handlers ran."""
    ran = 0
    while count := relay.run_due(queue=queue, now=now):
        ran += count
    return ran


def status_of(event, handler: str = WRITE) -> str:
    return EventDelivery.objects.get(event_id=event.id, handler=handler).status


def test_runs_each_handler_once_in_its_queue(acme):
    event = factory.publish()

    assert drain("events") == 1
    assert drain("documents") == 1
    assert drain("events") == drain("documents") == 0

    assert handlers.seen == [("write", event.seq), ("talk", event.seq)]
    assert status_of(event, WRITE) == status_of(event, TALK) == DeliveryStatus.DONE
    assert EventDelivery.objects.get(handler=WRITE).finished_at == NOW


def test_keeps_the_order_of_an_aggregate(acme):
    order = ids.new()
    published = [factory.publish(aggregate_id=order) for _ in range(3)]

    drain("events")

    assert handlers.seen == [("write", event.seq) for event in published]


def test_holds_back_the_later_events_of_a_failed_one(acme):
    order = ids.new()
    first, second = factory.publish(aggregate_id=order), factory.publish(aggregate_id=order)
    handlers.failing.add("write")

    assert drain("events") == 1
    handlers.failing.clear()
    assert drain("events") == 0
    assert drain("events", NOW + timedelta(seconds=1)) == 2

    assert [seq for _, seq in handlers.seen] == [first.seq, first.seq, second.seq]


def test_lets_nothing_of_a_failed_atomic_handler_stay(acme):
    event = factory.publish(INTERNAL_TYPE)
    handlers.failing.add("write")

    drain("events")

    delivery = EventDelivery.objects.get()
    assert handlers.seen == [("write", event.seq)]
    assert AuditRecord.objects.filter(action="test.handled").count() == 0
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.PENDING, 1)
    assert delivery.last_error == "Broken: write was told to fail"
    assert delivery.available_at == NOW + timedelta(seconds=1)


def test_keeps_the_work_of_an_atomic_handler_with_its_mark(acme):
    event = factory.publish(INTERNAL_TYPE)

    drain("events")

    assert AuditRecord.objects.get(action="test.handled").object_id == str(event.seq)
    assert status_of(event) == DeliveryStatus.DONE


def test_waits_longer_each_time_and_five_minutes_at_most(acme):
    factory.publish(INTERNAL_TYPE)
    handlers.failing.add("write")
    waits = []
    at = NOW
    for _ in range(ATTEMPTS_MAX - 1):
        relay.run_due(queue="events", now=at)
        available = EventDelivery.objects.get().available_at
        waits.append((available - at).total_seconds())
        at = available

    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, *[300] * 10]


def test_gives_up_after_twenty_attempts(acme):
    order = ids.new()
    event, later = (
        factory.publish(INTERNAL_TYPE, aggregate_id=order),
        factory.publish(INTERNAL_TYPE, aggregate_id=order),
    )
    handlers.failing.add("write")

    for day in range(30):
        drain("events", NOW + day * DAY)

    delivery = EventDelivery.objects.get(event_id=event.id)
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.DEAD, 20)
    assert status_of(later) == DeliveryStatus.PENDING
    assert {seq for _, seq in handlers.seen} == {event.seq}


def test_poison_stops_no_other_handler_and_no_other_aggregate(acme):
    order = ids.new()
    poisoned, later, other = (
        factory.publish(aggregate_id=order),
        factory.publish(aggregate_id=order),
        factory.publish(),
    )
    EventDelivery.objects.filter(event_id=poisoned.id, handler=WRITE).update(
        handler="tests.events.handlers.absent"
    )
    EventDelivery.objects.filter(event_id=later.id, handler=WRITE).update(
        handler="tests.events.handlers.absent"
    )

    for day in range(30):
        drain("events", NOW + day * DAY)
        drain("documents", NOW + day * DAY)

    assert status_of(poisoned, "tests.events.handlers.absent") == DeliveryStatus.DEAD
    assert status_of(later, "tests.events.handlers.absent") == DeliveryStatus.PENDING
    assert status_of(other, WRITE) == DeliveryStatus.DONE
    assert [status_of(event, TALK) for event in (poisoned, later, other)] == [DeliveryStatus.DONE] * 3


def test_takes_up_a_few_of_different_aggregates_and_alone_what_was_tried_before(acme):
    order = ids.new()
    first, later = (factory.publish(INTERNAL_TYPE, aggregate_id=order) for _ in range(2))
    others = [factory.publish(INTERNAL_TYPE) for _ in range(4)]
    handlers.failing.add(str(order))

    assert relay.run_due(queue="events", now=NOW) == 4
    assert [seq for _, seq in handlers.seen] == [first.seq, *(event.seq for event in others[:3])]

    soon = NOW + timedelta(seconds=1)
    assert [claim.event.seq for claim in deliveries.claim(queue="events", now=soon)] == [others[3].seq]
    assert [claim.event.seq for claim in deliveries.claim(queue="events", now=soon)] == [first.seq]
    assert deliveries.claim(queue="events", now=soon) == []
    assert status_of(later) == DeliveryStatus.PENDING


def test_gives_many_to_a_handler_that_takes_several_and_each_alone_once_that_failed(acme, settings):
    settings.EVENT_WIRING = "tests.events.handlers.BATCHES"
    broken = ids.new()
    for order in [ids.new(), broken, *(ids.new() for _ in range(22))]:
        factory.publish(INTERNAL_TYPE, aggregate_id=order)
    handlers.failing.add(str(broken))

    assert drain("events") == 24
    assert handlers.taken == [20, 4]
    done = EventDelivery.objects.filter(status=DeliveryStatus.DONE)
    assert done.count() == AuditRecord.objects.filter(action="test.handled").count() == 4

    assert drain("events", NOW + timedelta(seconds=1)) == 20
    assert handlers.taken == [20, 4, *[1] * 20]
    assert done.count() == AuditRecord.objects.filter(action="test.handled").count() == 23
    left = EventDelivery.objects.get(status=DeliveryStatus.PENDING)
    assert (left.aggregate_id, left.attempts) == (broken, 2)


def test_what_takes_several_is_atomic():
    with pytest.raises(ValueError, match="write_all takes several"):
        Handler("tests.events.handlers.write_all", atomic=False, batch=True)


def test_takes_up_one_at_a_time_what_takes_its_time(acme):
    published = [factory.publish() for _ in range(2)]

    claims = [deliveries.claim(queue="documents", now=NOW) for _ in range(3)]

    assert [[claim.event.seq for claim in taken] for taken in claims] == [
        *([event.seq] for event in published),
        [],
    ]


def test_a_claim_that_was_taken_over_marks_nothing(acme):
    factory.publish(INTERNAL_TYPE)
    (late,) = deliveries.claim(queue="events", now=NOW)
    (held,) = deliveries.claim(queue="events", now=NOW + timedelta(seconds=2))

    assert not deliveries.finish(late, now=NOW)
    assert EventDelivery.objects.get().status == DeliveryStatus.PENDING
    assert deliveries.finish(held, now=NOW)
    assert EventDelivery.objects.get().status == DeliveryStatus.DONE


def test_takes_up_what_a_killed_worker_held_when_its_lease_ends(acme):
    factory.publish()
    deliveries.claim(queue="documents", now=NOW)

    assert drain("documents", NOW + timedelta(seconds=59)) == 0
    assert drain("documents", NOW + timedelta(seconds=60)) == 1

    delivery = EventDelivery.objects.get(handler=TALK)
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.DONE, 2)


def test_takes_up_an_atomic_handler_soon_because_a_row_lock_shows_that_it_runs(acme):
    factory.publish(INTERNAL_TYPE)
    deliveries.claim(queue="events", now=NOW)

    assert drain("events", NOW + timedelta(seconds=1)) == 0
    assert drain("events", NOW + timedelta(seconds=2)) == 1


def test_ignores_the_outcome_of_a_claim_that_was_taken_over(acme):
    factory.publish()
    (late,) = deliveries.claim(queue="documents", now=NOW)
    drain("documents", NOW + timedelta(seconds=60))

    deliveries.fail(late, error="too late", now=NOW + timedelta(seconds=90))

    delivery = EventDelivery.objects.get(handler=TALK)
    assert (delivery.status, delivery.last_error) == (DeliveryStatus.DONE, "")


def test_is_dead_when_it_kills_its_process_every_time(acme):
    factory.publish(INTERNAL_TYPE)
    for minute in range(ATTEMPTS_MAX):
        deliveries.claim(queue="events", now=NOW + timedelta(minutes=minute))

    assert drain("events", NOW + DAY) == 0

    delivery = EventDelivery.objects.get()
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.DEAD, 20)
    assert delivery.last_error == deliveries.KILLED
    assert handlers.seen == []


def test_finds_the_head_of_each_order_by_its_index(acme):
    factory.publish()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        plan = EventDelivery.objects.due(NOW).filter(queue="events").order_by("seq").explain()

    assert "events_delivery_order" in plan


@pytest.mark.parametrize("queue", ["events", "documents"])
def test_leaves_other_organisations_alone(acme, zuri, queue):
    connection.set_tenant(acme)
    factory.endpoint()
    factory.publish()
    connection.set_tenant(zuri)

    assert drain(queue) == 0

    connection.set_tenant(acme)
    assert drain(queue) == 1

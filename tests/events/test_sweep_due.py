"""Sweep due: what is due and was not woken is started."""

from datetime import timedelta

from apps.events import tasks
from apps.events.models import EventDelivery
from apps.events.services import deliveries, sweeps, webhook_attempts, webhook_deliveries
from apps.kit import clock, jobs
from tests.events import handlers
from tests.factories import events as factory
from tests.factories.events import INTERNAL_TYPE, NOW


def test_wakes_each_queue_that_has_something_due(acme, waking):
    factory.endpoint()
    event = factory.publish()

    with waking() as woken:
        assert sweeps.wake_due(now=NOW) == 3

    webhook = factory.planned(event)[0]
    assert woken == [
        *(("events.relay", queue, {"lane": queue}) for queue in ("documents", "events")),
        ("events.send_webhooks", "webhooks", {"endpoint_id": str(webhook.endpoint_id)}),
    ]


def test_is_silent_when_nothing_is_due(acme, waking):
    factory.publish(INTERNAL_TYPE)
    deliveries.claim(queue="events", now=NOW)

    with waking() as woken:
        assert sweeps.wake_due(now=NOW + timedelta(seconds=1)) == 0
        assert sweeps.wake_due(now=NOW + timedelta(seconds=2)) == 1

    assert woken == [("events.relay", "events", {"lane": "events"})]


def test_wakes_the_senders_of_due_webhooks(acme, receiver, waking):
    factory.endpoint(receiver.url)
    event = factory.publish()
    EventDelivery.objects.all().delete()
    planned = factory.planned(event)[0]
    receiver.answers = [500]
    webhook_attempts.make(endpoint_id=planned.endpoint_id, now=NOW)

    with waking() as woken:
        assert sweeps.wake_due(now=NOW + timedelta(seconds=1)) == 0
        assert sweeps.wake_due(now=NOW + timedelta(seconds=10)) == 1

    assert woken == [("events.send_webhooks", "webhooks", {"endpoint_id": str(planned.endpoint_id)})]


def test_the_task_drains_its_queue(acme):
    event = factory.publish(INTERNAL_TYPE)

    with clock.fixed(NOW):
        tasks.relay(lane="events")

    assert handlers.seen == [("write", event.seq)]


def test_the_relay_hands_on_what_is_left_after_its_time(acme, waking, monkeypatch):
    monkeypatch.setattr(tasks, "TURN", timedelta())
    factory.publish(INTERNAL_TYPE)

    with waking() as woken, clock.fixed(NOW):
        tasks.relay(lane="events")
        tasks.relay(lane="events")

    assert handlers.seen == []
    assert woken == [("events.relay", "events", {"lane": "events", "place": place}) for place in range(3)]
    with waking() as woken, clock.fixed(NOW):
        tasks.relay(lane="events", place=1)
    assert woken == [("events.relay", "events", {"lane": "events", "place": 1})]


def test_the_task_sends_what_is_due_to_its_endpoint(acme, receiver):
    endpoint = factory.endpoint(receiver.url).endpoint
    factory.endpoint("https://other.example/")
    events = [factory.publish(), factory.publish()]
    with clock.fixed(NOW):
        tasks.send_webhooks(endpoint_id=str(endpoint.id))
        tasks.send_webhooks(endpoint_id=str(endpoint.id))

    assert len(receiver.received) == 2
    assert [factory.planned(event)[0].status for event in events] == ["DELIVERED", "DELIVERED"]


def test_what_gathers_after_a_sending_goes_together_a_moment_later(acme, receiver, waking):
    endpoint = factory.endpoint(receiver.url).endpoint
    factory.publish()
    with clock.fixed(NOW), jobs.held() as held:
        with waking():
            tasks.send_webhooks(endpoint_id=str(endpoint.id))
        kept = list(held)
    assert kept == [jobs.Job("events.send_webhooks", {"endpoint_id": str(endpoint.id)}, 0.25)]

    with waking() as woken:
        webhook_deliveries.wake([endpoint.id], after=tasks.GATHERING)
        webhook_deliveries.wake([endpoint.id])
        webhook_deliveries.wake([endpoint.id])
    assert len(woken) == 1

    with clock.fixed(NOW), waking() as woken:
        tasks.send_webhooks(endpoint_id=str(endpoint.id))
        webhook_deliveries.wake([endpoint.id])
    assert len(woken) == 1


def test_documents_give_way_to_money_that_is_late_for_ten_minutes_at_most(acme):
    factory.publish()
    assert handled_after(seconds=0) == ["talk"]
    factory.publish()
    assert handled_after(seconds=1) == []
    assert handled_after(minutes=9) == []
    assert handled_after(minutes=10) == ["talk"]
    factory.publish()
    with clock.fixed(NOW):
        tasks.relay(lane="events")
    assert handled_after(seconds=1) == ["talk"]


def handled_after(**times):
    """Run the queue of documents so long after everything was published; return which handlers ran."""
    handlers.forget()
    with clock.fixed(NOW + timedelta(**times)):
        tasks.relay(lane="documents")
    return [name for name, _ in handlers.seen]


def test_the_task_hands_on_what_is_left_after_its_time(acme, receiver, waking, monkeypatch):
    monkeypatch.setattr(tasks, "TURN", timedelta())
    endpoint = factory.endpoint(receiver.url).endpoint
    factory.publish()

    with waking() as woken, clock.fixed(NOW):
        tasks.send_webhooks(endpoint_id=str(endpoint.id))

    assert receiver.received == []
    assert woken == [("events.send_webhooks", "webhooks", {"endpoint_id": str(endpoint.id)})]


def test_the_sweep_reaches_every_organisation(db, waking):
    with waking() as woken:
        tasks.sweep()

    assert {task for task, _, _ in woken} == {"events.sweep_organisation"}
    assert len(woken) == 2

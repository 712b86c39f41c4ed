"""Sweep due: what is due and was not woken is started."""

from datetime import timedelta

import pytest

from apps.events import tasks
from apps.events.models import EventDelivery
from apps.events.services import deliveries, relay, sweeps, webhook_attempts, webhook_deliveries
from apps.kit import clock
from tests.events import handlers
from tests.factories import events as factory
from tests.factories.events import INTERNAL_TYPE, NOW


@pytest.fixture
def woken(monkeypatch) -> list:
    calls: list = []
    monkeypatch.setattr("apps.kit.jobs.enqueue", lambda name, **arguments: calls.append((name, arguments)))
    return calls


def test_wakes_each_queue_that_has_something_due(acme, woken):
    factory.publish()
    woken.clear()

    assert sweeps.wake_due(now=NOW) == 3

    assert woken == [
        ("events.relay", {"queue": queue, "lane": queue}) for queue in ("documents", "events", "webhooks")
    ]


def test_is_silent_when_nothing_is_due(acme, woken):
    factory.publish(INTERNAL_TYPE)
    deliveries.claim(queue="events", now=NOW)
    woken.clear()

    assert sweeps.wake_due(now=NOW + timedelta(seconds=1)) == 0
    assert sweeps.wake_due(now=NOW + timedelta(seconds=2)) == 1
    assert woken == [("events.relay", {"queue": "events", "lane": "events"})]


def test_wakes_the_senders_of_due_webhooks(acme, receiver, woken):
    factory.endpoint(receiver.url)
    event = factory.publish()
    EventDelivery.objects.all().delete()
    planned = webhook_deliveries.plan(event_id=event.id, now=NOW)[0]
    receiver.answers = [500]
    webhook_attempts.make(delivery_id=planned.id, now=NOW)
    woken.clear()

    assert sweeps.wake_due(now=NOW + timedelta(seconds=1)) == 0
    assert sweeps.wake_due(now=NOW + timedelta(seconds=10)) == 1
    assert woken == [("events.send_webhook", {"delivery_id": planned.id})]


def test_the_task_drains_its_queue(acme, woken):
    event = factory.publish(INTERNAL_TYPE)

    with clock.fixed(NOW):
        tasks.relay(lane="events")

    assert handlers.seen == [("write", event.seq)]


def test_the_task_hands_on_what_is_left_after_a_batch(acme, woken, monkeypatch):
    monkeypatch.setattr(tasks, "BATCH", 1)
    factory.publish(INTERNAL_TYPE)
    factory.publish(INTERNAL_TYPE)
    woken.clear()

    with clock.fixed(NOW):
        tasks.relay(lane="events")

    assert len(handlers.seen) == 1
    assert woken == [("events.relay", {"queue": "events", "lane": "events"})]


def test_the_task_sends_a_webhook(acme, receiver):
    factory.endpoint(receiver.url)
    factory.publish()
    with clock.fixed(NOW):
        while relay.run_next(queue="webhooks", now=NOW):
            pass
        planned = webhook_deliveries.WebhookDelivery.objects.get()
        tasks.send_webhook(delivery_id=str(planned.id))

    assert len(receiver.received) == 1


def test_the_sweep_reaches_every_organisation(db, monkeypatch):
    reached = []
    monkeypatch.setattr("apps.tenancy.services.fan_out.each_ready", reached.append)

    tasks.sweep()

    assert reached == ["events.sweep_organisation"]

"""Plan webhooks: one delivery for each endpoint that listens, and for nobody else."""

from dataclasses import replace

from django.db import connection

from apps.events.contracts import REGISTRY
from apps.events.models import OutboxEvent, WebhookDelivery, WebhookStatus
from apps.events.services import relay, webhook_deliveries, webhook_endpoints
from apps.kit import clock, ids
from apps.kit.actors import SYSTEM
from tests.factories import events as factory
from tests.factories.events import BRANCH, INTERNAL_TYPE, NOW


def endpoints_of(event) -> set[str]:
    return {row.endpoint.description for row in WebhookDelivery.objects.filter(event_id=event.id)}


def fan_out() -> None:
    with clock.fixed(NOW):
        while relay.run_next(queue="webhooks", now=NOW):
            pass


def test_reaches_the_endpoints_that_want_the_event(acme, monkeypatch):
    monkeypatch.setitem(REGISTRY, "order_shipped", replace(factory.PARTNER_TYPE, name="order_shipped"))
    factory.endpoint("https://one.example/", description="everything")
    factory.endpoint("https://two.example/", description="this type", event_types=["order_placed"])
    factory.endpoint("https://three.example/", description="another type", event_types=["order_shipped"])
    factory.endpoint("https://four.example/", description="this branch", branch_id=BRANCH)
    factory.endpoint("https://five.example/", description="another branch", branch_id=ids.new())
    factory.endpoint("https://six.example/", description="another application", application_id=ids.new())
    off = factory.endpoint("https://seven.example/", description="switched off").endpoint
    webhook_endpoints.disable(endpoint_id=off.id, actor=SYSTEM, now=NOW)
    gone = factory.endpoint("https://eight.example/", description="deleted").endpoint
    webhook_endpoints.delete(endpoint_id=gone.id, actor=SYSTEM, now=NOW)

    event = factory.publish()
    fan_out()

    assert endpoints_of(event) == {"everything", "this type", "this branch"}
    planned = WebhookDelivery.objects.first()
    assert (planned.status, planned.next_attempt_at, planned.attempt_count) == (WebhookStatus.PENDING, NOW, 0)


def test_never_lets_an_internal_event_leave(acme):
    factory.endpoint()
    event = factory.publish(INTERNAL_TYPE)

    fan_out()
    planned = webhook_deliveries.plan(event_id=event.id, now=NOW)

    assert planned == []
    assert WebhookDelivery.objects.count() == 0


def test_plans_once_however_often_it_runs(acme):
    factory.endpoint()
    event = factory.publish()

    for _ in range(2):
        webhook_deliveries.plan(event_id=event.id, now=NOW)

    assert WebhookDelivery.objects.count() == 1


def test_wakes_a_sender_for_each(acme, waking):
    factory.endpoint("https://one.example/")
    factory.endpoint("https://two.example/")
    event = factory.publish()

    with waking() as woken:
        planned = webhook_deliveries.plan(event_id=event.id, now=NOW)
        assert woken == []

    assert woken == [("events.send_webhook", "webhooks", {"delivery_id": str(row.id)}) for row in planned]


def test_stays_inside_its_organisation(acme, in_organisation):
    factory.endpoint()
    in_organisation("zuri")
    event = factory.publish()

    assert webhook_deliveries.plan(event_id=event.id, now=NOW) == []

    connection.set_tenant(acme)
    assert OutboxEvent.objects.count() == 0

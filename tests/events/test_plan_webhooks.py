"""Plan webhooks: one delivery for each endpoint that listens, and for nobody else."""

from dataclasses import replace

from django.db import connection, transaction

from apps.events.contracts import REGISTRY
from apps.events.models import OutboxEvent, WebhookDelivery, WebhookStatus
from apps.events.services import outbox, webhook_endpoints
from apps.kit import ids
from apps.kit.actors import SYSTEM
from tests.factories import events as factory
from tests.factories.events import BRANCH, INTERNAL_TYPE, NOW


def endpoints_of(event) -> set[str]:
    return {row.endpoint.description for row in factory.planned(event)}


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

    assert endpoints_of(event) == {"everything", "this type", "this branch"}
    planned = WebhookDelivery.objects.first()
    assert (planned.status, planned.next_attempt_at, planned.attempt_count) == (WebhookStatus.PENDING, NOW, 0)


def test_never_lets_an_internal_event_leave(acme):
    factory.endpoint()

    factory.publish(INTERNAL_TYPE)

    assert WebhookDelivery.objects.count() == 0


def test_plans_none_when_the_transaction_fails(acme, waking):
    factory.endpoint()

    with waking() as woken, transaction.atomic():
        outbox.publish(factory.new_event(), now=NOW)
        transaction.set_rollback(True)

    assert WebhookDelivery.objects.count() == len(woken) == 0


def test_wakes_a_sender_for_each(acme, waking):
    factory.endpoint("https://one.example/")
    factory.endpoint("https://two.example/")

    with waking() as woken:
        event = factory.publish()
        assert woken == []

    assert [call for call in woken if call[0] == "events.send_webhooks"] == [
        ("events.send_webhooks", "webhooks", {"endpoint_id": str(row.endpoint_id)})
        for row in factory.planned(event)
    ]


def test_stays_inside_its_organisation(acme, in_organisation):
    factory.endpoint()
    in_organisation("zuri")

    assert factory.planned(factory.publish()) == []

    connection.set_tenant(acme)
    assert OutboxEvent.objects.count() == 0

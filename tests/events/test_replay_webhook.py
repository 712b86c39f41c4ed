"""Replay webhook: a person sends it once more."""

from datetime import timedelta

import pytest

from apps.audit.models import AuditRecord
from apps.events.models import WebhookAttempt, WebhookDelivery, WebhookStatus
from apps.events.models.webhook import LADDER
from apps.events.services import webhook_attempts, webhook_deliveries, webhook_endpoints
from apps.kit import ids
from apps.kit.actors import Actor, ActorKind
from tests.factories import events as factory
from tests.factories.events import NOW

ANNE = Actor(ActorKind.USER, "anne", person="anne")
LATER = NOW + timedelta(days=10)


@pytest.fixture
def delivery(acme, receiver) -> WebhookDelivery:
    factory.endpoint(receiver.url)
    return factory.planned(factory.publish())[0]


def test_sends_a_delivered_one_again_under_the_same_id(delivery, receiver):
    webhook_attempts.make(endpoint_id=delivery.endpoint_id, now=NOW)

    webhook_deliveries.replay(delivery_id=delivery.id, actor=ANNE, now=LATER)
    webhook_attempts.make(endpoint_id=delivery.endpoint_id, now=LATER)

    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempt_count) == (WebhookStatus.DELIVERED, 2)
    record = AuditRecord.objects.get(action="webhook_delivery.replayed")
    assert (record.person, record.changes) == ("anne", {"status": ["DELIVERED", "PENDING"]})


def test_starts_the_ladder_again_for_one_that_was_given_up(delivery, receiver):
    receiver.answers = [500] * 20
    at = NOW
    for _ in LADDER:
        webhook_attempts.make(endpoint_id=delivery.endpoint_id, now=at)
        delivery.refresh_from_db()
        at = delivery.next_attempt_at or at
    assert delivery.status == WebhookStatus.EXHAUSTED

    webhook_deliveries.replay(delivery_id=delivery.id, actor=ANNE, now=LATER)
    webhook_attempts.make(endpoint_id=delivery.endpoint_id, now=LATER)

    delivery.refresh_from_db()
    assert (delivery.status, delivery.step, delivery.attempt_count) == (WebhookStatus.PENDING, 1, 11)
    assert WebhookAttempt.objects.count() == 11


def test_brings_the_next_attempt_forward(delivery, receiver):
    receiver.answers = [500]
    webhook_attempts.make(endpoint_id=delivery.endpoint_id, now=NOW)

    webhook_deliveries.replay(delivery_id=delivery.id, actor=ANNE, now=NOW + timedelta(seconds=2))

    assert webhook_attempts.make(endpoint_id=delivery.endpoint_id, now=NOW + timedelta(seconds=2)) == 1


def test_refuses_while_an_attempt_is_under_way(delivery):
    webhook_attempts._claim(delivery.endpoint_id, NOW)

    with pytest.raises(webhook_deliveries.DeliveryRunning):
        webhook_deliveries.replay(delivery_id=delivery.id, actor=ANNE, now=NOW + timedelta(seconds=30))

    assert AuditRecord.objects.filter(action="webhook_delivery.replayed").count() == 0


@pytest.mark.parametrize("switch", [webhook_endpoints.disable, webhook_endpoints.delete])
def test_refuses_where_the_endpoint_is_off(delivery, switch):
    switch(endpoint_id=delivery.endpoint_id, actor=ANNE, now=NOW)

    with pytest.raises(webhook_deliveries.EndpointOff):
        webhook_deliveries.replay(delivery_id=delivery.id, actor=ANNE, now=LATER)


def test_refuses_what_is_not_there(acme):
    with pytest.raises(webhook_deliveries.WebhookDeliveryUnknown):
        webhook_deliveries.replay(delivery_id=ids.new(), actor=ANNE, now=NOW)

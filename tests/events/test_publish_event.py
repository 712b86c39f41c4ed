"""Publish event: into the outbox, with the transaction that makes it true."""

import dataclasses

import pytest
from django.db import IntegrityError, connection, transaction

from apps.events.contracts import REGISTRY
from apps.events.models import EventDelivery, OutboxEvent
from apps.events.services import outbox
from apps.kit import ids
from apps.kit.models import InsertOnlyViolation
from tests.factories import events as factory
from tests.factories.events import INTERNAL_TYPE, NOW, PARTNER_TYPE


def test_stores_the_event_and_one_delivery_for_each_handler(acme):
    published = factory.publish()

    event = OutboxEvent.objects.get()
    assert (event.id, event.seq, event.type) == (published.id, published.seq, "order_placed")
    assert (event.audience, event.version, event.aggregate_version) == ("PARTNER", 1, 1)
    assert event.occurred_at == NOW
    deliveries = EventDelivery.objects.order_by("handler").values_list("handler", "queue", "is_atomic", "seq")
    assert list(deliveries) == [
        ("tests.events.handlers.talk", "documents", False, event.seq),
        ("tests.events.handlers.write", "events", True, event.seq),
    ]


def test_numbers_the_events_of_an_aggregate(acme):
    order, other = ids.new(), ids.new()
    with transaction.atomic():
        outbox.publish(
            factory.new_event(aggregate_id=order),
            factory.new_event(aggregate_id=other),
            factory.new_event(aggregate_id=order),
            now=NOW,
        )
    factory.publish(aggregate_id=order)

    versions = (
        OutboxEvent.objects.filter(aggregate_id=order)
        .order_by("seq")
        .values_list("aggregate_version", flat=True)
    )
    assert list(versions) == [1, 2, 3]
    assert OutboxEvent.objects.get(aggregate_id=other).aggregate_version == 1


def test_keeps_nothing_when_the_transaction_fails(acme):
    with transaction.atomic():
        outbox.publish(factory.new_event(), now=NOW)
        transaction.set_rollback(True)

    assert OutboxEvent.objects.count() == 0
    assert EventDelivery.objects.count() == 0


def test_refuses_outside_a_transaction(committed_acme):
    with pytest.raises(outbox.NotInTransaction):
        outbox.publish(factory.new_event(), now=NOW)

    assert OutboxEvent.objects.count() == 0


def test_refuses_a_type_that_nobody_declared(acme, monkeypatch):
    monkeypatch.delitem(REGISTRY, PARTNER_TYPE.name)

    with pytest.raises(outbox.NotDeclared, match="order_placed"):
        factory.publish()

    assert OutboxEvent.objects.count() == 0


@pytest.mark.parametrize("data", [{}, {"count": "three"}, {"count": 1, "colour": "red"}])
def test_refuses_data_that_is_not_what_the_type_declares(acme, data):
    with pytest.raises(outbox.DataInvalid, match="stock_counted"):
        factory.publish(INTERNAL_TYPE, data=data)

    assert OutboxEvent.objects.count() == 0


def test_never_loses_money_over_a_wrong_payload_in_production(acme, settings):
    settings.TREASURY = {**settings.TREASURY, "VALIDATE_EVENTS": False}

    factory.publish(INTERNAL_TYPE, data={"count": "three"})

    assert OutboxEvent.objects.get().data == {"count": "three"}


@pytest.mark.parametrize("missing", ["branch_id", "application_id"])
def test_refuses_a_partner_event_that_belongs_to_nobody(acme, missing):
    with pytest.raises(IntegrityError, match="events_outbox_partner_is_owned"), transaction.atomic():
        factory.publish(**{missing: None})


def test_keeps_an_event_unchanged_for_ever(acme, owner_connection):
    event = OutboxEvent.objects.get(id=factory.publish().id)

    with pytest.raises(InsertOnlyViolation):
        event.save()
    with pytest.raises(InsertOnlyViolation):
        event.delete()
    with pytest.raises(InsertOnlyViolation):
        OutboxEvent.objects.update(type="other")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT has_table_privilege('events_outboxevent', 'UPDATE'), has_table_privilege('events_outboxevent', 'DELETE')"
        )
        assert cursor.fetchone() == (False, False)


def test_has_one_meaning_for_a_name(monkeypatch):
    from apps.events.contracts import Audience, DeclaredTwice, declare  # noqa: PLC0415 (the subject of this test)

    again = {f.name: getattr(PARTNER_TYPE, f.name) for f in dataclasses.fields(PARTNER_TYPE)}

    assert declare(again.pop("name"), **again) == PARTNER_TYPE
    with pytest.raises(DeclaredTwice):
        declare("order_placed", **{**again, "audience": Audience.INTERNAL})

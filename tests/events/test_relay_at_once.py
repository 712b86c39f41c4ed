"""Relay at once: two relays on two connections, and one that is killed."""

import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

from django.db import connection, transaction

from apps.audit.models import AuditRecord
from apps.events.models import (
    DeliveryStatus,
    EventDelivery,
    OutboxEvent,
    WebhookDelivery,
    WebhookEndpoint,
)
from apps.events.services import outbox, relay
from apps.kit import clock, ids
from tests.events import handlers
from tests.factories import events as factory
from tests.factories.events import INTERNAL_TYPE, NOW
from tests.running import wait_for

WAIT = 10


def in_thread(organisation, work) -> threading.Thread:
    """Run ``work`` on a connection of its own, inside the organisation."""

    def run() -> None:
        try:
            connection.set_tenant(organisation)
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_two_relays_share_the_work_and_keep_each_order(committed_acme):
    orders = [ids.new() for _ in range(4)]
    for _ in range(5):
        for order in orders:
            factory.publish(INTERNAL_TYPE, aggregate_id=order)

    def work() -> None:
        while EventDelivery.objects.filter(status=DeliveryStatus.PENDING).exists():
            relay.run_due(queue="events", now=NOW)

    relays = [in_thread(committed_acme, work) for _ in range(2)]
    for thread in relays:
        thread.join(WAIT)

    done = [
        int(record.object_id) for record in AuditRecord.objects.filter(action="test.handled").order_by("id")
    ]
    assert sorted(done) == sorted(OutboxEvent.objects.values_list("seq", flat=True))
    for order in orders:
        wanted = list(
            OutboxEvent.objects.filter(aggregate_id=order).order_by("seq").values_list("seq", flat=True)
        )
        assert [seq for _, seq in handlers.seen if seq in wanted] == wanted


def test_a_second_relay_passes_by_what_the_first_is_running(committed_acme, settings, monkeypatch):
    order = ids.new()
    factory.publish(INTERNAL_TYPE, aggregate_id=order)
    factory.publish(INTERNAL_TYPE, aggregate_id=order)
    is_running, may_end = threading.Event(), threading.Event()

    def slow(event) -> None:
        is_running.set()
        may_end.wait(WAIT)

    monkeypatch.setattr(handlers, "write", slow)
    first = in_thread(committed_acme, lambda: relay.run_due(queue="events", now=NOW))
    assert is_running.wait(WAIT)

    assert relay.run_due(queue="events", now=NOW + timedelta(hours=1)) == 0

    may_end.set()
    first.join(WAIT)
    assert sorted(EventDelivery.objects.values_list("status", flat=True)) == ["DONE", "PENDING"]


def test_publishers_of_one_aggregate_commit_in_the_order_of_their_numbers(committed_acme):
    order = ids.new()
    has_published, may_commit = threading.Event(), threading.Event()

    def first() -> None:
        with transaction.atomic():
            outbox.publish(factory.new_event(INTERNAL_TYPE, aggregate_id=order), now=NOW)
            has_published.set()
            may_commit.wait(WAIT)

    one = in_thread(committed_acme, first)
    assert has_published.wait(WAIT)
    two = in_thread(committed_acme, lambda: factory.publish(INTERNAL_TYPE, aggregate_id=order))
    two.join(0.3)
    assert two.is_alive(), "the second publisher waits for the first to commit"
    assert OutboxEvent.objects.count() == 0

    may_commit.set()
    one.join(WAIT)
    two.join(WAIT)

    versions = OutboxEvent.objects.order_by("seq").values_list("aggregate_version", flat=True)
    assert list(versions) == [1, 2]


def test_a_worker_killed_between_handler_and_mark_keeps_no_half(committed_acme, tmp_path):
    """A real process, killed by SIGKILL after the handler of the first of two has written and before the commit."""
    events = [factory.publish(INTERNAL_TYPE, now=clock.now()) for _ in range(2)]
    (tmp_path / "events.after_handler").touch()

    worker = relay_in_process(tmp_path)

    assert worker.returncode == -signal.SIGKILL, worker.stderr
    assert AuditRecord.objects.filter(action="test.handled").count() == 0
    rows = EventDelivery.objects.values_list("status", "attempts")
    assert set(rows) == {(DeliveryStatus.PENDING, 1)}
    grace = EventDelivery.objects.latest("locked_until").locked_until

    for _ in events:
        wait_for(lambda: relay.run_due(queue="events", now=grace), what="the killed one's lock to end")
    assert AuditRecord.objects.filter(action="test.handled").count() == len(events)
    assert set(rows.all()) == {(DeliveryStatus.DONE, 2)}


WORKER = """
import django; django.setup()
from django.db import connection
from apps.events.services import relay
from apps.kit import clock
from apps.tenancy.selectors import organisations
connection.set_tenant(organisations.ready_by_slug("acme"))
relay.run_due(queue="events", now=clock.now())
"""


def relay_in_process(fault_path: Path) -> subprocess.CompletedProcess[str]:
    """Run one turn of the relay in a process of its own, on the database of this test."""
    database = connection.settings_dict
    environment = {
        **os.environ,
        "TREASURY_POSTGRES_URL": f"postgresql://{database['HOST']}:{database['PORT']}/{database['NAME']}",
        "TREASURY_FAULT_PATH": str(fault_path),
    }
    return subprocess.run(
        [sys.executable, "-c", WORKER],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_who_publishes_is_not_held_up_by_who_changes_an_endpoint(committed_acme):
    endpoint = factory.endpoint().endpoint
    with transaction.atomic():
        WebhookEndpoint.objects.locked().get(id=endpoint.id)
        publisher = in_thread(committed_acme, factory.publish)
        publisher.join(WAIT)
        assert not publisher.is_alive()

    assert [planned.endpoint_id for planned in WebhookDelivery.objects.all()] == [endpoint.id]

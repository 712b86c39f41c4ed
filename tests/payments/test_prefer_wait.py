"""Prefer wait: an answer that comes once the provider has taken the request, and holds nothing but a thread meanwhile."""

import threading
import time

import pytest
from django.db import connection

from apps.kit import preferences, rooms
from apps.payments.contracts import IntentStatus
from apps.payments.models import PaymentIntent
from apps.payments.services import attempts
from tests.factories import payments
from tests.payments.partner import Partner, body

PATIENCE = 20


@pytest.fixture
def shop(committed_acme):
    payments.account()
    return Partner()


@pytest.fixture
def provider(committed_acme):
    """Have the provider take the next payment as soon as it is there, in a thread and a connection of its own."""
    threads = []

    def take():
        connection.set_tenant(committed_acme)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            found = PaymentIntent.objects.filter(status=IntentStatus.PROCESSING).first()
            if found is not None:
                attempt = attempts.begin(intent_id=found.id, now=found.created_at)
                attempts.accept(attempt_id=attempt.id, ticket=payments.ticket(), now=found.created_at)
                break
            time.sleep(0.01)
        connection.close()

    def start():
        threads.append(threading.Thread(target=take))
        threads[0].start()

    yield start
    for thread in threads:
        thread.join(PATIENCE)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("wait=5", 5),
        ("respond-async, wait=5", 5),
        ('Wait = "5"; foo', 5),
        ("wait=5, return=minimal", 5),
        ("wait=3600", 10),
        ("wait=0", 0),
        ("", 0),
        ("wait", 0),
        ("wait=-1", 0),
        ("wait=soon", 0),
        ("await=5", 0),
        ("wait=5s", 0),
    ],
)
def test_reads_how_long_it_may_wait(header, seconds):
    assert preferences.wait(header) == seconds


def test_the_answer_comes_once_the_provider_has_taken_the_request(shop, provider):
    provider()

    answer = shop.post(body=body(), Prefer="wait=10")

    said = answer.json()
    assert (answer.status_code, said["status"]) == (201, "action_required")
    assert said["next_action"]["type"] == "prompt"
    assert answer.headers["Preference-Applied"] == "wait=10"
    assert answer.headers["Location"] == f"/v1/acme/payments/{said['id']}"
    assert answer.headers["Content-Type"] == "application/json"


def test_a_confirmation_waits_too(shop, provider):
    made = shop.post(body=body(confirm=False)).json()
    provider()

    answer = shop.post(f"/{made['id']}/confirm", {}, Prefer="wait=10")

    assert (answer.status_code, answer.json()["status"]) == (200, "action_required")
    assert answer.headers["Preference-Applied"] == "wait=10"


def test_at_the_end_it_says_how_things_stand(shop, settings):
    settings.TREASURY = {**settings.TREASURY, "WAIT_SECONDS": 1}

    answer = shop.post(body=body(), Prefer="wait=9")

    assert (answer.json()["status"], answer.headers["Preference-Applied"]) == ("processing", "wait=1")


def test_what_was_waited_for_is_not_stored(shop, provider):
    provider()
    key = {"Idempotency-Key": "once", "Prefer": "wait=10"}
    first = shop.post(body=body(), **key)

    again = shop.post(body=body(), **key)

    assert (first.json()["status"], again.json()["status"]) == ("action_required", "processing")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Preference-Applied" not in again.headers
    assert PaymentIntent.objects.count() == 1


@pytest.mark.parametrize("switch", ["WAITING_REQUESTS", "WAIT_SECONDS"])
def test_is_answered_at_once_where_nobody_may_wait(shop, settings, switch):
    settings.TREASURY = {**settings.TREASURY, switch: 0}

    answer = shop.post(body=body(), Prefer="wait=10")

    assert (answer.status_code, answer.json()["status"]) == (201, "processing")
    assert "Preference-Applied" not in answer.headers


def test_a_refusal_does_not_wait(shop):
    answer = shop.post(body=body(method="card"), Prefer="wait=10")

    assert answer.status_code == 422
    assert "Preference-Applied" not in answer.headers


def test_places_are_given_back(settings):
    settings.TREASURY = {**settings.TREASURY, "WAITING_REQUESTS": 2}
    room = rooms.Room()

    with room.place() as first, room.place() as second, room.place() as third:
        assert (first, second, third) == (True, True, False)
    with room.place() as again:
        assert again


def test_what_cannot_be_had_without_waiting_has_one_place(settings):
    settings.TREASURY = {**settings.TREASURY, "WAITING_REQUESTS": 0}
    room = rooms.Room()

    with room.place(at_least=1) as first, room.place(at_least=1) as second:
        assert (first, second) == (True, False)


def test_who_waits_holds_no_connection(committed_acme, monkeypatch):
    held = []
    monkeypatch.setattr(preferences.time, "sleep", lambda _: held.append(connection.connection))
    asked = iter([False, False, True])

    def is_over():
        PaymentIntent.objects.exists()
        return next(asked)

    preferences.until(is_over, seconds=PATIENCE)

    assert held == [None, None, None]

"""Readiness: names what is missing, within a second, and lets no outage of a provider count."""

import base64
import threading
import time

import pytest
from django.db import connection

from tests.conftest import owner
from treasury import health


@pytest.fixture
def ready(transactional_db, client, monkeypatch):
    """Ask as a probe does, by an address that is no host of ours; patient, for machines that have much to do."""
    monkeypatch.setattr(health, "CHECK_SECONDS", 20.0)
    return lambda: client.get("/readyz", headers={"host": "10.0.0.7"})


def test_says_ok_of_every_part(ready):
    answer = ready()

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "checks": {"database": "ok", "migrations": "ok", "keyring": "ok", "broker": "ok"},
    }


def test_a_public_schema_behind_this_build_is_not_ready(ready):
    last = "DELETE FROM public.django_migrations WHERE id = (SELECT max(id) FROM public.django_migrations) RETURNING app, name"
    with owner() as database:
        taken = database.execute(last).fetchone()

    answer = ready()

    with owner() as database:
        database.execute(
            "INSERT INTO public.django_migrations (app, name, applied) VALUES (%s, %s, now())", taken
        )
    assert answer.status_code == 503
    assert answer.json()["checks"] == {
        "database": "ok",
        "migrations": "behind",
        "keyring": "ok",
        "broker": "ok",
    }
    assert ready().status_code == 200


def test_migrations_of_a_later_build_do_no_harm(ready):
    later = ("payments", "9999_later")
    with owner() as database:
        database.execute(
            "INSERT INTO public.django_migrations (app, name, applied) VALUES (%s, %s, now())", later
        )

    answer = ready()

    with owner() as database:
        database.execute("DELETE FROM public.django_migrations WHERE app = %s AND name = %s", later)
    assert answer.status_code == 200


@pytest.mark.parametrize("key", [base64.b64encode(b"k" * 32).decode(), "no key at all"])
def test_another_master_key_is_not_ready(ready, settings, key):
    settings.TREASURY = {**settings.TREASURY, "MASTER_KEY": key}

    answer = ready()

    assert answer.status_code == 503
    assert answer.json()["checks"]["keyring"] == "unreadable"


def test_a_broker_that_is_gone_is_not_ready(ready, settings):
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"

    answer = ready()

    assert answer.status_code == 503
    assert answer.json()["checks"]["broker"] == "unavailable"


def test_a_database_that_is_gone_is_not_ready(ready, monkeypatch):
    began = time.monotonic()

    with monkeypatch.context() as patch:
        patch.setitem(connection.settings_dict, "PORT", "1")
        answer = ready()

    assert answer.status_code == 503
    assert answer.json() == {
        "status": "unavailable",
        "checks": {
            "database": "unavailable",
            "migrations": "unavailable",
            "keyring": "unavailable",
            "broker": "ok",
        },
    }
    assert time.monotonic() - began < 10


def test_waits_a_moment_for_all_of_them_together(ready, monkeypatch):
    over = threading.Event()

    def stuck() -> str:
        over.wait(timeout=60)
        return health.OK

    for name in ("database", "broker"):
        monkeypatch.setitem(health.CHECKS, name, stuck)
    monkeypatch.setattr(health, "CHECK_SECONDS", 1.0)
    began = time.monotonic()

    answer = ready()

    took = time.monotonic() - began
    over.set()
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == "unavailable"
    assert answer.json()["checks"]["broker"] == "unavailable"
    assert 0.9 < took < 20


def test_healthz_asks_nobody(ready, client, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setitem(connection.settings_dict, "PORT", "1")
        answer = client.get("/healthz")

    assert answer.json() == {"status": "ok"}

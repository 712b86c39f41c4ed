"""Tasks: none runs outside an organisation, and none of the platform inside one; keys of what is shared name the organisation."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import cache
from django.db import connection, transaction

from apps.kit import locks, storage
from apps.tenancy.selectors import organisations
from tests.factories.access import NOW
from treasury.celery import PUBLIC, NoOrganisation, app
from treasury.settings import celery as deployed

HERE = "django.core.cache.backends.locmem.LocMemCache"
app.loader.import_default_modules()
OURS = {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}


def test_no_task_of_an_organisation_runs_or_starts_without_one(db):
    connection.set_schema_to_public()
    tenants = [task for task in OURS.values() if task.scope != PUBLIC]

    assert len(tenants) > 20
    for task in tenants:
        with pytest.raises(NoOrganisation):
            task()
        with pytest.raises(NoOrganisation):
            task.apply_async()


def test_no_task_of_the_platform_runs_inside_an_organisation(acme):
    platform = [task for task in OURS.values() if task.scope == PUBLIC]

    assert platform
    for task in platform:
        with pytest.raises(NoOrganisation):
            task()


def held_elsewhere(name):
    """Say whether another connection of acme finds the lock taken."""
    try:
        connection.set_tenant(organisations.working_by_slug("acme"))
        with transaction.atomic():
            return not locks.try_advisory(name)
    finally:
        connection.close()


def test_a_lock_of_one_organisation_does_not_hold_another(transactional_db, in_organisation):
    for slug, is_held in (("acme", True), ("zuri", False)):
        in_organisation(slug)
        with transaction.atomic(), ThreadPoolExecutor(1) as pool:
            locks.advisory("twin")
            assert pool.submit(held_elsewhere, "twin").result() is is_held, slug


def test_what_is_cached_and_stored_names_its_organisation(db, in_organisation, each_storage, settings):
    settings.CACHES = {"default": {**deployed.CACHES["default"], "BACKEND": HERE, "LOCATION": "twins"}}
    stored = {}
    for slug in ("acme", "zuri"):
        in_organisation(slug)
        cache.set("twin", slug)
        stored[slug] = storage.put(name="twin", content=b"same", content_type="text/plain", now=NOW)

    in_organisation("acme")
    assert cache.get("twin") == "acme"
    assert stored["acme"].key != stored["zuri"].key
    with pytest.raises(storage.KeyRefused):
        storage.read(key=stored["zuri"].key, sha256=stored["zuri"].sha256)

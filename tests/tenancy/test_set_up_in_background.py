"""Set up in background: steps that note themselves, several at once, beside a login that holds its lock, and failures."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from apps.access.models import Membership
from apps.accounts.models import PlatformRecord, User
from apps.kit import faults, jobs, schema
from apps.kit.actors import SYSTEM
from apps.tenancy.contracts import NewOrganisation
from apps.tenancy.models import Organisation, Provisioning, SchemaSnapshot
from apps.tenancy.services import provisioning, provisionings, schemas
from tests.conftest import owner
from tests.factories import access
from tests.factories.accounts import NOW

LATER = NOW + timedelta(minutes=5)


def ask(slug: str, person: User) -> Provisioning:
    new = NewOrganisation(slug, slug.title(), is_test=True)
    return provisionings.ask(new=new, owner_id=person.pk, actor=SYSTEM, now=NOW)


def owners_of(slug: str) -> list[str]:
    schema.enter(Organisation.objects.get(slug=slug))
    found = list(Membership.objects.filter(role__code="owner").values_list("user__email", flat=True))
    schema.leave()
    return found


def test_several_at_once_beside_a_login_that_holds_its_lock(as_owner):
    person = access.user("first@example.test")
    with jobs.held() as held:
        asked = [ask(f"new-{number}", person) for number in range(3)]
    assert [job.name for job in held] == ["tenancy.provision"] * 3
    said, done = threading.Event(), threading.Event()

    def sign_in() -> None:
        with owner() as login:
            login.execute("SELECT 1 FROM accounts_user LIMIT 1")
            login.execute("UPDATE accounts_user SET last_login = now()")
            said.set()
            done.wait(20)

    def set_up(one: Provisioning, now) -> None:
        with jobs.held():
            provisionings.go_on(provisioning_id=one.id, now=now)
        connection.close()

    def all_at_once(now) -> None:
        threads = [threading.Thread(target=set_up, args=[one, now]) for one in asked]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    login = threading.Thread(target=sign_in)
    login.start()
    said.wait(10)
    set_up(asked[0], NOW)
    first = Provisioning.objects.get(id=asked[0].id)
    done.set()
    login.join()
    all_at_once(LATER)

    assert (first.tries, first.problem, first.restored_at) == (1, provisionings.BUSY, None)
    assert first.next_try_at == NOW + timedelta(seconds=2)
    for one in Provisioning.objects.order_by("created_at"):
        assert (one.restored_at, one.ready_at, one.failed_at) == (LATER, LATER, None)
        assert schemas.drift(one.organisation.schema_name) == []
        assert one.organisation.status == "READY"
        assert owners_of(one.organisation.slug) == ["first@example.test"]


def test_goes_on_behind_the_step_that_a_killed_worker_did(as_owner, monkeypatch):
    asked = ask("new-killed", access.user("first@example.test"))

    def die(point: str) -> None:
        raise KeyboardInterrupt(point)

    with monkeypatch.context() as killed:
        killed.setattr(faults, "reach", die)
        with pytest.raises(KeyboardInterrupt):
            provisionings.go_on(provisioning_id=asked.id, now=NOW)
    restored = Provisioning.objects.select_related("organisation").get(id=asked.id)
    soon = provisionings.go_on(provisioning_id=asked.id, now=NOW)
    monkeypatch.setattr(provisioning, "restore", None)

    done = provisionings.go_on(provisioning_id=asked.id, now=LATER)

    assert (restored.restored_at, restored.ready_at, restored.organisation.status) == (
        NOW,
        None,
        "PROVISIONING",
    )
    assert soon is None, "the worker that was killed still has its lease"
    assert (done.ready_at, done.tries) == (LATER, 2)
    assert provisionings.go_on(provisioning_id=asked.id, now=LATER) is None, "twice changes nothing"


def test_waits_for_a_snapshot_and_gives_up_in_the_end(as_owner, monkeypatch):
    asked = ask("new-early", access.user("first@example.test"))
    monkeypatch.setattr(provisioning, "code_fingerprint", lambda: "a build that nobody migrated to")

    with jobs.held() as held:
        put_off = provisionings.go_on(provisioning_id=asked.id, now=NOW)
        Provisioning.objects.update(tries=19)
        given_up = provisionings.go_on(provisioning_id=asked.id, now=LATER)

    assert (put_off.problem, put_off.failed_at) == (
        "No snapshot of the template belongs to this build: run the migrate job first.",
        None,
    )
    assert [job.countdown for job in held] == [2.0]
    assert given_up.failed_at == LATER
    assert PlatformRecord.objects.filter(action="organisation.provisioning_failed").count() == 1
    assert provisionings.wake_due(now=LATER) == 0


def test_fails_with_the_reason_and_is_tried_again_by_hand(as_owner):
    asked = ask("new-odd", access.user("first@example.test"))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA org_new_odd CREATE TABLE org_new_odd.left_over (id int)")

    failed = provisionings.go_on(provisioning_id=asked.id, now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA org_new_odd CASCADE")
    provisionings.ask_again(organisation_id=asked.organisation_id, reason="Removed it", actor=SYSTEM, now=NOW)
    done = provisionings.go_on(provisioning_id=asked.id, now=NOW)

    assert "org_new_odd differs from the template" in failed.problem
    assert done.ready_at == NOW
    assert SchemaSnapshot.objects.count() == 1
    with pytest.raises(provisionings.NotFailed):
        provisionings.ask_again(organisation_id=asked.organisation_id, reason="Again", actor=SYSTEM, now=NOW)

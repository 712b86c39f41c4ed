"""Rotate a key: the new one works at once, the old one until its grace ends, and nobody is turned away meanwhile."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from apps.access.contracts import SCOPES
from apps.access.models import ApiKey, Application
from apps.access.services import api_keys
from apps.audit.models import AuditRecord
from apps.kit import clock, ids
from apps.kit.actors import SYSTEM
from tests import dialogs
from tests.conftest import owner
from tests.factories import access as make

NOW = make.NOW
DAY = timedelta(days=1)
AT_ONCE = 50


def rotate(key, **chosen):
    return api_keys.rotate(**{"key_id": key.id, "grace": DAY, "actor": SYSTEM, "now": NOW, **chosen})


def opens(secret, now=NOW):
    return api_keys.authenticate(secret=secret, now=now) is not None


@pytest.fixture
def browser(acme):
    browser = Client(headers={"host": "acme.testserver"})
    make.head_office()
    make.portal()
    browser.force_login(make.member("owner").user)
    return browser


def test_the_new_key_may_do_the_same_and_both_work_until_the_grace_ends(acme):
    branch = make.branch()
    old = make.issued(
        ("payments:read",), branch=branch, issuer=make.member("developer").user, expires_at=NOW + 30 * DAY
    )

    new = rotate(old.key, now=NOW + DAY, reason="every month")

    kept = ("application_id", "branch_id", "name", "scopes", "allowed_networks", "created_by_id")
    assert [getattr(new.key, name) for name in kept] == [getattr(old.key, name) for name in kept]
    assert (new.key.replaces, new.key.expires_at) == (old.key, NOW + 31 * DAY)
    assert opens(new.secret, NOW + DAY)
    assert [opens(old.secret, NOW + 2 * DAY - timedelta(seconds=s)) for s in (1, 0)] == [True, False]
    record = AuditRecord.objects.get(action="api_key.rotated")
    assert (record.object_id, record.reason) == (str(old.key.id), "every month")
    assert record.changes == {
        "grace_ends_at": [None, "2026-11-26T07:40:00+00:00"],
        "replaced_by": [None, new.key.prefix],
    }


def test_without_grace_the_old_key_ends_at_once(acme):
    old = make.issued()

    new = rotate(old.key, grace=timedelta(0))

    assert (opens(old.secret), opens(new.secret)) == (False, True)


def test_revoking_the_old_key_ends_the_grace_early(acme):
    old = make.issued()
    new = rotate(old.key)

    api_keys.revoke(key_id=old.key.id, actor=SYSTEM, now=NOW)

    assert (opens(old.secret), opens(new.secret)) == (False, True)


@pytest.mark.parametrize("grace", [timedelta(seconds=-1), timedelta(days=7, seconds=1)])
def test_refuses_a_grace_of_more_than_seven_days(acme, grace):
    old = make.issued()

    with pytest.raises(api_keys.KeyInvalid) as refusal:
        rotate(old.key, grace=grace)

    assert [error.pointer for error in refusal.value.errors] == ["/grace_hours"]
    assert (ApiKey.objects.count(), opens(old.secret, NOW + DAY)) == (1, True)


def test_a_key_that_is_replaced_revoked_or_expired_is_not_rotated(acme):
    replaced, revoked = make.api_key(), make.api_key()
    expired = make.api_key(expires_at=NOW + DAY)
    rotate(replaced)
    api_keys.revoke(key_id=revoked.id, actor=SYSTEM, now=NOW)
    before = ApiKey.objects.count()

    for key in (replaced, revoked, expired):
        with pytest.raises(api_keys.KeyClosed):
            rotate(key, now=NOW + DAY)

    assert ApiKey.objects.count() == before


def test_nobody_gets_a_secret_that_may_do_more_than_he(acme):
    strong = make.api_key(scopes=("payments:write",))
    weak = make.caller(scopes=("keys:write",))

    with pytest.raises(api_keys.ScopeExceeded, match="payments:write"):
        rotate(strong, issuer=weak)
    with pytest.raises(api_keys.ScopeExceeded, match="payments:write"):
        rotate(strong, issuer=make.member("developer").user)

    assert ApiKey.objects.filter(replaced_at__isnull=False).exists() is False


@pytest.mark.parametrize(
    "narrowed", [{"granted_scopes": ["payments:read"]}, {"closed_at": NOW}, {"granted_branch": None}]
)
def test_rotation_gives_no_more_than_the_link_still_grants(acme, narrowed):
    key = make.api_key(scopes=("payments:read", "payments:write"))
    if "granted_branch" in narrowed:
        narrowed = {"granted_branch": make.branch()}
    Application.objects.filter(id=key.application_id).update(**narrowed)

    with pytest.raises((api_keys.ScopeExceeded, api_keys.ApplicationClosed)):
        rotate(key)

    assert ApiKey.objects.count() == 1


def test_a_person_makes_no_key_without_end(acme):
    endless = make.api_key()

    new = rotate(endless, issuer=make.member("owner").user)

    assert new.key.expires_at == NOW + timedelta(days=365)


def test_the_database_holds_the_grace_and_the_lifetime(acme):
    key = make.api_key()

    for change in (
        {"replaced_at": NOW, "grace_ends_at": NOW + 8 * DAY},
        {"replaced_at": NOW, "grace_ends_at": NOW - DAY},
        {"grace_ends_at": NOW},
        {"expires_at": NOW + 366 * DAY},
        {"allowed_networks": ["203.0.113.9/32"] * 21},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            ApiKey.objects.filter(id=key.id).update(**change)


def test_a_key_rotates_itself(client, acme):
    old = make.issued()
    connection.set_schema_to_public()
    path = f"/v1/acme/api-keys/{ids.encode('key', old.key.id)}/rotate"

    answer = client.post(path, {"grace_hours": 1}, "application/json", headers=make.bearer(old.secret))

    body = answer.json()
    assert answer.status_code == 201
    assert body["secret"].startswith(body["prefix"])
    assert body["replaces_id"] == ids.encode("key", old.key.id)
    listed = client.get("/v1/acme/api-keys", headers=make.bearer(body["secret"])).json()["data"]
    [replaced] = [key for key in listed if key["id"] == body["replaces_id"]]
    assert (replaced["replaced_at"], replaced["grace_ends_at"]) != (None, None)
    assert client.get("/v1/acme/branches", headers=make.bearer(old.secret)).status_code == 200
    again = client.post(path, {}, "application/json", headers=make.bearer(old.secret))
    assert (again.status_code, again.json()["code"]) == (409, "api_key_closed")
    long = client.post(path, {"grace_hours": 169}, "application/json", headers=make.bearer(old.secret))
    assert long.json()["errors"][0]["pointer"] == "/grace_hours"


def test_every_request_is_answered_while_its_key_is_rotated(committed_acme):
    old = make.issued(scopes=tuple(SCOPES))
    connection.set_schema_to_public()
    path = f"/v1/acme/api-keys/{ids.encode('key', old.key.id)}/rotate"

    def read(number):
        try:
            if number == AT_ONCE // 3:
                return Client().post(path, {}, "application/json", headers=make.bearer(old.secret))
            return Client().get("/v1/acme/branches", headers=make.bearer(old.secret))
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(read, range(AT_ONCE)))

    made = [answer for answer in answers if answer.status_code == 201]
    assert [answer.status_code for answer in answers].count(200) == AT_ONCE - 1
    [new] = made
    assert Client().get("/v1/acme/branches", headers=make.bearer(new.json()["secret"])).status_code == 200


def test_two_rotations_at_once_make_one_key(committed_acme):
    old = make.issued()
    organisation = connection.tenant

    def turn(_):
        connection.set_tenant(organisation)
        try:
            return rotate(old.key)
        except api_keys.KeyClosed as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(turn, range(2)))

    assert sum(isinstance(one, api_keys.IssuedKey) for one in made) == 1
    assert ApiKey.objects.count() == 2


def test_a_request_does_not_wait_for_who_holds_the_row(committed_acme):
    issued = make.issued()

    with owner() as other:
        other.execute("SELECT 1 FROM org_acme.access_apikey WHERE id = %s FOR UPDATE", [issued.key.id])
        assert opens(issued.secret)
        other.rollback()

    assert ApiKey.objects.get().last_used_at is None


def test_shows_the_new_secret_once(browser, in_organisation):
    old = make.api_key()
    page = f"/portal/access/apikey/{old.id}/change/"
    url = f"/portal/access/apikey/{old.id}/do/rotate/"

    assert (
        dialogs.send(browser, url, behind=f"http://acme.testserver{page}", grace_hours="168").status_code
        == 204
    )
    shown = browser.get(page).content.decode()

    in_organisation("acme")
    new = ApiKey.objects.get(replaces=old)
    assert api_keys.digest(shown.partition("<code>")[2].partition("</code>")[0]) == new.digest
    assert "Replaced, still works" in shown
    assert "<code>" not in browser.get(page).content.decode()
    in_organisation("acme")
    old.refresh_from_db()
    assert old.grace_ends_at - old.replaced_at == timedelta(days=7)
    assert dialogs.open_at(browser, url).status_code == 409


def test_lets_a_key_in_from_named_networks(browser, in_organisation):
    key = make.api_key()
    url = f"/portal/access/apikey/{key.id}/do/networks/"

    wrong = dialogs.send(browser, url, allowed_networks="203.0.113.0/24\nhere")
    assert (wrong.status_code, "“here” is no network" in wrong.content.decode()) == (422, True)
    dialogs.send(browser, url, allowed_networks="203.0.113.0/24\n2001:db8::1")

    in_organisation("acme")
    assert ApiKey.objects.get().allowed_networks == ["2001:db8::1/128", "203.0.113.0/24"]
    record = AuditRecord.objects.get(action="api_key.networks_changed")
    assert (record.changes["allowed_networks"][0], record.actor_kind) == ([], "USER")
    assert "203.0.113.0/24" in browser.get(f"/portal/access/apikey/{key.id}/change/").content.decode()


def test_makes_a_key_for_named_networks(browser, in_organisation):
    form = {
        "name": "Till",
        "application": make.application().id,
        "scopes": ["payments:read"],
        "allowed_networks": "203.0.113.9",
    }

    browser.post("/portal/access/apikey/add/", form)

    in_organisation("acme")
    key = ApiKey.objects.get()
    assert key.allowed_networks == ["203.0.113.9/32"]
    assert key.expires_at - key.created_at == timedelta(days=365)
    assert abs(key.created_at - clock.now()) < timedelta(minutes=1)

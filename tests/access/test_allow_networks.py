"""Allow networks: a key that comes from elsewhere is a stranger, and on record."""

from datetime import timedelta

import pytest
from django.db import connection

from apps.access.models import ApiKey
from apps.access.services import api_keys
from apps.audit.models import AuditRecord
from apps.kit import ids
from apps.kit.actors import SYSTEM
from tests.factories import access as make

NOW = make.NOW
OFFICE = ["203.0.113.0/24", "2001:db8:1::/48"]


def issue(**chosen):
    fields = {"name": "Till", "scopes": ["payments:read"], "actor": SYSTEM, "now": NOW}
    return api_keys.issue(**{**fields, "application_id": make.application().id, **chosen})


def test_opens_from_its_networks_only(acme):
    secret = issue(allowed_networks=OFFICE).secret
    inside = ("203.0.113.0", "203.0.113.255", "::ffff:203.0.113.7", "2001:db8:1::7")
    outside = ("203.0.114.0", "2001:db8:2::7", "::ffff:198.51.100.1", "", "nonsense")

    found = {ip: api_keys.authenticate(secret=secret, now=NOW, ip=ip) is not None for ip in inside + outside}

    assert found == {**dict.fromkeys(inside, True), **dict.fromkeys(outside, False)}


def test_a_key_without_networks_opens_from_everywhere(acme):
    secret = issue().secret

    assert all(
        api_keys.authenticate(secret=secret, now=NOW, ip=ip) for ip in ("", "203.0.113.9", "2001:db8::1")
    )


def test_notes_where_it_was_used_and_where_it_was_refused_once_a_minute(acme):
    secret = issue(allowed_networks=OFFICE).secret

    for seconds, ip in enumerate(("203.0.113.1", "203.0.113.2", "198.51.100.1", "198.51.100.2")):
        api_keys.authenticate(secret=secret, now=NOW + timedelta(seconds=seconds), ip=ip)

    key = ApiKey.objects.get()
    assert (key.last_used_ip, key.last_used_at) == ("203.0.113.1", NOW)
    assert (key.last_refused_ip, key.last_refused_at) == ("198.51.100.1", NOW + timedelta(seconds=2))
    record = AuditRecord.objects.get(action="api_key.refused_elsewhere")
    assert (record.object_id, record.ip) == (str(key.id), "198.51.100.1")


def test_from_elsewhere_the_answer_is_a_strangers(client, acme):
    secret = issue(scopes=["branches:read"], allowed_networks=OFFICE).secret
    connection.set_schema_to_public()

    def answer(ip, headers):
        found = client.get("/v1/acme/branches", headers=headers, REMOTE_ADDR=ip)
        return found.status_code, found.content.replace(found["Request-Id"].encode(), b"")

    assert answer("203.0.113.9", make.bearer(secret))[0] == 200
    assert answer("198.51.100.1", make.bearer(secret)) == answer("198.51.100.1", {})


def test_the_address_is_the_one_that_our_proxies_vouch_for(client, acme, settings):
    settings.TREASURY = {**settings.TREASURY, "TRUSTED_PROXIES": 1}
    secret = issue(scopes=["branches:read"], allowed_networks=OFFICE).secret
    connection.set_schema_to_public()

    def status(forwarded):
        headers = {**make.bearer(secret), "X-Forwarded-For": forwarded}
        return client.get("/v1/acme/branches", headers=headers, REMOTE_ADDR="10.0.0.1").status_code

    assert status("203.0.113.9") == 200
    assert status("203.0.113.9, 198.51.100.1") == 401


@pytest.mark.parametrize(
    ("networks", "pointer"),
    [
        (["here"], "/allowed_networks/0"),
        (["203.0.113.9", "203.0.113.9/24"], "/allowed_networks/1"),
        (["0.0.0.0/0"], "/allowed_networks/0"),
        (["::/0"], "/allowed_networks/0"),
        (["203.0.113.9/33"], "/allowed_networks/0"),
        ([f"203.0.113.{last}" for last in range(21)], "/allowed_networks"),
    ],
)
def test_refuses_what_is_no_network(acme, networks, pointer):
    with pytest.raises(api_keys.KeyInvalid) as refusal:
        issue(allowed_networks=networks)

    assert [error.pointer for error in refusal.value.errors] == [pointer]
    assert ApiKey.objects.exists() is False


def test_keeps_each_network_once_in_one_form(acme):
    assert issue(
        allowed_networks=["203.0.113.9", " 203.0.113.9/32", "2001:DB8::0/32"]
    ).key.allowed_networks == [
        "2001:db8::/32",
        "203.0.113.9/32",
    ]


def test_a_key_that_is_bound_lets_no_other_go_further(acme):
    free = issue(scopes=["keys:write"]).key
    secret = issue(scopes=["keys:write", "payments:read"], allowed_networks=["203.0.113.0/24"]).secret
    caller = api_keys.authenticate(secret=secret, now=NOW, ip="203.0.113.1")
    asked = {"application_id": caller.application_id, "issuer": caller}
    change = {"issuer": caller, "actor": SYSTEM, "now": NOW}

    for networks in ([], ["203.0.112.0/23"], ["203.0.113.9", "2001:db8::1"]):
        with pytest.raises(api_keys.NetworkExceeded):
            issue(**asked, allowed_networks=networks)
        with pytest.raises(api_keys.NetworkExceeded):
            api_keys.allow_networks(key_id=caller.key.id, networks=networks, **change)
    with pytest.raises(api_keys.NetworkExceeded):
        api_keys.rotate(key_id=free.id, grace=timedelta(0), **change)

    assert issue(**asked, allowed_networks=["203.0.113.128/25"]).key.allowed_networks == ["203.0.113.128/25"]
    assert ApiKey.objects.count() == 3


def test_changes_over_the_api_and_leaves_a_record(client, acme, in_organisation):
    issued = make.issued()
    connection.set_schema_to_public()
    path = f"/v1/acme/api-keys/{ids.encode('key', issued.key.id)}"

    def change(body):
        return client.patch(path, body, "application/json", headers=make.bearer(issued.secret))

    assert change({}).json()["errors"][0]["pointer"] == "/allowed_networks"
    assert change({"allowed_networks": ["x"]}).json()["errors"][0]["pointer"] == "/allowed_networks/0"
    assert change({"allowed_networks": ["127.0.0.1"]}).json()["allowed_networks"] == ["127.0.0.1/32"]
    assert change({"allowed_networks": ["127.0.0.1/32"]}).status_code == 200

    in_organisation("acme")
    record = AuditRecord.objects.get(action="api_key.networks_changed")
    assert record.changes == {"allowed_networks": [[], ["127.0.0.1/32"]]}
    assert record.actor_kind == "API_KEY"


@pytest.mark.parametrize("days", [366, 365.1])
def test_refuses_a_key_of_more_than_a_year(acme, days):
    with pytest.raises(api_keys.KeyInvalid) as refusal:
        issue(expires_at=NOW + timedelta(days=days))

    assert [error.code for error in refusal.value.errors] == ["too_late"]


def test_what_somebody_makes_ends_after_a_year(acme):
    person, early = make.member("developer").user, NOW + timedelta(days=1)

    assert issue(issuer=person).key.expires_at == NOW + timedelta(days=365)
    assert issue(issuer=person, expires_at=early).key.expires_at == early

"""The address that providers call back: kept before it is read, acknowledged, announced."""

import hashlib

import pytest
from django.db import connection, transaction
from django.test import Client

from apps.events.models import OutboxEvent
from apps.integrations.contracts import CallbackStatus
from apps.integrations.models import CallbackProcessing, ProviderCallback
from apps.integrations.services import callbacks
from apps.kit import ids
from apps.kit.models import InsertOnlyViolation
from tests.factories.integrations import NOW
from tests.integrations.daraja import payload

TOKEN = "3f9c00ab3f9c00ab3f9c00ab3f9c00ab"
BODY = payload("stk_callback_success.json")
LIMIT = 256 * 1024


@pytest.fixture
def url(acme):
    return f"/hooks/{acme.id.hex}/{TOKEN}/stk"


@pytest.fixture
def send(url, in_organisation):
    """Return a function that posts a body as a provider would and comes back to the organisation."""

    def post(body=BODY, *, to=url, method="post", content_type="application/json", **extra):
        answer = getattr(Client(enforce_csrf_checks=True), method)(
            to, body, content_type=content_type, **extra
        )
        in_organisation("acme")
        return answer

    return post


def test_keeps_every_byte_and_answers_as_daraja_expects(send):
    answer = send(headers={"X-Anything": "kept"})

    callback = ProviderCallback.objects.get()
    assert (answer.status_code, answer.json()) == (200, {"ResultCode": 0, "ResultDesc": "Accepted"})
    assert bytes(callback.body) == BODY
    assert (callback.token, callback.kind, callback.remote_ip) == (TOKEN, "stk", "127.0.0.1")
    assert callback.sha256 == hashlib.sha256(BODY).hexdigest()
    assert callback.headers["X-Anything"] == "kept"
    assert callback.processing.status == CallbackStatus.RECEIVED


def test_announces_what_it_kept_and_nothing_of_the_content(send):
    send()

    callback = ProviderCallback.objects.get()
    event = OutboxEvent.objects.get()
    assert (event.type, event.audience) == ("provider_callback_received", "INTERNAL")
    assert (event.aggregate_type, event.aggregate_id) == ("provider_callback", callback.id)
    assert event.data == {"callback_id": str(callback.id), "kind": "stk"}


@pytest.mark.parametrize(
    "body", [b"", b"not json", b"\x00\xff\xfe", b"<html>", b'{"Body":', b"[" * 100_000, b"a=1&b=2"]
)
def test_keeps_what_nobody_can_read(send, body):
    answer = send(body, content_type="application/x-www-form-urlencoded")

    callback = ProviderCallback.objects.get()
    assert answer.status_code == 200
    assert bytes(callback.body) == body
    assert isinstance(callback.readable_body(), str)


def test_keeps_a_forged_token_as_evidence(send, acme):
    answer = send(b'{"forged": true}', to=f"/hooks/{acme.id.hex}/{'0' * 32}/stk")

    assert answer.status_code == 200
    assert ProviderCallback.objects.get().token == "0" * 32


def test_the_same_callback_twice_is_kept_twice(send):
    send()
    send()

    assert ProviderCallback.objects.count() == 2
    assert OutboxEvent.objects.count() == 2


def test_the_largest_body_is_kept_and_one_byte_more_is_not(send):
    assert send(b"x" * LIMIT).status_code == 200
    assert send(b"x" * (LIMIT + 1)).status_code == 413

    assert ProviderCallback.objects.count() == 1
    assert OutboxEvent.objects.count() == 1


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "head", "options"])
def test_other_methods_are_refused(send, method):
    answer = send({} if method in {"get", "head"} else b"{}", method=method)

    assert answer.status_code == 405
    assert answer["Allow"] == "POST"
    assert not ProviderCallback.objects.exists()


@pytest.mark.parametrize(
    "path",
    [
        f"/hooks/{'0' * 32}/{TOKEN}/stk",
        f"/hooks/acme/{TOKEN}/stk",
        "/hooks/{own}/shorttoken/stk",
        "/hooks/{own}/" + "Z" * 32 + "/stk",
        "/hooks/{own}/" + TOKEN + "/STK",
        "/hooks/{own}/" + TOKEN + "/stk/",
        "/hooks/{own}/" + TOKEN,
    ],
)
def test_an_address_that_is_none_is_not_found(send, acme, path):
    answer = send(to=path.replace("{own}", acme.id.hex))

    assert answer.status_code == 404
    assert not ProviderCallback.objects.exists()


def test_a_callback_lands_in_the_organisation_of_its_address_only(send, in_organisation):
    send()

    in_organisation("zuri")
    assert not ProviderCallback.objects.exists()


def test_a_flood_from_one_address_is_not_kept(send, monkeypatch):
    monkeypatch.setattr(callbacks, "PER_SOURCE_AND_MINUTE", 2)

    answers = [send().status_code for _ in range(3)]
    other = send(REMOTE_ADDR="196.201.214.200")

    assert answers == [200, 200, 429]
    assert other.status_code == 200
    assert ProviderCallback.objects.count() == 3


def test_a_flood_of_bytes_from_one_address_is_not_kept(send, monkeypatch):
    monkeypatch.setattr(callbacks, "BYTES_PER_SOURCE_AND_MINUTE", 2_000)

    answers = [send(b"x" * 1_000).status_code for _ in range(3)]

    assert answers == [200, 200, 429]
    assert ProviderCallback.objects.count() == 2


def test_the_addresses_of_one_ipv6_network_are_one_source(send, monkeypatch):
    monkeypatch.setattr(callbacks, "PER_SOURCE_AND_MINUTE", 2)

    answers = [send(REMOTE_ADDR=f"2001:db8:0:1::{host}").status_code for host in (1, 2, 3)]
    others = [send(REMOTE_ADDR=address).status_code for address in ("2001:db8:0:2::1", "::ffff:9.9.9.9")]

    assert answers == [200, 200, 429]
    assert others == [200, 200]


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "1.1.1.1", "10.0.0.9"),
        (1, "", "10.0.0.9"),
        (1, "196.201.214.200", "196.201.214.200"),
        (1, "1.1.1.1, 196.201.214.200", "196.201.214.200"),
        (2, "1.1.1.1, 196.201.214.200, 10.0.0.8", "196.201.214.200"),
        (5, "1.1.1.1, 2.2.2.2", "10.0.0.9"),
        (1, "2001:db8::1", "2001:db8::1"),
        (1, "unknown", None),
    ],
)
def test_the_source_is_the_nearest_hop_that_is_no_proxy_of_ours(send, settings, proxies, forwarded, address):
    settings.TREASURY = {**settings.TREASURY, "TRUSTED_PROXIES": proxies}

    send(REMOTE_ADDR="10.0.0.9", headers={"X-Forwarded-For": forwarded} if forwarded else {})

    assert ProviderCallback.objects.get().remote_ip == address


def test_secret_headers_are_not_kept(send):
    send(headers={"Authorization": "Bearer abc-secret", "Cookie": "session=abc-secret"})

    assert "abc-secret" not in str(ProviderCallback.objects.get().headers)


def test_what_cannot_be_announced_is_not_kept(acme, settings):
    settings.EVENT_WIRING = "tests.integrations.no_such_wiring"

    with pytest.raises(ImportError):
        callbacks.store(token=TOKEN, kind="stk", body=BODY, headers={}, remote_ip="", now=NOW)

    assert not ProviderCallback.objects.exists()
    assert not CallbackProcessing.objects.exists()


def test_answers_after_few_and_constant_queries(send, django_assert_max_num_queries):
    send()

    with django_assert_max_num_queries(20):
        send()


def test_kept_callbacks_stay_as_they_are(send):
    send()
    callback = ProviderCallback.objects.get()

    for change in (callback.save, callback.delete, ProviderCallback.objects.all().delete):
        with pytest.raises(InsertOnlyViolation):
            change()
    for statement in (
        "UPDATE integrations_providercallback SET body = ''",
        "DELETE FROM integrations_providercallback",
    ):
        with (
            pytest.raises(Exception, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


def test_the_owner_may_not_change_evidence_either(send, owner_connection):
    with pytest.raises(Exception, match="append-only"):
        owner_connection.execute("DELETE FROM org_acme.integrations_providercallback")
    owner_connection.rollback()
    with pytest.raises(Exception, match="append-only"):
        owner_connection.execute("UPDATE org_acme.integrations_providercall SET kind = 'x'")


def test_an_unknown_callback_is_refused(acme):
    with pytest.raises(callbacks.CallbackUnknown):
        callbacks.get(ids.new())

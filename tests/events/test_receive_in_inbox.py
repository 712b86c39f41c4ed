"""Receive in inbox: kept, checked, and failed when told to."""

import pytest
from django.db import connection
from standardwebhooks.webhooks import Webhook

from apps.events.models import SandboxInbox, SandboxRequest, WebhookDelivery
from apps.events.services import sandbox_inboxes, signatures, webhook_attempts
from apps.kit import clock, ids
from tests.factories import events as factory
from tests.factories.events import APPLICATION, NOW

BODY = b'{"type":"order_placed"}'
OWN_SECRET = "whsec_" + "QUJD" * 8


@pytest.fixture
def inbox(acme) -> SandboxInbox:
    return sandbox_inboxes.create(application_id=APPLICATION, now=NOW, label="Shop")


def path_of(inbox: SandboxInbox, organisation) -> str:
    return f"/sandbox/{organisation.id.hex}/{inbox.token}"


def post(client, path: str, body: bytes = BODY, **headers: str) -> int:
    """Send a request as a stranger would: from outside any organisation."""
    connection.set_schema_to_public()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(path, body, content_type="application/json", headers=names).status_code


def signed(secret: str, body: bytes = BODY) -> dict[str, str]:
    at = clock.now()
    signature = Webhook(secret).sign("evt_1", at, body.decode())
    return {
        "webhook_id": "evt_1",
        "webhook_timestamp": str(int(at.timestamp())),
        "webhook_signature": signature,
    }


def test_keeps_what_arrived(client, inbox, acme, in_organisation):
    assert post(client, path_of(inbox, acme), x_trace="7") == 204

    in_organisation("acme")
    kept = SandboxRequest.objects.get()
    assert (kept.inbox_id, kept.method, bytes(kept.body)) == (inbox.id, "POST", BODY)
    assert kept.headers["x-trace"] == "7"
    assert kept.headers["content-type"] == "application/json"
    assert (kept.answered_status, kept.is_signature_valid) == (204, None)


def test_checks_with_its_own_secret(client, acme, in_organisation):
    inbox = sandbox_inboxes.create(application_id=APPLICATION, now=NOW, secret=OWN_SECRET)

    post(client, path_of(inbox, acme), **signed(OWN_SECRET))
    post(client, path_of(inbox, acme), b"{}", **signed(OWN_SECRET))
    post(client, path_of(inbox, acme))

    in_organisation("acme")
    judged = SandboxRequest.objects.order_by("id").values_list(
        "is_signature_valid", "signature_note", "webhook_id"
    )
    assert list(judged) == [
        (True, "", "evt_1"),
        (False, "No signature fits the body and the secret.", "evt_1"),
        (False, "A webhook header is missing.", ""),
    ]
    assert signatures.read_secret(OWN_SECRET) not in bytes(inbox.sealed_secret)


def test_checks_with_the_secret_of_the_endpoint_that_points_to_it(client, inbox, acme, in_organisation):
    issued = factory.endpoint(sandbox_inboxes.url(inbox))

    post(client, path_of(inbox, acme), **signed(issued.secret))
    post(client, path_of(inbox, acme), **signed(OWN_SECRET))

    in_organisation("acme")
    assert list(SandboxRequest.objects.order_by("id").values_list("is_signature_valid", flat=True)) == [
        True,
        False,
    ]


def test_receives_a_real_webhook(committed_acme, live_server, settings, in_organisation):
    settings.TREASURY = {
        **settings.TREASURY,
        "SANDBOX_INBOX_PREFIX": f"{live_server.url}/sandbox/".replace("localhost", "127.0.0.1"),
    }
    settings.ALLOWED_HOSTS = ["*"]
    inbox = sandbox_inboxes.create(application_id=APPLICATION, now=NOW)
    factory.endpoint(sandbox_inboxes.url(inbox))
    now = clock.now()
    planned = factory.planned(factory.publish(now=now))[0]

    webhook_attempts.make(endpoint_id=planned.endpoint_id, now=now)

    assert WebhookDelivery.objects.get().status == "DELIVERED"
    kept = SandboxRequest.objects.get()
    assert (kept.is_signature_valid, kept.webhook_id) == (True, ids.encode("evt", planned.event_id))


def test_fails_as_often_as_it_was_told(client, inbox, acme, in_organisation):
    sandbox_inboxes.fail_next(inbox_id=inbox.id, status=503, times=2)

    answers = [post(client, path_of(inbox, acme)) for _ in range(3)]

    assert answers == [503, 503, 204]
    in_organisation("acme")
    assert list(SandboxRequest.objects.order_by("id").values_list("answered_status", flat=True)) == answers


@pytest.mark.parametrize(("status", "times"), [(200, 1), (600, 1), (500, -1), (500, 101)])
def test_refuses_to_fail_in_a_way_that_is_none(inbox, status, times):
    with pytest.raises(sandbox_inboxes.InboxInvalid):
        sandbox_inboxes.fail_next(inbox_id=inbox.id, status=status, times=times)

    inbox.refresh_from_db()
    assert inbox.fail_remaining == 0


def test_keeps_the_last_hundred(client, inbox, acme, in_organisation):
    for number in range(103):
        sandbox_inboxes.receive(
            token=inbox.token, method="POST", headers={}, body=str(number).encode(), now=NOW
        )

    kept = [int(bytes(row.body)) for row in SandboxRequest.objects.order_by("id")]
    assert kept == list(range(3, 103))


def test_keeps_nothing_over_64_kilobytes(client, inbox, acme, in_organisation):
    assert post(client, path_of(inbox, acme), b"x" * (64 * 1024)) == 204
    assert post(client, path_of(inbox, acme), b"x" * (64 * 1024 + 1)) == 413

    in_organisation("acme")
    assert SandboxRequest.objects.count() == 1


def test_takes_bytes_that_are_no_text(client, inbox, acme, in_organisation):
    assert post(client, path_of(inbox, acme), b"\x00\xff\xfe") == 204

    in_organisation("acme")
    assert bytes(SandboxRequest.objects.get().body) == b"\x00\xff\xfe"


def test_is_not_found_by_a_wrong_token_or_organisation(client, inbox, acme, zuri, in_organisation):
    for path in (
        f"/sandbox/{acme.id.hex}/{'0' * 32}",
        f"/sandbox/{zuri.id.hex}/{inbox.token}",
        f"/sandbox/{'0' * 32}/{inbox.token}",
        f"/sandbox/{acme.id.hex}/{inbox.token}/more",
    ):
        assert post(client, path) == 404, path

    in_organisation("acme")
    assert SandboxRequest.objects.count() == 0


def test_takes_post_only(client, inbox, acme):
    connection.set_schema_to_public()

    assert client.get(path_of(inbox, acme)).status_code == 405


def test_is_for_test_organisations_except_on_a_developers_machine(client, zuri, settings):
    inbox = sandbox_inboxes.create(application_id=APPLICATION, now=NOW)
    settings.TREASURY = {**settings.TREASURY, "SANDBOX_INBOX_LOCAL": False}

    with pytest.raises(sandbox_inboxes.InboxUnavailable):
        sandbox_inboxes.create(application_id=APPLICATION, now=NOW)
    assert sandbox_inboxes.is_available() is False
    assert post(client, path_of(inbox, zuri)) == 404


@pytest.mark.parametrize("secret", ["secret", "whsec_short"])
def test_refuses_a_secret_that_is_none(acme, secret):
    with pytest.raises(sandbox_inboxes.InboxInvalid):
        sandbox_inboxes.create(application_id=APPLICATION, now=NOW, secret=secret)

    assert SandboxInbox.objects.count() == 0


def test_goes_with_all_that_it_received(inbox):
    sandbox_inboxes.receive(token=inbox.token, method="POST", headers={}, body=BODY, now=NOW)

    sandbox_inboxes.delete(inbox_id=inbox.id)

    assert SandboxInbox.objects.count() == SandboxRequest.objects.count() == 0
    with pytest.raises(sandbox_inboxes.InboxUnknown):
        sandbox_inboxes.delete(inbox_id=inbox.id)

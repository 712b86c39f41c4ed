"""Send webhook: signed, retried, and never to where it must not go."""

import json
import socket
from datetime import timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from apps.audit.models import AuditRecord
from apps.events.models import (
    EndpointStatus,
    OutboxEvent,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookStatus,
)
from apps.events.models.webhook import LADDER
from apps.events.services import webhook_attempts, webhook_endpoints
from apps.kit import clock, ids
from apps.kit.actors import SYSTEM
from tests.factories import events as factory
from tests.factories.events import NOW


@pytest.fixture
def issued(acme, receiver):
    return factory.endpoint(receiver.url)


@pytest.fixture
def planned(issued) -> WebhookDelivery:
    return plan()


def plan(now=NOW) -> WebhookDelivery:
    event = factory.publish(now=now)
    return factory.planned(event)[0]


def send(delivery: WebhookDelivery, now=NOW) -> WebhookDelivery:
    webhook_attempts.make(endpoint_id=delivery.endpoint_id, now=now)
    delivery.refresh_from_db()
    return delivery


def send_to(url: str, now=NOW) -> WebhookAttempt:
    """Send to an address that no endpoint may be made with, as if a name had changed its address since."""
    delivery = plan(now)
    WebhookEndpoint.objects.filter(id=delivery.endpoint_id).update(url=url)
    send(delivery, now)
    return WebhookAttempt.objects.get(delivery=delivery)


def test_delivers_the_envelope_and_keeps_the_answer(planned, receiver):
    receiver.headers, receiver.content = {"X-Trace": "abc"}, b"thanks"

    delivery = send(planned)

    assert (delivery.status, delivery.attempt_count, delivery.last_http_status) == ("DELIVERED", 1, 204)
    assert delivery.next_attempt_at is None
    attempt = WebhookAttempt.objects.get()
    assert (attempt.number, attempt.http_status, attempt.error) == (1, 204, "")
    assert (attempt.at, attempt.address, attempt.url) == (NOW, "127.0.0.1", receiver.url)
    assert attempt.response_headers["x-trace"] == "abc"
    event = OutboxEvent.objects.get()
    envelope = json.loads(receiver.received[0].body)
    assert envelope["id"] == receiver.received[0].headers["webhook-id"] == ids.encode("evt", event.id)
    assert receiver.received[0].headers["content-type"] == "application/json"


def test_sends_a_cloudevents_envelope(planned, receiver, acme):
    send(planned)

    event = OutboxEvent.objects.get()
    order, tenant = ids.encode("ord", event.aggregate_id), ids.encode("ten", acme.id)
    assert json.loads(receiver.received[0].body) == {
        "specversion": "1.0",
        "id": ids.encode("evt", event.id),
        "source": f"treasury/{tenant}",
        "type": "order_placed",
        "topic": "treasury.order.placed",
        "subject": order,
        "time": "2026-11-24T07:41:58.120Z",
        "timestamp": "2026-11-24T07:41:58.120Z",
        "datacontenttype": "application/json",
        "dataschema": "urn:treasury:event:order_placed:1",
        "tenantid": tenant,
        "branchid": ids.encode("br", factory.BRANCH),
        "mode": "test",
        "aggregateid": order,
        "aggregateversion": 1,
        "data": {"object": {"id": order}},
    }


def test_signs_so_that_the_reference_library_verifies_it(issued, receiver):
    now = clock.now()
    send(plan(now), now)

    received = receiver.received[0]
    payload = Webhook(issued.secret).verify(received.body, received.headers)

    assert payload["type"] == "order_placed"


def test_signs_with_both_secrets_until_the_grace_ends(issued, receiver):
    now = clock.now()
    rotated = webhook_endpoints.rotate_secret(
        endpoint_id=issued.endpoint.id, actor=SYSTEM, now=now, grace=timedelta(hours=1)
    )
    send(plan(now), now)
    later = now + timedelta(hours=1)
    send(plan(later), later)

    first, second = receiver.received
    for secret in (issued.secret, rotated.secret):
        Webhook(secret).verify(first.body, first.headers)
    assert second.headers["webhook-signature"].count("v1,") == 1
    assert rotated.secret != issued.secret


@pytest.mark.parametrize(
    ("status", "error"),
    [(500, "HTTP_5XX"), (503, "HTTP_5XX"), (404, "HTTP_4XX"), (429, "HTTP_4XX"), (302, "HTTP_3XX")],
)
def test_takes_anything_but_2xx_for_a_failure(planned, receiver, status, error):
    receiver.answers = [status]

    delivery = send(planned)

    assert (delivery.status, delivery.last_http_status, delivery.last_error) == ("PENDING", status, error)
    wait = delivery.next_attempt_at - NOW
    assert timedelta(seconds=4) <= wait <= timedelta(seconds=8)
    assert WebhookAttempt.objects.get().error == error


def test_follows_no_redirect(planned, receiver):
    receiver.answers, receiver.headers = [302], {"Location": receiver.url + "?again"}

    send(planned)

    assert len(receiver.received) == 1


def test_climbs_the_ladder_and_gives_up(planned, receiver):
    receiver.answers = [500] * 20
    at = NOW
    waits = []
    for _ in LADDER:
        delivery = send(planned, at)
        if delivery.next_attempt_at:
            waits.append(delivery.next_attempt_at - at)
            at = delivery.next_attempt_at

    assert (delivery.status, delivery.attempt_count) == (WebhookStatus.EXHAUSTED, 10)
    assert len(receiver.received) == 10
    for wait, rung in zip(waits, LADDER[1:], strict=True):
        assert rung * 0.8 <= wait <= rung * 1.2 + timedelta(seconds=2)
    assert len({request.headers["webhook-id"] for request in receiver.received}) == 1
    assert len({request.body for request in receiver.received}) == 1
    assert len({request.headers["webhook-timestamp"] for request in receiver.received}) == 10


@pytest.mark.parametrize(
    ("value", "seconds"), [("120", 120), ("Tue, 24 Nov 2026 07:43:58 GMT", 120), ("99999999", 86400)]
)
def test_waits_as_long_as_the_receiver_asks(planned, receiver, value, seconds):
    receiver.answers, receiver.headers = [429], {"Retry-After": value}

    delivery = send(planned)

    assert (delivery.next_attempt_at - NOW).total_seconds() == pytest.approx(seconds, abs=3)


@pytest.mark.parametrize("value", ["soon", "-5", "Mon, 01 Jan 1990 00:00:00 GMT", ""])
def test_keeps_to_the_ladder_where_retry_after_means_nothing(planned, receiver, value):
    receiver.answers, receiver.headers = [429], {"Retry-After": value}

    delivery = send(planned)

    assert timedelta(seconds=4) <= delivery.next_attempt_at - NOW <= timedelta(seconds=8)


def test_switches_an_endpoint_off_that_is_gone(planned, receiver):
    receiver.answers = [410]

    delivery = send(planned)

    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.status, endpoint.disabled_reason) == ("AUTO_DISABLED", "The endpoint answered 410 Gone.")
    assert delivery.status == WebhookStatus.CANCELLED
    assert AuditRecord.objects.get(action="webhook_endpoint.auto_disabled").object_id == str(endpoint.id)
    event = OutboxEvent.objects.get(type="webhook_endpoint_disabled")
    assert (event.audience, event.data["object"]["id"]) == ("INTERNAL", ids.encode("whe", endpoint.id))


def test_switches_an_endpoint_off_that_has_failed_for_five_days(issued, receiver):
    receiver.answers = [500] * 40
    for day in range(5):
        send(plan(NOW + timedelta(days=day)), NOW + timedelta(days=day))
    assert WebhookEndpoint.objects.get().status == EndpointStatus.ENABLED

    last = NOW + timedelta(days=5, seconds=5)
    send(plan(last), last)

    assert WebhookEndpoint.objects.get().status == EndpointStatus.AUTO_DISABLED


def test_forgets_failures_once_the_endpoint_answers(issued, receiver):
    receiver.answers = [500]
    send(plan())
    assert WebhookEndpoint.objects.get().failing_since is not None

    send(plan(NOW + timedelta(days=4)), NOW + timedelta(days=4))

    assert WebhookEndpoint.objects.get().failing_since is None


def test_gives_up_waiting_after_the_time_out(planned, receiver):
    receiver.delay = 1.5

    delivery = send(planned)

    assert (delivery.status, delivery.last_error) == ("PENDING", "TIMEOUT")
    attempt = WebhookAttempt.objects.get()
    assert attempt.http_status is None
    assert 400 <= attempt.duration_ms < 1500


def test_keeps_4_kilobytes_of_an_answer_that_may_be_anything(planned, receiver):
    receiver.answers, receiver.content = [500], b"\x00\xff" * 5000

    send(planned)

    kept = WebhookAttempt.objects.get().response_body
    assert len(kept) == 4096
    assert "\x00" not in kept


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:4001/v1/acme/payments",
        "http://127.1/",
        "http://2130706433/",
        "http://localhost/hooks",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::1]:4001/",
        "http://10.0.0.5/hooks",
        "http://100.64.0.1/",
        "http://0.0.0.0:4001/",
        "http://[fd00::1]/",
    ],
)
def test_never_reaches_an_address_inside(issued, receiver, url):
    attempt = send_to(url)

    assert attempt.error == "SSRF_BLOCKED"
    assert receiver.received == []


def test_never_reaches_a_name_that_leads_inside(issued, receiver, monkeypatch):
    port = receiver.server.server_port
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    attempt = send_to(f"http://rebound.example:{port}/sandbox/")

    assert (attempt.error, receiver.received) == ("SSRF_BLOCKED", [])


def test_reaches_only_inboxes_on_loopback(issued, receiver):
    outside = receiver.prefix.replace("/sandbox/", "/v1/acme/payments")

    for url in (outside, receiver.prefix + "../v1/acme/payments", receiver.prefix + "%2e%2e/v1/x"):
        assert send_to(url).error == "SSRF_BLOCKED"

    assert receiver.received == []


def test_names_a_host_that_has_no_address(issued, monkeypatch):
    def no_name(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_name)

    assert send_to("https://nobody.example/").error == "DNS"


def test_names_a_connection_that_was_refused(issued, receiver):
    receiver.__exit__(None, None, None)

    assert send_to(receiver.url).error == "TCP"


def test_names_a_server_that_speaks_no_tls(issued, receiver, settings):
    prefix = receiver.prefix.replace("http:", "https:")
    settings.TREASURY = {**settings.TREASURY, "SANDBOX_INBOX_PREFIX": prefix}

    assert send_to(receiver.url.replace("http:", "https:")).error == "TLS"


def test_is_sent_by_one_sender_at_a_time(planned, receiver):
    (held,) = webhook_attempts._claim(planned.endpoint_id, NOW).claims

    assert held.number == 1
    assert webhook_attempts.make(endpoint_id=planned.endpoint_id, now=NOW + timedelta(seconds=59)) == 0
    assert receiver.received == []


def test_is_sent_again_when_its_sender_was_killed(planned, receiver):
    webhook_attempts._claim(planned.endpoint_id, NOW)

    delivery = send(planned, NOW + timedelta(seconds=60))

    assert (delivery.status, delivery.attempt_count) == (WebhookStatus.DELIVERED, 2)
    assert len(receiver.received) == 1


def test_keeps_the_attempt_of_a_sender_that_came_too_late(planned, receiver):
    late = webhook_attempts._claim(planned.endpoint_id, NOW)
    send(planned, NOW + timedelta(seconds=60))

    outcome = webhook_attempts.Outcome(70_000, error="TIMEOUT", detail="slow")
    webhook_attempts._record(late, [webhook_attempts.Attempt(late.claims[0], NOW, outcome)])

    planned.refresh_from_db()
    assert planned.status == WebhookStatus.DELIVERED
    assert list(WebhookAttempt.objects.order_by("number").values_list("number", "error")) == [
        (1, "TIMEOUT"),
        (2, ""),
    ]


def test_sends_ten_at_once_and_the_rest_next(issued, receiver):
    receiver.answers = [500, 204]
    planned = [plan(NOW + timedelta(seconds=number)) for number in range(12)]
    later = NOW + timedelta(seconds=20)

    made = [webhook_attempts.make(endpoint_id=issued.endpoint.id, now=later) for _ in range(3)]

    assert made == [10, 2, 0]
    for delivery in planned:
        delivery.refresh_from_db()
    assert [delivery.status for delivery in planned] == ["PENDING", *["DELIVERED"] * 11]
    assert {delivery.attempt_count for delivery in planned} == {1}
    in_order = [ids.encode("evt", delivery.event_id) for delivery in planned]
    assert [got.headers["webhook-id"] for got in receiver.received] == in_order
    assert WebhookEndpoint.objects.get().failing_since is None  # it has answered since


@pytest.mark.parametrize("ends", ["gone", "slow"])
def test_gives_back_what_it_did_not_come_to(issued, receiver, monkeypatch, ends):
    first, second = plan(), plan(NOW + timedelta(seconds=1))
    if ends == "gone":
        receiver.answers = [410]
    else:
        monkeypatch.setattr(webhook_attempts, "SHARE", timedelta(seconds=-1))

    assert webhook_attempts.make(endpoint_id=issued.endpoint.id, now=NOW + timedelta(seconds=2)) == 1

    first.refresh_from_db()
    second.refresh_from_db()
    assert len(receiver.received) == 1
    assert first.status == ("CANCELLED" if ends == "gone" else "DELIVERED")
    assert (second.status, second.attempt_count, second.step, second.locked_until) == ("PENDING", 0, 0, None)


def test_leaves_to_another_sender_what_he_has_taken_over(issued, receiver):
    first, second = plan(), plan(NOW + timedelta(seconds=1))
    late = webhook_attempts._claim(issued.endpoint.id, NOW + timedelta(seconds=2))
    taken_over = webhook_attempts._claim(issued.endpoint.id, NOW + timedelta(seconds=62))

    answer = webhook_attempts.Outcome(5, error="TIMEOUT", detail="slow")
    webhook_attempts._record(late, [webhook_attempts.Attempt(late.claims[0], NOW, answer)])

    assert [claim.number for claim in taken_over.claims] == [2, 2]
    for delivery in (first, second):
        delivery.refresh_from_db()
        assert (delivery.status, delivery.attempt_count, delivery.last_error) == ("PENDING", 2, "")
        assert delivery.locked_until == NOW + timedelta(seconds=122)
    assert WebhookEndpoint.objects.get().failing_since is None


def test_is_cancelled_when_the_endpoint_was_switched_off(planned, receiver, issued):
    webhook_endpoints.disable(endpoint_id=issued.endpoint.id, actor=SYSTEM, now=NOW)

    delivery = send(planned)

    assert delivery.status == WebhookStatus.CANCELLED
    assert receiver.received == []


def test_is_not_sent_before_its_time(planned, receiver):
    assert webhook_attempts.make(endpoint_id=planned.endpoint_id, now=NOW - timedelta(seconds=1)) == 0
    assert receiver.received == []

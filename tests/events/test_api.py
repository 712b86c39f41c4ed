"""The events API: each endpoint for success, each refusal and each kind of caller."""

import pytest
from django.db import connection
from standardwebhooks.webhooks import Webhook

from apps.events.models import SandboxInbox, WebhookDelivery, WebhookEndpoint
from apps.events.services import webhook_attempts
from apps.kit import ids
from tests.factories import access as make
from tests.factories import events as factory
from tests.factories.events import INTERNAL_TYPE, NOW

URL = "https://shop.example/hooks"


class Api:
    """One application calling its organisation's API."""

    def __init__(self, client, secret, slug="acme"):
        self.client, self.slug = client, slug
        self.headers = make.bearer(secret)

    def call(self, method, path, body=None, **headers):
        connection.set_schema_to_public()
        send = getattr(self.client, method)
        sent = {} if method == "get" else {"data": body or {}, "content_type": "application/json"}
        answer = send(f"/v1/{self.slug}/{path}", headers={**self.headers, **headers}, **sent)
        return answer.status_code, answer.json() if answer.content else None

    def get(self, path):
        return self.call("get", path)

    def post(self, path, body=None, **headers):
        return self.call("post", path, body, **headers)

    def delete(self, path):
        return self.call("delete", path)


@pytest.fixture
def key(acme):
    return make.issued()


@pytest.fixture
def api(client, key) -> Api:
    return Api(client, key.secret)


@pytest.fixture
def mine(key) -> dict:
    """What makes an event or endpoint this application's."""
    return {"application_id": key.key.application_id, "branch_id": make.head_office().id}


@pytest.fixture
def back(in_organisation):
    """Return to the organisation after calls over HTTP."""
    return lambda: in_organisation("acme")


def bound(client, branch) -> Api:
    return Api(client, make.issued(branch=branch).secret)


def test_lists_the_events_of_the_application_as_webhooks_carry_them(api, mine):
    event = factory.publish(**mine)
    factory.publish(INTERNAL_TYPE, **mine)
    factory.publish()

    status, body = api.get("events")

    assert status == 200
    assert [shown["id"] for shown in body["data"]] == [ids.encode("evt", event.id)]
    shown = body["data"][0]
    assert (shown["type"], shown["specversion"], shown["mode"]) == ("order_placed", "1.0", "test")
    assert shown["data"]["object"]["id"] == ids.encode("ord", event.aggregate_id)
    assert api.get(f"events/{shown['id']}") == (200, shown)


def test_filters_events_by_type(api, mine):
    factory.publish(**mine)

    assert len(api.get("events?type=order_placed")[1]["data"]) == 1
    assert api.get("events?type=payment_success")[1]["data"] == []


def test_hides_events_of_others_and_internal_ones(api, mine, client):
    theirs, inside = factory.publish(), factory.publish(INTERNAL_TYPE, **mine)
    elsewhere = factory.publish(**{**mine, "branch_id": make.branch().id})
    limited = bound(client, make.head_office())

    for event in (theirs, inside):
        assert api.get(f"events/{ids.encode('evt', event.id)}")[0] == 404
    assert limited.get(f"events/{ids.encode('evt', elsewhere.id)}")[0] == 404
    assert limited.get("events")[1]["data"] == []


def test_makes_an_endpoint_and_tells_the_secret_once(api, key, back):
    status, body = api.post(
        "webhook-endpoints", {"url": URL, "event_types": ["order_placed"], "description": "Shop"}
    )

    assert status == 201
    assert body["secret"].startswith("whsec_")
    assert (body["object"], body["status"], body["url"]) == ("webhook_endpoint", "enabled", URL)
    assert (body["event_types"], body["branch_id"]) == (["order_placed"], None)
    assert body["application_id"] == ids.encode("app", key.key.application_id)
    status, shown = api.get(f"webhook-endpoints/{body['id']}")
    assert status == 200
    assert shown == {name: value for name, value in body.items() if name != "secret"}
    assert api.get("webhook-endpoints")[1]["data"] == [shown]


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({}, "validation_error", "/url"),
        ({"url": "http://127.0.0.1/"}, "webhook_url_invalid", "/url"),
        ({"url": URL, "event_types": ["nothing_happened"]}, "event_type_unknown", "/event_types"),
        ({"url": URL, "event_types": "order_placed"}, "validation_error", "/event_types"),
        ({"url": URL, "secret": "whsec_mine"}, "validation_error", "/secret"),
        ({"url": URL, "branch_id": "br_x"}, "validation_error", "/branch_id"),
        ({"url": URL, "branch_id": ids.encode("br", ids.new())}, "branch_unknown", "/branch_id"),
        ({"url": URL, "description": "x" * 201}, "validation_error", "/description"),
    ],
)
def test_refuses_an_endpoint_that_cannot_be(api, back, body, code, pointer):
    status, problem = api.post("webhook-endpoints", body)

    assert (status, problem["code"]) == (422, code)
    assert problem["errors"][0]["pointer"] == pointer
    back()
    assert WebhookEndpoint.objects.count() == 0


def test_refuses_the_same_endpoint_twice(api):
    first = api.post("webhook-endpoints", {"url": URL})[1]

    status, problem = api.post("webhook-endpoints", {"url": URL})

    assert (status, problem["code"]) == (409, "webhook_endpoint_exists")
    assert first["id"] in problem["detail"]


def test_binds_the_endpoint_of_a_branch_key_to_its_branch(client, acme, back):
    branch, other = make.branch(), make.branch("MSA", "Mombasa")
    api = bound(client, branch)

    assert api.post("webhook-endpoints", {"url": URL})[1]["branch_id"] == ids.encode("br", branch.id)
    status, problem = api.post(
        "webhook-endpoints", {"url": URL + "/2", "branch_id": ids.encode("br", other.id)}
    )
    assert (status, problem["code"]) == (403, "branch_forbidden")


def test_hides_endpoints_of_others(api, acme, client, mine):
    theirs = factory.endpoint().endpoint
    of_all_branches = factory.endpoint(application_id=mine["application_id"]).endpoint
    limited = bound(client, make.head_office())

    assert api.get(f"webhook-endpoints/{ids.encode('whe', theirs.id)}")[0] == 404
    assert api.delete(f"webhook-endpoints/{ids.encode('whe', theirs.id)}")[0] == 404
    assert limited.get(f"webhook-endpoints/{ids.encode('whe', of_all_branches.id)}")[0] == 404
    assert limited.get("webhook-endpoints")[1]["data"] == []


def test_rotates_the_secret(api):
    made = api.post("webhook-endpoints", {"url": URL})[1]

    status, rotated = api.post(f"webhook-endpoints/{made['id']}/rotate-secret", {"grace_hours": 1})

    assert status == 200
    assert rotated["secret"] not in ("", made["secret"])
    assert rotated["previous_secret_until"].endswith("Z")
    assert api.post(f"webhook-endpoints/{made['id']}/rotate-secret", {"grace_hours": 169})[0] == 422


def test_switches_off_and_on(api):
    path = f"webhook-endpoints/{api.post('webhook-endpoints', {'url': URL})[1]['id']}"

    assert api.post(f"{path}/disable")[1]["status"] == "disabled"
    assert api.post(f"{path}/disable")[1]["code"] == "invalid_state_transition"
    assert api.post(f"{path}/enable")[1]["status"] == "enabled"
    assert api.post(f"{path}/enable")[0] == 409


def test_deletes_an_endpoint(api, back):
    path = f"webhook-endpoints/{api.post('webhook-endpoints', {'url': URL})[1]['id']}"

    assert api.delete(path) == (204, None)
    assert api.delete(path)[0] == 404
    assert api.get("webhook-endpoints")[1]["data"] == []


@pytest.fixture
def delivery(mine, receiver) -> WebhookDelivery:
    """A delivery that failed once."""
    receiver.answers = [500]
    factory.endpoint(receiver.url, application_id=mine["application_id"])
    planned = factory.planned(factory.publish(**mine))[0]
    webhook_attempts.make(endpoint_id=planned.endpoint_id, now=NOW)
    planned.refresh_from_db()
    return planned


def test_shows_deliveries_with_their_attempts(api, delivery):
    endpoint = ids.encode("whe", delivery.endpoint_id)

    status, body = api.get(f"webhook-endpoints/{endpoint}/deliveries")

    assert status == 200
    shown = body["data"][0]
    assert (shown["status"], shown["attempt_count"], shown["event_type"]) == ("pending", 1, "order_placed")
    assert shown["attempts"][0]["http_status"] == 500
    assert shown["attempts"][0]["error"] == "http_5xx"
    assert api.get(f"webhook-deliveries/{shown['id']}") == (200, shown)
    assert len(api.get(f"webhook-endpoints/{endpoint}/deliveries?status=pending")[1]["data"]) == 1
    assert api.get(f"webhook-endpoints/{endpoint}/deliveries?status=delivered")[1]["data"] == []
    assert api.get(f"webhook-endpoints/{endpoint}/deliveries?status=lost")[0] == 422


def test_replays_a_delivery(api, delivery, receiver, back):
    path = f"webhook-deliveries/{ids.encode('whd', delivery.id)}"

    status, body = api.post(f"{path}/replay")

    assert (status, body["status"]) == (200, "pending")
    back()
    delivery.refresh_from_db()
    assert webhook_attempts.make(endpoint_id=delivery.endpoint_id, now=delivery.next_attempt_at)
    assert len(receiver.received) == 2


def test_refuses_to_replay_to_an_endpoint_that_is_off(api, delivery):
    api.post(f"webhook-endpoints/{ids.encode('whe', delivery.endpoint_id)}/disable")

    status, problem = api.post(f"webhook-deliveries/{ids.encode('whd', delivery.id)}/replay")

    assert (status, problem["code"]) == (409, "webhook_endpoint_disabled")


def test_hides_deliveries_of_others(api, acme, receiver):
    factory.endpoint(receiver.url)
    theirs = factory.planned(factory.publish())[0]

    assert api.get(f"webhook-deliveries/{ids.encode('whd', theirs.id)}")[0] == 404
    assert api.post(f"webhook-deliveries/{ids.encode('whd', theirs.id)}/replay")[0] == 404


def test_gives_an_inbox_to_watch_webhooks_in(api, client, acme, back):
    status, inbox = api.post("sandbox-inboxes", {"label": "Mine"}, **{"Idempotency-Key": "one"})
    assert status == 201
    assert (inbox["object"], inbox["label"], inbox["times"]) == ("sandbox_inbox", "Mine", 0)
    assert api.post("sandbox-inboxes", {"label": "Mine"}, **{"Idempotency-Key": "one"})[1] == inbox
    assert api.post("sandbox-inboxes", {"label": "Mine"})[1]["code"] == "idempotency_key_required"
    made = api.post("webhook-endpoints", {"url": inbox["url"]})[1]

    path = f"sandbox-inboxes/{inbox['id']}"
    assert api.post(f"{path}/fail-next", {"respond": 500, "times": 1})[1]["times"] == 1
    body = b'{"type":"order_placed"}'
    signature = Webhook(made["secret"]).sign("evt_1", NOW, body.decode())
    received = client.post(
        "/" + inbox["url"].split("/", 3)[3],
        body,
        content_type="application/json",
        headers={
            "webhook-id": "evt_1",
            "webhook-timestamp": str(int(NOW.timestamp())),
            "webhook-signature": signature,
        },
    )

    assert received.status_code == 500
    shown = api.get(f"{path}/requests")[1]["data"][0]
    assert (shown["body"], shown["webhook_id"], shown["answered_status"]) == (body.decode(), "evt_1", 500)
    assert api.get(path)[1]["times"] == 0
    assert api.get("sandbox-inboxes")[1]["data"][0]["id"] == inbox["id"]
    assert api.delete(path) == (204, None)
    assert api.get(path)[0] == 404


@pytest.mark.parametrize(
    "body", [{"respond": 200, "times": 1}, {"respond": 500, "times": 1000}, {"times": 1}, {}]
)
def test_refuses_an_order_to_fail_that_is_none(api, body):
    inbox = api.post("sandbox-inboxes", {}, **{"Idempotency-Key": "one"})[1]

    assert api.post(f"sandbox-inboxes/{inbox['id']}/fail-next", body)[0] == 422


def test_has_no_inboxes_in_a_live_organisation(client, zuri, settings, in_organisation):
    settings.TREASURY = {**settings.TREASURY, "SANDBOX_INBOX_LOCAL": False}
    api = Api(client, make.issued().secret, slug="zuri")

    status, problem = api.post("sandbox-inboxes", {}, **{"Idempotency-Key": "one"})

    assert (status, problem["code"]) == (404, "resource_not_found")
    in_organisation("zuri")
    assert SandboxInbox.objects.count() == 0


@pytest.mark.parametrize("path", ["events", "webhook-endpoints", "sandbox-inboxes"])
def test_lets_nobody_in_without_key_or_scope(client, acme, path):
    poor = Api(client, make.issued(("payments:read",)).secret)

    assert poor.get(path)[1]["code"] == "insufficient_scope"
    assert Api(client, "nonsense").get(path)[0] == 401

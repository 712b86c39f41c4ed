"""Manage endpoints: what is made, told once, changed and refused."""

from datetime import timedelta

import pytest

from apps.audit.models import AuditRecord
from apps.events.models import EndpointStatus, WebhookEndpoint
from apps.events.services import signatures, webhook_endpoints, webhook_urls
from apps.kit import ids
from apps.kit.actors import Actor, ActorKind
from tests.factories import events as factory
from tests.factories.events import APPLICATION, NOW

ANNE = Actor(ActorKind.USER, "anne", person="anne")
PRIVATE = [
    "http://127.0.0.1/hooks",
    "http://127.0.0.1:4001/v1/acme/payments",
    "http://localhost:8000/",
    "https://intranet.local/",
    "https://db.internal/",
    "http://10.1.2.3/",
    "http://192.168.0.9/hooks",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.64.1.1/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[fe80::1]/",
    "http://224.0.0.1/",
]
MALFORMED = [
    "",
    "shop.example/hooks",
    "ftp://shop.example/",
    "javascript:alert(1)",
    "https://",
    "https://user:secret@shop.example/",
    "https://user@shop.example/",
    "https://shop.example/#part",
    "https://shop.example/a b",
    "https://shop.example\\@inside.example/",
    "https://shop.example:99999/",
    "https://shop.example:0/",
    "https://[::1/",
    "https://shop.example/a/../b",
    "https://shop.example/%2e%2E/b",
    "https://shop.example/\n",
    "https://shöp.example/",
    "https://shop.example/" + "a" * 2000,
]


def test_tells_the_secret_once_and_keeps_it_sealed(acme):
    issued = factory.endpoint(description="shop", event_types=["order_placed", "order_placed"])

    endpoint = WebhookEndpoint.objects.get()
    secret = signatures.read_secret(issued.secret)
    assert len(secret) == 32
    assert secret not in bytes(endpoint.sealed_secret)
    assert issued.secret not in repr(issued)
    assert webhook_endpoints.signing_keys(endpoint, NOW) == [secret]
    assert (endpoint.application_id, endpoint.branch_id, endpoint.event_types) == (
        APPLICATION,
        None,
        ["order_placed"],
    )
    record = AuditRecord.objects.get(action="webhook_endpoint.created")
    assert issued.secret not in str(record.changes)


@pytest.mark.parametrize("url", [*PRIVATE, *MALFORMED])
def test_refuses_an_address_that_cannot_be(acme, url):
    with pytest.raises(webhook_urls.WebhookUrlInvalid) as refusal:
        factory.endpoint(url)

    assert (refusal.value.code, refusal.value.errors[0].pointer) == ("webhook_url_invalid", "/url")
    assert WebhookEndpoint.objects.count() == 0


@pytest.mark.parametrize("url", ["http://shop.example/", "https://shop.example:8443/", "http://8.8.8.8/"])
def test_needs_https_in_a_live_organisation(zuri, url):
    with pytest.raises(webhook_urls.WebhookUrlInvalid, match="https"):
        factory.endpoint(url)

    assert WebhookEndpoint.objects.count() == 0


@pytest.mark.parametrize(
    "url", ["https://shop.example/", "https://shop.example:443/hooks?x=1", "https://8.8.8.8/"]
)
def test_takes_https_in_a_live_organisation(zuri, url):
    assert factory.endpoint(url).endpoint.url == url


def test_takes_plain_http_in_a_test_organisation(acme):
    assert factory.endpoint("http://shop.example:8000/").endpoint.url == "http://shop.example:8000/"


def test_takes_a_sandbox_inbox_anywhere(zuri, receiver):
    assert factory.endpoint(receiver.url).endpoint.url == receiver.url


def test_takes_a_developers_own_machine_in_a_test_organisation_alone(acme, in_organisation, settings):
    own = "http://127.0.0.1:5000/hooks"
    settings.TREASURY = {**settings.TREASURY, "WEBHOOK_LOOPBACK": "http://127.0.0.1:5000/"}

    assert factory.endpoint(own).endpoint.status == EndpointStatus.ENABLED
    assert webhook_urls.policy().allows_loopback(own)
    with pytest.raises(webhook_urls.WebhookUrlInvalid, match="private"):
        factory.endpoint("http://127.0.0.1:5001/hooks")

    in_organisation("zuri")
    with pytest.raises(webhook_urls.WebhookUrlInvalid, match="https"):
        factory.endpoint(own)
    assert not webhook_urls.policy().allows_loopback(own)


def test_refuses_what_only_looks_like_a_sandbox_inbox(acme, receiver):
    for url in (receiver.prefix, receiver.prefix + "x", receiver.url + "/more", receiver.url[:-1]):
        with pytest.raises(webhook_urls.WebhookUrlInvalid):
            factory.endpoint(url)


@pytest.mark.parametrize("names", [["no_such_event"], ["stock_counted"], ["order_placed", "Order_Placed"]])
def test_refuses_types_that_partners_never_get(acme, names):
    with pytest.raises(webhook_endpoints.EventTypeUnknown):
        factory.endpoint(event_types=names)

    assert WebhookEndpoint.objects.count() == 0


def test_refuses_the_same_url_twice_and_names_the_first(acme):
    first = factory.endpoint().endpoint

    with pytest.raises(webhook_endpoints.EndpointExists, match=ids.encode("whe", first.id)):
        factory.endpoint()

    factory.endpoint(branch_id=ids.new())
    factory.endpoint(application_id=ids.new())
    webhook_endpoints.delete(endpoint_id=first.id, actor=ANNE, now=NOW)
    factory.endpoint()
    assert WebhookEndpoint.objects.kept().count() == 3


def test_refuses_more_than_sixteen(acme):
    for number in range(16):
        factory.endpoint(f"https://shop.example/{number}")

    with pytest.raises(webhook_endpoints.EndpointLimit):
        factory.endpoint("https://shop.example/17")

    assert WebhookEndpoint.objects.count() == 16


def test_rotates_the_secret_with_a_grace(acme):
    issued = factory.endpoint()

    rotated = webhook_endpoints.rotate_secret(
        endpoint_id=issued.endpoint.id, actor=ANNE, now=NOW, grace=timedelta(hours=2)
    )

    endpoint = WebhookEndpoint.objects.get()
    old, new = signatures.read_secret(issued.secret), signatures.read_secret(rotated.secret)
    assert webhook_endpoints.signing_keys(endpoint, NOW + timedelta(hours=1)) == [new, old]
    assert webhook_endpoints.signing_keys(endpoint, NOW + timedelta(hours=2)) == [new]
    assert AuditRecord.objects.get(action="webhook_endpoint.secret_rotated").person == "anne"


@pytest.mark.parametrize("grace", [timedelta(seconds=-1), timedelta(days=8)])
def test_refuses_a_grace_that_is_no_grace(acme, grace):
    issued = factory.endpoint()

    with pytest.raises(webhook_endpoints.GraceInvalid):
        webhook_endpoints.rotate_secret(endpoint_id=issued.endpoint.id, actor=ANNE, now=NOW, grace=grace)

    assert webhook_endpoints.signing_keys(WebhookEndpoint.objects.get(), NOW) == [
        signatures.read_secret(issued.secret)
    ]


def test_goes_off_and_on(acme):
    endpoint_id = factory.endpoint().endpoint.id

    webhook_endpoints.disable(endpoint_id=endpoint_id, actor=ANNE, now=NOW, reason="moving")
    assert WebhookEndpoint.objects.get().status == EndpointStatus.DISABLED
    with pytest.raises(webhook_endpoints.EndpointStateRefused):
        webhook_endpoints.disable(endpoint_id=endpoint_id, actor=ANNE, now=NOW)

    webhook_endpoints.enable(endpoint_id=endpoint_id, actor=ANNE, now=NOW)
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.status, endpoint.disabled_reason) == (EndpointStatus.ENABLED, "")
    with pytest.raises(webhook_endpoints.EndpointStateRefused):
        webhook_endpoints.enable(endpoint_id=endpoint_id, actor=ANNE, now=NOW)


def test_loses_its_secrets_when_deleted(acme):
    endpoint_id = factory.endpoint().endpoint.id
    webhook_endpoints.rotate_secret(endpoint_id=endpoint_id, actor=ANNE, now=NOW)

    webhook_endpoints.delete(endpoint_id=endpoint_id, actor=ANNE, now=NOW)

    endpoint = WebhookEndpoint.objects.get()
    assert (bytes(endpoint.sealed_secret), bytes(endpoint.sealed_previous_secret)) == (b"", b"")
    for again in (webhook_endpoints.delete, webhook_endpoints.enable, webhook_endpoints.rotate_secret):
        with pytest.raises(webhook_endpoints.EndpointUnknown):
            again(endpoint_id=endpoint_id, actor=ANNE, now=NOW)

"""Keep twins apart: two organisations with identical ids never see or touch each other's rows."""

import pytest
from django.db import connection
from django.test import Client

from apps.events.models import WebhookDelivery, WebhookEndpoint
from apps.events.services import webhook_attempts, webhook_endpoints
from apps.kit import clock
from apps.tenancy.services import data_keys
from tests.events.receiver import Receiver
from tests.isolation import endpoints, twins

CANONICAL = [endpoint for endpoint in endpoints.every() if not endpoint.is_alias]
WITHOUT_TEXT = {"arl", "ca", "key", "per", "whd"}  # prefixes of what shows no text that could bear a canary
QUERIES = {
    "latest": "?base=USD&quote=KES",
    "changes": "?known_at=2020-01-01T00:00:00Z",
    "remove_file": "?purpose=receipt",
}  # what an action must be asked
TWINS = (("acme", "zuri"), ("zuri", "acme"))
CLIENT = Client(raise_request_exception=False)


@pytest.fixture
def organisations(db, in_organisation, settings, tmp_path):
    """Return the keys of both organisations, and the ids of their rows by prefix."""
    settings.TREASURY = {**settings.TREASURY, "SANDBOX_INBOX_LOCAL": True}
    in_organisation("acme")
    acme_key, row_ids = twins.populate()
    rows = twins.read()
    now = clock.now()
    booked = twins.book("acme", row_ids["br"], now)
    in_organisation("zuri")
    twins.write(rows)
    assert twins.book("zuri", row_ids["br"], now) == booked
    twins.store_pdfs(row_ids, "zuri")
    twins.store_result(row_ids["job"], tmp_path)
    zuri_key = twins.key_of_zuri(row_ids["key"])
    connection.set_schema_to_public()
    return {"acme": acme_key, "zuri": zuri_key}, {**row_ids, **booked}


def ask(endpoint, slug, secret, row_ids, query=""):
    """Return status and whole body, streamed or not."""
    response = CLIENT.generic(
        endpoint.method,
        endpoint.path(organisation=slug, row_id=row_ids[endpoint.view.id_prefix])
        + (query or QUERIES.get(endpoint.action, "")),
        "{}",
        content_type="application/json",
        headers={"Authorization": f"Bearer {secret}", "Idempotency-Key": f"{endpoint.action}-1"},
    )
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return response.status_code, body.decode(errors="replace")


def test_every_kind_of_row_has_a_twin(organisations):
    _, row_ids = organisations

    assert {endpoint.view.id_prefix for endpoint in CANONICAL} == set(row_ids)


def test_every_reading_endpoint_shows_only_the_own_twin_and_no_log_the_other(organisations, caplog):
    keys, row_ids = organisations
    seen = set()

    for endpoint in (e for e in CANONICAL if e.method == "get"):
        for slug, other in TWINS:
            caplog.clear()
            status, body = ask(endpoint, slug, keys[slug], row_ids)

            assert (status, twins.CANARY[other] in body) == (200, False), f"{endpoint} {slug}: {body}"
            assert twins.CANARY[other] not in caplog.text, f"{endpoint} {slug}"
            if twins.CANARY[slug] in body:
                seen.add(endpoint.view.id_prefix)
    assert seen == set(row_ids) - WITHOUT_TEXT


def test_every_list_refuses_a_filter_that_it_does_not_know(organisations):
    keys, row_ids = organisations
    lists = [e for e in CANONICAL if e.action in {"list", "deliveries"}]

    for endpoint in lists:
        status, body = ask(endpoint, "acme", keys["acme"], row_ids, "?colour=red")
        assert (status, "filter_unknown" in body) == (400, True), f"{endpoint}: {body}"


def test_no_writing_endpoint_touches_the_twin_and_no_log_names_it(organisations, in_organisation, caplog):
    keys, row_ids = organisations
    in_organisation("zuri")
    before = twins.contents()

    for endpoint in sorted((e for e in CANONICAL if e.method != "get"), key=lambda e: e.action == "revoke"):
        status, body = ask(endpoint, "acme", keys["acme"], row_ids)
        assert status < 500, f"{endpoint}: {body}"

    assert "/v1/acme/" in caplog.text
    assert twins.CANARY["zuri"] not in caplog.text
    in_organisation("zuri")
    assert twins.contents() == before


def test_webhooks_carry_the_own_twin_alone(organisations, in_organisation, settings, caplog):
    _, row_ids = organisations
    with Receiver() as receiver:
        settings.TREASURY = {**settings.TREASURY, "SANDBOX_INBOX_PREFIX": receiver.prefix}
        for slug, other in TWINS:
            in_organisation(slug)
            caplog.clear()
            secret = data_keys.encrypt(plaintext=b"s" * 32, purpose=webhook_endpoints.purpose(row_ids["whe"]))
            WebhookEndpoint.objects.filter(id=row_ids["whe"]).update(url=receiver.url, sealed_secret=secret)
            planned = WebhookDelivery.objects.filter(endpoint_id=row_ids["whe"])
            receiver.received.clear()

            while webhook_attempts.make(endpoint_id=row_ids["whe"], now=clock.now()):
                pass

            sent = [got.body.decode() for got in receiver.received]
            assert len(sent) == len(planned) > 1, slug
            assert any(twins.CANARY[slug] in body for body in sent), slug
            assert not any(twins.CANARY[other] in body for body in [*sent, caplog.text]), slug


def test_a_key_opens_its_own_organisation_only(organisations):
    keys, row_ids = organisations

    for endpoint in CANONICAL:
        assert ask(endpoint, "zuri", keys["acme"], row_ids)[0] == 401
        assert ask(endpoint, "acme", keys["zuri"], row_ids)[0] == 401

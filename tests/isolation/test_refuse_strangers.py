"""Refuse strangers: who is not let in learns nothing, neither which organisations there are nor which paths."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.access.contracts import SCOPES
from apps.access.services import api_keys
from apps.kit import clock, ids
from apps.kit.actors import SYSTEM
from tests.factories import access as make
from tests.isolation import endpoints

EVERY = endpoints.every()
CANONICAL = [endpoint for endpoint in EVERY if not endpoint.is_alias]
CLIENT = Client(raise_request_exception=False)
OWN_HEADERS = {"Request-Id"}


def answer(method, path, *, secret=None, host="localhost"):
    """Return what a caller can tell one answer from another by: status, headers and body without the request's id."""
    headers = {"host": host, **({"Authorization": f"Bearer {secret}"} if secret is not None else {})}
    response = CLIENT.generic(method, path, "{}", content_type="application/json", headers=headers)
    body = response.content.replace(response["Request-Id"].encode(), b"")
    return (
        response.status_code,
        {name: value for name, value in response.items() if name not in OWN_HEADERS},
        body,
    )


def sent(*, path, method, slug, secret=None, body="{}", **kind):
    """Return the same of a request that is wrong in some way."""
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    if accept := kind.pop("accept", ""):
        headers["Accept"] = accept
    content_type = kind.get("content_type", "application/json")
    response = CLIENT.generic(method, path.format(slug), body, content_type=content_type, headers=headers)
    seen = {name: value for name, value in response.items() if name not in OWN_HEADERS | {"Content-Length"}}
    return response.status_code, seen, response.content.replace(response["Request-Id"].encode(), b"")


@pytest.fixture
def strangers(db, in_organisation):
    """Return the keys that do not open acme: none, nonsense, another organisation's, revoked, expired."""
    in_organisation("zuri")
    foreign = make.issued().secret
    in_organisation("acme")
    revoked, expired = make.issued(), make.issued(expires_at=make.NOW + timedelta(seconds=1))
    api_keys.revoke(key_id=revoked.key.id, actor=SYSTEM, now=make.NOW)
    connection.set_schema_to_public()
    with clock.fixed(make.NOW + timedelta(days=1)):
        yield [None, "", "nonsense", "tsk_test_00000000_" + "0" * 40, foreign, revoked.secret, expired.secret]


@pytest.fixture
def member_key(db, in_organisation):
    in_organisation("acme")
    secret = make.issued().secret
    connection.set_schema_to_public()
    return secret


def the_answer():
    return answer("GET", "/v1/nowhere/payments")


def test_the_answer_says_nothing(db):
    status, headers, body = the_answer()

    assert status == 401
    assert headers["WWW-Authenticate"] == "Bearer"
    assert headers["Cache-Control"] == "no-store"
    assert not {"Allow", "Location"} & set(headers)
    assert b"nowhere" not in body


def test_every_endpoint_gives_every_stranger_the_same_answer(strangers):
    expected = the_answer()

    for endpoint in EVERY:
        for secret in strangers[::4] if endpoint.is_alias else strangers:
            got = answer(endpoint.method, endpoint.path(organisation="acme"), secret=secret)
            assert got == expected, (str(endpoint), secret)


@pytest.mark.parametrize(
    "name", ["nowhere", ids.encode("ten", endpoints.NOBODYS), str(endpoints.NOBODYS), "public", "template"]
)
def test_an_organisation_that_does_not_exist_gives_the_same_answer(name, member_key):
    expected = the_answer()

    for endpoint in CANONICAL:
        for secret in (None, member_key):
            got = answer(endpoint.method, endpoint.path(organisation=name), secret=secret)
            assert got == expected, (str(endpoint), secret)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/", "/v1/acme", "/v1/acme/", "/v1/acme/nothing", "/v1/acme/payments/", "/v1/acme//payments", "/v1//payments",
        "/v1/ACME/payments", "/v1/acme%2Fpayments", "/v1/../v1/acme/payments", "/v1/acme/payments/pi_1/nothing", "/v1/org_acme/payments",
        "/v1/platform/", "/v1/public/", "/v1/docsavanna/payments", "/v1/docs-r-us/payments", "/v1/openapi-ltd/payments",
        "/api/v1/acme/nothing", "/api/v1/nowhere/payments", "/v1/\N{SNOWMAN}/payments", "/v1/acme%00/payments",
    ],
)  # fmt: skip
def test_a_path_that_does_not_exist_gives_the_same_answer(db, path):
    expected = the_answer()

    for method in ("GET", "POST", "DELETE", "OPTIONS", "TRACE"):
        assert answer(method, path) == expected, method


def test_nothing_that_is_wrong_with_a_request_is_told_to_a_stranger(member_key, settings):
    """Each request is refused in its own words where the credential is good; the first one fails on our side."""
    settings.ROOT_URLCONF = "tests.isolation.broken_urls"
    broken = {"path": "/v1/{}/broken", "method": "GET"}
    assert sent(**broken, slug="acme", secret=member_key)[0] == 500
    assert sent(**broken, slug="acme") == sent(**broken, slug="nowhere") == the_answer()
    settings.ROOT_URLCONF = "treasury.urls_tenant"

    for expected, request in {
        400: {"path": "/v1/{}/parties/by-external-id/x", "method": "PUT", "body": "{"},
        404: {"path": "/v1/{}/nothing", "method": "GET"},
        405: {"path": "/v1/{}/branches", "method": "DELETE"},
        406: {"path": "/v1/{}/branches", "method": "GET", "accept": "text/xml"},
        415: {"path": "/v1/{}/parties/by-external-id/x", "method": "PUT", "content_type": "text/xml"},
    }.items():
        status, headers, body = sent(**request, slug="acme", secret=member_key)
        assert (status, headers["Content-Type"]) == (expected, "application/problem+json")
        assert json.loads(body)["status"] == expected
        assert sent(**request, slug="acme") == sent(**request, slug="nowhere") == the_answer(), expected
        assert sent(**request, slug="acme", secret="tsk_x") == the_answer(), expected


def test_what_is_too_large_is_told_to_everybody_before_anything_is_looked_up(
    member_key, django_assert_num_queries
):
    large = {"path": "/v1/{}/parties", "method": "POST", "body": " " * 1_100_000}

    with django_assert_num_queries(0):
        answers = [sent(**large, slug=slug) for slug in ("acme", "nowhere")]

    assert answers[0][0] == 413
    assert answers[0] == (*answers[1][:2], answers[1][2].replace(b"/nowhere/", b"/acme/"))


@pytest.mark.parametrize(
    "secret", [None, "nonsense", "tsk_test_00000000_" + "0" * 40, "tsa_test_00000000_" + "0" * 40]
)
def test_the_same_is_done_for_an_organisation_that_does_not_exist(acme, secret):
    connection.set_schema_to_public()
    done = {}
    for slug in ("acme", "nowhere"):
        for path in ("payments", "oauth/token", "nothing"):
            with CaptureQueriesContext(connection) as captured:
                answer("POST", f"/v1/{slug}/{path}", secret=secret)
            done[slug, path] = [
                one["sql"].replace(f"'{slug}'", "'?'").replace("org__template__pristine", acme.schema_name)
                for one in captured
            ]

    assert all(done["acme", path] == done["nowhere", path] for path in ("payments", "oauth/token", "nothing"))
    assert len(done["acme", "nothing"]) == len(done["acme", "payments"]) > 1


def test_a_host_of_another_organisation_gives_the_same_answer(member_key):
    assert answer("GET", "/v1/acme/branches", secret=member_key, host="acme.testserver")[0] == 200
    assert answer("GET", "/v1/acme/branches", secret=member_key, host="zuri.testserver") == the_answer()


def test_every_action_declares_a_scope_and_refuses_a_key_without_it(db, in_organisation):
    in_organisation("acme")
    lacking = {scope: make.issued(tuple(s for s in SCOPES if s != scope)).secret for scope in SCOPES}
    connection.set_schema_to_public()

    for endpoint in EVERY:
        scope = endpoint.view.required_scopes[endpoint.action]
        status, _, body = answer(endpoint.method, endpoint.path(organisation="acme"), secret=lacking[scope])
        assert (status, b"insufficient_scope" in body, scope.encode() in body) == (403, True, True), str(
            endpoint
        )


def test_scopes_are_those_that_endpoints_ask_for():
    asked = {endpoint.view.required_scopes[endpoint.action] for endpoint in EVERY}

    assert asked == set(SCOPES)


def test_a_row_that_does_not_exist_is_not_found(member_key):
    for endpoint in (e for e in CANONICAL if e.is_about_a_row):
        status, _, body = answer(endpoint.method, endpoint.path(organisation="acme"), secret=member_key)

        if endpoint.method in {"get", "delete"}:
            assert (status, b"resource_not_found" in body) == (404, True), str(endpoint)
        else:  # an empty body may be refused before the row is looked for
            assert status in {400, 404, 422}, str(endpoint)

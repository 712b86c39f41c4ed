"""Letting requests in: by bearer token, X-API-Key or Basic, and one identical answer for everybody else."""

import base64

import pytest
from django.db import connection

from apps.access.services import api_keys
from apps.kit.actors import SYSTEM
from tests.factories import access as make

PATH = "/v1/acme/branches"


def basic(user, password=""):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture
def secret(acme):
    made = make.issued(("branches:read",)).secret
    connection.set_schema_to_public()
    return made


@pytest.mark.parametrize(
    "headers",
    [
        lambda key: {"Authorization": f"Bearer {key}"},
        lambda key: {"Authorization": f"bearer  {key}"},
        lambda key: {"X-API-Key": key},
        lambda key: {"Authorization": basic(key)},
        lambda key: {"Authorization": f"Bearer {key}", "X-API-Key": key},
    ],
)
def test_lets_a_valid_key_in(client, secret, headers):
    assert client.get(PATH, headers=headers(secret)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        lambda _key: {},
        lambda key: {"Authorization": key},
        lambda key: {"Authorization": f"Token {key}"},
        lambda _key: {"Authorization": "Bearer"},
        lambda key: {"Authorization": f"Bearer {key}x"},
        lambda key: {"Authorization": f"Bearer {key[:-1]}"},
        lambda _key: {"Authorization": "Basic !!!"},
        lambda key: {"Authorization": basic("", key)},
        lambda key: {"Authorization": f"Bearer {key}", "X-API-Key": f"{key[:-1]}-"},
        lambda _key: {"X-API-Key": "\xe4" * 58},
    ],
)
def test_gives_everybody_else_the_same_answer(client, secret, headers):
    answer = client.get(PATH, headers=headers(secret))

    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthenticated"
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer["Content-Type"] == "application/problem+json"


def test_a_revoked_key_gets_that_answer_too(client, acme):
    issued = make.issued(("branches:read",))
    api_keys.revoke(key_id=issued.key.id, actor=SYSTEM, now=make.NOW)

    answer = client.get(PATH, headers=make.bearer(issued.secret))

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


def test_a_missing_scope_is_named(client, secret):
    answer = client.get("/v1/acme/api-keys", headers=make.bearer(secret))

    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    assert "keys:read" in answer.json()["detail"]


def test_a_method_that_does_not_exist_is_named(client, secret):
    answer = client.delete(PATH, headers=make.bearer(secret))

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")

"""Headers: what browsers are told on every answer, and that no page holds what its policy does not let run."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import access
from tests.portal.conftest import HOST
from tests.portal.places import PLACES

INLINE = re.compile(
    r"<script(?![^>]*(?:\bsrc=|application/json))[^>]*>|<[^>]+\son[a-z]+=|javascript:", re.IGNORECASE
)
PUBLIC = ["/v1/docs/", "/v1/docs/reference", "/v1/docs/errors", "/platform/login/"]
DATA = ["/v1/openapi.yaml", "/v1/acme/payments", "/v1/nowhere/payments", "/healthz"]


def policy(response):
    parts = response.headers["Content-Security-Policy"].split("; ")
    return {name: sources.split() for name, _, sources in (part.partition(" ") for part in parts)}


def assert_guarded(response, page):
    assert response.headers["X-Content-Type-Options"] == "nosniff", page
    assert response.headers["X-Frame-Options"] == "DENY", page
    assert response.headers["Referrer-Policy"] == "same-origin", page
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin", page
    assert "camera=()" in response.headers["Permissions-Policy"], page
    assert policy(response)["frame-ancestors"] == ["'none'"], page
    assert re.fullmatch(r"[A-Za-z0-9_-]{8,64}", response.headers["Request-Id"]), page


def assert_page(response, page):
    assert_guarded(response, page)
    said = policy(response)
    assert said["default-src"] == ["'self'"], page
    assert said["script-src"] == ["'self'", "'unsafe-eval'"], page
    assert said["object-src"] == said["base-uri"] == ["'none'"], page
    assert INLINE.search(response.content.decode()) is None, page


def test_every_page_of_the_portal_keeps_to_its_policy(story, enter):
    client = enter("owner")

    for place in PLACES:
        response = client.get(f"/portal/{place}", follow=True)

        assert response.status_code == 200, place
        assert_page(response, place)


def test_so_do_refusals_and_what_is_before_the_door(acme):
    stranger = Client(headers={"host": HOST}, raise_request_exception=False)

    for page in (reverse("admin:login"), "/nothing"):
        assert_page(stranger.get(page), page)
    assert_guarded(Client(headers={"host": "nobody.testserver"}).get("/"), "another host")


def test_so_does_what_everybody_may_read(db):
    for page in PUBLIC:
        assert_page(Client(headers={"host": "localhost"}).get(page), page)


@pytest.mark.parametrize("path", DATA)
def test_data_lets_nothing_run(acme, path):
    access.head_office()
    response = Client().get(path)

    assert_guarded(response, path)
    if response.headers["Content-Type"].partition(";")[0] != "application/vnd.oai.openapi":
        assert policy(response)["default-src"] == ["'none'"]

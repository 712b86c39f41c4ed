"""The access API: keys, branches, applications, each for success, each refusal and each kind of caller."""

import pytest
from django.db import connection

from apps.access.models import ApiKey
from apps.audit.models import AuditRecord
from apps.kit import ids
from tests.factories import access as make


class Api:
    """One application calling its organisation's API."""

    def __init__(self, client, secret, slug="acme"):
        self.client, self.slug = client, slug
        self.headers = make.bearer(secret)
        connection.set_schema_to_public()

    def get(self, path):
        return self.client.get(f"/v1/{self.slug}/{path}", headers=self.headers)

    def post(self, path, body=None):
        return self.client.post(
            f"/v1/{self.slug}/{path}", body, content_type="application/json", headers=self.headers
        )


@pytest.fixture
def api(client, acme):
    return Api(client, make.issued().secret)


def test_creates_a_key_and_shows_its_secret_once(api, in_organisation):
    answer = api.post("api-keys", {"name": "Till 2", "scopes": ["payments:read"]})

    body = answer.json()
    assert answer.status_code == 201
    assert body["object"] == "api_key"
    assert body["scopes"] == ["payments:read"]
    assert body["secret"].startswith(body["prefix"])
    listed = api.get("api-keys").json()["data"]
    assert listed[0]["id"] == body["id"]
    assert not any("secret" in key or "digest" in key for key in listed)
    in_organisation("acme")
    record = AuditRecord.objects.get(action="api_key.issued", actor_kind="API_KEY")
    assert record.object_id == str(ids.decode("key", body["id"]))
    assert record.application == "shop"
    assert record.request_id == answer["Request-Id"]


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        ({"scopes": ["payments:read"]}, 422, "validation_error", "/name"),
        ({"name": "x", "scopes": []}, 422, "validation_error", "/scopes"),
        ({"name": "x", "scopes": ["all"]}, 422, "api_key_invalid", "/scopes"),
        ({"name": "x", "scopes": ["payments:read"], "digest": "0"}, 422, "validation_error", "/digest"),
        (
            {"name": "x", "scopes": ["payments:read"], "branch_id": "br_x"},
            422,
            "validation_error",
            "/branch_id",
        ),
        (
            {"name": "x", "scopes": ["payments:read"], "expires_at": "2020-01-01T00:00:00Z"},
            422,
            "api_key_invalid",
            "/expires_at",
        ),
    ],
)
def test_refuses_a_key_that_cannot_be(api, in_organisation, body, status, code, pointer):
    answer = api.post("api-keys", body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    in_organisation("acme")
    assert ApiKey.objects.count() == 1


def test_an_unknown_branch_is_refused(api, in_organisation):
    answer = api.post(
        "api-keys", {"name": "x", "scopes": ["payments:read"], "branch_id": ids.encode("br", ids.new())}
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "branch_unknown")


def test_a_key_gives_no_more_than_it_has(client, acme, in_organisation):
    api = Api(client, make.issued(("keys:write",)).secret)

    answer = api.post("api-keys", {"name": "x", "scopes": ["payments:write"]})

    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    in_organisation("acme")
    assert ApiKey.objects.count() == 1


def test_revokes_a_key_and_itself(api):
    other = api.post("api-keys", {"name": "Till 2", "scopes": ["branches:read"]}).json()

    assert api.post(f"api-keys/{other['id']}/revoke").json()["revoked_at"] is not None
    assert api.post(f"api-keys/{other['id']}/revoke").status_code == 200
    assert Api(api.client, other["secret"]).get("branches").status_code == 401
    own = next(key for key in api.get("api-keys").json()["data"] if key["id"] != other["id"])
    assert api.post(f"api-keys/{own['id']}/revoke").status_code == 200
    assert api.get("api-keys").status_code == 401


def test_another_applications_key_is_not_found(client, api, in_organisation):
    in_organisation("acme")
    stranger = make.api_key(application_slug="other")
    connection.set_schema_to_public()

    answer = api.post(f"api-keys/{ids.encode('key', stranger.id)}/revoke")

    assert (answer.status_code, answer.json()["code"]) == (404, "resource_not_found")
    assert api.post(f"api-keys/{ids.encode('br', stranger.id)}/revoke").status_code == 404
    in_organisation("acme")
    assert ApiKey.objects.get(id=stranger.id).revoked_at is None


def test_lists_and_shows_the_branches_of_the_key(client, acme):
    cbd = make.branch()
    bound = Api(client, make.issued(branch=cbd).secret)
    listed = bound.get("branches").json()

    assert listed["object"] == "list"
    assert [branch["code"] for branch in listed["data"]] == ["NBO-CBD"]
    assert bound.get(f"branches/{listed['data'][0]['id']}").json() == listed["data"][0]
    assert listed["data"][0]["id"] == ids.encode("br", cbd.id)
    assert listed["data"][0]["created_at"] == "2026-11-24T07:40:00.000Z"


def test_a_branch_outside_the_keys_is_not_found(client, acme):
    office, cbd = make.head_office(), make.branch()
    bound = Api(client, make.issued(branch=cbd).secret)

    assert bound.get(f"branches/{ids.encode('br', office.id)}").status_code == 404
    assert bound.get(f"branches/{ids.encode('br', ids.new())}").status_code == 404


def test_lists_the_own_application(api):
    assert [app["slug"] for app in api.get("applications").json()["data"]] == ["shop"]


def test_pages_by_cursor(api, in_organisation):
    for number in range(3):
        api.post("api-keys", {"name": f"Till {number}", "scopes": ["payments:read"]})

    first = api.get("api-keys?limit=3").json()
    rest = api.get(f"api-keys?limit=3&cursor={first['next_cursor']}").json()

    assert [key["name"] for key in first["data"]] == ["Till 2", "Till 1", "Till 0"]
    assert first["has_more"] is True
    assert [key["name"] for key in rest["data"]] == ["Test key"]
    assert (rest["has_more"], rest["next_cursor"]) == (False, None)

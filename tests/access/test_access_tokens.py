"""Access tokens: a key is exchanged for one by OAuth 2, which opens as much, for a quarter of an hour."""

import base64
from datetime import timedelta
from urllib.parse import quote_plus, urlencode

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from apps.access.models import AccessToken
from apps.access.services import access_tokens, api_keys
from apps.access.tasks import purge_tokens
from apps.audit.models import AuditRecord
from apps.kit import clock
from apps.kit.actors import SYSTEM
from tests.factories import access as make

NOW = make.NOW
SCOPES = ("branches:read", "keys:write", "parties:read")
FORM = "application/x-www-form-urlencoded"
CLIENT = Client(raise_request_exception=False)


@pytest.fixture(autouse=True)
def at_a_fixed_time():
    with clock.fixed(NOW):
        yield


@pytest.fixture
def key(acme):
    issued = make.issued(SCOPES)
    connection.set_schema_to_public()
    return issued


def basic(user, password):
    pair = f"{quote_plus(user)}:{quote_plus(password)}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def client_of(issued):
    return {"client_id": issued.key.prefix, "client_secret": issued.secret}


def ask(slug="acme", headers=None, content_type=FORM, query="", method="POST", ip="127.0.0.1", **fields):
    fields = {"grant_type": "client_credentials", **fields}
    body = urlencode([(name, value) for name, value in fields.items() if value is not None], doseq=True)
    return CLIENT.generic(
        method, f"/v1/{slug}/oauth/token{query}", body, content_type, headers=headers or {}, REMOTE_ADDR=ip
    )


def token_of(issued, **fields):
    return ask(**client_of(issued), **fields).json()["access_token"]


def revoke(token, slug="acme", query="", **fields):
    body = urlencode({"token": token, **fields} if token is not None else fields)
    return CLIENT.generic("POST", f"/v1/{slug}/oauth/revoke{query}", body, FORM)


def get(path, token, slug="acme", **extra):
    return CLIENT.get(f"/v1/{slug}/{path}", headers=make.bearer(token), **extra)


@pytest.mark.parametrize("way", ["basic", "body"])
def test_a_key_is_exchanged_for_a_token_that_opens_as_much(key, in_organisation, way):
    answer = ask(headers=basic(key.key.prefix, key.secret)) if way == "basic" else ask(**client_of(key))

    body = answer.json()
    assert answer.status_code == 200
    assert {name: body[name] for name in body if name != "access_token"} == {
        "token_type": "Bearer",
        "expires_in": 900,
        "scope": "branches:read parties:read",
    }
    assert (answer["Content-Type"], answer["Cache-Control"]) == ("application/json", "no-store")
    assert body["access_token"].startswith("tsa_test_")
    assert get("branches", body["access_token"]).status_code == 200
    assert get("payments", body["access_token"]).json()["code"] == "insufficient_scope"
    in_organisation("acme")
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(t)::text FROM access_accesstoken t")
        assert body["access_token"][-40:] not in cursor.fetchone()[0]


def test_the_caller_is_the_key_with_fewer_scopes(key, in_organisation):
    token = token_of(key, scope="parties:read")

    in_organisation("acme")
    caller = access_tokens.authenticate(secret=token, now=NOW)
    by_key = api_keys.authenticate(secret=key.secret, now=NOW)
    assert (caller.key, caller.actor, caller.branch_id) == (by_key.key, by_key.actor, by_key.branch_id)
    assert (caller.scopes, by_key.scopes) == ({"parties:read"}, set(SCOPES))


def test_a_token_ends_after_a_quarter_of_an_hour_and_with_its_key(acme, in_organisation):
    short = make.issued(SCOPES, expires_at=NOW + timedelta(minutes=5))
    revoked, replaced = make.issued(SCOPES), make.issued(SCOPES)
    assert ask(**client_of(short)).json()["expires_in"] == 300
    tokens = [token_of(issued) for issued in (revoked, replaced)]

    def open_at(seconds, token):
        with clock.fixed(NOW + timedelta(seconds=seconds)):
            return get("branches", token).status_code

    assert [open_at(seconds, tokens[0]) for seconds in (899, 900)] == [200, 401]
    in_organisation("acme")
    api_keys.revoke(key_id=revoked.key.id, actor=SYSTEM, now=NOW)
    api_keys.rotate(key_id=replaced.key.id, grace=timedelta(seconds=60), actor=SYSTEM, now=NOW)
    assert open_at(0, tokens[0]) == 401
    assert [open_at(seconds, tokens[1]) for seconds in (59, 60)] == [200, 401]


def test_a_key_that_is_for_tokens_opens_nothing_itself(acme):
    issued = api_keys.issue(
        application_id=make.application().id, name="Partner", scopes=["branches:read"], is_for_tokens=True,
        allowed_networks=["203.0.113.0/24"], actor=SYSTEM, now=NOW,
    )  # fmt: skip
    make.head_office()
    connection.set_schema_to_public()

    inside, outside = {"REMOTE_ADDR": "203.0.113.9"}, {"REMOTE_ADDR": "198.51.100.1"}
    assert get("branches", issued.secret, **inside).status_code == 401
    token = token_of(issued, ip="203.0.113.9")
    assert [get("branches", token, **where).status_code for where in (inside, outside)] == [200, 401]
    assert ask(**client_of(issued), ip="198.51.100.1").status_code == 401


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, "unsupported_grant_type"),
        ({"scope": "payments:write"}, "invalid_scope"),
        ({"scope": "branches:read everything"}, "invalid_scope"),
        ({"scope": "keys:write"}, "invalid_scope"),
        ({"scope": ["branches:read", "parties:read"]}, "invalid_request"),
        ({"query": "?scope=branches:read"}, "invalid_request"),
    ],
)
def test_says_in_the_words_of_the_standard_what_is_wrong(key, in_organisation, fields, error):
    answer = ask(headers=basic(key.key.prefix, key.secret), **fields)

    assert (answer.status_code, answer.json()["error"]) == (400, error)
    in_organisation("acme")
    assert AccessToken.objects.exists() is False


@pytest.mark.parametrize("body", [b"", b"%%%<", b"\xff\xfe=1", b"grant_type", b'{"grant_type": 1}'])
@pytest.mark.parametrize("content_type", [FORM, "application/json", ""])
def test_a_body_that_is_none_is_refused(key, body, content_type):
    headers = basic(key.key.prefix, key.secret)

    answer = CLIENT.generic("POST", "/v1/acme/oauth/token", body, content_type, headers=headers)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert answer["Content-Type"] == "application/json"


def test_whoever_is_no_client_gets_one_answer_and_so_does_every_organisation(key, in_organisation):
    in_organisation("zuri")
    foreign = make.issued(SCOPES)
    in_organisation("acme")
    revoked, other = make.issued(SCOPES), make.issued(SCOPES)
    api_keys.revoke(key_id=revoked.key.id, actor=SYSTEM, now=NOW)
    connection.set_schema_to_public()
    good = client_of(key)

    def seen(answer):
        headers = {name: value for name, value in answer.items() if name != "Request-Id"}
        return answer.status_code, headers, answer.content.replace(answer["Request-Id"].encode(), b"")

    expected = seen(ask("nowhere", **good))
    attempts = [
        ask(),
        ask(client_id=good["client_id"]),
        ask(client_id=good["client_id"], client_secret=f"{key.secret[:-1]}-"),
        ask(client_id=other.key.prefix, client_secret=key.secret),
        ask(client_id="", client_secret=key.secret),
        ask(**client_of(foreign)),
        ask(**client_of(revoked)),
        ask("zuri", **good),
        ask("nowhere"),
        ask(headers=basic(key.key.prefix, f"{key.secret}x")),
        ask(headers=basic(key.key.prefix, key.secret), **client_of(other)),
        ask(headers=make.bearer(key.secret)),
        ask(headers={"Authorization": "Basic !!!"}),
        ask(**good, content_type="application/json"),
        ask(method="GET"),
        ask("nowhere", method="DELETE"),
    ]

    assert [number for number, answer in enumerate(attempts) if seen(answer) != expected] == []
    assert (expected[0], expected[1]["WWW-Authenticate"]) == (401, "Basic")
    assert ask().json()["error"] == "invalid_client"
    assert b"nowhere" not in expected[2]
    too_large = [ask(name, **good, padding="x" * 1_100_000) for name in ("acme", "nowhere")]
    assert {(one.status_code, one.content.replace(b"/nowhere/", b"/acme/")[:80]) for one in too_large} == {
        (413, too_large[0].content[:80])
    }


def test_a_token_of_one_organisation_opens_no_other(key):
    assert get("branches", token_of(key), slug="zuri").status_code == 401


def test_a_forged_token_does_not_open(key):
    token = token_of(key)
    forged = token[:-1] + ("a" if token[-1] != "a" else "b")

    assert [get("branches", text).status_code for text in (token, forged, f"{token}x", "tsa_test_x")] == [
        200,
        401,
        401,
        401,
    ]


def test_a_suspended_organisation_gives_no_token_and_says_so_to_its_client_alone(key, acme):
    acme.status = "SUSPENDED"
    acme.save()

    assert ask(**client_of(key)).json()["code"] == "organisation_suspended"
    assert ask().status_code == 401


def test_exchanging_is_limited_like_any_request_of_the_key(key, settings):
    limits = dict.fromkeys(settings.TREASURY["RATE_LIMITS"], 0)
    settings.TREASURY = {**settings.TREASURY, "RATE_LIMITS": {**limits, "test_key": 1}}

    token = token_of(key)
    answers = [ask(**client_of(key)), get("branches", token), get("branches", token), get("branches", token)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0]["RateLimit"] == '"key";r=2;t=2'
    assert ask(**client_of(key)).status_code == 429


def test_exchanging_has_the_smaller_bucket(key, settings):
    limits = dict.fromkeys(settings.TREASURY["RATE_LIMITS"], 0)
    settings.TREASURY = {**settings.TREASURY, "RATE_LIMITS": {**limits, "money": 1}}

    assert [ask(**client_of(key)).status_code for _ in range(5)] == [200] * 4 + [429]


def test_the_purge_removes_what_has_ended(key, in_organisation):
    token_of(key)
    with clock.fixed(NOW + timedelta(minutes=1)):
        token_of(key)
    in_organisation("acme")

    with clock.fixed(NOW + timedelta(minutes=15)):
        purge_tokens()

    assert AccessToken.objects.get().created_at == NOW + timedelta(minutes=1)


def test_the_database_lets_no_token_live_longer_than_an_hour(key, in_organisation):
    token_of(key)
    in_organisation("acme")

    with pytest.raises(IntegrityError), transaction.atomic():
        AccessToken.objects.update(expires_at=NOW + timedelta(seconds=3601))


def test_a_client_ends_a_token_of_its_own_key_at_once_and_on_record(key, in_organisation):
    token, spared = token_of(key), token_of(key)

    first, second = (
        revoke(token, **client_of(key), token_type_hint=hint) for hint in ("access_token", "other")
    )

    assert [(one.status_code, one.content) for one in (first, second)] == [(200, b"")] * 2
    assert first["Cache-Control"] == "no-store"
    assert [get("branches", one).status_code for one in (token, spared)] == [401, 200]
    in_organisation("acme")
    record = AuditRecord.objects.get(action="access_token.revoked")
    assert (record.actor_id, token.startswith(record.changes["prefix"][0])) == (str(key.key.id), True)


def test_nothing_is_told_of_other_texts_and_nothing_done(key, in_organisation):
    in_organisation("acme")
    other = make.issued(SCOPES)
    connection.set_schema_to_public()
    foreign = token_of(other)

    answers = [revoke(text, **client_of(key)) for text in (foreign, f"{foreign}x", "nonsense", "tsa_test_x")]

    assert {(answer.status_code, answer.content) for answer in answers} == {(200, b"")}
    assert get("branches", foreign).status_code == 200
    in_organisation("acme")
    assert not AuditRecord.objects.filter(action="access_token.revoked").exists()


def test_refuses_what_is_no_revocation_in_the_words_of_the_standard(key):
    good = client_of(key)
    token = token_of(key)

    assert revoke(key.secret, **good).json()["error"] == "unsupported_token_type"
    assert revoke(None, **good).json()["error"] == "invalid_request"
    assert revoke(token, **good, query="?a=b").status_code == 400
    strangers = [
        revoke(token),
        revoke(token, slug="nowhere", **good),
        revoke(token, **{**good, "client_secret": "x"}),
    ]
    assert [(one.status_code, one.json()["error"], one["WWW-Authenticate"]) for one in strangers] == [
        (401, "invalid_client", "Basic")
    ] * 3
    assert get("branches", token).status_code == 200
    assert CLIENT.get("/v1/acme/oauth/revoke", headers=basic(key.key.prefix, key.secret)).status_code == 405

"""Rate limits of the API: each key its own, all keys of an organisation, money apart, strangers by their address."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from apps.access.services.quotas import WINDOW
from apps.accounts.models import PlatformRecord
from apps.kit import clock, rate_limits
from apps.kit.actors import SYSTEM
from apps.tenancy.models import Organisation
from apps.tenancy.services import organisations
from tests.factories import access as make

NOW = make.NOW


@pytest.fixture
def limits(settings):
    """Return a function that sets limits a second, four seconds of which are had at once; none is set before."""

    def choose(**rates):
        none = dict.fromkeys(settings.TREASURY["RATE_LIMITS"], 0)
        settings.TREASURY = {**settings.TREASURY, "RATE_LIMITS": {**none, **rates}}

    return choose


@pytest.fixture
def secret(acme):
    made = make.issued().secret
    connection.set_schema_to_public()
    return made


def ask(secret, *, slug="acme", path="branches", now=NOW, method="get", **extra):
    headers = make.bearer(secret) if secret else {}
    with clock.fixed(now):
        return getattr(Client(), method)(
            f"/v1/{slug}/{path}", headers={**headers, **extra.pop("headers", {})}, **extra
        )


def statuses(count, *args, **chosen):
    return [ask(*args, **chosen).status_code for _ in range(count)]


def test_a_key_gets_its_rate_and_is_told_how_much_is_left(secret, limits):
    limits(test_key=1)

    answers = [ask(secret) for _ in range(WINDOW + 1)]

    assert [answer.status_code for answer in answers] == [200] * WINDOW + [429]
    assert answers[0]["RateLimit-Policy"] == '"key";q=4;w=4'
    assert [answer["RateLimit"] for answer in answers[-2:]] == ['"key";r=0;t=4'] * 2
    refused = answers[-1]
    assert (refused["Content-Type"], refused["Retry-After"]) == ("application/problem+json", "2")
    body = refused.json()
    assert (body["code"], body["retryable"], "“key”" in body["detail"]) == ("rate_limited", True, True)
    assert ask(secret, now=NOW + timedelta(seconds=1)).status_code == 200


def test_the_platform_sets_an_organisation_s_own_figures_and_the_lower_one_holds(secret, limits):
    limits(test_key=3, organisation=9, money=2)
    acme = Organisation.objects.get(slug="acme")

    organisations.set_rates(
        organisation_id=acme.id,
        requests_per_second=1,
        money_per_second=1,
        reason="Too loud",
        actor=SYSTEM,
        now=NOW,
    )
    answers = [ask(secret) for _ in range(WINDOW + 1)]
    paid = ask(secret, path="payments", method="post")
    organisations.set_rates(
        organisation_id=acme.id,
        requests_per_second=20,
        money_per_second=None,
        reason="Quiet now",
        actor=SYSTEM,
        now=NOW,
    )
    after = ask(secret)

    assert [answer.status_code for answer in answers] == [200] * WINDOW + [429]
    assert answers[0]["RateLimit-Policy"] == '"key";q=4;w=4, "organisation";q=4;w=4'
    assert paid["RateLimit-Policy"].endswith('"money";q=4;w=4, "organisation_money";q=4;w=4')
    assert after["RateLimit-Policy"] == '"key";q=12;w=4, "organisation";q=80;w=4'
    changes = (
        PlatformRecord.objects.filter(action="organisation.rates_set")
        .order_by("id")
        .values_list("changes", flat=True)
    )
    assert changes[1] == {"requests_per_second": [1, 20], "money_per_second": [1, None]}


@pytest.mark.parametrize("rates", [(0, None), (None, 10_001)])
def test_no_organisation_has_no_requests_or_too_many(acme, rates):
    with pytest.raises(organisations.RateInvalid):
        organisations.set_rates(
            organisation_id=acme.id,
            requests_per_second=rates[0],
            money_per_second=rates[1],
            reason="A try",
            actor=SYSTEM,
            now=NOW,
        )

    assert not PlatformRecord.objects.filter(action="organisation.rates_set").exists()


def test_refusals_count_and_bear_the_headers_too(acme, limits):
    weak = make.issued(("parties:read",)).secret
    connection.set_schema_to_public()
    limits(test_key=1)

    answers = [ask(weak), ask(weak, path="parties/pty_x"), ask(weak, method="delete"), ask(weak)]

    assert [answer.status_code for answer in answers] == [403, 404, 405, 403]
    assert [answer["RateLimit"].partition("r=")[2][0] for answer in answers] == list("3210")
    assert ask(weak).status_code == 429


def test_one_key_does_not_use_up_anothers_but_their_organisations(acme, in_organisation, limits):
    first, second = make.issued().secret, make.issued().secret
    in_organisation("zuri")
    foreign = make.issued().secret
    connection.set_schema_to_public()
    limits(test_key=1, organisation=2, key=1)

    assert statuses(5, first) == [200] * 4 + [429]
    assert statuses(5, second) == [200] * 4 + [429]
    limits(organisation=2)
    third = ask(second)
    assert (third.status_code, "“organisation”" in third.json()["detail"]) == (429, True)
    assert statuses(5, foreign, slug="zuri") == [200] * 5


def test_what_moves_money_has_a_smaller_bucket(secret, limits):
    limits(test_key=10, money=1)

    answers = [ask(secret, path="payments", method="post") for _ in range(WINDOW + 1)]

    assert [answer.status_code for answer in answers] == [400] * WINDOW + [429]
    assert answers[0]["RateLimit-Policy"] == '"key";q=40;w=4, "money";q=4;w=4'
    assert ask(secret, path="payments").status_code == 200


def test_a_replayed_answer_bears_the_limits_of_now(secret, limits):
    limits(test_key=10)
    body = {"kind": "customer", "display_name": "Asha"}
    sent = {
        "path": "parties", "method": "post", "data": body, "content_type": "application/json",
        "headers": {"Idempotency-Key": "one"},
    }  # fmt: skip

    first, again = ask(secret, **dict(sent)), ask(secret, **dict(sent))

    assert (first.status_code, again["Idempotent-Replayed"]) == (201, "true")
    assert [answer["RateLimit"] for answer in (first, again)] == ['"key";r=39;t=1', '"key";r=38;t=1']


def test_a_valid_key_of_a_suspended_organisation_is_counted_too(secret, limits):
    limits(test_key=1)
    Organisation.objects.filter(slug="acme").update(status="SUSPENDED")

    answers = [ask(secret) for _ in range(WINDOW + 1)]

    assert [answer.status_code for answer in answers] == [403] * WINDOW + [429]
    assert (answers[0].json()["code"], answers[0]["RateLimit-Policy"]) == (
        "organisation_suspended",
        '"key";q=4;w=4',
    )


def test_strangers_are_limited_by_their_address_and_all_alike(secret, limits):
    limits(strangers=3)

    def answer(secret, slug, ip):
        found = ask(secret, slug=slug, REMOTE_ADDR=ip)
        return (
            found.status_code,
            found.content.replace(found["Request-Id"].encode(), b""),
            dict(found.headers).keys(),
        )

    seen = [answer(None, "acme", "203.0.113.9"), answer("nonsense", "nowhere", "203.0.113.9")]
    seen.append(answer(f"{secret}x", "acme", "203.0.113.9"))
    refused = [answer(None, "acme", "203.0.113.9"), answer(f"{secret}x", "nowhere", "203.0.113.9")]

    assert len({body for _, body, _ in seen}) == len({body for _, body, _ in refused}) == 1
    assert [status for status, *_ in seen + refused] == [401, 401, 401, 429, 429]
    assert b"nowhere" not in refused[1][1]
    assert answer(None, "acme", "203.0.113.10")[0] == 401
    for host in range(4):
        last = answer(None, "acme", f"2001:db8:0:1::{host}")[0]
    assert (last, answer(None, "acme", "2001:db8:0:2::1")[0]) == (429, 401)


def test_strangers_lock_nobody_out_who_has_a_key(secret, limits):
    limits(strangers=1, test_key=10)
    assert statuses(3, f"{secret}x") == [401, 429, 429]

    assert ask(secret).status_code == 200
    assert statuses(2, f"{secret}x") == [429, 429]


def test_while_redis_is_away_reading_goes_on_and_writing_is_counted_here(secret, limits, settings):
    limits(test_key=1)
    settings.TREASURY = {**settings.TREASURY, "RATE_LIMIT_URL": "redis://127.0.0.1:1/0"}

    assert statuses(6, secret) == [200] * 6
    assert "RateLimit" not in ask(secret)
    assert statuses(5, secret, method="post", path="api-keys", content_type="application/json") == [
        422
    ] * 4 + [429]
    rate_limits.shared.cache_clear()

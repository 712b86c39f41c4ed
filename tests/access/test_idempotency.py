"""Idempotent actions: the work, its key and its answer are kept together or not at all."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from apps.access.models import Branch, IdempotencyRecord
from apps.access.services import idempotency
from apps.access.tasks import purge_idempotency
from apps.kit import clock, ids
from apps.kit.actors import SYSTEM
from apps.tenancy.selectors import organisations
from apps.tenancy.services import organisations as closing
from tests.access import idempotency_urls
from tests.factories import access as make

pytestmark = pytest.mark.urls("tests.access.idempotency_urls")
BODY = '{"code": "A", "amount": {"amount": "10.00", "currency": "KES"}}'


class Till:
    """An application that sends one request many times."""

    def __init__(self, secret, slug="acme"):
        self.secret = secret
        self.slug = slug
        self.client = Client(raise_request_exception=False)

    def post(self, body=BODY, *, key="k-1", path=None, **headers):
        sent = {"Authorization": f"Bearer {self.secret}", **headers}
        if key is not None:
            sent["Idempotency-Key"] = key
        return self.client.post(
            path or f"/v1/{self.slug}/branch-openings", body, content_type="application/json", headers=sent
        )


@pytest.fixture
def till(acme):
    return Till(make.issued(("payments:write",)).secret)


@pytest.fixture
def rows(in_organisation):
    """Count what was kept: (branches but head office, idempotency records)."""

    def count(slug="acme"):
        in_organisation(slug)
        kept = Branch.objects.filter(is_head_office=False).count(), IdempotencyRecord.objects.count()
        connection.set_schema_to_public()
        return kept

    return count


def test_a_repeated_request_gets_the_first_answer(till, rows):
    first = till.post()
    again = till.post()

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again["Location"] == first["Location"]
    assert again["Content-Type"] == first["Content-Type"]
    assert again["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first
    assert rows() == (1, 1)


def test_order_of_keys_and_white_space_do_not_matter(till, rows):
    till.post()
    again = till.post('{"amount":{"currency":"KES","amount":"10.00"},\n "code":"A"}')

    assert again.status_code == 201
    assert rows() == (1, 1)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/{uuid}/branch-openings",
        "/v1/{public_id}/branch-openings",
        "/api/v1/acme/branch-openings",
    ],
)
def test_the_organisation_may_be_called_by_another_name(till, acme, rows, path):
    till.post()
    again = till.post(path=path.format(uuid=acme.id, public_id=ids.encode("ten", acme.id)))

    assert again.status_code == 201
    assert again["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(
    "body",
    [
        BODY.replace("10.00", "10.0"),
        BODY.replace('"A"', '"B"'),
        '{"code": "A", "amount": 10.00}',
        '{"code": "A", "amount": 10.0}',
    ],
)
def test_another_payload_is_refused(till, rows, body):
    till.post()
    other = till.post(body)

    assert other.status_code == 422
    assert other.json()["code"] == "idempotency_key_reused"
    assert rows() == (1, 1)


def test_numbers_count_as_they_were_sent(till):
    till.post('{"code": "A", "amount": 100}')

    assert till.post('{"code": "A", "amount": 100}').status_code == 201
    assert till.post('{"code": "A", "amount": 100.0}').status_code == 422
    assert till.post('{"code": "A", "amount": "100"}').status_code == 422


def test_another_branch_of_the_same_application_gets_no_stored_answer(acme, rows):
    cbd, mombasa = make.branch(), make.branch("MSA", "Mombasa")
    tills = [Till(make.issued(("payments:write",), branch=branch).secret) for branch in (cbd, mombasa, None)]

    answers = [till.post().status_code for till in tills]

    assert answers == [201, 422, 422]
    assert Till(tills[0].secret).post()["Idempotent-Replayed"] == "true"
    assert rows() == (3, 1)


def test_another_path_or_query_is_refused(till):
    till.post()

    assert till.post(path="/v1/acme/branch-openings/again").json()["code"] == "idempotency_key_reused"
    assert till.post(path="/v1/acme/branch-openings?x=1").json()["code"] == "idempotency_key_reused"


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (None, "idempotency_key_required"),
        ("", "idempotency_key_required"),
        ('""', "idempotency_key_invalid"),
        ("a" * 256, "idempotency_key_invalid"),
        ("a b", "idempotency_key_invalid"),
        ("schlüssel", "idempotency_key_invalid"),
    ],
)
def test_a_key_that_cannot_be_is_refused(till, rows, key, code):
    answer = till.post(key=key)

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer["Content-Type"] == "application/problem+json"
    assert rows() == (0, 0)


def test_a_quoted_key_is_the_same_key(till, rows):
    till.post(key='"k-1"')

    assert till.post(key="k-1")["Idempotent-Replayed"] == "true"
    assert till.post(key="a" * 255, body=BODY.replace('"A"', '"B"')).status_code == 201
    assert rows() == (2, 2)


@pytest.mark.parametrize(("then", "status"), [("declined", 402), ("conflict", 409)])
def test_a_final_refusal_is_kept_and_its_work_undone(till, rows, then, status):
    body = f'{{"code": "A", "then": "{then}"}}'

    first = till.post(body)
    again = till.post(body)

    assert (first.status_code, again.status_code) == (status, status)
    assert again.content == first.content
    assert again["Content-Type"] == "application/problem+json"
    assert again["Idempotent-Replayed"] == "true"
    assert rows() == (0, 1)


@pytest.mark.parametrize(
    ("then", "status"), [("busy", 409), ("invalid", 422), ("break", 500), ("answer 500", 500)]
)
def test_any_other_refusal_leaves_nothing_and_the_key_free(till, rows, then, status):
    refused = till.post(f'{{"code": "A", "then": "{then}"}}')

    assert refused.status_code == status
    assert rows() == (0, 0)
    assert till.post().status_code == 201
    assert rows() == (1, 1)


@pytest.mark.parametrize(
    ("body", "status"), [('{"code": "A"', 400), ('{"kode": "A"}', 422), ("", 422), ("[" * 50_000, 400)]
)
def test_a_body_that_cannot_be_leaves_nothing(till, rows, body, status):
    assert till.post(body).status_code == status
    assert rows() == (0, 0)
    assert till.post().status_code == 201


def test_a_body_above_the_limit_is_refused(till, rows):
    answer = till.post('{"code": "' + "A" * 1024 * 1024 + '"}')

    assert (answer.status_code, answer.json()["code"]) == (413, "request_too_large")
    assert rows() == (0, 0)


def test_keys_belong_to_the_application_not_to_the_api_key(till, in_organisation, rows):
    till.post()
    in_organisation("acme")
    sibling = Till(make.issued(("payments:write",)).secret)
    in_organisation("acme")
    stranger = Till(make.issued(("payments:write",), application_slug="other").secret)

    assert sibling.post()["Idempotent-Replayed"] == "true"
    assert stranger.post(BODY.replace('"A"', '"B"')).status_code == 201
    assert rows() == (2, 2)


def test_keys_belong_to_the_organisation(till, in_organisation, rows):
    till.post()
    in_organisation("zuri")
    other = Till(make.issued(("payments:write",)).secret, "zuri")

    assert "Idempotent-Replayed" not in other.post()
    assert (rows("acme"), rows("zuri")) == ((1, 1), (1, 1))


def test_a_request_without_the_scope_is_not_stored(acme, rows):
    till = Till(make.issued(("payments:read",)).secret)

    assert till.post().status_code == 403
    assert rows() == (0, 0)


@pytest.fixture
def paused():
    """Make the handler wait in the middle of its work until the test lets it end."""
    idempotency_urls.started.clear()
    idempotency_urls.may_end.clear()
    yield idempotency_urls
    idempotency_urls.may_end.set()


def test_a_second_request_while_the_first_runs_is_told_to_wait(committed_acme, paused, rows):
    till = Till(make.issued(("payments:write",)).secret)
    connection.set_schema_to_public()

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(post_and_close, till)
        assert paused.started.wait(timeout=10)
        second = till.post()
        paused.may_end.set()

    assert second.status_code == 409
    assert second.json()["code"] == "idempotency_in_progress"
    assert second.json()["retryable"] is True
    assert second["Retry-After"] == "1"
    assert first.result().status_code == 201
    assert till.post()["Idempotent-Replayed"] == "true"
    assert rows() == (1, 1)


def test_many_at_once_do_the_work_once(committed_acme, rows):
    till = Till(make.issued(("payments:write",)).secret)
    connection.set_schema_to_public()

    with ThreadPoolExecutor(8) as pool:
        answers = [f.result() for f in [pool.submit(post_and_close, till) for _ in range(50)]]

    assert len(answers) == 50

    made = [a for a in answers if a.status_code == 201 and "Idempotent-Replayed" not in a]
    assert len(made) == 1
    assert {a.status_code for a in answers} <= {201, 409}
    assert {a.content for a in answers if a.status_code == 201} == {made[0].content}
    assert rows() == (1, 1)


def test_a_suspension_lets_what_is_being_posted_end_and_nothing_new_begin(
    committed_acme, paused, rows, in_organisation
):
    till = Till(make.issued(("payments:write",)).secret)
    connection.set_schema_to_public()
    try:
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(post_and_close, till)
            assert paused.started.wait(timeout=10)
            closing.suspend(
                organisation_id=committed_acme.id, reason="Asked by the bank", actor=SYSTEM, now=make.NOW
            )
            refused = till.post(key="k-2")
            paused.may_end.set()

        assert first.result().status_code == 201
        assert (refused.status_code, refused.json()["code"]) == (403, "organisation_suspended")
        assert till.post().json()["code"] == "organisation_suspended"
        assert rows() == (1, 1)
    finally:
        closing.resume(
            organisation_id=committed_acme.id, reason="Cleared by the bank", actor=SYSTEM, now=make.NOW
        )


def post_and_close(till):
    try:
        return Till(till.secret).post()
    finally:
        connection.close()


def test_the_purge_removes_what_is_older_than_72_hours(till, in_organisation):
    till.post()
    in_organisation("acme")
    made = IdempotencyRecord.objects.get().created_at

    assert idempotency.purge(now=made + timedelta(hours=72)) == 0
    with clock.fixed(made + timedelta(hours=72, seconds=1)):
        purge_idempotency()

    assert organisations.current().slug == "acme"
    assert IdempotencyRecord.objects.exists() is False

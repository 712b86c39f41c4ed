"""List payments by the API: filters, pages, and the events of one."""

import pytest

from apps.kit import ids
from tests.factories import access, payments
from tests.payments.partner import Partner, body, refused

BAD_QUERIES = [
    ({"colour": "red"}, 400, "filter_unknown"),
    ({"branch_id": "br_1"}, 422, "filter_invalid"),
    ({"status": "paid"}, 422, "validation_error"),
    ({"created_at[gte]": "yesterday"}, 422, "validation_error"),
    ({"cursor": "x"}, 400, "invalid_cursor"),
    ({"limit": "0"}, 422, "limit_invalid"),
]


@pytest.fixture
def shop(committed_acme):
    payments.account()
    return Partner()


def test_filters(shop):
    waiting = ids.encode("pi", payments.waiting(reference="A").intent_id)
    fresh = shop.post(body=body(reference="B", branch_id=ids.encode("br", access.branch().id))).json()["id"]

    def found(**query):
        answer = shop.get(**query)
        assert answer.status_code == 200, answer.content
        return [row["id"] for row in answer.json()["data"]]

    assert found(status="action_required") == [waiting]
    assert found(status="action_required,processing") == [fresh, waiting]
    assert found(status="failed") == []
    assert found(reference="B") == [fresh]
    assert found(branch_id=ids.encode("br", access.branch().id)) == [fresh]
    assert found(application_id=ids.encode("app", access.application().id)) == [fresh, waiting]
    assert found(**{"created_at[lte]": "2026-11-24T07:41:00Z", "reference": "A"}) == [waiting]
    assert found(**{"created_at[gt]": "2026-11-24T07:41:00Z", "reference": "A"}) == []
    assert found(limit=1) == [fresh]


def test_pages_by_cursor(shop):
    made = [ids.encode("pi", payments.intent().id) for _ in range(3)]

    first = shop.get(limit=2).json()
    second = shop.get(limit=2, cursor=first["next_cursor"]).json()

    assert [row["id"] for row in first["data"] + second["data"]] == made[::-1]
    assert (first["has_more"], second["has_more"], second["next_cursor"]) == (True, False, None)


def test_refuses_a_filter_that_it_does_not_know(shop):
    for query, status, code in BAD_QUERIES:
        refused(shop.get(**query), status, code)


def test_lists_the_events_of_a_payment_as_webhooks_carry_them(shop):
    attempt = payments.waiting()
    shop.post(body=body())
    one = f"/{ids.encode('pi', attempt.intent_id)}"

    said = shop.get(f"{one}/events").json()["data"]

    assert [each["type"] for each in said] == ["payment_initiated", "payment_intent_created"]
    assert said[0]["data"]["object"] == shop.get(one).json()
    assert [each["type"] for each in shop.get(f"{one}/events", type="payment_initiated").json()["data"]] == [
        "payment_initiated"
    ]
    refused(shop.get(f"/{ids.encode('pi', ids.new())}/events"), 404, "resource_not_found")
    refused(Partner(application_slug="till").get(f"{one}/events"), 404, "resource_not_found")
    refused(Partner(scopes=("payments:read",)).get(f"{one}/events"), 403, "insufficient_scope")

"""List payments: the portal's changelist."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.kit import clock, ids
from apps.kit.actors import PROVIDER
from apps.payments.models import PaymentIntent
from apps.payments.services import attempts, intents
from tests.factories import access, payments

LIST = "/portal/payments/paymentintent/"
LISTED = admin.site._registry[PaymentIntent]


class Reader:
    """A person of the portal with a role, in all branches or in some."""

    def __init__(self, role="owner", email="amina@example.test", branches=()):
        self.organisation = connection.tenant
        access.head_office()
        access.portal()
        access.member(role, email, branches=branches)
        self.client = Client(headers={"Host": "acme.testserver"})
        self.client.force_login(access.user(email), backend="apps.access.backend.MembershipBackend")

    def get(self, path=LIST, **query):
        answer = self.client.get(path, query)
        connection.set_tenant(self.organisation)
        return answer

    def page(self, **query):
        answer = self.get(**query)
        assert answer.status_code == 200, answer.content[:500]
        return answer.content.decode()


@pytest.fixture
def reader(acme):
    return Reader()


def test_shows_who_what_and_how_much(reader):
    attempt = payments.waiting(reference="ORD-1")
    intents.record(
        attempt_id=attempt.id,
        report=payments.collected(attempt, receipt="NLJ7RT61SV"),
        actor=PROVIDER,
        now=payments.NOW,
    )

    page = reader.page()

    for shown in ("Njeri Kamau", "0712 ••• 678", "ORD-1", "M-Pesa", "NLJ7RT61SV", "Head office"):
        assert shown in page
    assert 'data-tone="done"' in page
    assert "check_circle" in page
    assert "1,500.00" in page
    assert "+254712345678" not in page


def test_tells_unknown_from_all_other_states(reader):
    attempt = payments.sending()
    attempts.lose(attempt_id=attempt.id, now=payments.NOW)

    page = reader.page()

    assert 'data-tone="unknown"' in page
    assert "no receipt yet" in page


def test_shows_an_intent_without_payer_or_method(reader):
    payments.intent(choice=None, is_confirmed=False)

    assert "Not started" in reader.page()


@pytest.mark.parametrize(
    "query",
    [
        {"status__in": "UNKNOWN,IN_REVIEW"},
        {"status": "UNKNOWN"},
        {"status": "FAILED", "closed": "today"},
        {"status": "FAILED", "created_at__gte": "2026-11-24T00:00:00+03:00"},
        {"branch": "x"},
        {"status": "x"},
        {"before": "x"},
        {"q": "nothing"},
    ],
)
def test_opens_every_saved_view(reader, query):
    payments.waiting()

    assert reader.get(**query).status_code == 200


def failed(reference, *, asked_at, failed_at):
    attempt = payments.waiting(reference=reference, now=asked_at)
    intents.record(attempt_id=attempt.id, report=payments.declined(attempt), actor=PROVIDER, now=failed_at)


def test_failed_today_asks_when_they_failed_and_not_when_they_were_asked_for(reader):
    midnight = datetime(2026, 11, 24, 21, 0, tzinfo=UTC)  # in Nairobi
    hour, moment = timedelta(hours=1), timedelta(seconds=1)
    failed("OVERNIGHT-1", asked_at=midnight - hour, failed_at=midnight + hour)
    failed("MIDNIGHT-1", asked_at=midnight - hour, failed_at=midnight)
    failed("YESTERDAY-1", asked_at=midnight - hour, failed_at=midnight - moment)
    payments.waiting(reference="OPEN-1", now=midnight + hour)

    with clock.fixed(midnight + 2 * hour):
        (view,) = (tab for tab in LISTED.presets(None) if tab[0] == "Failed today")
        page = reader.page(**dict(parse_qsl(view[1])))

    assert ("OVERNIGHT-1" in page, "MIDNIGHT-1" in page) == (True, True)
    assert ("YESTERDAY-1" in page, "OPEN-1" in page) == (False, False)


def test_needs_attention_shows_unknown_only(reader):
    attempts.lose(attempt_id=payments.sending(reference="LOST-1").id, now=payments.NOW)
    payments.waiting(reference="FINE-1")

    page = reader.page(status__in="UNKNOWN,IN_REVIEW")

    assert "LOST-1" in page
    assert "FINE-1" not in page
    assert 'aria-current="page">Needs attention' in page


@pytest.mark.parametrize("term", ["ORD-1", "0712 345 678", "nlj7rt61sv"])
def test_finds_exactly(reader, term):
    attempt = payments.waiting(reference="ORD-1")
    intents.record(
        attempt_id=attempt.id,
        report=payments.collected(attempt, receipt="NLJ7RT61SV"),
        actor=PROVIDER,
        now=payments.NOW,
    )
    other = payments.Choice(payments.Method.MPESA, "0700000001", "Brian Mwangi")
    payments.waiting(reference="ORD-2", choice=other)

    page = reader.page(q=term)

    assert "Njeri Kamau" in page
    assert "Brian Mwangi" not in page


def test_finds_by_public_id(reader):
    intent = payments.intent(reference="ORD-1")

    assert "ORD-1" in reader.page(q=ids.encode("pi", intent.id))


def test_shows_the_readers_branches_only(acme):
    cbd = access.branch()
    payments.intent(reference="OURS-1", branch_id=cbd.id)
    payments.intent(reference="THEIRS-1")

    page = Reader(branches=(cbd,)).page()

    assert "OURS-1" in page
    assert "THEIRS-1" not in page


def test_opens_the_page_of_a_payment(reader):
    intent = payments.intent()

    answer = reader.get(f"{LIST}{intent.id}/change/")

    assert (answer.status_code, answer.headers["Location"]) == (302, f"/portal/payments/{intent.id}/")
    assert reader.get(f"{LIST}x/change/").status_code == 404


def test_adds_and_deletes_nothing(reader):
    intent = payments.intent()

    assert reader.get(f"{LIST}add/").status_code == 403
    assert reader.get(f"{LIST}{intent.id}/delete/").status_code == 403


def asked_for(reader):
    with CaptureQueriesContext(connection) as asked:
        reader.page()
    return [query["sql"] for query in asked.captured_queries]


def test_counts_nothing_and_asks_the_same_for_one_row_and_for_many(reader):
    payments.waiting()
    asked_for(reader)
    for_one = asked_for(reader)
    for _ in range(5):
        payments.waiting()

    for_many = asked_for(reader)

    assert len(for_many) == len(for_one)
    assert not [sql for sql in for_many if "COUNT(" in sql.upper() and "LIMIT 10000" not in sql]

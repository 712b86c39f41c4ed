"""Suspend organisation: who is refused, and how, and what goes on so that no money is lost."""

import json

import pytest
from django.db import connection

from apps.accounts.models import PlatformRecord
from apps.integrations.models import ProviderCallback
from apps.payments.contracts import IntentStatus
from apps.payments.services import intents
from apps.tenancy.models import Organisation
from apps.tenancy.selectors import organisations
from apps.tenancy.services import fan_out
from tests.factories import access, payments
from tests.factories.access import bearer
from tests.operations.operate import OPERATOR, REASON, change, operate
from treasury import onboarding

PAYMENTS = "/v1/acme/payments"
HOST = {"HTTP_HOST": "acme.testserver"}


@pytest.fixture
def secret(acme) -> str:
    """The key of an application of acme, which is suspended."""
    made = access.issued().secret
    connection.set_schema_to_public()
    assert change("tenant", "suspend", "--tenant", "acme").code == 0
    return made


def test_keeps_who_did_it_and_why(secret):
    record = PlatformRecord.objects.get(action="organisation.suspended")

    assert (record.actor_kind, record.actor_id, record.reason) == ("OPERATOR", OPERATOR, REASON)
    assert record.changes == {"status": ["READY", "SUSPENDED"]}


def test_a_valid_key_is_told(secret, client):
    for method in ("get", "post"):
        answer = getattr(client, method)(PAYMENTS, headers={**bearer(secret), "Idempotency-Key": "key-1"})

        assert (answer.status_code, answer.json()["code"]) == (403, "organisation_suspended")


def test_whoever_has_no_valid_key_learns_nothing(secret, client):
    wrong = client.get(PAYMENTS, headers=bearer(secret[:-1] + "x"))
    none = client.get(PAYMENTS)
    nowhere = client.get("/v1/nowhere/payments")

    assert wrong.status_code == none.status_code == nowhere.status_code == 401
    assert wrong.json()["code"] == none.json()["code"] == nowhere.json()["code"] == "unauthenticated"


def test_the_portal_says_so_to_everybody(secret, client):
    signed_out = client.get("/portal/", **HOST)
    client.force_login(access.user())
    signed_in = client.get("/portal/payments/paymentintent/", **HOST)

    for answer in (signed_out, signed_in):
        assert answer.status_code == 403
        assert "This organisation is suspended." in answer.content.decode()


def test_another_organisation_is_not_touched(secret, client):
    assert client.get("/portal/", HTTP_HOST="zuri.testserver").status_code == 302


def test_callbacks_are_taken_and_money_is_booked(acme, client):
    attempt = payments.waiting()
    report = payments.collected(attempt)
    connection.set_schema_to_public()
    change("tenant", "suspend", "--tenant", "acme")

    answer = client.post(
        f"/hooks/{acme.id.hex}/{attempt.callback_token}/collection",
        data=json.dumps({"Body": {}}),
        content_type="application/json",
    )

    assert answer.status_code == 200
    connection.set_schema("org_acme")
    assert ProviderCallback.objects.count() == 1
    intents.record(attempt_id=attempt.id, report=report, actor=payments.SYSTEM, now=payments.NOW)
    assert payments.reload(attempt.intent_id).status == IntentStatus.SUCCEEDED


def test_jobs_and_sweeps_go_on(secret):
    working = Organisation.objects.exclude(schema_name="public").count()

    assert fan_out.each_working("payments.sweep_organisation") == working == 2


def test_the_switcher_offers_it_no_more(acme):
    member = access.member()
    connection.set_schema_to_public()
    before = list(organisations.of_user(member.user_id).values_list("slug", flat=True))
    change("tenant", "suspend", "--tenant", "acme")

    assert (before, list(organisations.of_user(member.user_id))) == (["acme"], [])


def test_operators_still_work_in_it(secret):
    assert operate("ledger", "verify", "--tenant", "acme").code == 0
    assert operate("tenant", "status", "--tenant", "acme").out.splitlines()[-1].startswith("acme: suspended")


def test_opening_it_again_as_a_new_one_leaves_it_suspended(secret):
    onboarding.prepare(slug="acme", name="Acme", is_test=True, now=payments.NOW)
    connection.set_schema_to_public()

    assert Organisation.objects.get(slug="acme").is_suspended is True


def test_resume_opens_it_at_once(secret, client):
    assert change("tenant", "resume", "--tenant", "acme").code == 0

    assert client.get(PAYMENTS, headers=bearer(secret)).status_code == 200


def test_twice_changes_nothing_more(secret):
    done = change("tenant", "suspend", "--tenant", "acme", "--json")

    assert (done.code, done.document["records"]) == (0, [])
    assert PlatformRecord.objects.filter(action="organisation.suspended").count() == 1

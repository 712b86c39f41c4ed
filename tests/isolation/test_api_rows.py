"""The matrix of the API: every endpoint asked by its owner, from another branch and for another application."""

import json

import pytest
from django.db import connection
from django.test import Client

from apps.access.contracts import SCOPES
from apps.access.models import ApiKey, Branch, IdempotencyRecord, Membership
from apps.audit.models import AuditRecord
from apps.events.models import OutboxEvent
from apps.jobs.models import Job
from apps.kit import clock
from apps.ledger.models import Entry
from tests.factories import access as make
from tests.isolation import api_rows, endpoints, sending, twins
from tests.isolation.undoing import undone

CANONICAL = {endpoint.name: endpoint for endpoint in endpoints.every() if not endpoint.is_alias}
QUERIES = {
    "latest": "?base=USD&quote=KES",
    "changes": "?known_at=2026-11-20T00:00:00Z",
    "remove_file": "?purpose=receipt",
}
COLUMNS = ("own", "branch", "application")
REFUSED = ("401", "403", "404")
REFUSED_TO_ALL = {"POST connected-accounts/{id}/link", "POST payments/{id}/capture"}
"""What its owner is refused too: nobody answers for a provider here, and M-Pesa holds no sum back."""
TRACES = (AuditRecord, Entry, OutboxEvent, ApiKey, IdempotencyRecord)
CLIENT = Client(raise_request_exception=False)


@pytest.fixture
def world(acme, settings):
    """Fill acme; return a function that gives the secret of a key, and the ids of its rows by prefix."""
    settings.TREASURY = {**settings.TREASURY, "SANDBOX_INBOX_LOCAL": True}
    with clock.fixed(sending.NOW):
        _, row_ids = twins.populate()
        row_ids |= twins.book("acme", row_ids["br"], sending.NOW)
        Job.objects.filter(id=row_ids["job"]).update(branch_ids=[row_ids["br"]])
        cbd = make.branch()
        Branch.objects.filter(id=cbd.id).update(name="City centre")
        chosen = {"branch": {"branch": cbd}, "application": {"application_slug": "other"}}
        keys = {}

        def key(column, row, endpoint):
            scopes = (endpoint.view.required_scopes[endpoint.action], *row.also)
            wanted = (column, *scopes) if column == "own" else (column,)
            if wanted not in keys:
                held = scopes if column == "own" else tuple(SCOPES)
                keys[wanted] = make.issued(held, **chosen.get(column, {}))
            return keys[wanted]

        yield key, row_ids


def test_every_endpoint_has_a_row_and_every_row_an_endpoint():
    missing, left = set(CANONICAL) - set(api_rows.ROWS), set(api_rows.ROWS) - set(CANONICAL)

    assert (missing, left) == (set(), set()), (
        f"Say in ROWS of tests/isolation/api_rows.py who gets what from {sorted(missing)} (what its owner sends is a deed"
        f" in tests/isolation/deeds.py), and take out {sorted(left)}."
    )


def test_no_row_lets_a_stranger_see_what_the_owner_does_not():
    for name, row in api_rows.ROWS.items():
        assert row.own.startswith("2") or name in REFUSED_TO_ALL, name
        assert "+" in row.own or "+" not in row.branch + row.application, name


def test_every_endpoint_answers_each_key_as_its_row_says(world, acme):
    """Each request finds the same organisation: what one does is undone, unless it was refused, and then nothing was done."""
    key, row_ids = world
    faults = []
    for name in set(CANONICAL) & set(api_rows.ROWS):
        endpoint, row = CANONICAL[name], api_rows.ROWS[name]
        for column in COLUMNS:
            connection.set_tenant(acme)
            issued = key(column, row, endpoint)
            with undone():
                before, got, said = ask(endpoint, row, issued, row_ids)
                expected = getattr(row, column)
                if got != expected:
                    faults.append(f"{name}, {column}: expected {expected}, got {got}: {said[:300]}")
                connection.set_tenant(acme)
                if expected in REFUSED and written() != before:
                    faults.append(f"{name}, {column}: was refused and yet wrote something")
    assert faults == [], "\n".join(faults)


def ask(endpoint, row, issued, row_ids):
    """Send what the row says; return what was written before, the answer as the table notes it, and its whole body."""
    sent = row.sends()
    if sent.issuer is not None:
        maker = Membership.objects.get(user_id=sent.issuer)
        ApiKey.objects.filter(id=issued.key.id).update(created_by=maker)
    before = written()
    path = endpoint.path(organisation="acme", row_id=sent.row or row_ids[endpoint.view.id_prefix])
    response = CLIENT.generic(
        endpoint.method,
        path + QUERIES.get(endpoint.action, ""),
        json.dumps(sent.body),
        content_type="application/json",
        headers={"Authorization": f"Bearer {issued.secret}", "Idempotency-Key": "matrix-1"},
    )
    body = (b"".join(response.streaming_content) if response.streaming else response.content).decode()
    return before, f"{response.status_code}{'+' if twins.CANARY['acme'] in body else ''}", body


def written():
    """Return how many rows of each kind the deeds of the API leave behind them: a refusal leaves none."""
    return [model.objects.count() for model in TRACES]

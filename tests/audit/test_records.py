"""The audit trail: written with the deed, never changed."""

from datetime import UTC, datetime

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction
from structlog.contextvars import bound_contextvars

from apps.access.services import api_keys, branches
from apps.audit.models import AuditRecord
from apps.audit.selectors import records as trail
from apps.audit.services import records
from apps.kit.actors import SYSTEM, Actor, ActorKind
from apps.kit.models import InsertOnlyViolation
from apps.ledger.contracts import AccountType
from apps.ledger.services import accounts, charts
from tests.factories import access as make

NOW = datetime(2026, 11, 24, 7, 40, tzinfo=UTC)
AMINA = Actor(ActorKind.USER, "u1", person="p1", application="portal")
DEED = {"action": "branch.created", "object_type": "branch", "object_id": "b1", "actor": AMINA, "now": NOW}


def test_keeps_who_did_what_and_why(acme):
    records.write(
        **DEED, changes={"name": [None, "CBD"]}, reason="opened", request_id="req_12345678", ip="10.0.0.9"
    )

    record = AuditRecord.objects.get()
    assert (record.actor_kind, record.actor_id, record.person, record.application) == (
        "USER",
        "u1",
        "p1",
        "portal",
    )
    assert (record.action, record.object_type, record.object_id) == ("branch.created", "branch", "b1")
    assert (record.occurred_at, record.changes, record.reason) == (NOW, {"name": [None, "CBD"]}, "opened")
    assert (record.request_id, record.ip) == ("req_12345678", "10.0.0.9")


def test_takes_request_id_and_address_from_the_request_that_is_served(acme):
    with bound_contextvars(request_id="req_aaaabbbb", ip="10.0.0.7"):
        record = records.write(**DEED)

    assert (record.request_id, record.ip) == ("req_aaaabbbb", "10.0.0.7")


def test_keeps_the_address_of_the_caller_of_a_request(client, acme, in_organisation):
    secret = make.issued().secret
    connection.set_schema_to_public()

    answer = client.post(
        "/v1/acme/api-keys",
        {"name": "Till", "scopes": ["payments:read"]},
        content_type="application/json",
        headers=make.bearer(secret),
        REMOTE_ADDR="203.0.113.9",
    )

    assert answer.status_code == 201
    in_organisation("acme")
    record = AuditRecord.objects.get(action="api_key.issued", actor_kind="API_KEY")
    assert (record.request_id, record.ip) == (answer["Request-Id"], "203.0.113.9")


def test_is_rolled_back_with_the_deed(acme):
    with transaction.atomic():
        records.write(**DEED)
        transaction.set_rollback(True)

    assert AuditRecord.objects.exists() is False


def test_refuses_changes_in_python(acme):
    record = records.write(**DEED)

    with pytest.raises(InsertOnlyViolation):
        record.save()
    with pytest.raises(InsertOnlyViolation):
        record.delete()
    with pytest.raises(InsertOnlyViolation):
        AuditRecord.objects.update(reason="x")


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_auditrecord SET reason = 'x'", "DELETE FROM audit_auditrecord"]
)
def test_refuses_changes_by_the_application_role(acme, statement):
    records.write(**DEED)

    with (
        pytest.raises(DatabaseError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE org_acme.audit_auditrecord SET reason = 'x'",
        "DELETE FROM org_acme.audit_auditrecord",
        "TRUNCATE org_acme.audit_auditrecord CASCADE",
    ],
)
def test_refuses_changes_by_the_owner_role(owner_connection, statement):
    with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
        owner_connection.execute(statement)
    owner_connection.rollback()


def test_refuses_a_deed_without_a_name(acme):
    with pytest.raises(DatabaseError, match="audit_action_named"), transaction.atomic():
        records.write(**{**DEED, "action": ""})


def test_lists_what_was_done_to_one_thing_oldest_first(acme):
    first = records.write(**DEED)
    second = records.write(**{**DEED, "action": "branch.changed"})
    records.write(**{**DEED, "object_id": "b2"})

    assert list(trail.of(object_type="branch", object_id="b1")) == [first, second]
    assert trail.newest().count() == 3


def test_names_the_branch_of_a_branch_of_a_key_and_of_an_account(acme):
    whole, place = make.issued().key, make.branch()
    facts = {"actor": SYSTEM, "now": NOW}
    branches.change(branch_id=place.id, name="Moi Avenue", time_zone="", parent_id=None, **facts)
    key = make.issued(branch=place).key
    api_keys.revoke(key_id=key.id, **facts)
    charts.add(code="9010", name="Deliveries", type=AccountType.INCOME, parent="", **facts)
    account = charts.open_account(code="9010", branch_id=place.id, currency="KES", **facts)
    accounts.set_limits(ref=account.ref, net_floor=None, net_ceiling=None, **facts)
    accounts.freeze(ref=account.ref, reason="Dispute", **facts)

    found = trail.within([place.id])
    assert sorted(found.values_list("action", "object_id")) == [
        ("api_key.issued", str(key.id)),
        ("api_key.revoked", str(key.id)),
        ("branch.changed", str(place.id)),
        ("branch.created", str(place.id)),
        ("ledger.account_frozen", str(account.uid)),
        ("ledger.account_limited", str(account.uid)),
        ("ledger.account_opened", str(account.uid)),
    ]
    assert AuditRecord.objects.get(object_id=str(whole.id)).branch == ""

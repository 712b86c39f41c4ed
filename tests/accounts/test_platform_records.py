"""The platform's audit trail: inserted, never changed."""

import psycopg
import pytest
from django.db import ProgrammingError, connection

from apps.accounts.models import PlatformRecord
from apps.accounts.services import platform_records
from apps.kit.actors import SYSTEM
from apps.kit.models import InsertOnlyViolation
from tests.factories.accounts import NOW


@pytest.fixture
def record(db):
    return platform_records.write(
        action="user.changed", object_type="user", object_id="1", actor=SYSTEM, now=NOW, reason="because"
    )


def test_says_where_it_was_done(record, in_organisation):
    in_organisation("acme")
    inside = platform_records.write(
        action="user.changed", object_type="user", object_id="1", actor=SYSTEM, now=NOW
    )

    assert (record.schema, inside.schema) == ("public", "org_acme")


def test_the_model_refuses_to_change_it(record):
    with pytest.raises(InsertOnlyViolation):
        record.save()
    with pytest.raises(InsertOnlyViolation):
        record.delete()
    with pytest.raises(InsertOnlyViolation):
        PlatformRecord.objects.update(reason="")


@pytest.mark.parametrize(
    "statement", ["UPDATE accounts_platformrecord SET reason = ''", "DELETE FROM accounts_platformrecord"]
)
def test_the_application_may_not(record, statement):
    with pytest.raises(ProgrammingError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_platformrecord SET reason = ''",
        "DELETE FROM accounts_platformrecord",
        "TRUNCATE accounts_platformrecord CASCADE",
    ],
)
def test_nor_may_the_owner(owner_connection, statement):
    with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
        owner_connection.execute(statement)

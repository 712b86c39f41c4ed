"""Grant tables."""

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection

from apps.access.admin_sites import is_shared
from apps.kit.models import InsertOnlyModel
from apps.kit.trail import ChainModel
from apps.ledger.models.read_only import LedgerModel

SCHEMAS = ["org__template__pristine", "org_acme", "org_zuri"]


def allowed(schema: str, table: str) -> set[str]:
    """Return what the application role may do with a table."""
    rights = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT r FROM unnest(%s::text[]) r WHERE has_table_privilege('treasury_app', %s, r)",
            [list(rights), f"{schema}.{table}"],
        )
        return {row[0] for row in cursor}


def tables_of(base: type, *, shared: bool = False) -> list[str]:
    return sorted(
        model._meta.db_table
        for model in apps.get_models()
        if issubclass(model, base) and model._meta.managed and is_shared(model) is shared
    )


@pytest.mark.parametrize("schema", SCHEMAS)
def test_insert_only_models_are_only_inserted(db, schema):
    for table in tables_of(InsertOnlyModel):
        assert allowed(schema, table) == {"SELECT", "INSERT"}, table


def test_shared_insert_only_models_are_only_inserted(db):
    assert tables_of(InsertOnlyModel, shared=True) == ["accounts_platformrecord"]
    assert allowed("public", "accounts_platformrecord") == {"SELECT", "INSERT"}


def test_chains_and_history_are_written_by_their_functions_alone(db):
    assert len(tables_of(ChainModel, shared=True)) == 4
    for schema in SCHEMAS:
        assert tables_of(ChainModel) == [
            "audit_auditlink",
            "audit_configurationhistory",
            "audit_waitingauditrecord",
        ]
        assert all(allowed(schema, table) == {"SELECT"} for table in tables_of(ChainModel))
    assert all(allowed("public", table) == {"SELECT"} for table in tables_of(ChainModel, shared=True))


@pytest.mark.parametrize("schema", SCHEMAS)
def test_what_is_booked_is_written_by_the_ledgers_functions_alone(db, schema):
    booked = set(tables_of(LedgerModel))
    assert booked >= {
        "ledger_account",
        "ledger_balance",
        "ledger_transaction",
        "ledger_entry",
        "ledger_sealleaf",
    }
    for table in booked:
        assert allowed(schema, table) == {"SELECT"}, table
    assert allowed(schema, "django_migrations") == {"SELECT"}


@pytest.mark.parametrize("schema", SCHEMAS)
def test_what_is_money_or_structure_is_never_deleted(db, schema):
    for table in settings.NO_DELETE_TABLES:
        assert allowed(schema, table) == {"SELECT", "INSERT", "UPDATE"}, table


def test_every_shared_table_is_granted_by_a_list_and_nothing_beside(db):
    lists = {
        "SELECT": settings.PUBLIC_READ_TABLES,
        "SELECT INSERT": settings.PUBLIC_INSERT_ONLY_TABLES,
        "SELECT INSERT UPDATE": settings.PUBLIC_NO_DELETE_TABLES,
        "SELECT INSERT UPDATE DELETE": settings.PUBLIC_TABLES,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')"
        )
        there = sorted(row[0] for row in cursor)

    assert there == sorted(table for tables in lists.values() for table in tables)
    for rights, tables in lists.items():
        for table in tables:
            assert allowed("public", table) == set(rights.split()), table


def test_the_application_role_makes_no_objects(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, has_database_privilege(current_database(), 'TEMP,CREATE')")
        assert cursor.fetchone() == ("treasury_app", False)
        cursor.execute(
            "SELECT has_schema_privilege('org_acme', 'CREATE') OR has_schema_privilege('public', 'CREATE')"
        )
        assert cursor.fetchone() == (False,)

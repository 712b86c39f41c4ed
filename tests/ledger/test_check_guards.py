"""Check guards: triggers, functions and privileges are held to the SQL files of this build, whoever changed them."""

from collections.abc import Callable, Iterator

import pytest
from django.db import connection, transaction

from apps.ledger.services import verification
from tests import conftest
from tests.ledger.tampering import unguarded
from tests.ledger.test_detect_tampering import findings


@pytest.fixture
def as_owner(django_db_setup, django_db_blocker) -> Iterator[Callable[[str], None]]:
    """Work as the owner inside acme, in a transaction that is taken back; returns what runs a statement."""
    name = connection.settings_dict["NAME"]
    with django_db_blocker.unblock():
        conftest.use(name, "owner")
        try:
            with transaction.atomic():
                connection.set_schema("org_acme")

                def run(statement: str) -> None:
                    with connection.cursor() as cursor:
                        cursor.execute(statement)

                yield run
                transaction.set_rollback(True)
        finally:
            connection.set_schema_to_public()
            conftest.use(name, "app")


@pytest.mark.parametrize(
    ("statement", "row", "problem"),
    [
        (
            "ALTER TABLE ledger_entry DISABLE TRIGGER ledger_entry_append_only",
            "trigger ledger_entry_append_only of ledger_entry",
            "is switched off",
        ),
        (
            "ALTER TABLE ledger_transaction ENABLE REPLICA TRIGGER ledger_transaction_is_sound",
            "trigger ledger_transaction_is_sound of ledger_transaction",
            "is switched off",
        ),
        (
            "DROP TRIGGER ledger_seal_append_only ON ledger_seal",
            "trigger ledger_seal_append_only of ledger_seal",
            "is missing",
        ),
        (
            (
                "CREATE OR REPLACE TRIGGER ledger_seal_append_only BEFORE DELETE ON ledger_seal"
                " FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()"
            ),
            "trigger ledger_seal_append_only of ledger_seal",
            "is not the one of this build",
        ),
        (
            (
                "CREATE OR REPLACE TRIGGER ledger_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entry"
                " FOR EACH STATEMENT EXECUTE FUNCTION org_zuri.ledger_refuse()"
            ),
            "trigger ledger_entry_append_only of ledger_entry",
            "is not the one of this build",
        ),
        (
            (
                "CREATE OR REPLACE TRIGGER ledger_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entry"
                " FOR EACH STATEMENT WHEN (false) EXECUTE FUNCTION ledger_refuse()"
            ),
            "trigger ledger_entry_append_only of ledger_entry",
            "is not the one of this build",
        ),
        (
            (
                "CREATE OR REPLACE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER"
                " SET search_path = pg_catalog, org_acme, pg_temp AS 'BEGIN RETURN NULL; END'"
            ),
            "function ledger_refuse",
            "is not the one of this build",
        ),
        (
            "ALTER FUNCTION ledger_set_limits(bigint, numeric, numeric) SECURITY INVOKER",
            "function ledger_set_limits",
            "is not bound to its owner and schema",
        ),
        (
            "ALTER FUNCTION ledger_refuse() RESET search_path",
            "function ledger_refuse",
            "is not bound to its owner and schema",
        ),
        (
            "ALTER FUNCTION ledger_refuse() SET search_path = pg_catalog, org_zuri, pg_temp",
            "function ledger_refuse",
            "is not bound to its owner and schema",
        ),
        (
            "CREATE FUNCTION ledger_undo() RETURNS void LANGUAGE sql AS ''",
            "function ledger_undo",
            "is not the one of this build",
        ),
        ("GRANT DELETE ON ledger_entry TO treasury_app", "table ledger_entry", "lets the application DELETE"),
        (
            "GRANT UPDATE (amount) ON ledger_entry TO treasury_app",
            "table ledger_entry",
            "lets the application UPDATE",
        ),
        (
            "GRANT TRUNCATE ON ledger_hold TO treasury_app",
            "table ledger_hold",
            "lets the application TRUNCATE",
        ),
        (
            "REVOKE EXECUTE ON FUNCTION ledger_set_limits(bigint, numeric, numeric) FROM treasury_app",
            "function ledger_set_limits",
            "may not be called by the application",
        ),
        (
            "GRANT EXECUTE ON FUNCTION ledger_refuse() TO PUBLIC",
            "function ledger_refuse",
            "may be called by the application",
        ),
    ],
)
def test_what_is_changed_about_the_guards_is_named(as_owner, statement, row, problem):
    assert findings() == []

    as_owner(statement)

    assert ("I11", row, problem) in findings()


def test_switching_all_triggers_off_for_good_is_named(transactional_db, in_organisation):
    with unguarded() as database:
        setting = f'ALTER DATABASE "{connection.settings_dict["NAME"]}" {{}} session_replication_role'
        database.execute(setting.format("SET") + " = replica")
    try:
        in_organisation("acme")
        assert findings() == [
            ("I11", "database", "has session_replication_role=replica, which switches triggers off")
        ]
    finally:
        with unguarded() as database:
            database.execute(setting.format("RESET"))


def test_a_role_that_can_become_the_owner_is_named(transactional_db, in_organisation):
    with unguarded() as database:
        database.execute("GRANT treasury_owner TO treasury_app")
    try:
        in_organisation("acme")
        assert findings() == [
            ("I11", "role treasury_app", "can become treasury_owner, which owns the tables")
        ]
    finally:
        with unguarded() as database:
            database.execute("REVOKE treasury_owner FROM treasury_app")


def test_every_trigger_and_function_of_the_ledger_is_looked_for(acme):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE c.relnamespace = 'org_acme'::regnamespace AND c.relname LIKE 'ledger%%' AND NOT t.tgisinternal"
            " AND t.tgname <> 'row_history'"
        )
        triggers = set(cursor.fetchall())
        cursor.execute(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'org_acme'::regnamespace AND proname LIKE 'ledger%%'"
        )
        functions = {name for (name,) in cursor.fetchall()}

    sources = verification.installation._sources()
    assert set(verification.installation._parsed_triggers(sources)) == triggers
    assert {name for name, _ in verification.installation.FUNCTION.findall(sources)} == functions

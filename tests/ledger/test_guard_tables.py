"""Guard tables: what the application's role and the owner may do to the ledger, in every organisation's schema."""

import psycopg
import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from apps.ledger.contracts import AccountRole
from apps.ledger.models import Account, Balance, Entry, Transaction
from tests.conftest import owner
from tests.factories import ledger

TABLES = [
    "ledger_book",
    "ledger_currency",
    "ledger_account",
    "ledger_balance",
    "ledger_transaction",
    "ledger_entry",
    "ledger_movement",
    "ledger_seal",
    "ledger_sealleaf",
]
CALLABLE = {
    "ledger_open_account",
    "ledger_set_limits",
    "ledger_set_status",
    "ledger_transfer",
    "ledger_post",
    "ledger_store_seal",
    "ledger_change_book",
    "ledger_open_period",
    "ledger_mark_period",
    "ledger_close_period",
    "ledger_reopen_period",
}
GUARDS = {
    "ledger_check_balanced",
    "ledger_check_hold",
    "ledger_check_same_transaction",
    "ledger_checkpoint_text",
    "ledger_fence_chart",
    "ledger_guard_account",
    "ledger_guard_chart_line",
    "ledger_guard_hold",
    "ledger_guard_movement",
    "ledger_guard_period",
    "ledger_refuse",
}
SCHEMAS = ["org_acme", "org_zuri", settings.TENANT_TEMPLATE_SCHEMA]


def run(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("schema", SCHEMAS[:2])
@pytest.mark.parametrize("table", TABLES)
def test_the_application_reads_and_never_writes(acme, schema, table):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT right_ FROM unnest(ARRAY['SELECT','INSERT','UPDATE','DELETE','TRUNCATE','REFERENCES','TRIGGER'])"
            " AS right_ WHERE has_table_privilege('treasury_app', %s, right_)",
            [f"{schema}.{table}"],
        )

        assert [row[0] for row in cursor.fetchall()] == ["SELECT"]


@pytest.mark.parametrize("schema", SCHEMAS[:2])
def test_the_application_calls_the_listed_functions_only(acme, schema):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.proname, has_function_privilege('treasury_app', p.oid, 'EXECUTE')"
            " FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
            " WHERE n.nspname = %s AND p.proname LIKE 'ledger%%'",
            [schema],
        )
        rights = dict(cursor.fetchall())

    assert {name for name, is_callable in rights.items() if is_callable} == CALLABLE
    assert {name for name, is_callable in rights.items() if not is_callable} == GUARDS


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_function_is_the_owners_and_bound_to_its_schema(acme, schema):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.proname, p.prosecdef, p.proconfig, p.proowner::regrole::text"
            " FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
            " WHERE n.nspname = %s AND p.proname LIKE 'ledger%%'",
            [schema],
        )
        functions = cursor.fetchall()

    assert {name for name, *_ in functions} == CALLABLE | GUARDS
    for name, is_definer, configuration, role in functions:
        assert (is_definer, role) == (True, "treasury_owner"), name
        assert configuration in (
            [f"search_path=pg_catalog, {schema}, pg_temp"],
            [f'search_path=pg_catalog, "{schema}", pg_temp'],
        ), name


@pytest.mark.parametrize("table", TABLES)
def test_the_application_cannot_write_or_empty_a_table(acme, table):
    for statement in (f"DELETE FROM {table}", f"TRUNCATE {table}", f"INSERT INTO {table} DEFAULT VALUES"):
        with pytest.raises(DatabaseError, match="permission denied"):
            run(statement)


def test_the_application_cannot_switch_guards_off_or_put_a_table_in_front(acme):
    for statement in (
        "ALTER TABLE ledger_entry DISABLE TRIGGER USER",
        "SET session_replication_role = replica",
        "CREATE TEMP TABLE ledger_entry (LIKE org_acme.ledger_entry)",
        "CREATE TABLE org_acme.other ()",
        "SET ROLE treasury_owner",
        "SELECT ledger_refuse()",
    ):
        with pytest.raises(DatabaseError, match=r"permission denied|must be owner"):
            run(statement)


def test_a_posting_lands_in_its_own_schema_whatever_the_search_path(acme, balance, unapplied):
    ledger.post(ledger.transfer(balance, unapplied, 1_00))
    debited, credited = (Account.objects.matching([ref]).get().id for ref in (balance, unapplied))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL search_path = org_zuri, pg_temp")
        cursor.execute(
            "SELECT booked_id FROM org_acme.ledger_transfer(gen_random_uuid(), 'k', '', 'POSTING', %s, %s, 'KES', 5,"
            " NULL, NULL, 't', gen_random_uuid(), '', '', 'x', %s)",
            [debited, credited, ledger.NOW],
        )
        cursor.execute("SELECT count(*) FROM org_zuri.ledger_entry")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT count(*) FROM org_acme.ledger_entry")
        assert cursor.fetchone() == (4,)


def test_the_guards_hold_for_the_owner_too(committed_acme):
    branch = ledger.branch()
    held, owed = (
        ledger.ref(role, branch.id) for role in (AccountRole.PROVIDER_BALANCE, AccountRole.SUSPENSE)
    )
    ledger.post(ledger.transfer(held, owed, 1_00))
    statements = [
        *(f"UPDATE {table} SET id = id" for table in ("ledger_transaction",)),
        "UPDATE ledger_entry SET amount = 2",
        "UPDATE ledger_currency SET exponent = 0",
        "UPDATE ledger_account SET currency = 'USD'",
        "UPDATE ledger_account SET shards = 2",
        *(f"DELETE FROM {table}" for table in TABLES),
        *(f"TRUNCATE {table} CASCADE" for table in TABLES),
    ]

    for statement in statements:
        with owner() as database:
            database.execute("SET search_path = org_acme")
            with pytest.raises(psycopg.Error) as refusal:
                database.execute(statement)
            database.rollback()
        assert refusal.value.sqlstate == "LG010", statement

    assert (Transaction.objects.count(), Entry.objects.count(), Balance.objects.count()) == (1, 2, 2)


def test_an_account_has_the_type_of_its_role(acme, balance):
    ledger.post(ledger.transfer(balance, ledger.ref(AccountRole.SUSPENSE, balance.branch_id), 1))

    with pytest.raises(DatabaseError, match="ledger_chart_line_type_of_role"):
        run(
            "SELECT ledger_open_account(gen_random_uuid(), 'PROVIDER_FEES', 'PLATFORM', NULL, branch_id, 'KES',"
            " 2::smallint, 'LIABILITY', 'x', 'x', 1, 1, 1::smallint, now(), 'KES', 'Africa/Nairobi', true) FROM ledger_account LIMIT 1"
        )

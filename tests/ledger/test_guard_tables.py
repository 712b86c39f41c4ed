"""Guard tables: what the application's role and the owner may do to the ledger, in every organisation's schema."""

import re

import psycopg
import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from apps.kit import ids
from apps.kit.actors import SYSTEM
from apps.kit.money import Money
from apps.ledger.contracts import AccountRole, Draft, Layer, Leg, TransactionKind
from apps.ledger.models import Account, Balance, Entry, Transaction
from apps.ledger.services import holds
from apps.ledger.services.holds import Promise
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
    "ledger_find_account",
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
    "ledger_check_header",
    "ledger_check_held",
    "ledger_check_hold",
    "ledger_check_legs",
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
        paths = [said for said in configuration if said.startswith("search_path=")]
        assert paths in (
            [f"search_path=pg_catalog, {schema}, pg_temp"],
            [f'search_path=pg_catalog, "{schema}", pg_temp'],
        ), name
        assert set(configuration) - set(paths) <= {
            "plan_cache_mode=force_generic_plan",
            "random_page_cost=0.01",
        }, name


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


@pytest.mark.parametrize("kind", [TransactionKind.RELEASE, TransactionKind.CAPTURE])
def test_a_step_of_a_hold_books_between_its_two_accounts_alone(acme, balance, unapplied, suspense, kind):
    held = Money(100, "KES")
    promise = Promise(
        key="hold",
        description="Payout",
        source_type="test",
        source_id=ids.new(),
        payer=balance,
        payee=unapplied,
        money=held,
    )
    number = holds.place(promise=promise, actor=SYSTEM, now=ledger.NOW).number
    posted = (Leg(balance, debit=held), Leg(suspense, credit=held))
    freed = (
        Leg(balance, debit=-held, layer=Layer.PENDING),
        Leg(unapplied, credit=-held, layer=Layer.PENDING),
    )
    state, column = ("RELEASED", "released") if kind == TransactionKind.RELEASE else ("CAPTURED", "captured")

    with pytest.raises(DatabaseError, match="is not what its entries say"):
        end_and_book(
            f"UPDATE ledger_hold SET {column} = 100, state = '{state}'",
            ledger.draft(legs=(*freed, *posted), kind=kind, hold=number),
        )


@transaction.atomic
def end_and_book(statement: str, booking: Draft) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(statement)
    ledger.post_by_function(booking)


@pytest.mark.parametrize(
    "facts",
    [
        {"kind": "'NONSENSE'"},
        {"kind": "'REVERSAL'"},
        {"kind": "'RELEASE'"},
        {"reverses_id": "1"},
        {"hold_id": "1"},
        {"entry_count": "1"},
        {"entry_count": "3"},
        {"amount": "0"},
        {"layer": "1"},
        {"layer": "2"},
        {"currency": "CASE seq WHEN 1 THEN 'KES' ELSE 'USD' END"},
        {"kind": "'REVERSAL'", "reverses_id": "999999"},
        {"direction": "2"},
        {"seq": "seq + 1"},
    ],
    ids=str,
)
def test_no_role_commits_a_transaction_that_is_none(committed_acme, balance, unapplied, facts):
    ledger.post(ledger.transfer(balance, unapplied, 1_00))
    header = {"kind": "'POSTING'", "reverses_id": "NULL", "hold_id": "NULL", "entry_count": "2"}
    leg = {"seq": "seq", "layer": "0", "direction": "direction", "amount": "100", "currency": "currency"}
    said = {**header, **leg, **facts}

    statements = (WRITE_HEADER.format(**said), WRITE_LEGS.format(**said))

    with pytest.raises(psycopg.Error) as refusal:
        commit_as_owner(*statements)

    assert refusal.value.sqlstate in {"LG002", "LG012", "LG017"}
    assert Transaction.objects.count() == 1


def test_two_transactions_of_one_statement_do_not_balance_each_other(committed_acme, balance, unapplied):
    ledger.post(ledger.transfer(balance, unapplied, 1_00))
    header = {"kind": "'POSTING'", "reverses_id": "NULL", "hold_id": "NULL", "entry_count": "2"}
    legs = """
        INSERT INTO ledger_entry (transaction_id, seq, account_id, shard, currency, layer, direction, amount, net_after,
          version, effective_date)
        SELECT t.id, e.seq, e.account_id, e.shard, e.currency, 0, e.direction,
          100 + CASE WHEN e.seq = 1 THEN t.id % 2 * 2 - 1 ELSE 0 END, 0, 2 + t.id, e.effective_date
        FROM ledger_entry e, ledger_transaction t WHERE t.idem_key LIKE 'other%'"""

    with pytest.raises(psycopg.Error, match="does not balance"):
        commit_as_owner(
            WRITE_HEADER.format(**header),
            WRITE_HEADER.format(**header).replace("'other'", "'other 2'") + " LIMIT 1",
            legs,
        )


def commit_as_owner(*statements: str) -> None:
    with owner() as database, database.transaction():
        database.execute("SET LOCAL search_path = org_acme")
        for statement in statements:
            database.execute(statement)


WRITE_HEADER = """
    INSERT INTO ledger_transaction (uid, idem_key, request_hash, kind, effective_date, posted_at, entry_count, source_type,
      source_id, reference, description, created_by, approved_by, reason, cost_centre, is_forced, reverses_id, hold_id)
    SELECT gen_random_uuid(), 'other', '', {kind}, effective_date, posted_at, {entry_count}, 't', source_id, '', '', '', '',
      '', '', false, {reverses_id}, {hold_id} FROM ledger_transaction"""
WRITE_LEGS = """
    INSERT INTO ledger_entry (transaction_id, seq, account_id, shard, currency, layer, direction, amount, net_after,
      version, effective_date)
    SELECT (SELECT max(id) FROM ledger_transaction), {seq}, account_id, shard, {currency}, {layer}, {direction}, {amount}, 0,
      2, effective_date FROM ledger_entry"""


def test_the_database_knows_every_kind_of_transaction(acme):
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE oid = 'ledger_check_header'::regproc")
        (body,) = cursor.fetchone()

    listed = body.split("NOT IN (")[1].split(")")[0]
    assert set(re.findall(r"'([A-Z]+)'", listed)) == set(TransactionKind)

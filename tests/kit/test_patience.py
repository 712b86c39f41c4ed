"""How long the application waits for locks and statements, and the work that is given more."""

import pytest
from django.db import OperationalError, connection, transaction

from apps.kit import problems
from apps.kit.patience import long_statements
from tests.conftest import owner


def shown(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        return cursor.fetchone()[0]


def sleep() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '1ms'")
        cursor.execute("SELECT pg_sleep(5)")


def test_the_application_waits_seconds_and_the_owner_as_long_as_it_takes(committed_acme):
    names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")

    assert [shown(name) for name in names] == ["3s", "10s", "1min"]
    with owner() as database:
        assert [database.execute(f"SHOW {name}").fetchone()[0] for name in names] == ["0", "0", "0"]


def test_long_work_is_given_more_until_it_ends(committed_acme):
    with long_statements():
        assert shown("statement_timeout") == "10min"
        with long_statements():
            assert shown("statement_timeout") == "10min"
    assert shown("statement_timeout") == "10s"

    with pytest.raises(ZeroDivisionError), long_statements():
        _ = 1 // 0
    assert shown("statement_timeout") == "10s"


def test_inside_a_transaction_it_ends_with_the_block_or_the_transaction(committed_acme):
    with transaction.atomic():
        with long_statements():
            assert shown("statement_timeout") == "10min"
        assert shown("statement_timeout") == "10s"

    with pytest.raises(OperationalError), transaction.atomic(), long_statements():
        sleep()
    assert shown("statement_timeout") == "10s"


def test_a_lock_that_is_not_to_be_had_is_told_as_busy(committed_acme):
    with owner() as other:
        other.execute("LOCK TABLE org_acme.access_branch")
        with pytest.raises(OperationalError) as refusal, transaction.atomic():
            read_soon("access_branch")

    busy = problems.as_domain_error(refusal.value)
    assert (busy.code, busy.status, busy.retryable) == ("busy", 503, True)
    assert problems.as_domain_error(OperationalError("the disk is full")) is None


def read_soon(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '50ms'")
        cursor.execute(f"SELECT count(*) FROM {table}")

"""The search path is set when it has changed, and again after whatever may have taken it back."""

import threading

import pytest
from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection, transaction

from apps.access.models import Membership
from apps.kit import clock, ids


class Undone(Exception):
    """Ends a block that must be rolled back."""


def schema() -> str:
    """Ask the server where the next statement would read."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        return cursor.fetchone()[0]


def roll_back(enter):
    with transaction.atomic():
        enter("acme")
        assert schema() == "org_acme"
        raise Undone


def roll_back_to_a_savepoint(enter):
    with transaction.atomic():
        assert schema() == "org_zuri"
        with pytest.raises(Undone):
            roll_back(enter)
        assert schema() == "org_acme"
    assert schema() == "org_acme"
    raise Undone


def be_refused_at_commit(enter):
    with transaction.atomic():
        enter("acme")
        Membership.objects.create(user_id=ids.new(), role_id=ids.new(), created_at=clock.now())


def fail_in_a_statement(enter):
    with transaction.atomic(), connection.cursor() as cursor:
        enter("acme")
        assert schema() == "org_acme"
        cursor.execute("SELECT 1 / 0")


def lose_the_connection(enter):
    enter("acme")
    assert schema() == "org_acme"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


@pytest.mark.parametrize(
    ("way", "error"),
    [
        (roll_back, Undone),
        (roll_back_to_a_savepoint, Undone),
        (be_refused_at_commit, IntegrityError),
        (fail_in_a_statement, DatabaseError),
        (lose_the_connection, DatabaseError),
    ],
)
def test_the_organisation_that_was_entered_is_read_after(transactional_db, in_organisation, way, error):
    assert settings.TENANT_LIMIT_SET_CALLS
    in_organisation("zuri")
    assert schema() == "org_zuri"

    with pytest.raises(error):
        way(in_organisation)
    connection.close_if_unusable_or_obsolete()

    assert schema() == "org_acme"


def test_threads_that_share_the_pool_never_read_each_others_schema(transactional_db, in_organisation):
    wrong = []

    def read(slug):
        for number in range(40):
            in_organisation(slug)
            found = schema()
            if found != f"org_{slug}":
                wrong.append(found)
            if number % 3 == 0:
                connection.close()
        connection.close()

    threads = [threading.Thread(target=read, args=[slug]) for slug in ("acme", "zuri", "acme", "zuri")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []

"""Rotate at once: two operators make a new data key at the same moment."""

import threading

from django.db import connection

from apps.integrations.services import accounts
from apps.kit.actors import operator
from tests.conftest import owner
from tests.factories import integrations
from tests.operations.operate import AT
from treasury import keys


def test_the_second_waits_for_the_first_and_every_secret_opens(committed_acme, django_db_blocker):
    account = integrations.provider_account()
    made = []

    def rotate(name):
        connection.set_tenant(committed_acme)
        made.append(keys.rotate_data_key(reason="drill", actor=operator(name), now=AT).version)
        connection.close()

    threads = [threading.Thread(target=rotate, args=[name]) for name in ("amina", "grace")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    account.refresh_from_db()
    assert sorted(made) == [2, 3]
    assert int.from_bytes(bytes(account.sealed_credentials)[:2]) == 3
    assert accounts.open_credentials(account) == integrations.CREDENTIALS
    with owner() as database:
        database.execute("DELETE FROM tenancy_datakey WHERE version > 1")

"""Restore a backup: transaction ids and counters of the new server are others, and the seals still verify and go on."""

import os
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

from apps.ledger.contracts import AccountRole
from apps.ledger.models import Seal
from apps.ledger.selectors import proofs
from apps.ledger.services import seals, verification
from apps.tenancy.services import schemas
from tests import conftest
from tests.factories import ledger
from tests.factories.ledger import NOW

LATER = NOW + timedelta(minutes=1)


def program(name: str, *words: str) -> None:
    """Run a program that comes with the server, as the owner."""
    database = connection.settings_dict
    where = {
        "PGHOST": str(database["HOST"]),
        "PGPORT": str(database["PORT"]),
        "PGUSER": "treasury_owner",
        "PGPASSWORD": conftest.owner_password(),
    }
    path = Path(schemas.pg_dump_path()).with_name(name)
    subprocess.run([path, *words], check=True, env={**os.environ, **where}, capture_output=True)


@pytest.fixture
def elsewhere(transactional_db) -> Iterator[str]:
    """A new database, in whose place the backup is put; the tests' own one is used again afterwards."""
    own = connection.settings_dict["NAME"]
    name = f"{own}_restored"
    with conftest.server() as admin:
        conftest.drop(admin, name)
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        admin.execute(f'GRANT CONNECT ON DATABASE "{name}" TO treasury_app')
    yield name
    conftest.use(own, "app")
    with conftest.server() as admin:
        conftest.drop(admin, name)


def test_a_restored_ledger_verifies_proves_and_is_sealed_on(
    committed_acme, elsewhere, in_organisation, tmp_path
):
    branch = ledger.branch()
    refs = [ledger.ref(role, branch.id) for role in (AccountRole.CASH, AccountRole.REVENUE)]
    first, second = (ledger.post(ledger.transfer(*refs, minor)) for minor in (1, 2))
    seals.run(now=LATER)
    waiting = ledger.post(ledger.transfer(*refs, 3))
    proof, dump = proofs.of(first.id), str(tmp_path / "backup")
    program("pg_dump", "--format", "custom", "--file", dump, connection.settings_dict["NAME"])
    program("pg_restore", "--exit-on-error", "--dbname", elsewhere, dump)

    conftest.use(elsewhere, "app")
    in_organisation("acme")

    assert verification.verify().findings == ()
    assert proofs.of(first.id) == proof
    again = ledger.post(ledger.transfer(*refs, 4))
    assert again.number > waiting.number > second.number
    assert [made.count for made in seals.run(now=LATER)] == [2]
    assert list(Seal.objects.order_by("seq").values_list("seq", flat=True)) == [1, 2]
    assert verification.verify().findings == ()

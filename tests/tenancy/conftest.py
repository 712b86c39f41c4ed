"""What the tests of tenancy share: the owner's database role, and what new organisations leave taken away again."""

from collections.abc import Iterator

import pytest
from django.db import connection

from tests import conftest

MADE = "SELECT schema_name FROM tenancy_organisation WHERE slug LIKE 'new-%'"
LEFT = (
    "DELETE FROM tenancy_userorganisation WHERE organisation_id IN (SELECT id FROM tenancy_organisation WHERE slug LIKE 'new-%')",
    "DELETE FROM tenancy_offboarding",
    "DELETE FROM tenancy_provisioning",
    "DELETE FROM tenancy_datakey WHERE organisation_id IN (SELECT id FROM tenancy_organisation WHERE slug LIKE 'new-%')",
    "DELETE FROM tenancy_domain WHERE tenant_id IN (SELECT id FROM tenancy_organisation WHERE slug LIKE 'new-%')",
    "DELETE FROM tenancy_organisation WHERE slug LIKE 'new-%'",
)


@pytest.fixture
def as_owner(transactional_db) -> Iterator[None]:
    """Work as the role that owns the schemas, and commit; organisations named ``new-…`` are gone afterwards."""
    name = connection.settings_dict["NAME"]
    conftest.use(name, "owner")
    yield
    connection.set_schema_to_public()
    with connection.cursor() as cursor:
        cursor.execute(MADE)
        for (schema,) in cursor.fetchall():
            cursor.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')
        for statement in LEFT:
            cursor.execute(statement)
    conftest.use(name, "app")

"""Notice older build: a database whose applied migrations were rewritten since is refused by name."""

import pytest
from django.core.management import call_command

from apps.tenancy.services import schemas


@pytest.mark.parametrize("schema", ["public", "org_acme", schemas.TEMPLATE])
def test_finds_nothing_missing_in_what_this_build_made(schema, db):
    assert schemas.missing_columns(schema) == []


def test_names_what_a_schema_lacks(db):
    missing = schemas.missing_columns("org_that_is_not_there")

    assert "payments_paymentintent.status" in missing
    assert "access_membership.user_id" in missing
    assert "accounts_user.email" not in missing


def test_migrating_stops_and_says_how_to_start_afresh(db, settings, capsys):
    settings.TENANT_APPS = [*settings.TENANT_APPS, "apps.accounts"]
    settings.SHARED_APPS = [*settings.SHARED_APPS, "apps.payments"]

    with pytest.raises(SystemExit) as ended:
        call_command("migrate_all")

    assert ended.value.code == 3
    said = capsys.readouterr().err
    assert "public lacks payments_" in said
    assert "script/server --reset" in said

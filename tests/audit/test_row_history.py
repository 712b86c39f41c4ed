"""What rows of settings become is kept by the database, whoever changes them; nobody changes what was kept, and no secret is in it."""

import re

import psycopg
import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from apps.access.models import ApiKey, Branch
from apps.access.services import branches, memberships, organisation_settings
from apps.audit.models import ConfigurationHistory
from apps.audit.selectors import history
from apps.kit import clock, schema
from apps.kit.models import InsertOnlyViolation
from apps.kit.redaction import HIDDEN_NAME
from apps.tenancy.contracts import Branding
from apps.tenancy.models import OrganisationHistory
from apps.tenancy.selectors import organisation_history
from tests.conftest import SLUGS, owner
from tests.factories import access as make
from tests.factories import events, integrations
from tests.factories.access import NOW
from tests.factories.approvals import person, rule

SECRET = re.compile(r"digest|sealed|secret|credential|token(?!s$)|password|cipher|certificate")
OPEN = {("access_apikey", "is_for_tokens")}


def kept(table: str, row_id: object) -> list[ConfigurationHistory]:
    return list(history.of(table=table, row_id=str(row_id)).order_by("number"))


def test_keeps_what_a_service_does_with_who_did_it(acme):
    amina = person("amina", "owner")
    with transaction.atomic():
        branch = branches.create(code="KSM", name="Kisumu", actor=amina, now=NOW)
        branches.change(
            branch_id=branch.id,
            name="Kisumu Lake",
            time_zone=branch.time_zone,
            parent_id=None,
            actor=amina,
            now=NOW,
        )

    made, renamed = kept("access_branch", branch.id)

    assert (made.operation, made.before, made.after["name"]) == ("INSERT", None, "Kisumu")
    assert (renamed.before["name"], renamed.after["name"]) == ("Kisumu", "Kisumu Lake")
    assert renamed.database_user == "treasury_app"
    deeds = history.deeds([made, renamed])
    assert {deeds[one.number].actor_id for one in (made, renamed)} == {amina.id}
    assert deeds[made.number].object_id == str(branch.id)


def test_keeps_what_no_service_did(acme):
    branch = make.branch()
    Branch.objects.filter(id=branch.id).update(name="in bulk")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE access_branch SET name = 'by hand' WHERE id = %s", [branch.id])
        cursor.execute("UPDATE access_branch SET name = 'by hand' WHERE id = %s", [branch.id])

    assert [row.after["name"] for row in kept("access_branch", branch.id)] == [
        "Nairobi CBD",
        "in bulk",
        "by hand",
    ]


def test_keeps_what_a_row_is_made_of_with_it(acme):
    one, other = make.branch("A", "One"), make.branch("B", "Other")
    member = make.member(branches=(one,))
    memberships.change(
        membership_id=member.id, role="owner", is_active=True, branch_ids=[other.id],
        actor=person("boss", "owner"), now=NOW,
    )  # fmt: skip

    parts = [
        (row.operation, (row.after or row.before)["branch_id"])
        for row in kept("access_membership", member.id)
        if row.table_name == "access_membership_branches"
    ]

    assert parts == [("INSERT", str(one.id)), ("DELETE", str(one.id)), ("INSERT", str(other.id))]
    ruled = rule()
    assert {row.table_name for row in kept("approvals_approvalrule", ruled.id)} == {
        "approvals_approvalrule",
        "approvals_approvalstep",
    }


def test_keeps_no_secret_and_says_that_one_was_changed(acme):
    issued = make.issued()
    ApiKey.objects.filter(id=issued.key.id).update(last_used_at=NOW, last_used_ip="10.0.0.9")
    ApiKey.objects.filter(id=issued.key.id).update(digest="0" * 64)
    account, endpoint = integrations.provider_account(), events.endpoint()

    made, changed = kept("access_apikey", issued.key.id)

    assert (made.hidden, changed.hidden) == (["digest"], ["digest"])
    assert "digest" not in made.after
    [of_account] = kept("integrations_provideraccount", account.id)
    assert {"sealed_credentials", "callback_token"} <= {*of_account.hidden}
    whole = str(list(ConfigurationHistory.objects.values_list("before", "after")))
    for secret in (issued.secret, account.callback_token, endpoint.secret):
        assert secret not in whole


def test_no_column_that_looks_like_a_secret_is_kept(db):
    with owner() as database:
        for listed, name in (
            (settings.WATCHED_TABLES, "org__template__pristine"),
            (settings.WATCHED_PUBLIC_TABLES, "public"),
        ):
            for table, how in listed.items():
                columns = database.execute(
                    "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s",
                    [name, table],
                ).fetchall()
                names = {column for (column,) in columns}
                assert "id" in names, table
                assert {*how.get("hidden", ()), *how.get("noise", ())} <= names, table
                looks = {one for one in names if SECRET.search(one) or HIDDEN_NAME.search(one)}
                open_ones = {
                    one for one in looks - {*how.get("hidden", ())} if not one.endswith(("_at", "_until"))
                }
                assert {(table, one) for one in open_ones} <= OPEN


def test_stays_in_the_organisation_of_the_row(acme, in_organisation):
    with connection.cursor() as cursor:  # a function of the one, the search path at the other
        cursor.execute("SET LOCAL search_path = org_zuri, public")
        cursor.execute(
            "INSERT INTO org_acme.access_application (id, slug, name, directory_id, granted_scopes, created_at) "
            "VALUES (gen_random_uuid(), 'shop', 'Shop', NULL, '{}', now())"
        )
        cursor.execute("SELECT count(*) FROM org_zuri.audit_configurationhistory")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT table_name, row_id <> '' FROM org_acme.audit_configurationhistory")
        assert cursor.fetchall() == [("access_application", True)]


@pytest.mark.parametrize("name", [f"org_{slug}" for slug in SLUGS] + ["org__template__pristine"])
def test_every_schema_watches_its_own_rows(db, name):
    """Both organisations of the tests were restored from the snapshot of the template, as every new one is."""
    with owner() as database:
        found = database.execute(
            """
            SELECT c.relname, f.pronamespace::regnamespace::text, p.prosecdef, p.proconfig::text
            FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
            JOIN pg_proc f ON f.oid = t.tgfoid WHERE t.tgname = 'row_history' AND c.relnamespace = %s::regnamespace""",
            [name],
        ).fetchall()

    assert {table for table, *_ in found} == set(settings.WATCHED_TABLES)
    path = f'{{"search_path=pg_catalog, {name}, pg_temp"}}'
    assert {tuple(rest) for _, *rest in found} == {(name, True, path)}


def test_nobody_changes_what_was_kept(acme):
    make.branch()

    for statement in (
        "INSERT INTO audit_configurationhistory (table_name) VALUES ('x')",
        "UPDATE audit_configurationhistory SET after = '{}'",
        "DELETE FROM audit_configurationhistory",
        "TRUNCATE audit_configurationhistory",
        "ALTER TABLE access_branch DISABLE TRIGGER row_history",
        "SET LOCAL session_replication_role = replica",
        "UPDATE public.tenancy_organisationhistory SET after = '{}'",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    with pytest.raises(InsertOnlyViolation):
        ConfigurationHistory.objects.first().delete()


def test_nor_does_the_owner_of_its_tables(acme):
    with owner() as database:
        for statement in (
            "UPDATE {} SET after = '{{}}'", "DELETE FROM {}", "TRUNCATE {}",
        ):  # fmt: skip
            for table in ("org_acme.audit_configurationhistory", "public.tenancy_organisationhistory"):
                with pytest.raises(psycopg.errors.RestrictViolation), database.transaction():
                    database.execute(statement.format(table))


def test_keeps_what_becomes_of_the_organisation_itself(acme):
    amina = person("amina", "owner")
    organisation_settings.set_branding(
        branding=Branding("#123456", "Acme Ltd", ""), reason="ours", actor=amina, now=clock.now()
    )

    changed = organisation_history.of(acme.id).first()

    assert (changed.operation, changed.after["brand_color"]) == ("UPDATE", "#123456")
    assert changed.before["brand_color"] != "#123456"
    deed = history.deeds([changed])[changed.number]
    assert (deed.actor_id, deed.reason) == (amina.id, "ours")
    assert (
        OrganisationHistory.objects.exclude(row_id=str(acme.id)).filter(number__gte=changed.number).count()
        == 0
    )
    assert schema.name() == "org_acme"

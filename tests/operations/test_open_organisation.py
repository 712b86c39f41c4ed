"""Open organisation: the commands that work on schemas, as the role that owns them."""

import pytest
from django.db import connection

from apps.access.models import Membership, Role
from apps.accounts.models import PlatformRecord
from apps.accounts.services import entry_links
from apps.approvals.models import ApprovalRule
from apps.audit.models import AuditRecord
from apps.kit import schema
from apps.tenancy.models import Organisation
from tests.factories.accounts import NOW
from tests.operations.operate import OPERATOR, change, operate
from treasury import content

WORDS = [
    "tenant",
    "create",
    "kilele",
    "Kilele",
    "--owner-email",
    "njeri@example.test",
    "--owner-name",
    "Njeri",
]


def schemas() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'org_%'")
        return {row[0] for row in cursor.fetchall()}


def test_makes_an_organisation_that_its_owner_can_use(owners_role):
    done = change(*WORDS)

    assert (done.code, done.err) == (0, "")
    assert "kilele is ready at kilele.localhost" in done.out
    organisation = Organisation.objects.get(slug="kilele")
    assert (organisation.status, organisation.is_test) == ("READY", False)
    assert PlatformRecord.objects.get(action="organisation.created").actor_id == OPERATOR
    schema.enter(organisation)
    membership = Membership.objects.get(role__code="owner")
    link = done.out.split("shown this once: ")[1].split()[0]
    assert "//kilele.localhost:" in link
    assert entry_links.find(secret=link.partition("link=")[2], now=NOW) == membership.user
    assert (membership.is_active, membership.user.is_vouched_for) == (True, True)
    assert membership.user.has_usable_password() is False
    assert set(AuditRecord.objects.values_list("actor_id", flat=True)) == {OPERATOR}
    schema.leave()


def test_a_rehearsal_makes_none(owners_role):
    before = schemas()

    done = change(*WORDS, "--dry-run", "--json")

    assert (done.code, done.document["is_dry_run"]) == (0, True)
    assert "organisation.created" in {record["action"] for record in done.document["records"]}
    assert "shown this once" not in done.out
    assert (schemas(), Organisation.objects.filter(slug="kilele").exists()) == (before, False)


def test_one_that_is_there_is_left_alone(owners_role):
    change(*WORDS)

    again = change(*WORDS, "--json")

    assert (again.code, again.document["records"]) == (0, [])
    assert "nothing was changed" in again.document["messages"][0]


@pytest.mark.parametrize("slug", ["platform", "Kilele", "x"])
def test_a_slug_that_cannot_be_is_refused(owners_role, slug):
    done = change("tenant", "create", slug, *WORDS[3:], "--json")

    assert (done.code, done.document["error"]["arguments"]) == (2, ["SLUG"])


def test_migrating_again_finds_nothing_to_do_and_is_on_the_trail(owners_role):
    rehearsed = change("tenant", "migrate", "--dry-run", "--json")
    assert PlatformRecord.objects.filter(action="platform.migrated").exists() is False
    done = change("tenant", "migrate", "--json")

    assert (rehearsed.code, rehearsed.document["rows"]) == (0, [])
    assert (done.code, {row["schema"] for row in done.document["rows"]}) == (0, {"template", "acme", "zuri"})
    assert PlatformRecord.objects.get(action="platform.migrated").actor_id == OPERATOR


def test_says_which_migrations_are_missing(owners_role):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM org_zuri.django_migrations WHERE app = 'portal'")

    done = change("tenant", "migrate", "--dry-run", "--json")

    assert {row["schema"] for row in done.document["rows"]} == {"org_zuri"}


def test_lists_what_is_being_set_up_too(db):
    Organisation.objects.filter(slug="zuri").update(status="PROVISIONING")

    done = operate("tenant", "list", "--json")

    assert {row["slug"]: row["status"] for row in done.document["rows"]} == {
        "acme": "ready",
        "zuri": "provisioning",
    }
    assert operate("tenant", "status", "--tenant", "zuri").code == 2


def test_an_upgrade_adds_what_new_organisations_begin_with_and_puts_nothing_back(owners_role, monkeypatch):
    with monkeypatch.context() as older:
        older.setattr(content, "FIRST_RULES", content.FIRST_RULES[:1])
        change(*WORDS)
    kilele = Organisation.objects.get(slug="kilele")
    schema.enter(kilele)
    Role.objects.filter(code="accountant").delete()
    support = Role.objects.get(code="support")
    support.permissions, support.defaults = ["payments.view"], ["payments.view", "parties.manage"]
    support.save()
    left = ApprovalRule.objects.get(kind="refund")
    ApprovalRule.objects.filter(id=left.id).update(is_active=False, deactivated_at=NOW)
    schema.leave()

    first = change("tenant", "migrate", "--json").document["rows"]
    second = change("tenant", "migrate", "--json").document["rows"]

    states = [{row["schema"]: row["state"] for row in rows}["kilele"] for rows in (first, second)]
    assert states == ["equal to the template", "up to date"]
    schema.enter(kilele)
    assert Role.objects.filter(code="accountant").exists()
    support.refresh_from_db()
    kept, added = {"payments.view"}, {"payments.forget", "invoicing.view", "webhooks.view", "parties.view"}
    assert set(support.permissions) == kept | added
    assert AuditRecord.objects.filter(action="role.changed").count() == 1
    assert [rule.is_active for rule in ApprovalRule.objects.filter(kind="refund")] == [False]
    assert ApprovalRule.objects.filter(kind="fx_rate", is_active=True).count() == 1
    schema.leave()

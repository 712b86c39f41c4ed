"""The history of settings in the portal: before and after, who did it and why, for who reads the audit log."""

import pytest
from django.db import connection

from apps.access.models import Branch
from apps.access.services import branches, organisation_settings, roles
from apps.kit import clock
from apps.tenancy.contracts import Branding
from tests.factories import access
from tests.factories.approvals import person


@pytest.fixture
def office(acme):
    access.portal()
    return access.head_office()


def changed(office: Branch) -> Branch:
    """Return a branch that somebody renamed, and that was moved with nobody's record."""
    wanjiru = person("wanjiru", "owner")
    found = branches.create(code="KSM", name="Kisumu", actor=wanjiru, now=clock.now())
    branches.change(
        branch_id=found.id, name="Kisumu Lake", time_zone=found.time_zone, parent_id=None, actor=wanjiru, now=clock.now()
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("UPDATE access_branch SET parent_id = %s WHERE id = %s", [office.id, found.id])
    return found


def test_shows_what_became_of_a_row_with_the_names_of_what_it_points_to(office, enter):
    page = f"/portal/access/branch/{changed(office).id}/"
    browser = enter("auditor")

    assert f'href="{page}history/"' in browser.get(f"{page}change/").content.decode()
    shown = browser.get(f"{page}history/").content.decode()

    assert shown.index("Branch changed") < shown.index("Branch added")
    assert "<del" in shown
    assert "Kisumu Lake" in shown
    assert 'data-change="changed"' in shown
    assert "Head office" in shown
    assert "wanjiru" in shown.lower()


def test_is_for_who_reads_the_audit_log(office, enter):
    page = f"/portal/access/branch/{changed(office).id}/"
    roles.create(name="Looks", permissions=["access.view"], actor=person("boss", "owner"), now=clock.now())
    browser = enter("looks")

    assert "history/" not in browser.get(f"{page}change/").content.decode()
    assert browser.get(f"{page}history/").status_code == 403
    assert browser.get("/portal/organisation-settings/history/").status_code == 403


def test_shows_what_became_of_the_organisation_and_of_its_chart(office, enter):
    organisation_settings.set_branding(
        branding=Branding("#123456", "Acme Ltd", ""),
        reason="Our colour",
        actor=person("wanjiru", "owner"),
        now=clock.now(),
    )
    browser = enter("auditor")

    whole = browser.get("/portal/organisation-settings/history/").content.decode()

    assert "#123456" in whole
    assert "Our colour" in whole
    assert browser.get("/portal/ledger/chart/history/").status_code == 200

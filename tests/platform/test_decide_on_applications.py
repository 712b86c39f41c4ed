"""Decide on applications: accept, refuse, suspend and resume them, and set up what they ask for."""

import re

import pytest
from django.db import connection
from django.test import Client

from apps.accounts.models import PlatformRecord
from apps.kit import clock
from apps.tenancy.models import Organisation
from apps.tenancy.services import organisation_requests
from tests import dialogs
from tests.factories import access, onboarding
from tests.factories.access import NOW

REASON = "Called back on the number in the contract"
APPLICATIONS = "/platform/tenancy/registeredapplication/"
REQUESTS = "/platform/tenancy/organisationrequest/"


@pytest.fixture
def operator(db):
    connection.set_schema_to_public()
    staff = access.user("ops@example.test", is_platform_staff=True)
    browser = Client(headers={"host": "localhost"})
    assert browser.login(username=staff.email, password=access.PASSWORD)
    with clock.fixed(NOW):
        yield browser


def test_accepts_suspends_and_opens_again_an_application(operator):
    application = onboarding.registered(is_accepted=False).application
    page = f"{APPLICATIONS}{application.id}"
    states = []

    for name, fields in (
        ("accept", {}),
        ("suspend", {"reason": REASON, "typed_text": "Books"}),
        ("resume", {"reason": REASON}),
    ):
        assert dialogs.send(operator, f"{page}/do/{name}/", **fields).status_code == 204
        application.refresh_from_db()
        states.append(application.status)

    assert states == ["ACCEPTED", "SUSPENDED", "ACCEPTED"]
    assert dialogs.open_at(operator, f"{page}/do/refuse/").status_code == 409
    assert "Books" in operator.get(f"{page}/change/").content.decode()
    record = PlatformRecord.objects.get(action="application.suspended")
    assert (record.reason, record.object_id) == (REASON, str(application.id))


def test_refuses_an_application_with_a_reason(operator):
    application = onboarding.registered(is_accepted=False).application

    sent = dialogs.send(operator, f"{APPLICATIONS}{application.id}/do/refuse/", reason=REASON)

    application.refresh_from_db()
    assert (sent.status_code, application.status, application.reason) == (204, "REFUSED", REASON)


def test_sets_up_a_live_organisation_whose_owner_gets_a_link(operator):
    request = organisation_requests.ask_for_live(
        application=onboarding.registered().application,
        name="Duka",
        slug="acme",
        owner_email="wanjiru@duka.test",
        owner_name="Wanjiru",
        scopes=["payments:read"],
        message="Three shops",
        now=NOW,
    )
    url = f"{REQUESTS}{request.id}/do/agree/"

    taken = dialogs.send(operator, url, slug="acme")
    agreed = dialogs.send(operator, url, slug="duka")

    assert (taken.status_code, agreed.status_code) == (409, 204)
    request.refresh_from_db()
    organisation = Organisation.objects.get(slug="duka")
    assert (request.status, request.link.organisation_id) == ("ACCEPTED", organisation.id)
    assert (organisation.is_test, organisation.status) == (False, "PROVISIONING")
    shown = operator.get(REQUESTS).content.decode()
    assert re.search(
        r"wanjiru@duka.test.*<code>[^<]*//duka\.[^<]*/portal/enter/\?link=tse_[^<]*</code>", shown
    )
    assert dialogs.open_at(operator, f"{REQUESTS}{request.id}/do/refuse/").status_code == 409

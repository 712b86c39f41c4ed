"""The matrix of the platform: every address of its site and of the onboarding API, for its staff and for everybody else."""

import pytest
from django.db import connection
from django.test import Client

from apps.access.contracts import SCOPES
from apps.accounts.models import PlatformRecord
from apps.kit import clock, ids
from apps.tenancy.models import Domain
from apps.tenancy.services import organisation_requests
from tests.access.test_second_step import answer, sign_in
from tests.factories import access, onboarding
from tests.factories.access import NOW
from tests.factories.accounts import enrolled
from tests.isolation import pages
from tests.isolation.platform_rows import DOORS, ENROL, FRONT, LOGIN, PAGES
from tests.isolation.undoing import undone

ADDRESSES = pages.of_platform()
SITE = "/platform/"
LED = {f"{SITE}login/": LOGIN, f"{SITE}second-factor/set-up/": ENROL, SITE: FRONT}
WISHED = "duka-canary"


@pytest.fixture
def world(acme, settings):
    """Return who asks, by the columns of the tables, and the rows that addresses are about, by the start of their routes."""
    settings.TREASURY = {**settings.TREASURY, "PLATFORM_SECOND_FACTOR": True}
    access.head_office()
    owner, key = access.member().user, access.issued().secret
    connection.set_schema_to_public()
    staff = access.user("ops@example.test", is_platform_staff=True)
    phone = enrolled(staff, at=NOW.replace(hour=NOW.hour - 1))
    with clock.fixed(NOW):
        books, other = onboarding.registered(), onboarding.registered("Other")
        link = onboarding.asked(books)
        wish = organisation_requests.ask_for_live(
            application=books.application,
            name=WISHED,
            slug="duka",
            owner_email="wanjiru@duka.test",
            owner_name="Wanjiru",
            scopes=sorted(SCOPES)[:1],
            message="",
            now=NOW,
        )
        callers = {
            "staff": Client(headers={"host": "localhost"}),
            "unproved": Client(headers={"host": "localhost"}),
            "member": Client(headers={"host": "localhost", **access.bearer(key)}),
            "stranger": Client(headers={"host": "localhost"}),
            "own": Client(headers={"host": "localhost", **access.bearer(books.secret)}),
            "other": Client(headers={"host": "localhost", **access.bearer(other.secret)}),
        }
        sign_in(callers["staff"], f"{SITE}login/", staff.email)
        answer(callers["staff"], phone.code(NOW), f"{SITE}second-factor/")
        callers["unproved"].force_login(access.user("new@example.test", is_platform_staff=True))
        callers["member"].force_login(owner)
        rows = {
            f"{SITE}tenancy/registeredapplication": onboarding.registered(
                "New", is_accepted=False
            ).application.id,
            f"{SITE}tenancy/organisationrequest": wish.id,
            f"{SITE}tenancy/organisation/": acme.id,
            f"{SITE}tenancy/domain": Domain.objects.get(tenant=acme).id,
            f"{SITE}accounts/user": owner.id,
            f"{SITE}accounts/platformrecord": PlatformRecord.objects.latest("occurred_at").pk,
            "/v1/onboarding/links": ids.encode("lnk", link.id),
            "/v1/onboarding/organisations": ids.encode("ogr", wish.id),
        }
        yield callers, rows


def path_of(address, rows):
    about = next((row for start, row in rows.items() if f"/{address.route}".startswith(start)), "nothing")
    return address.path({**dict.fromkeys(address.parameters, about), "app_label": "tenancy"})


def asked(browser, method, path):
    """Send nothing but the method and the path, leave nothing behind, and return the answer as the tables note it."""
    with undone():
        response = browser.generic(method, path, "{}", content_type="application/json")
        led = response.headers.get("Location", "").partition("?")[0]
        if hasattr(response, "streaming_content"):
            response.close()
    connection.set_schema_to_public()
    return LED.get(led, str(response.status_code)), response


def test_every_address_has_a_row_and_every_row_an_address():
    missing, left = set(ADDRESSES) - set(PAGES | DOORS), set(PAGES | DOORS) - set(ADDRESSES)

    assert (missing, left) == (set(), set()), (
        f"Say in PAGES, or in DOORS, of tests/isolation/platform_rows.py who sees {sorted(missing)}, and take out "
        f"{sorted(left)}."
    )


def test_every_address_answers_as_its_row_says(world):
    """Whoever is led away from an address is led away as well when he sends a form to it."""
    callers, rows = world
    faults = []
    for name in sorted(set(PAGES) & set(ADDRESSES)):
        path = path_of(ADDRESSES[name], rows)
        for who in ("staff", "unproved", "member", "stranger"):
            expected = getattr(PAGES[name], who)
            got, _ = asked(callers[who], "GET", path)
            if got != expected:
                faults.append(f"{name}, {who}: expected {expected}, got {got}")
            if expected in (LOGIN, ENROL) and (sent := asked(callers[who], "POST", path)[0]) != expected:
                faults.append(f"{name}, {who}, by POST: expected {expected}, got {sent}")
    assert faults == [], "\n".join(faults)


def test_the_onboarding_api_answers_applications_alone(world):
    callers, rows = world
    faults = []
    for name, door in DOORS.items():
        path, method = path_of(ADDRESSES[name], rows), name.partition(" ")[0]
        for who in callers:
            expected = getattr(door, who, door.others)
            got, response = asked(callers[who], method, path)
            if got != expected:
                faults.append(f"{name}, {who}: expected {expected}, got {got}: {response.content[:200]}")
            if WISHED.encode() in response.content and who != "own":
                faults.append(f"{name}, {who}: shows what is another application's")
    assert WISHED in asked(callers["own"], "GET", "/v1/onboarding/organisations")[1].content.decode()
    assert faults == [], "\n".join(faults)


def test_what_the_onboarding_api_refuses_is_a_problem_document(world):
    callers, _ = world
    for who in callers:
        known = who in ("own", "other")
        for method, headers, expected in (
            ("DELETE", {}, 405 if known else 401),
            ("GET", {"Accept": "text/xml"}, 406),
        ):
            response = callers[who].generic(method, "/v1/onboarding/application", headers=headers)

            body = response.json()
            assert response["Content-Type"] == "application/problem+json", who
            assert body["status"] == response.status_code, who
            assert response.status_code == expected, who

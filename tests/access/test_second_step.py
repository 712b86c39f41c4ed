"""Signing in with a second factor, at both sites: nothing opens before it, and each code opens once."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from apps.accounts.models import PlatformRecord
from apps.accounts.selectors import second_factors as known
from apps.accounts.services import second_factors
from apps.kit import clock
from apps.kit.actors import SYSTEM
from apps.tenancy.models import Organisation
from tests.factories import access
from tests.factories.accounts import enrolled, scanned

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
STEP = "/portal/second-factor/"
SET_UP = "/portal/second-factor/set-up/"
LOGO = "/portal/logo/01936000-0000-7000-8000-0000000000ff.png"
EMAIL = "amina@example.test"
PARAMETER = re.compile(r"<(?:(\w+):)?\w+>")
SAMPLES = {
    "uuid": "01936000-0000-7000-8000-0000000000ff",
    "path": "1",
    "str": "1",
    "int": "1",
    "slug": "1",
    "": "1",
}
OWN_GUARD = ("v1/", "api/v1/", "hooks/", "sandbox/")


@pytest.fixture
def door(acme):
    """Return a browser at acme's door, with a member and head office there; the clock stands at NOW."""
    access.head_office()
    access.portal()
    access.member()
    with clock.fixed(NOW):
        yield Client(headers={"host": "acme.testserver"})


@pytest.fixture
def phone(door):
    return enrolled(access.user(), at=NOW - timedelta(hours=1))


def sign_in(browser, path="/portal/login/", email=EMAIL):
    return browser.post(path, {"username": email, "password": access.PASSWORD})


def answer(browser, code, path=STEP, **more):
    return browser.post(path, {"code": code, **more})


def require(slug="acme"):
    Organisation.objects.filter(slug=slug).update(requires_second_factor=True)


def test_asks_for_a_code_after_the_password_and_opens_with_it(door, phone):
    sign_in(door)

    asked = door.get("/portal/access/branch/?q=x")
    assert asked["Location"] == f"{STEP}?next=%2Fportal%2Faccess%2Fbranch%2F%3Fq%3Dx"
    assert "Code from your authenticator" in door.get(asked["Location"]).content.decode()
    opened = answer(door, phone.code(NOW), next="/portal/access/branch/?q=x")

    assert opened["Location"] == "/portal/access/branch/?q=x"
    assert door.get("/portal/access/branch/").status_code == 200


def test_changes_the_session_key_when_the_second_step_is_done(door, phone):
    sign_in(door)
    before = door.cookies["sessionid"].value
    answer(door, phone.code(NOW))

    assert door.cookies["sessionid"].value != before
    assert Session.objects.filter(session_key=before).exists() is False


def portal_addresses(patterns, prefix=""):
    for entry in patterns:
        route = prefix + str(entry.pattern).removeprefix("^").removesuffix("$").removesuffix(r"\Z")
        if isinstance(entry, URLResolver):
            yield from portal_addresses(entry.url_patterns, route)
        elif isinstance(entry, URLPattern) and not route.startswith(OWN_GUARD):
            yield "/" + PARAMETER.sub(lambda match: SAMPLES[match[1] or ""], route)


def test_nothing_opens_before_the_second_step(door, phone):
    sign_in(door)
    addresses = [
        path for path in portal_addresses(get_resolver().url_patterns) if path.startswith("/portal/")
    ]
    opened = set()

    for address in addresses:
        path = "/portal/nowhere/" if "(?P" in address else address
        for found in (door.get(path), door.post(path)):
            if not (found.status_code == 302 and found["Location"].startswith(f"{STEP}?next=")):
                opened.add((path, found.status_code))
        if path == "/portal/logout/":
            sign_in(door)

    assert len(addresses) > 60
    assert opened == {
        (STEP, 200), ("/portal/logout/", 405), ("/portal/logout/", 200), ("/portal/login/", 200),
        ("/portal/login/", 302), ("/portal/arrive/", 302), ("/portal/arrive/", 405),
        ("/portal/enter/", 404), ("/portal/language", 302), (LOGO, 404), (LOGO, 405),
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["wrong", "replayed", "recovery twice", "empty", "throttled"])
def test_every_refusal_reads_the_same_and_opens_nothing(door, phone, kind):
    first = Client(headers={"host": "acme.testserver"})
    sign_in(first)
    code = phone.wrong_code(NOW)
    if kind == "replayed":
        code = phone.code(NOW)
        answer(first, code)
    elif kind == "recovery twice":
        code = phone.recovery_codes[0]
        answer(first, code)
    elif kind == "throttled":
        answer(first, code)
        code = phone.code(NOW)
    elif kind == "empty":
        code = ""
    sign_in(door)

    refused = answer(door, code)

    assert refused.status_code == 200
    assert "This code was not taken. Wait for the next one and type it again." in refused.content.decode()
    assert door.get("/portal/access/branch/").status_code == 302


def test_a_recovery_code_opens(door, phone):
    sign_in(door)
    assert "Recovery code" in door.get(f"{STEP}?recovery").content.decode()

    assert answer(door, phone.recovery_codes[0]).status_code == 302
    assert door.get("/portal/access/branch/").status_code == 200


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "http://zuri.testserver/portal/"],
)
def test_leads_to_no_other_host(door, phone, target):
    sign_in(door)

    assert answer(door, phone.code(NOW), next=target)["Location"] == "/portal/"


def test_a_session_that_one_person_verified_is_not_anothers(door, phone):
    access.member("auditor", "baraka@example.test")
    enrolled(access.user("baraka@example.test"), at=NOW - timedelta(hours=1))
    sign_in(door)
    answer(door, phone.code(NOW))

    sign_in(door, email="baraka@example.test")

    assert door.get("/portal/access/branch/")["Location"].startswith(STEP)


def test_asks_again_in_every_new_session_and_everywhere(door, phone, in_organisation):
    in_organisation("zuri")
    access.head_office()
    access.member()
    sign_in(door)
    answer(door, phone.code(NOW))
    other = Client(headers={"host": "zuri.testserver"})
    sign_in(other)

    assert other.get("/portal/")["Location"].startswith(STEP)


def test_who_has_none_signs_in_without_where_none_is_required(door):
    sign_in(door)

    assert door.get("/portal/access/branch/").status_code == 200


def test_a_live_organisation_leads_who_has_none_to_set_one_up(door):
    require()
    sign_in(door)

    led = door.get("/portal/access/branch/")
    page = door.get(led["Location"]).content.decode()
    phone = scanned(re.search(r'id="manual-key">([A-Z2-7 ]+)<', page)[1])
    assert "<svg" in page
    assert "Everybody signs in here" in page
    assert led["Location"].startswith(f"{SET_UP}?next=")

    refused = answer(door, phone.wrong_code(NOW), SET_UP)
    assert "This code was not taken" in refused.content.decode()
    assert known.is_enrolled(access.user().pk) is False
    shown = answer(door, phone.code(NOW), SET_UP, next="/portal/access/branch/").content.decode()

    codes = re.findall(r'<li class="t-ref">([A-Z0-9-]+)</li>', shown)
    assert len(codes) == 10
    assert "download=" in shown
    assert door.get("/portal/access/branch/").status_code == 200
    assert codes[0] not in door.get(SET_UP, follow=True).content.decode()
    assert not any(codes[0] in str(session.get_decoded()) for session in Session.objects.all())


def test_a_new_session_is_offered_a_new_secret(door):
    sign_in(door)
    one = re.search(r'id="manual-key">([^<]+)<', door.get(SET_UP).content.decode())[1]
    same = re.search(r'id="manual-key">([^<]+)<', door.get(SET_UP).content.decode())[1]
    other = Client(headers={"host": "acme.testserver"})
    sign_in(other)
    another = re.search(r'id="manual-key">([^<]+)<', other.get(SET_UP).content.decode())[1]

    assert one == same != another
    assert not any(one.replace(" ", "") in str(session.get_decoded()) for session in Session.objects.all())


@pytest.mark.parametrize("is_required", [True, False])
def test_a_reset_ends_every_session_of_the_person(door, phone, is_required):
    if is_required:
        require()
    sign_in(door)
    answer(door, phone.code(NOW))
    assert door.get("/portal/access/branch/").status_code == 200

    second_factors.reset(user_id=access.user().pk, reason="Lost phone", actor=SYSTEM, now=NOW)

    assert door.get("/portal/access/branch/")["Location"].startswith("/portal/login/")
    sign_in(door)
    answered = door.get("/portal/access/branch/")
    assert answered.headers.get("Location", "").startswith(SET_UP) is is_required


def test_a_person_renews_his_recovery_codes_and_removes_his_second_factor(door, phone):
    sign_in(door)
    answer(door, phone.recovery_codes[0])
    assert "9 recovery codes left" in door.get("/portal/second-factor/manage/").content.decode()

    assert door.get("/portal/second-factor/recovery-codes/").status_code == 405
    refused = door.post("/portal/second-factor/recovery-codes/", {"code": phone.wrong_code(NOW)}, follow=True)
    assert "This code was not taken" in refused.content.decode()
    with clock.fixed(NOW + timedelta(minutes=1)):
        code = phone.code(NOW + timedelta(minutes=1))
        renewed = door.post("/portal/second-factor/recovery-codes/", {"code": code}).content.decode()
    assert len(re.findall(r'<li class="t-ref">', renewed)) == 10

    with clock.fixed(NOW + timedelta(minutes=2)):
        code = phone.code(NOW + timedelta(minutes=2))
        door.post("/portal/second-factor/remove/", {"code": code})
    assert known.is_enrolled(access.user().pk) is False
    assert door.get("/portal/access/branch/").status_code == 200
    assert PlatformRecord.objects.filter(action="second_factor.removed", schema="org_acme").count() == 1


def test_platform_staff_must_have_one_in_production(db, settings):
    settings.TREASURY = {**settings.TREASURY, "PLATFORM_SECOND_FACTOR": True}
    access.user("ops@example.test", is_platform_staff=True)
    browser = Client(headers={"host": "localhost"})
    sign_in(browser, "/platform/login/", "ops@example.test")

    led = browser.get("/platform/accounts/user/")

    assert led["Location"].startswith("/platform/second-factor/set-up/")
    assert browser.get(led["Location"]).status_code == 200


def test_platform_staff_prove_theirs(db):
    user = access.user("ops@example.test", is_platform_staff=True)
    phone = enrolled(user, at=NOW - timedelta(hours=1))
    browser = Client(headers={"host": "localhost"})
    with clock.fixed(NOW):
        sign_in(browser, "/platform/login/", "ops@example.test")
        assert browser.get("/platform/accounts/user/")["Location"].startswith("/platform/second-factor/")
        answer(browser, phone.code(NOW), "/platform/second-factor/")
        assert browser.get("/platform/accounts/user/").status_code == 200


def test_api_keys_are_not_asked(door):
    require()
    secret = access.issued().secret

    assert door.get("/v1/acme/branches", headers=access.bearer(secret)).status_code == 200

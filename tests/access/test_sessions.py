"""Sessions: each is listed with where it came from, ends when nobody uses it, and is ended by its person, an owner, or what ends him."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client

from apps.access.models import PortalSession
from apps.access.selectors import portal_sessions
from apps.access.services import memberships
from apps.accounts.services import second_factors, users
from apps.audit.models import AuditRecord
from apps.kit import clock, sessions
from apps.kit.actors import SYSTEM, person
from apps.tenancy.models import Organisation
from tests.dialogs import send
from tests.factories import access
from tests.factories.accounts import NOW, enrolled

EMAIL, OTHER = "amina@example.test", "baraka@example.test"
PAGE = "/portal/access/branch/"
LIST = "/portal/sessions/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Mobile/15E148 Safari/604.1"


@pytest.fixture
def member(acme):
    access.head_office()
    access.portal()
    access.member("owner", OTHER)
    return access.member("owner", EMAIL)


@pytest.fixture
def enter(member):
    """Return a function that signs somebody in by the page; the clock stands at NOW."""

    def signed_in(email=EMAIL, agent=FIREFOX, address="198.51.100.7") -> Client:
        browser = Client(headers={"host": "acme.testserver", "user-agent": agent}, REMOTE_ADDR=address)
        browser.post("/portal/login/", {"username": email, "password": access.PASSWORD})
        return browser

    with clock.fixed(NOW):
        yield signed_in


def inside() -> None:
    connection.set_tenant(Organisation.objects.get(slug="acme"))


def opens(browser) -> bool:
    answer = browser.get(PAGE)
    inside()
    return answer.status_code == 200


def test_lists_where_a_person_is_signed_in(enter):
    enter(agent=IPHONE, address="203.0.113.9")
    enter(OTHER)
    page = enter().get(LIST).content.decode()

    for words in (
        "Firefox on Linux",
        "198.51.100.7",
        "This one",
        "Safari on iPhone",
        "203.0.113.9",
        "End all others",
    ):
        assert words in page
    assert page.count('class="t-help">198') == 1  # nobody else's


def test_ends_one_session_or_all_others_with_their_next_request(enter):
    mine, phone, till = enter(), enter(agent=IPHONE), enter()
    wanted = re.search(r'name="session" value="([0-9a-f-]{36})"', mine.get(LIST).content.decode())[1]
    mine.post("/portal/sessions/end/", {"session": wanted})
    inside()
    assert sorted([opens(phone), opens(till)]) == [False, True]
    assert opens(mine) is True

    mine.post("/portal/sessions/end-others/")
    inside()

    assert (opens(phone), opens(till), opens(mine)) == (False, False, True)
    assert AuditRecord.objects.filter(action="session.ended").count() == 2


def test_nobody_ends_a_session_of_somebody_else_by_its_number(enter):
    mine, other = enter(), enter(OTHER)
    inside()
    row = PortalSession.objects.get(membership__user__email=OTHER)

    said = mine.post("/portal/sessions/end/", {"session": str(row.id)}, follow=True).content.decode()
    mine.post("/portal/sessions/end/", {"session": "no-number"})

    assert "has ended already" in said
    assert opens(other) is True


def test_an_owner_ends_all_sessions_of_a_member(enter):
    owner, phone, till = enter(OTHER), enter(agent=IPHONE), enter()
    inside()
    row = access.Membership.objects.get(user__email=EMAIL)

    send(owner, f"/portal/access/membership/{row.pk}/do/end-sessions/")

    assert (opens(phone), opens(till), opens(owner)) == (False, False, True)
    record = AuditRecord.objects.get(action="session.ended")
    assert (record.object_id, record.person) == (str(row.user_id), str(access.user(OTHER).pk))


@pytest.mark.parametrize("deed", ["membership", "password", "second factor", "deactivation"])
def test_what_ends_a_person_ends_his_sessions(enter, member, deed):
    if deed == "second factor":
        phone = enrolled(access.user(EMAIL), at=NOW - timedelta(hours=1))
    browser = enter()
    if deed == "second factor":
        browser.post("/portal/second-factor/", {"code": phone.code(NOW)})
    assert opens(browser) is True
    user_id = member.user_id
    if deed == "membership":
        memberships.end(membership_id=member.id, reason="Left", actor=SYSTEM, now=NOW)
        assert Session.objects.exists() is False
        access.Membership.objects.filter(id=member.id).update(is_active=True)
    elif deed == "password":
        users.set_password(user_id=user_id, password="Another-good-pass-1", actor=person(user_id), now=NOW)
    elif deed == "second factor":
        second_factors.reset(user_id=user_id, reason="Lost phone", actor=SYSTEM, now=NOW)
    else:
        users.deactivate(user_id=user_id, reason="Left", actor=SYSTEM, now=NOW)

    assert opens(browser) is False


def test_a_session_that_nobody_uses_ends_after_fifteen_minutes(enter):
    browser = enter()
    for minutes in (14, 28):
        with clock.fixed(NOW + timedelta(minutes=minutes)):
            assert opens(browser) is True
    assert PortalSession.objects.get().seen_at == NOW + timedelta(minutes=28)
    with clock.fixed(NOW + timedelta(minutes=42)):
        poll = browser.get(PAGE, headers={"hx-trigger": "progress"})
        assert poll.status_code == 200  # a page that asks by itself is no sign of the person
    with clock.fixed(NOW + timedelta(minutes=43)):
        led = browser.get(f"{PAGE}?q=city")
        page = browser.get(led["Location"]).content.decode()
        inside()

    assert led["Location"] == "/portal/login/?next=%2Fportal%2Faccess%2Fbranch%2F%3Fq%3Dcity"
    assert "You were signed out because nothing was done for a while." in page
    assert AuditRecord.objects.filter(action="session.idled_out").count() == 1


def test_a_page_knows_when_the_session_ends_and_by_what_a_person_stays(enter):
    browser = enter()
    with clock.fixed(NOW + timedelta(minutes=1)):
        page = browser.get(PAGE).content.decode()
    told = re.search(r'data-idle-seconds="(\d+)" data-stay="([^"]+)" hidden', page)
    assert told is not None

    with clock.fixed(NOW + timedelta(minutes=15)):
        assert browser.get(told[2]).status_code == 200
    with clock.fixed(NOW + timedelta(minutes=29)):
        assert opens(browser) is True
    with clock.fixed(NOW + timedelta(minutes=44)):
        assert browser.get(told[2]).status_code == 302
        inside()
    assert int(told[1]) == sessions.idle_limit().total_seconds()


def test_the_platform_has_the_same_limit(db):
    access.user("ops@example.test", is_platform_staff=True)
    browser = Client(headers={"host": "localhost"})
    with clock.fixed(NOW):
        browser.post("/platform/login/", {"username": "ops@example.test", "password": access.PASSWORD})
        assert browser.get("/platform/").status_code == 200
    with clock.fixed(NOW + timedelta(minutes=15)):
        assert browser.get("/platform/")["Location"].startswith("/platform/login/?next=")


def test_the_list_follows_a_session_whose_key_changes(enter, member):
    browser = enter()
    inside()
    before = PortalSession.objects.get()
    new = "Another-good-pass-1"
    browser.post(
        "/portal/password_change/",
        {"old_password": access.PASSWORD, "new_password1": new, "new_password2": new},
    )
    inside()

    after = PortalSession.objects.get()
    assert (after.id, after.session_key != before.session_key) == (before.id, True)
    assert [row.id for row in portal_sessions.live(after.membership, at=NOW)] == [before.id]
    assert get_user_model().objects.get(pk=member.user_id).check_password(new)

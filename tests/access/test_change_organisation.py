"""From one organisation's portal to another's by a link that works once, in one browser, for one person."""

from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client

from apps.access.admin_sites.places import SIGNER
from apps.access.models import PortalSession
from apps.access.services import memberships, portal_sessions
from apps.accounts.models import PlatformRecord
from apps.accounts.services import second_factors, users
from apps.kit import clock
from apps.kit.actors import SYSTEM, Actor, ActorKind
from apps.tenancy.models import Handover, Organisation, OrganisationStatus, UserOrganisation
from apps.tenancy.services import handovers
from tests.factories import access
from tests.factories.accounts import NOW, enrolled

ACME, ZURI = "acme.testserver", "zuri.testserver"


class Browser:
    """One person's browser: cookies of each host apart, redirects followed across hosts."""

    def __init__(self):
        self.hosts = {host: Client(headers={"host": host}) for host in (ACME, ZURI)}
        self.road = []

    def sign_in(self, host, email="amina@example.test"):
        self.hosts[host].post("/portal/login/", {"username": email, "password": access.PASSWORD})

    def leave(self, host, slug):
        target = Organisation.objects.get(slug=slug)
        return self.hosts[host].post("/portal/organisation/", {"organisation": target.id})

    def follow(self, answer, host, *, steps=9):
        self.road = []
        while answer.status_code == 302 and len(self.road) < steps:
            target = urlsplit(answer["Location"])
            host = target.netloc or host
            self.road.append(answer["Location"])
            answer = self.hosts[host].get(f"{target.path}?{target.query}")
        return host, answer

    def is_in(self, host):
        return self.hosts[host].get("/portal/access/branch/").status_code == 200


@pytest.fixture(scope="module")
def member_of_both(lay):
    """Make amina a member of both organisations."""

    def write():
        access.head_office()
        access.portal()
        access.member()

    for slug in ("zuri", "acme"):
        lay(write, slug=slug)


@pytest.fixture
def both(member_of_both, db, in_organisation):
    """Enter acme; return the function that enters one of the two."""
    in_organisation("acme")
    with clock.fixed(NOW):
        yield in_organisation


@pytest.fixture
def browser(both):
    browser = Browser()
    browser.sign_in(ACME)
    return browser


def test_offers_the_persons_other_organisations(browser):
    page = browser.hosts[ACME].get("/portal/access/branch/").content.decode()

    assert "Go to another organisation" in page
    assert str(Organisation.objects.get(slug="zuri").id) in page
    assert str(Organisation.objects.get(slug="acme").id) not in page


def test_takes_the_person_there(browser):
    assert browser.is_in(ZURI) is False

    host, page = browser.follow(browser.leave(ACME, "zuri"), ACME)

    assert (host, page.status_code) == (ZURI, 200)
    assert [urlsplit(step).netloc for step in browser.road] == [ZURI, ACME, ZURI, ""]
    assert browser.is_in(ZURI) is True
    assert browser.is_in(ACME) is True
    handover = Handover.objects.get()
    assert handover.used_at == NOW
    assert handover.token_digest not in browser.road[2]
    record = PlatformRecord.objects.get(action="handover.taken")
    assert (record.schema, record.person) == ("org_zuri", str(access.user().pk))


def come(browser, location=None):
    """Ask zuri for a nonce, as who leaves acme does; by default with what acme signed for somebody a moment ago."""
    query = urlsplit(location).query if location else urlencode({"from": SIGNER.sign("acme")})
    return browser.hosts[ZURI].get(f"/portal/arrive/?{query}")


def link(browser):
    """Go the road up to the link and return its token; nobody has taken it yet."""
    answer = browser.leave(ACME, "zuri")
    assert urlsplit(answer["Location"]).netloc == ZURI
    away = come(browser, answer["Location"])
    back = browser.hosts[ACME].get(urlsplit(away["Location"]).path)
    return parse_qs(urlsplit(back["Location"]).query)["token"][0]


def arrive(client, token):
    return client.get("/portal/arrive/", {"token": token})


def test_the_link_works_once(browser):
    token = link(browser)
    arrive(browser.hosts[ZURI], token)
    assert browser.is_in(ZURI)
    browser.hosts[ZURI].post("/portal/logout/")

    arrive(browser.hosts[ZURI], token)

    assert browser.is_in(ZURI) is False


def test_another_browser_cannot_use_it_and_burns_it(browser):
    token = link(browser)
    thief = Browser()

    arrive(thief.hosts[ZURI], token)
    assert thief.is_in(ZURI) is False
    arrive(browser.hosts[ZURI], token)

    assert browser.is_in(ZURI) is False
    assert PlatformRecord.objects.filter(action="handover.refused", actor_kind="SYSTEM").count() == 1


def test_another_browser_with_a_nonce_of_its_own_cannot_use_it(browser):
    token = link(browser)
    thief = Browser()
    come(thief)

    arrive(thief.hosts[ZURI], token)

    assert thief.is_in(ZURI) is False


def test_it_is_no_way_into_a_third_place(browser):
    token = link(browser)
    browser.hosts[ACME].post("/portal/logout/")
    browser.hosts[ACME].cookies["arrival"] = browser.hosts[ZURI].cookies["arrival"].value

    arrive(browser.hosts[ACME], token)

    assert browser.is_in(ACME) is False


def test_it_ends_after_a_minute(browser):
    token = link(browser)

    with clock.fixed(NOW + handovers.LIFETIME):
        arrive(browser.hosts[ZURI], token)
        assert browser.is_in(ZURI) is False


def test_who_left_too_long_ago_gets_no_link(browser):
    browser.leave(ACME, "zuri")
    away = come(browser)

    with clock.fixed(NOW + timedelta(minutes=1)):
        answer = browser.hosts[ACME].get(urlsplit(away["Location"]).path)

    assert answer["Location"] == "/portal/"
    assert Handover.objects.exists() is False


def test_nobody_is_sent_off_who_did_not_ask(browser):
    away = come(browser)

    answer = browser.hosts[ACME].get(urlsplit(away["Location"]).path)

    assert answer["Location"] == "/portal/"
    assert Handover.objects.exists() is False
    assert browser.hosts[ACME].get("/portal/organisation/").status_code == 405


@pytest.mark.parametrize("where", ["left", "link made"])
def test_an_ended_membership_does_not_enter(browser, both, where):
    token = link(browser) if where == "link made" else None
    both("zuri")
    access.member("owner", "other@example.test")
    membership = access.Membership.objects.get(user=access.user())
    memberships.change(
        membership_id=membership.id, role="auditor", is_active=False, branch_ids=[], actor=SYSTEM, now=NOW
    )
    connection.set_schema_to_public()

    if token:
        arrive(browser.hosts[ZURI], token)
    else:
        browser.follow(browser.leave(ACME, "zuri"), ACME)

    assert browser.is_in(ZURI) is False
    assert UserOrganisation.objects.filter(user=access.user()).count() == 1


def test_a_suspended_organisation_is_neither_offered_nor_entered(browser):
    token = link(browser)
    Organisation.objects.filter(slug="zuri").update(status=OrganisationStatus.SUSPENDED)

    assert (
        "Go to another organisation" not in browser.hosts[ACME].get("/portal/access/branch/").content.decode()
    )
    assert arrive(browser.hosts[ZURI], token).status_code == 403
    assert browser.leave(ACME, "zuri")["Location"] == "/portal/"


@pytest.mark.parametrize("what", ["one", "here", "everywhere", "password"])
def test_what_ends_a_session_ends_a_link_on_its_way(browser, in_organisation, what):
    token, user_id = link(browser), access.user().pk
    in_organisation("acme")

    if what == "one":
        (row,) = PortalSession.objects.all()
        actor = Actor(ActorKind.USER, str(user_id), person=str(user_id))
        portal_sessions.end(session_id=row.id, actor=actor, now=NOW)
    elif what == "here":
        assert portal_sessions.end_others(user_id=user_id, spare="", actor=SYSTEM, now=NOW) == 1
    elif what == "everywhere":
        users.sign_out(user_id=user_id, reason="Stolen.", actor=SYSTEM, now=NOW)
    else:
        users.set_password(user_id=user_id, password="maize-lantern-42-harbour", actor=SYSTEM, now=NOW)
    arrive(browser.hosts[ZURI], token)

    assert (browser.is_in(ZURI), browser.is_in(ACME)) == (False, False)
    assert PlatformRecord.objects.filter(action="handover.refused").count() == 1


def test_a_person_who_was_deactivated_does_not_enter(browser):
    token = link(browser)
    user = access.user()
    user.is_active = False
    user.save()

    arrive(browser.hosts[ZURI], token)

    assert browser.is_in(ZURI) is False


@pytest.mark.parametrize("asked", ["evil.example", "nobody", "", "zuri", "//evil.example", "public"])
def test_is_no_way_to_another_address(browser, asked):
    answer = browser.hosts[ZURI].get("/portal/arrive/", {"from": SIGNER.sign(asked)})

    assert answer["Location"] == "/portal/"


@pytest.mark.parametrize("asked", ["acme", "acme:x", "acme:1u2AbC:forged", "nobody"])
def test_tells_nobody_which_organisations_there_are(browser, asked):
    answer = browser.hosts[ZURI].get("/portal/arrive/", {"from": asked})

    assert answer["Location"] == "/portal/"
    assert "arrival" not in answer.cookies


def session_end(enter, slug):
    enter(slug)
    end = Session.objects.latest("expire_date").expire_date
    connection.set_schema_to_public()
    return end


def test_a_session_ends_after_its_hours_however_busy_and_takes_the_next_with_it(browser, both):
    end = session_end(both, "acme")

    browser.follow(browser.leave(ACME, "zuri"), ACME)

    assert browser.is_in(ZURI) is True
    assert session_end(both, "acme") == end
    assert session_end(both, "zuri") == end


@pytest.mark.parametrize("challenge", ["x", "A" * 64, "0" * 63, "..%2F"])
def test_takes_no_challenge_of_another_form(browser, challenge):
    browser.leave(ACME, "zuri")

    answer = browser.hosts[ACME].get(f"/portal/organisation/{challenge}/")

    assert answer.status_code in {302, 404}
    assert Handover.objects.exists() is False


def test_takes_over_what_the_second_factor_verified(both):
    phone = enrolled(access.user(), at=NOW - timedelta(hours=1))
    browser = Browser()
    browser.sign_in(ACME)
    assert browser.leave(ACME, "zuri")["Location"].startswith("/portal/second-factor/")
    browser.hosts[ACME].post("/portal/second-factor/", {"code": phone.code(NOW)})

    browser.follow(browser.leave(ACME, "zuri"), ACME)

    assert browser.is_in(ZURI) is True


def test_who_has_none_must_set_one_up_where_it_is_required(browser):
    Organisation.objects.filter(slug="zuri").update(requires_second_factor=True)

    browser.follow(browser.leave(ACME, "zuri"), ACME)

    assert (
        browser.hosts[ZURI]
        .get("/portal/access/branch/")["Location"]
        .startswith("/portal/second-factor/set-up/")
    )


def test_a_second_factor_that_is_gone_takes_the_link_with_it(both):
    user = access.user()
    phone = enrolled(user, at=NOW - timedelta(hours=1))
    browser = Browser()
    browser.sign_in(ACME)
    browser.hosts[ACME].post("/portal/second-factor/", {"code": phone.code(NOW)})
    token = link(browser)
    second_factors.reset(user_id=user.pk, reason="Lost phone", actor=SYSTEM, now=NOW)

    arrive(browser.hosts[ZURI], token)

    assert browser.is_in(ZURI) is False


def test_ends_another_persons_session_there(browser, both):
    both("zuri")
    access.member("auditor", "baraka@example.test")
    connection.set_schema_to_public()
    browser.sign_in(ZURI, "baraka@example.test")
    before = browser.hosts[ZURI].cookies["sessionid"].value

    browser.follow(browser.leave(ACME, "zuri"), ACME)

    assert browser.hosts[ZURI].cookies["sessionid"].value != before
    assert "amina" in browser.hosts[ZURI].get("/portal/access/branch/").content.decode().lower()


def test_old_handovers_are_removed_when_the_next_is_made(browser):
    token = link(browser)
    Handover.objects.update(created_at=NOW - timedelta(days=2), user=access.user("left@example.test"))

    assert link(browser) != token

    assert Handover.objects.count() == 1


def test_the_index_follows_memberships(both):
    user = access.user()
    assert UserOrganisation.objects.filter(user=user).count() == 2
    both("acme")
    access.member("owner", "other@example.test")
    membership = access.Membership.objects.get(user=user)
    for is_active, count in ((False, 1), (False, 1), (True, 2)):
        memberships.change(
            membership_id=membership.id,
            role="owner",
            is_active=is_active,
            branch_ids=[],
            actor=SYSTEM,
            now=NOW,
        )
        assert UserOrganisation.objects.filter(user=user).count() == count

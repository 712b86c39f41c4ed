"""Application pages: who asks, who works here, who was invited; and what the owner decides about them."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.access.models import Application
from apps.access.services import api_keys, application_links, grants
from apps.kit import clock
from apps.kit.actors import SYSTEM
from apps.tenancy.models import GrantChange, Invite, LinkRequest
from apps.tenancy.services import directory
from tests import dialogs
from tests.factories import access, onboarding, parties
from tests.factories.access import NOW

PAGE = "/portal/applications/"
LINKS, INVITES, CHANGES = f"{PAGE}links", f"{PAGE}invites", f"{PAGE}changes"
CODE = re.compile(r"<code>(tsi_[0-9a-f]{40})</code>")


@pytest.fixture(autouse=True)
def soon(acme):
    access.head_office()
    access.portal()
    with clock.fixed(NOW):
        yield


@pytest.fixture
def owner(enter):
    return enter()


def text(browser: Client, path: str = PAGE) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def back_in(acme):
    connection.set_tenant(acme)


def test_shows_who_asks_and_lets_him_in_with_what_the_owner_chooses(acme, owner):
    link = onboarding.asked(onboarding.registered())
    branch = access.branch()
    assert "We keep your books." in text(owner)
    opened = dialogs.open_at(owner, f"{LINKS}/{link.id}/do/accept/").content.decode()
    assert "https://books.test" in opened

    sent = dialogs.send(
        owner, f"{LINKS}/{link.id}/do/accept/", scopes=["parties:read"], branch=str(branch.id), behind=PAGE
    )

    assert sent.status_code == 204
    back_in(acme)
    link.refresh_from_db()
    application = Application.objects.get(directory_id=link.application_id)
    assert (link.status, application.granted_scopes, application.granted_branch_id) == (
        "ACCEPTED", ["parties:read"], branch.id,
    )  # fmt: skip
    page = text(owner, f"{PAGE}{application.id}/")
    assert "parties:read" in page
    assert branch.name in page


def test_shows_keys_and_what_an_application_made(acme, owner):
    made = onboarding.registered()
    link = onboarding.asked(made)
    dialogs.send(owner, f"{LINKS}/{link.id}/do/accept/", scopes=["parties:write"], branch="")
    back_in(acme)
    issued = application_links.claim_key(application=made.application, link_id=link.id, now=NOW)
    party = parties.party(application_id=issued.key.application_id)

    page = text(owner, f"{PAGE}{issued.key.application_id}/")

    assert party.application_id == issued.key.application_id
    assert issued.key.prefix in page
    assert re.search(r"<dt>Parties</dt><dd[^>]*>1<", page)


def test_refuses_with_a_reason_that_the_application_reads(acme, owner):
    link = onboarding.asked(onboarding.registered())

    short = dialogs.send(owner, f"{LINKS}/{link.id}/do/refuse/", reason="no")
    done = dialogs.send(owner, f"{LINKS}/{link.id}/do/refuse/", reason="We do not know you")

    assert (short.status_code, done.status_code) == (422, 204)
    back_in(acme)
    link.refresh_from_db()
    assert (link.status, link.reason) == ("REFUSED", "We do not know you")
    assert "We do not know you" in text(owner)


def test_ends_a_link_by_its_name(acme, owner):
    made = onboarding.registered()
    link = onboarding.asked(made)
    dialogs.send(owner, f"{LINKS}/{link.id}/do/accept/", scopes=["parties:read"], branch="")
    back_in(acme)
    issued = application_links.claim_key(application=made.application, link_id=link.id, now=NOW)

    sent = dialogs.send(owner, f"{LINKS}/{link.id}/do/end/", reason="Contract ended", typed_text="Books")

    assert sent.status_code == 204
    back_in(acme)
    assert api_keys.authenticate(secret=issued.secret, now=NOW) is None


def test_makes_an_invite_whose_code_is_shown_once(acme, owner):
    sent = dialogs.send(
        owner,
        f"{PAGE}do/invite/",
        note="Books Ltd",
        days="7",
        branch="",
        scopes=["parties:read"],
        behind=PAGE,
    )

    assert sent.status_code == 204
    first, second = text(owner), text(owner)
    [code] = CODE.findall(first)
    assert not CODE.search(second)
    assert f"…{code[-4:]}" in second
    link = application_links.redeem(application=onboarding.registered().application, code=code, now=NOW)
    assert link.status == "ACCEPTED"


def test_withdraws_an_invite(acme, owner):
    dialogs.send(owner, f"{PAGE}do/invite/", note="Books Ltd", days="1", branch="", scopes=["parties:read"])
    invite = Invite.objects.get()

    assert dialogs.send(owner, f"{INVITES}/{invite.id}/do/withdraw/").status_code == 204
    assert dialogs.send(owner, f"{INVITES}/{invite.id}/do/withdraw/").status_code == 409
    invite.refresh_from_db()
    assert invite.status == "WITHDRAWN"


def test_offers_only_what_the_person_may_give_and_refuses_the_rest(acme, enter):
    nairobi, office = access.branch(), access.head_office()
    owner = enter(branches=(nairobi,))
    link = onboarding.asked(onboarding.registered())
    url = f"{LINKS}/{link.id}/do/accept/"

    assert "All branches" not in dialogs.open_at(owner, url).content.decode()
    for fields in (
        {"scopes": [], "branch": str(nairobi.id)},
        {"scopes": ["all"], "branch": str(nairobi.id)},
        {"scopes": ["parties:read"], "branch": str(office.id)},
    ):
        assert dialogs.send(owner, url, **fields).status_code == 422
    back_in(acme)
    link.refresh_from_db()
    assert link.status == "PENDING"


def test_who_only_sees_decides_nothing(acme, enter):
    auditor = enter("auditor")
    link = onboarding.asked(onboarding.registered())

    assert "Let it in" not in text(auditor)
    for url in (f"{LINKS}/{link.id}/do/accept/", f"{PAGE}do/invite/"):
        assert dialogs.open_at(auditor, url).status_code == 403


def test_who_works_for_one_branch_sees_nothing_of_another(acme, enter):
    nairobi = access.branch()
    whole = access.member("owner", "whole@example.test")
    onboarding.invited(whole)
    there = onboarding.invited(whole, branch=access.branch("KSM", "Kisumu"))
    onboarding.invited(whole, branch=nairobi)
    bound = enter(branches=(nairobi,))

    page = text(bound)

    assert page.count("code …") == 1
    assert dialogs.open_at(bound, f"{INVITES}/{there.invite.id}/do/withdraw/").status_code == 404


def test_another_organisations_links_and_invites_are_nowhere(acme, owner, in_organisation):
    in_organisation("zuri")
    access.head_office()
    stranger = access.member("owner", "zawadi@example.test")
    link = onboarding.asked(onboarding.registered(), "zuri")
    invite = onboarding.invited(stranger).invite
    connection.set_schema_to_public()

    page = text(owner)

    assert "books.test" not in page
    assert "Books Ltd" not in page
    for url in (f"{LINKS}/{link.id}/do/accept/", f"{INVITES}/{invite.id}/do/withdraw/"):
        assert dialogs.open_at(owner, url).status_code == 404


def test_a_suspended_application_is_shown_as_such(acme, owner):
    made = onboarding.registered()
    link = onboarding.asked(made)
    dialogs.send(owner, f"{LINKS}/{link.id}/do/accept/", scopes=["parties:read"], branch="")
    directory.suspend(application_id=made.application.id, reason="Abuse", actor=SYSTEM, now=NOW)

    assert "Suspended by the platform" in text(owner)
    assert LinkRequest.objects.get().status == "ACCEPTED"


def test_the_page_asks_the_database_as_often_for_many_as_for_one(acme, owner):
    def add(*names):
        back_in(acme)
        for name in names:
            onboarding.asked(onboarding.registered(f"asks {name}"))
            owner_here = access.member("owner", f"{name}@example.test")
            code = onboarding.invited(owner_here).code
            application_links.redeem(
                application=onboarding.registered(f"linked {name}").application, code=code, now=NOW
            )
            onboarding.invited(owner_here)

    def asked():
        with CaptureQueriesContext(connection) as captured:
            page = text(owner)
        return page, sum(not query["sql"].startswith("SET ") for query in captured)

    add("a")
    asked()
    _, few = asked()
    add("b", "c")

    page, many = asked()

    assert [name in page for name in ("asks c", "linked c")] == [True, True]
    assert many == few


def test_agrees_to_a_change_refuses_one_and_makes_one_unasked(acme, owner):
    made = onboarding.registered()
    link = onboarding.asked(made)
    dialogs.send(owner, f"{LINKS}/{link.id}/do/accept/", scopes=["parties:read"], branch="")

    def wish(*scopes):
        back_in(acme)
        wanted = grants.Grant(frozenset(scopes), None)
        grants.ask(application=made.application, link_id=link.id, wanted=wanted, message="We grow.", now=NOW)
        return GrantChange.objects.get(status="PENDING")

    first = wish("parties:read", "payments:read")
    asked = text(owner)
    opened = dialogs.open_at(owner, f"{CHANGES}/{first.id}/do/agree/").content.decode()
    agreed = dialogs.send(
        owner, f"{CHANGES}/{first.id}/do/agree/", scopes=["parties:read", "payments:read"], branch=""
    )
    second = wish("parties:read", "payments:read", "events:read")
    refused = dialogs.send(owner, f"{CHANGES}/{second.id}/do/refuse/", reason="Not needed")
    narrowed = dialogs.send(
        owner, f"{LINKS}/{link.id}/do/grant/", scopes=["payments:read"], branch="", reason="Less is enough"
    )

    assert "Books asks for a change" in asked
    assert "We grow." in asked
    assert "It asks for more: payments:read" in opened
    assert [each.status_code for each in (agreed, refused, narrowed)] == [204, 204, 204]
    back_in(acme)
    assert Application.objects.get(directory_id=link.application_id).granted_scopes == ["payments:read"]
    assert "asks for a change" not in text(owner)

"""Ask for organisation: applications make test ones by themselves, and ask the platform for live ones."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection

from apps.access.models import Application
from apps.access.services import application_links
from apps.accounts.models import User
from apps.accounts.services import entry_links
from apps.events.models import OutboxEvent
from apps.kit import clock, jobs
from apps.kit.actors import SYSTEM
from apps.tenancy.contracts import LinkOrigin
from apps.tenancy.models import (
    LinkRequest,
    Organisation,
    OrganisationRequest,
)
from apps.tenancy.services import link_requests, organisation_requests, organisations
from tests.access.onboard import claim, let_in, post
from tests.factories import access, onboarding
from tests.factories.access import NOW
from treasury import opening

LIVE = {
    "is_test": False,
    "slug": "duka",
    "owner_email": "wanjiru@duka.test",
    "owner_name": "Wanjiru",
    "scopes": ["payments:read"],
}


class TestOrganisation:
    def wish(self, name="Duka ya Majaribio", **more):
        return {"name": name, "is_test": True, **more}

    def test_a_test_one_is_made_at_once_with_a_name_and_an_owner_of_its_own(
        self, books, django_capture_on_commit_callbacks
    ):
        with jobs.held() as held, django_capture_on_commit_callbacks(execute=True):
            asked = post("/organisations", self.wish(), secret=books.secret)
            again = post("/organisations", self.wish(), secret=books.secret)

        assert asked.status_code == 202
        body = asked.json()
        assert (body["status"], [step["name"] for step in body["setting_up"]]) == (
            "accepted", ["asked", "restored", "filled", "ready"],
        )  # fmt: skip
        assert re.fullmatch(r"duka-ya-majaribio-[0-9a-z]{6}", body["slug"])
        assert body["owner_email"] == f"owner@{body['slug']}.{settings.TREASURY['BASE_DOMAIN']}"
        assert again.json()["id"] == body["id"]
        assert {job.name for job in held} == {"tenancy.provision", "access.settle_creation"}
        organisation = Organisation.objects.get(slug=body["slug"])
        assert (organisation.is_test, organisation.status) == (True, "PROVISIONING")
        link = LinkRequest.objects.get()
        assert application_links.settle_creation(link_id=link.id, now=NOW).status == "PENDING"
        assert link_requests.unsettled_creations() == []
        assert (
            post(f"/links/{body['link_id']}/api-key", secret=books.secret).json()["code"]
            == "link_not_accepted"
        )

    def test_a_link_for_the_owner_is_made_until_he_signs_in(self, books):
        body = post("/organisations", self.wish(), secret=books.secret).json()
        path = f"/organisations/{body['id']}/owner-link"
        owner = User.objects.get(email=body["owner_email"])
        assert owner.has_usable_password() is False

        first, second = (post(path, secret=books.secret).json() for _ in range(2))
        assert (first["email"], f"//{body['slug']}." in first["link"]) == (owner.email, True)
        old, new = (answer["link"].partition("link=")[2] for answer in (first, second))
        with pytest.raises(entry_links.EntryLinkUnknown):
            entry_links.find(secret=old, now=clock.now())
        entered = entry_links.use(secret=new, password=access.PASSWORD, now=clock.now())
        assert (entered, entered.is_vouched_for, entered.was_let_in) == (owner, True, False)
        User.objects.filter(pk=owner.pk).update(last_login=NOW)
        assert post(path, secret=books.secret).json()["code"] == "entry_not_needed"
        assert post(path, secret=onboarding.registered("Other").secret).status_code == 404

    def test_a_link_for_the_owner_is_made_a_few_times_a_day(self, books, monkeypatch):
        monkeypatch.setattr(organisation_requests, "ASKED_PER_DAY", 1)
        body = post("/organisations", self.wish(), secret=books.secret).json()
        path = f"/organisations/{body['id']}/owner-link"

        answers = [post(path, secret=books.secret).status_code for _ in range(2)]

        assert answers == [200, 429]

    def test_three_test_ones_are_the_most(self, books, monkeypatch):
        monkeypatch.setattr(organisation_requests, "TESTS_MAX", 1)
        post("/organisations", self.wish(), secret=books.secret)

        beyond = post("/organisations", self.wish("Another"), secret=books.secret)

        assert (beyond.status_code, beyond.json()["code"]) == (409, "organisation_limit")
        assert OrganisationRequest.objects.count() == 1

    @pytest.mark.parametrize(
        ("change", "pointer"),
        [
            ({"slug": "mine"}, "/slug"),
            ({"is_test": False}, "/slug"),
            ({**LIVE, "slug": "platform"}, "/slug"),
            ({**LIVE, "owner_email": "nobody"}, "/owner_email"),
            ({**LIVE, "scopes": ["all"]}, "/scopes/0"),
        ],
    )
    def test_refuses_what_cannot_be(self, books, change, pointer):
        answer = post("/organisations", self.wish(**change), secret=books.secret)

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == pointer
        assert not OrganisationRequest.objects.exists()

    def test_a_live_one_waits_and_tells_nothing_of_what_is_taken(self, books):
        wish = self.wish(**{**LIVE, "slug": "zuri", "owner_email": "amina@example.test"})
        asked = post("/organisations", wish, secret=books.secret)

        assert (asked.status_code, asked.json()["status"], asked.json()["link_id"]) == (202, "pending", None)
        request = OrganisationRequest.objects.get()
        with pytest.raises(organisations.SlugTaken):
            opening.agree(request_id=request.id, slug="zuri", actor=SYSTEM, now=NOW)
        request.refresh_from_db()
        assert request.status == "PENDING"
        opened = opening.agree(request_id=request.id, slug="zuri-shops", actor=SYSTEM, now=NOW)
        request.refresh_from_db()
        assert (request.status, request.slug, request.link.organisation_id) == (
            "ACCEPTED", "zuri-shops", opened.provisioning.organisation_id,
        )  # fmt: skip

    def test_what_nobody_answers_is_withdrawn_or_expires(self, books):
        first = post("/organisations", self.wish(**LIVE), secret=books.secret).json()
        taken_back = post(f"/organisations/{first['id']}/withdraw", secret=books.secret)
        post("/organisations", self.wish("Other", **LIVE), secret=books.secret)

        assert taken_back.json()["status"] == "withdrawn"
        assert application_links.expire(now=clock.now() + timedelta(days=31)) == 1
        assert set(OrganisationRequest.objects.values_list("status", flat=True)) == {"WITHDRAWN", "EXPIRED"}

    def test_a_live_one_that_is_too_old_is_not_agreed_to(self, books):
        post("/organisations", self.wish(**LIVE), secret=books.secret)
        request = OrganisationRequest.objects.get()

        with pytest.raises(organisation_requests.OrganisationRequestExpired):
            opening.agree(request_id=request.id, slug="late", actor=SYSTEM, now=request.expires_at)

        assert not Organisation.objects.filter(slug="late").exists()
        opening.agree(
            request_id=request.id, slug="late", actor=SYSTEM, now=request.expires_at - timedelta(seconds=1)
        )

    def created(self, books, in_organisation, *, is_test):
        """Return the owner of zuri, which was made for an application, and the link with it."""
        zuri = in_organisation("zuri")
        zuri.is_test = is_test
        Organisation.objects.filter(id=zuri.id).update(is_test=is_test)
        access.head_office()
        owner = access.member("owner", "zawadi@example.test")
        link = link_requests.begin(
            application=books.application,
            origin=LinkOrigin.CREATION,
            organisation=zuri,
            scopes=["parties:read"],
            now=NOW,
        )
        connection.set_schema_to_public()
        assert link_requests.unsettled_creations() == [link.id]
        return owner, link

    def test_its_maker_is_let_into_a_test_one_when_it_is_ready(self, books, in_organisation):
        owner, link = self.created(books, in_organisation, is_test=True)

        assert application_links.settle_creation(link_id=link.id, now=NOW).status == "ACCEPTED"
        assert application_links.settle_creation(link_id=link.id, now=NOW) is None
        key = claim(books, link).key
        assert (key.created_by_id, key.expires_at) == (owner.id, NOW + timedelta(days=365))

    def test_its_maker_has_nothing_in_a_live_one_before_the_owner_agrees(self, books, in_organisation):
        owner, link = self.created(books, in_organisation, is_test=False)

        for _ in range(2):
            assert application_links.settle_creation(link_id=link.id, now=NOW + timedelta(days=1)) is None
        assert (link_requests.unsettled_creations(), link_requests.not_looked_up()) == ([], [])
        application_links.look_up(link_id=link.id, now=NOW)
        with pytest.raises(application_links.LinkNotAccepted):
            claim(books, link)
        in_organisation("zuri")
        assert OutboxEvent.objects.filter(type="application_link_requested").count() == 1
        assert not Application.objects.filter(directory_id=books.application.id).exists()
        link.refresh_from_db()
        assert (link.status, link.expires_at) == ("PENDING", NOW + timedelta(days=15))

        let_in(owner, link, scopes=["parties:read"])
        key = claim(books, link).key
        assert (key.scopes, key.expires_at) == (["parties:read"], NOW + timedelta(days=365))

"""Letting a new person in: he alone knows his password, and a second person has to know him."""

from datetime import timedelta

import pytest
from django.test import Client

from apps.access.models import Membership, Role
from apps.access.services import admissions, memberships, roles
from apps.accounts.models import PlatformRecord, User
from apps.accounts.services import entry_links, users
from apps.kit import clock
from apps.kit.actors import SYSTEM, person
from apps.tenancy.contracts import NewOrganisation
from apps.tenancy.models import Organisation, UserOrganisation
from tests import dialogs
from tests.access.admitting import HOST, NOW, PASSWORD, admit, chiefs, confirm, sign_in, use
from tests.factories import access as make
from treasury import opening


@pytest.mark.usefixtures("acme")
class TestLink:
    def test_nobody_else_ever_knows_a_password(self):
        mary, _ = chiefs()

        admitted = admit(mary, "Jane@example.test")

        jane = User.objects.get(email="jane@example.test")
        assert jane.has_usable_password() is False
        assert admitted.secret not in str(PlatformRecord.objects.values_list("changes", flat=True))
        assert PlatformRecord.objects.filter(action="user.entry_link_made", person=mary.person).count() == 1
        use(admitted)
        jane.refresh_from_db()
        assert jane.check_password(PASSWORD) is True
        assert PlatformRecord.objects.get(action="user.entered").person == str(jane.id)

    def test_is_good_once_and_for_three_days(self):
        mary, _ = chiefs()
        admitted = admit(mary)

        with pytest.raises(entry_links.EntryLinkUnknown):
            use(admitted, NOW + timedelta(days=3))
        with pytest.raises(users.PasswordWeak):
            entry_links.use(secret=admitted.secret, password="short", now=NOW)
        use(admitted, NOW + timedelta(days=3, seconds=-1))
        with pytest.raises(entry_links.EntryLinkUnknown):
            use(admitted)

    def test_another_one_replaces_it_and_whoever_makes_it_lets_the_person_in(self):
        mary, noah = chiefs()
        admitted = admit(mary)
        code = use(admitted)

        again = admissions.renew_link(membership_id=admitted.membership.id, actor=noah, now=NOW)

        assert sign_in() is None
        with pytest.raises(entry_links.EntryCodeWrong):
            confirm(again, mary, code)
        with pytest.raises(admissions.OwnAdmission):
            confirm(again, noah, use(again))
        assert confirm(again, mary, entry_links.code_of(User.objects.get(name="Jane"))).is_active is True

    def test_another_one_is_refused_once_the_person_has_signed_in_or_works_elsewhere(
        self, zuri, in_organisation
    ):
        in_organisation("acme")
        mary, noah = chiefs()
        admitted = admit(mary)
        confirm(admitted, noah, use(admitted))

        elsewhere = UserOrganisation.objects.create(user_id=admitted.membership.user_id, organisation=zuri)
        with pytest.raises(entry_links.EntryNotNeeded):
            admissions.renew_link(membership_id=admitted.membership.id, actor=mary, now=NOW)
        elsewhere.delete()
        User.objects.filter(name="Jane").update(last_login=NOW)
        with pytest.raises(entry_links.EntryNotNeeded):
            admissions.renew_link(membership_id=admitted.membership.id, actor=mary, now=NOW)

        assert sign_in() is not None

    def test_of_a_confirmed_person_takes_the_confirmation_back(self):
        mary, noah = chiefs()
        admitted = admit(mary)
        confirm(admitted, noah, use(admitted))

        again = admissions.renew_link(membership_id=admitted.membership.id, actor=noah, now=NOW)

        assert (again.membership.is_waiting, again.membership.is_active) == (True, False)
        assert UserOrganisation.objects.filter(user_id=again.membership.user_id).exists() is False


@pytest.mark.usefixtures("acme")
class TestWhoCannotBeLetIn:
    def test_an_account_that_another_organisation_made(self, in_organisation):
        roles.seed()
        theirs = admit(SYSTEM, "cfo@victim.test")
        use(theirs)
        in_organisation("zuri")
        roles.seed()

        with pytest.raises(admissions.PersonKnown, match="operator") as refusal:
            admit(SYSTEM, "CFO@victim.test")

        assert "victim" not in refusal.value.detail
        assert sign_in("cfo@victim.test") is None
        assert Membership.objects.exists() is False

    def test_a_member(self):
        make.member("owner")

        with pytest.raises(memberships.MembershipExists):
            admit(SYSTEM, "AMINA@example.test")

    @pytest.mark.parametrize("is_used", [False, True])
    def test_whose_account_an_organisation_made_is_linked_nowhere_else_and_owns_none(
        self, in_organisation, is_used
    ):
        roles.seed()
        admitted = admit(SYSTEM)
        if is_used:  # whoever let the person in may have done so
            use(admitted)
        in_organisation("zuri")
        roles.seed()

        with pytest.raises(memberships.PasswordNotHisOwn):
            memberships.link(email="jane@example.test", role="auditor", actor=SYSTEM, now=NOW)
        with pytest.raises(opening.OwnerUnready):
            opening.ask(
                new=NewOrganisation("victim", "Victim Ltd"),
                owner_email="Jane@example.test",
                owner_name="Jane",
                actor=SYSTEM,
                now=NOW,
            )
        assert Organisation.objects.filter(slug="victim").exists() is False


@pytest.mark.usefixtures("acme")
class TestPages:
    @pytest.fixture
    def browsers(self):
        make.head_office()
        make.portal()
        with clock.fixed(NOW):
            yield [self.browser(User.objects.get(id=one.person)) for one in chiefs()]

    def browser(self, user):
        browser = Client(headers={"host": HOST})
        browser.force_login(user)
        return browser

    def test_a_person_comes_in_by_his_link_and_the_code_that_he_reads_out(self, browsers, in_organisation):
        mary, noah = browsers
        form = {
            "email": "jane@example.test",
            "name": "Jane",
            "role": Role.objects.get(code="auditor").id,
            "branches": [],
        }
        shown = mary.post("/portal/access/membership/add/", form, follow=True).content.decode()
        link = shown.partition("<code>")[2].partition("</code>")[0]
        stranger = Client(headers={"host": HOST})

        asked = stranger.get(link)
        assert (asked.status_code, asked["Referrer-Policy"], asked["Cache-Control"]) == (
            200,
            "same-origin",
            "no-store",
        )
        secret = link.partition("link=")[2]
        assert (
            "too short"
            in stranger.post("/portal/enter/", {"link": secret, "password": "short"}).content.decode()
        )
        chosen = stranger.post("/portal/enter/", {"link": secret, "password": PASSWORD}).content.decode()
        code = chosen.partition('<li class="t-ref">')[2].partition("</li>")[0]
        assert stranger.get(link).status_code == 404
        sign_on = {"username": "jane@example.test", "password": PASSWORD}
        assert stranger.post("/portal/login/", sign_on).status_code == 200
        assert "1 person waits" in noah.get("/portal/access/membership/").content.decode()

        in_organisation("acme")
        member = Membership.objects.get(user__email="jane@example.test")
        dialog = f"/portal/access/membership/{member.id}/do/confirm/"
        assert dialogs.send(mary, dialog, code=code).status_code == 403
        assert dialogs.send(noah, dialog, code="AAAA-AAAA").status_code == 422
        assert dialogs.send(noah, dialog, code=code).status_code == 204
        assert stranger.post("/portal/login/", sign_on).status_code == 302

    def test_another_link_is_made_by_a_dialog(self, browsers, in_organisation):
        mary, _ = browsers
        in_organisation("acme")
        member = admit(SYSTEM).membership

        sent = dialogs.send(mary, f"/portal/access/membership/{member.id}/do/renew-link/")

        assert sent.status_code == 204
        in_organisation("acme")
        member.refresh_from_db()
        assert (member.is_waiting, member.admitted_by.user.name) == (True, "Mary")

    def test_who_waits_is_turned_away_by_a_dialog(self, browsers, in_organisation):
        _, noah = browsers
        in_organisation("acme")
        waiting = admit(person(User.objects.get(email="mary@example.test").id))
        dialog = f"/portal/access/membership/{waiting.membership.id}/do/turn-away/"

        sent = dialogs.send(noah, dialog, reason="Nobody knows her")

        assert sent.status_code == 204
        assert "Turned away" in noah.get("/portal/access/membership/").content.decode()
        assert noah.get("/portal/enter/", {"link": waiting.secret}).status_code == 404
        assert dialogs.open_at(noah, dialog).status_code == 409

    @pytest.mark.usefixtures("zuri")
    def test_a_link_opens_only_where_the_person_was_let_in(self, in_organisation):
        in_organisation("acme")
        roles.seed()
        secret = admit(SYSTEM, now=clock.now()).secret

        for host, text, status in (
            (HOST, secret, 200),
            ("zuri.testserver", secret, 404),
            (HOST, "tse_x", 404),
        ):
            answer = Client(headers={"host": host}).get("/portal/enter/", {"link": text})
            assert answer.status_code == status, (host, text)

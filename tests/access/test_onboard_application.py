"""Onboard application: over the API by strangers and applications of the directory, at organisations that decide."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from apps.access.models import ApiKey, Application
from apps.access.services import api_keys, application_links, branches, memberships
from apps.accounts.models import PlatformRecord
from apps.audit.models import AuditRecord
from apps.events.models import OutboxEvent, WebhookEndpoint
from apps.events.services import webhook_endpoints
from apps.kit import clock, errors, ids, rate_limits, schema
from apps.kit.actors import SYSTEM, person
from apps.tenancy.contracts import BranchPolicy
from apps.tenancy.models import (
    Invite,
    LinkRequest,
    RegisteredApplication,
)
from apps.tenancy.services import directory, invites, link_requests, organisations
from tests.access.onboard import ONBOARDING, claim, get, let_in, post
from tests.factories import access, onboarding
from tests.factories.access import NOW

REGISTRATION = {
    "name": "Books",
    "kind": "product",
    "contact_email": "dev@books.test",
    "homepage": "https://books.test",
}
WANTED = {"organisation": "acme", "scopes": ["parties:read"], "message": "Hello"}


@pytest.mark.django_db
class TestRegister:
    def test_gives_a_secret_once_and_waits_for_the_platform(self):
        answer = post("/applications", REGISTRATION)

        assert answer.status_code == 201
        body = answer.json()
        assert (body["status"], body["kind"], body["decided_at"]) == ("pending", "product", None)
        application = RegisteredApplication.objects.get()
        assert body["id"] == ids.encode("dap", application.id)
        assert body["secret"] not in (application.digest, application.prefix)
        assert get("/application", body["secret"]).json() == {
            name: value for name, value in body.items() if name != "secret"
        }
        assert answer["Cache-Control"] == "no-store"
        record = PlatformRecord.objects.get()
        assert (record.action, record.object_id) == ("application.registered", str(application.id))

    def test_is_accepted_at_once_where_the_settings_say_so(self, settings):
        settings.TREASURY = {**settings.TREASURY, "ONBOARDING_OPEN": True}

        assert post("/applications", REGISTRATION).json()["status"] == "accepted"

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("name", "  "),
            ("kind", "bank"),
            ("contact_email", "dev"),
            ("homepage", "http://books.test"),
            ("homepage", "https://me:secret@books.test"),
            ("colour", "red"),
        ],
    )
    def test_refuses_what_cannot_be_and_names_the_field(self, field, value):
        answer = post("/applications", {**REGISTRATION, field: value})

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == f"/{field}"
        assert not RegisteredApplication.objects.exists()

    def test_takes_five_an_hour_from_one_address_and_no_more_than_can_wait(self, monkeypatch):
        tries = [post("/applications", REGISTRATION).status_code for _ in range(6)]
        monkeypatch.setattr(directory, "PENDING_MAX", 5)
        full = Client(REMOTE_ADDR="192.0.2.7").post(
            f"{ONBOARDING}/applications", REGISTRATION, content_type="application/json"
        )

        assert tries == [201] * 5 + [429]
        assert (full.status_code, full.json()["code"]) == (503, "registrations_full")
        assert RegisteredApplication.objects.count() == 5

    def test_forgets_who_was_never_accepted(self):
        onboarding.registered("Old", is_accepted=False, now=NOW)
        onboarding.registered("Kept", now=NOW)

        assert directory.purge(now=NOW + timedelta(days=14)) == 1
        assert RegisteredApplication.objects.get().name == "Kept"


class TestCredential:
    def test_opens_onboarding_alone_and_nothing_else_opens_onboarding(self, books):
        with schema.inside(connection.tenant):
            key = access.issued().secret
        for secret in ("", "tsd_00000000_" + "0" * 40, key, "x"):
            answer = get("/application", secret)
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
        connection.set_schema_to_public()
        there = Client().get("/v1/acme/parties", headers={"Authorization": f"Bearer {books.secret}"})
        nowhere = Client().get("/v1/nobody/parties", headers={"Authorization": f"Bearer {books.secret}"})
        assert (there.status_code, nowhere.status_code) == (401, 401)
        assert there.json()["code"] == nowhere.json()["code"] == "unauthenticated"

    def test_is_replaced_at_once(self, books):
        renewed = post("/application/renew-secret", secret=books.secret).json()["secret"]

        assert get("/application", books.secret).status_code == 401
        assert get("/application", renewed).status_code == 200

    def test_pending_and_refused_applications_do_nothing_but_look(self, owner):
        made = onboarding.registered(is_accepted=False)
        code = onboarding.invited(owner).code

        for path, body in (("/links", WANTED), ("/links/redeem-invite", {"code": code})):
            answer = post(path, body, secret=made.secret)
            assert (answer.status_code, answer.json()["code"]) == (403, "application_not_accepted")
        directory.refuse(application_id=made.application.id, reason="Unknown", actor=SYSTEM, now=NOW)
        assert get("/application", made.secret).json()["reason"] == "Unknown"
        assert not LinkRequest.objects.exists()


class TestAsk:
    def test_answers_the_same_whether_there_is_such_an_organisation_or_not(self, books):
        answers = [
            post("/links", {**WANTED, "organisation": slug}, secret=books.secret)
            for slug in ("acme", "nobody", "zuri")
        ]

        own = ("id", "wanted", "created_at", "expires_at")
        assert [answer.status_code for answer in answers] == [202] * 3
        said = [{k: v for k, v in answer.json().items() if k not in own} for answer in answers]
        assert said[0] == said[1] == said[2]
        assert said[0]["status"] == "pending"
        assert said[0]["organisation"] is None
        for link in LinkRequest.objects.all():
            assert link.organisation_id is None
            application_links.look_up(link_id=link.id, now=clock.now())
        shown = get("/links", books.secret).json()["data"]
        assert {(row["status"], row["organisation"]) for row in shown} == {("pending", None)}

    def test_tells_the_organisation_once(self, books):
        link = onboarding.asked(books)
        application_links.look_up(link_id=link.id, now=NOW)

        assert link.organisation.slug == "acme"
        event = OutboxEvent.objects.get(aggregate_id=link.id)
        assert (event.type, event.data["object"]["name"]) == ("application_link_requested", "Books")

    def test_asking_again_is_the_same_request_and_there_is_a_bound(self, books, monkeypatch):
        first = post("/links", WANTED, secret=books.secret).json()
        again = post("/links", WANTED, secret=books.secret).json()
        monkeypatch.setattr(link_requests, "PENDING_MAX", 1)
        beyond = post("/links", {**WANTED, "organisation": "other"}, secret=books.secret)

        assert again["id"] == first["id"]
        assert (beyond.status_code, beyond.json()["code"]) == (409, "link_limit")
        assert LinkRequest.objects.count() == 1

    @pytest.mark.parametrize(
        "body", [{"scopes": []}, {"scopes": ["all"]}, {"organisation": "../x"}, {"x": 1}]
    )
    def test_refuses_what_cannot_be(self, books, body):
        assert post("/links", {**WANTED, **body}, secret=books.secret).status_code == 422
        assert not LinkRequest.objects.exists()

    def test_does_not_ask_again_who_has_refused_a_short_while_ago(self, books, owner):
        link = onboarding.asked(books)
        application_links.refuse(
            link_id=link.id, reason="We do not know you", actor=person(owner.user_id), now=NOW
        )
        soon, late = NOW + timedelta(days=29), NOW + timedelta(days=60)

        assert onboarding.asked(books, now=soon).organisation is None
        application_links.expire(now=NOW + timedelta(days=50))
        assert onboarding.asked(books, now=late).organisation is not None

    def test_shows_each_application_its_own_links_only(self, books):
        link = onboarding.asked(books)
        other = onboarding.registered("Other")

        path = f"/links/{ids.encode('lnk', link.id)}"
        assert get(path, books.secret).status_code == 200
        assert get(path, other.secret).status_code == 404
        for deed in ("end", "api-key"):
            assert post(f"{path}/{deed}", secret=other.secret).status_code == 404
        link.refresh_from_db()
        assert link.status == "PENDING"


class TestAccept:
    def test_makes_the_application_there_and_one_key_shown_once(self, books, owner):
        link = let_in(owner, onboarding.asked(books))
        path = f"/links/{ids.encode('lnk', link.id)}"

        shown = get(path, books.secret).json()
        claimed = post(f"{path}/api-key", secret=books.secret)

        assert (shown["status"], shown["organisation"]["slug"]) == ("accepted", "acme")
        assert claimed.status_code == 201
        assert claimed.json()["scopes"] == ["parties:read", "parties:write"]
        party = Client().get(
            f"/v1/{shown['organisation']['id']}/parties",
            headers={"Authorization": f"Bearer {claimed.json()['secret']}"},
        )
        assert party.status_code == 200
        assert post(f"{path}/api-key", secret=books.secret).json()["code"] == "key_taken"

    def test_a_key_that_nobody_used_is_replaced_when_the_answer_was_lost(self, books, owner):
        link = let_in(owner, onboarding.asked(books))

        first, second = claim(books, link), claim(books, link)

        assert api_keys.authenticate(secret=first.secret, now=NOW) is None
        assert api_keys.authenticate(secret=second.secret, now=NOW) is not None

    def test_a_request_that_is_too_old_is_not_accepted_though_no_sweep_has_ended_it(self, books, owner):
        link = onboarding.asked(books, now=NOW - link_requests.LIFETIME)

        with pytest.raises(link_requests.LinkExpired):
            let_in(owner, link)

        link.refresh_from_db()
        assert link.status == "PENDING"
        assert not Application.objects.filter(directory_id=books.application.id).exists()

    def test_stands_in_both_trails_and_names_who_let_it_in(self, books, owner):
        link = let_in(owner, onboarding.asked(books))

        application = Application.objects.get(directory_id=books.application.id)
        assert (application.slug, application.granted_by_id) == ("books", owner.id)
        assert claim(books, link).key.created_by_id == owner.id
        actions = list(
            AuditRecord.objects.filter(actor_id=str(owner.user_id)).values_list("action", flat=True)
        )
        assert {"application.let_in", "link.accepted"} <= set(actions)
        assert OutboxEvent.objects.filter(type="application_link_accepted").count() == 1

    def test_no_key_goes_beyond_the_grant(self, books, owner):
        branch = access.branch()
        link = let_in(owner, onboarding.asked(books), scopes=["parties:read"], branch=branch)
        granted = claim(books, link).key
        asked = {"application_id": granted.application_id, "name": "More", "actor": SYSTEM, "now": NOW}

        assert granted.branch_id == branch.id
        with pytest.raises(api_keys.ScopeExceeded):
            api_keys.issue(**asked, scopes=["payments:write"], issuer=owner.user)
        with pytest.raises(api_keys.ScopeExceeded):
            api_keys.issue(
                **asked, scopes=["parties:read"], branch_id=access.head_office().id, issuer=owner.user
            )
        assert api_keys.issue(**asked, scopes=["parties:read"]).key.branch_id == branch.id

    @pytest.mark.parametrize(
        ("role", "scopes", "refusal"),
        [
            ("owner", [], application_links.GrantInvalid),
            ("owner", ["everything"], application_links.GrantInvalid),
            ("developer", ["payments:write"], api_keys.ScopeExceeded),
        ],
    )
    def test_nobody_gives_what_he_has_not(self, books, role, scopes, refusal):
        giver = access.member(role, "juma@example.test")

        link = onboarding.asked(books)
        with pytest.raises(refusal):
            let_in(giver, link, scopes=scopes)
        link.refresh_from_db()
        assert link.status == "PENDING"
        assert not Application.objects.filter(directory_id__isnull=False).exists()

    def test_another_organisation_neither_sees_nor_decides(self, books, in_organisation):
        link = onboarding.asked(books)
        in_organisation("zuri")
        access.head_office()
        stranger = access.member("owner", "zawadi@example.test")

        for deed in (
            lambda: let_in(stranger, link),
            lambda: application_links.refuse(link_id=link.id, reason="No thanks", actor=SYSTEM, now=NOW),
            lambda: application_links.revoke(link_id=link.id, reason="No thanks", actor=SYSTEM, now=NOW),
        ):
            with pytest.raises(errors.NotFound):
                deed()

    def test_is_decided_once(self, books, owner):
        link = let_in(owner, onboarding.asked(books))

        with pytest.raises(Exception, match="switch from state"):
            application_links.refuse(link_id=link.id, reason="Too late", actor=SYSTEM, now=NOW)


class TestInvite:
    def test_lets_one_application_in_with_what_it_gives(self, books, owner):
        branch = access.branch()
        made = onboarding.invited(owner, scopes=("parties:read",), branch=branch)
        other = onboarding.registered("Other")

        taken = post("/links/redeem-invite", {"code": made.code}, secret=books.secret)
        again = post("/links/redeem-invite", {"code": made.code}, secret=books.secret)
        refused = post("/links/redeem-invite", {"code": made.code}, secret=other.secret)

        assert (taken.status_code, taken.json()["status"]) == (200, "accepted")
        assert (taken.json()["scopes"], taken.json()["branch_id"]) == (
            ["parties:read"], ids.encode("br", branch.id),
        )  # fmt: skip
        assert again.json() == taken.json()
        assert (refused.status_code, refused.json()["code"]) == (404, "invite_unknown")
        assert Invite.objects.get().status == "ACCEPTED"

    def test_every_code_that_is_not_good_is_refused_in_the_same_words(self, books, owner, in_organisation):
        late = onboarding.invited(owner, lifetime=timedelta(hours=1), now=NOW - timedelta(days=1))
        withdrawn = onboarding.invited(owner)
        application_links.withdraw_invite(invite_id=withdrawn.invite.id, actor=SYSTEM, now=NOW)
        closed = onboarding.invited(owner)
        connection.set_schema_to_public()
        refusals = set()

        for code in (late.code, withdrawn.code, "tsi_" + "0" * 40, "x"):
            answer = post("/links/redeem-invite", {"code": code}, secret=books.secret)
            refusals.add((answer.status_code, answer.json()["detail"]))
        organisation = in_organisation("acme")
        organisations.suspend(organisation_id=organisation.id, reason="Unpaid", actor=SYSTEM, now=NOW)
        answer = post("/links/redeem-invite", {"code": closed.code}, secret=books.secret)
        refusals.add((answer.status_code, answer.json()["detail"]))

        assert len(refusals) == 1
        assert not LinkRequest.objects.exists()

    @pytest.mark.parametrize("loss", ["role", "membership"])
    def test_ends_with_what_its_maker_may_give(self, books, owner, loss):
        access.member("owner", "second@example.test")
        made = onboarding.invited(owner)
        if loss == "role":
            memberships.change(
                membership_id=owner.id, role="auditor", is_active=True, branch_ids=[], actor=SYSTEM, now=NOW
            )
        else:
            memberships.end(membership_id=owner.id, reason="Left", actor=SYSTEM, now=NOW)

        with pytest.raises(invites.InviteUnknown):
            application_links.redeem(application=books.application, code=made.code, now=NOW)

    def test_reaches_a_branch_below_one_of_its_makers(self, books):
        parent = access.branch()
        below = branches.create(code="BELOW", name="Below", parent_id=parent.id, actor=SYSTEM, now=NOW)
        branches.choose_policy(
            policy=BranchPolicy.PARENT_SEES_CHILDREN, actor=SYSTEM, now=NOW, reason="One region"
        )
        boss = access.member("owner", "region@example.test", branches=(parent,))
        made = onboarding.invited(boss, branch=below)

        link = application_links.redeem(application=books.application, code=made.code, now=NOW)

        assert (link.status, link.branch_id_there) == ("ACCEPTED", below.id)

    def test_stays_unused_by_who_is_linked(self, books, owner):
        let_in(owner, onboarding.asked(books))
        made = onboarding.invited(owner)

        with pytest.raises(link_requests.AlreadyLinked):
            application_links.redeem(application=books.application, code=made.code, now=NOW)
        assert Invite.objects.get().status == "PENDING"

    def test_there_are_twenty_open_ones_at_most(self, owner, monkeypatch):
        monkeypatch.setattr(invites, "OPEN_MAX", 1)
        onboarding.invited(owner)

        with pytest.raises(invites.InviteLimit):
            onboarding.invited(owner)
        with pytest.raises(invites.InviteInvalid):
            onboarding.invited(owner, lifetime=timedelta(days=31))


class TestEnd:
    def test_revoking_closes_keys_and_webhooks_at_once(self, books, owner):
        link = let_in(owner, onboarding.asked(books), scopes=("parties:read", "webhooks:write"))
        issued = claim(books, link)
        webhook_endpoints.create(
            application_id=issued.key.application_id,
            branch_id=None,
            url="https://books.test/hook",
            event_types=[],
            actor=SYSTEM,
            now=NOW,
        )

        for _ in range(2):
            application_links.revoke(
                link_id=link.id, reason="Contract ended", actor=person(owner.user_id), now=NOW
            )

        assert api_keys.authenticate(secret=issued.secret, now=NOW) is None
        assert ApiKey.objects.get(id=issued.key.id).revoked_at == NOW
        assert WebhookEndpoint.objects.get().status == "DISABLED"
        assert OutboxEvent.objects.filter(type="application_link_revoked").count() == 1
        with pytest.raises(application_links.LinkNotAccepted):
            claim(books, link)
        with pytest.raises(api_keys.ApplicationClosed):
            api_keys.issue(
                application_id=issued.key.application_id,
                name="Again",
                scopes=["parties:read"],
                actor=SYSTEM,
                now=NOW,
            )

    def test_linked_again_it_is_the_same_application(self, books, owner):
        link = let_in(owner, onboarding.asked(books))
        first = claim(books, link).key.application_id
        application_links.revoke(link_id=link.id, reason="A mistake", actor=SYSTEM, now=NOW)

        again = let_in(owner, onboarding.asked(books), scopes=["parties:read"])
        issued = claim(books, again)

        assert issued.key.application_id == first
        assert issued.key.scopes == ["parties:read"]
        assert api_keys.authenticate(secret=issued.secret, now=NOW) is not None

    def test_the_application_ends_what_is_its_own(self, books, owner):
        link = onboarding.asked(books)
        path = f"/links/{ids.encode('lnk', link.id)}/end"
        assert post(path, secret=books.secret).json()["status"] == "withdrawn"
        assert post(path, secret=books.secret).json()["status"] == "withdrawn"

        connection.set_tenant(link.organisation)
        accepted = let_in(owner, onboarding.asked(books))
        issued = claim(books, accepted)
        path = f"/links/{ids.encode('lnk', accepted.id)}/end"
        assert post(path, secret=books.secret).json()["status"] == "revoked"
        connection.set_tenant(link.organisation)
        assert api_keys.authenticate(secret=issued.secret, now=NOW) is None

    def test_suspended_by_the_platform_it_opens_nothing_anywhere_until_it_is_resumed(self, books, owner):
        link = let_in(owner, onboarding.asked(books))
        issued = claim(books, link)
        application_id = books.application.id

        directory.suspend(application_id=application_id, reason="Abuse", actor=SYSTEM, now=NOW)
        assert api_keys.authenticate(secret=issued.secret, now=NOW) is None
        assert directory.authenticate(secret=books.secret) is None
        directory.resume(application_id=application_id, reason="Mended", actor=SYSTEM, now=NOW)
        assert api_keys.authenticate(secret=issued.secret, now=NOW) is not None

    def test_what_nobody_answers_expires(self, books, owner):
        onboarding.asked(books)
        onboarding.asked(books, "nobody")
        onboarding.invited(owner)
        late = NOW + timedelta(days=14)

        assert application_links.expire(now=late - timedelta(seconds=1)) == 1
        assert application_links.expire(now=late) == 2
        assert set(LinkRequest.objects.values_list("status", flat=True)) == {"EXPIRED"}
        assert OutboxEvent.objects.filter(type="application_link_expired").count() == 1
        assert application_links.expire(now=late) == 0


def test_while_nobody_can_count_nobody_registers(db, settings):
    settings.TREASURY = {**settings.TREASURY, "RATE_LIMIT_URL": "redis://127.0.0.1:1/0"}

    with pytest.raises(rate_limits.Uncounted):
        onboarding.registered()
    assert not RegisteredApplication.objects.exists()

"""Change grant: what a link gives is narrowed at once and widened by who may give it, while the application works on."""

from datetime import timedelta

import pytest
from django.db import connection

from apps.access.models import ApiKey, Application
from apps.access.selectors.scope import BeyondOwnBranches
from apps.access.services import api_keys, application_links, grants
from apps.audit.models import AuditRecord
from apps.events.models import OutboxEvent, WebhookEndpoint
from apps.events.services import webhook_endpoints
from apps.kit import clock, errors, ids
from apps.kit.actors import SYSTEM, person
from apps.tenancy.models import GrantChange
from apps.tenancy.services import grant_changes
from tests.access.onboard import claim, get, let_in, post
from tests.factories import access, onboarding
from tests.factories.access import NOW

GIVEN = ("parties:read", "parties:write", "webhooks:write")


@pytest.fixture
def linked(books, owner):
    """Return the link of an application that works here, and its key."""
    link = let_in(owner, onboarding.asked(books), scopes=GIVEN)
    return link, claim(books, link)


def ask(books, link, scopes, **said):
    with clock.fixed(said.pop("now", NOW)):
        answer = post(
            f"/links/{ids.encode('lnk', link.id)}/change",
            {"scopes": list(scopes), **said},
            secret=books.secret,
        )
    connection.set_tenant(link.organisation)
    return answer


def set_to(owner, link, scopes, branch=None):
    return grants.change(
        link_id=link.id,
        scopes=scopes,
        branch_id=branch.id if branch else None,
        reason="The contract has changed",
        person=owner.user,
        actor=person(owner.user_id),
        now=NOW,
    )


def agree(by, change, scopes, *, now=NOW):
    return grants.agree(
        change_id=change.id, scopes=scopes, branch_id=None, person=by.user, actor=person(by.user_id), now=now
    )


def told():
    return list(
        OutboxEvent.objects.filter(type__startswith="application_link_chang")
        .order_by("seq")
        .values_list("type", flat=True)
    )


def held(issued):
    """Return what a key may do at its next request, and where; None where it opens nothing."""
    caller = api_keys.authenticate(secret=issued.secret, now=NOW)
    return None if caller is None else (sorted(caller.scopes), caller.branch_id)


class TestAsk:
    def test_more_waits_for_people_and_less_holds_at_once(self, books, linked, owner):
        link, issued = linked

        less = ask(books, link, ["parties:read", "webhooks:write"])
        more = ask(books, link, ["parties:read", "payments:read"], message="We show payments now.")
        again = ask(books, link, ["payments:read", "parties:read"])
        other = ask(books, link, ["payments:read"])

        assert [each.status_code for each in (less, more, again, other)] == [200, 200, 200, 409]
        assert (less.json()["scopes"], less.json()["change"]) == (["parties:read", "webhooks:write"], None)
        assert (more.json()["scopes"], more.json()["change"]["status"]) == (less.json()["scopes"], "pending")
        assert other.json()["code"] == "grant_change_waits"
        assert held(issued) == (["parties:read", "webhooks:write"], None)
        assert told() == ["application_link_changed", "application_link_change_requested"]

        agree(owner, GrantChange.objects.get(), ["parties:read", "payments:read"])

        shown = get(f"/links/{ids.encode('lnk', link.id)}", books.secret).json()
        connection.set_tenant(link.organisation)
        assert (shown["scopes"], shown["change"]["status"], shown["has_key"]) == (
            ["parties:read", "payments:read"], "accepted", False,
        )  # fmt: skip
        assert held(issued) == (["parties:read"], None)
        assert claim(books, link).key.scopes == ["parties:read", "payments:read"]
        record = AuditRecord.objects.get(action="link.changed", actor_id=str(owner.user_id))
        assert record.changes["scopes"] == [
            ["parties:read", "webhooks:write"],
            ["parties:read", "payments:read"],
        ]

    def test_a_branch_is_less_and_all_of_them_are_more(self, books, linked):
        link, issued = linked
        branch = access.branch()

        bound = ask(books, link, GIVEN, branch_id=ids.encode("br", branch.id))
        freed = ask(books, link, GIVEN, branch_id=None)
        unknown = ask(books, link, GIVEN, branch_id=ids.encode("br", ids.new()))

        assert bound.json()["branch_id"] == freed.json()["branch_id"] == ids.encode("br", branch.id)
        assert freed.json()["change"]["status"] == "pending"
        assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "/branch_id")
        assert held(issued) == (sorted(GIVEN), branch.id)

    def test_is_refused_with_a_reason_and_rests_for_a_week(self, books, linked, owner):
        link, _ = linked
        ask(books, link, [*GIVEN, "payments:read"])
        change = GrantChange.objects.get()

        for _ in range(2):
            grants.refuse(change_id=change.id, reason="Not needed", actor=person(owner.user_id), now=NOW)

        shown = get(f"/links/{ids.encode('lnk', link.id)}", books.secret).json()["change"]
        assert (shown["status"], shown["reason"]) == ("refused", "Not needed")
        soon, later = NOW + timedelta(days=6), NOW + grant_changes.COOLING_OFF
        assert ask(books, link, [*GIVEN, "events:read"], now=soon).json()["code"] == "grant_change_waits"
        assert ask(books, link, [*GIVEN, "events:read"], now=later).status_code == 200
        assert told().count("application_link_change_refused") == 1

    def test_is_taken_back_and_ends_unanswered_and_with_the_link(self, books, linked, owner):
        link, _ = linked
        path = f"/links/{ids.encode('lnk', link.id)}/withdraw-change"
        ask(books, link, [*GIVEN, "payments:read"])
        taken_back = [post(path, secret=books.secret).json()["change"]["status"] for _ in range(2)]
        ask(books, link, [*GIVEN, "payments:read"])
        late = NOW + grant_changes.LIFETIME
        waiting = GrantChange.objects.get(status="PENDING")
        with pytest.raises(grant_changes.GrantChangeExpired):
            agree(owner, waiting, GIVEN, now=late)
        ended = [grants.expire(now=late) for _ in range(2)]
        ask(books, link, [*GIVEN, "payments:read"])
        application_links.revoke(link_id=link.id, reason="Contract ended", actor=SYSTEM, now=NOW)

        told_of = OutboxEvent.objects.filter(type="application_link_change_expired").get().data["object"]
        assert told_of["change"]["scopes"] == sorted([*GIVEN, "payments:read"])
        assert (taken_back, ended) == (["withdrawn"] * 2, [1, 0])
        assert list(GrantChange.objects.order_by("id").values_list("status", flat=True)) == [
            "WITHDRAWN", "EXPIRED", "WITHDRAWN",
        ]  # fmt: skip
        assert told().count("application_link_change_expired") == 1
        assert ask(books, link, GIVEN).json()["code"] == "link_not_accepted"

    def test_who_asks_anew_ends_what_nobody_answered_and_that_is_told(self, books, linked):
        link, _ = linked
        ask(books, link, [*GIVEN, "payments:read"])

        ask(books, link, [*GIVEN, "events:read"], now=NOW + grant_changes.LIFETIME)

        assert told() == [
            "application_link_change_requested",
            "application_link_change_expired",
            "application_link_change_requested",
        ]
        assert sorted(GrantChange.objects.values_list("status", flat=True)) == ["EXPIRED", "PENDING"]

    def test_who_leaves_all_as_it_is_refuses_the_change(self, books, linked, owner):
        link, _ = linked
        ask(books, link, [*GIVEN, "payments:read"])

        with pytest.raises(application_links.GrantInvalid):
            agree(owner, GrantChange.objects.get(), GIVEN)

        assert GrantChange.objects.get().status == "PENDING"

    def test_nobody_asks_for_another_application_or_for_what_there_is_not(self, books, linked):
        link, _ = linked
        other = onboarding.registered("Other")

        assert ask(other, link, ["payments:read"]).status_code == 404
        assert ask(books, link, ["everything"]).status_code == 422
        assert ask(books, link, []).status_code == 422
        assert not GrantChange.objects.exists()


class TestDecide:
    def test_what_is_taken_away_keys_and_endpoints_lose_at_once(self, linked, owner):
        link, issued = linked
        coast, mombasa = access.branch(), access.branch("MSA", "Mombasa")
        made = {"application_id": issued.key.application_id, "actor": SYSTEM, "now": NOW}
        far = api_keys.issue(**made, name="Mombasa", scopes=["parties:read"], branch_id=mombasa.id)
        writes = api_keys.issue(**made, name="Writes", scopes=["parties:write"])
        for branch in (coast, mombasa):
            webhook_endpoints.create(**made, url="https://books.test/hook", branch_id=branch.id)

        set_to(owner, link, ["parties:read", "webhooks:write"], coast)

        assert held(issued) == (["parties:read", "webhooks:write"], coast.id)
        assert (held(far), held(writes)) == (None, None)
        assert dict(WebhookEndpoint.objects.values_list("branch_id", "status")) == {
            coast.id: "ENABLED", mombasa.id: "DISABLED",
        }  # fmt: skip
        actions = AuditRecord.objects.filter(object_type="api_key", reason="The contract has changed")
        assert sorted(actions.values_list("action", flat=True)) == [
            "api_key.narrowed", "api_key.revoked", "api_key.revoked",
        ]  # fmt: skip
        set_to(owner, link, ["parties:read"], coast)
        assert not WebhookEndpoint.objects.filter(status="ENABLED").exists()
        with pytest.raises(api_keys.ScopeExceeded):
            api_keys.issue(**made, name="More", scopes=["webhooks:write"], branch_id=coast.id)

    def test_nobody_gives_what_he_has_not_and_anybody_who_manages_takes_away(self, books, linked):
        link, issued = linked
        weak = access.member("developer", "juma@example.test")
        ask(books, link, [*GIVEN, "payments:write"])

        for deed in (
            lambda: agree(weak, GrantChange.objects.get(), [*GIVEN, "payments:write"]),
            lambda: set_to(weak, link, [*GIVEN, "payments:write"]),
        ):
            with pytest.raises(api_keys.ScopeExceeded):
                deed()
        with pytest.raises(application_links.GrantInvalid):
            set_to(weak, link, [])
        assert GrantChange.objects.get().status == "PENDING"
        assert Application.objects.get(id=issued.key.application_id).granted_scopes == sorted(GIVEN)

        set_to(weak, link, ["parties:read"])

        assert held(issued) == (["parties:read"], None)

    def test_who_widens_stands_for_what_the_keys_do(self, books, linked, owner):
        link, issued = linked
        second = access.member("owner", "second@example.test")
        ask(books, link, [*GIVEN, "payments:read"])

        set_to(second, link, [*GIVEN, "payments:read"])

        application = Application.objects.get(id=issued.key.application_id)
        assert application.granted_by_id == second.id
        assert GrantChange.objects.get().status == "ACCEPTED"
        assert ApiKey.objects.get(id=issued.key.id).created_by_id == owner.id
        assert claim(books, link).key.created_by_id == second.id

    def test_who_works_for_some_branches_decides_about_no_other(self, books, linked, owner):
        link, _ = linked
        coast, mombasa = access.branch(), access.branch("MSA", "Mombasa")
        near = access.member("owner", "juma@example.test", (coast,))
        ask(books, link, [*GIVEN, "payments:read"])
        change = GrantChange.objects.get()

        for place in (None, mombasa):
            if place is not None:
                set_to(owner, link, GIVEN, place)
            for deed in (
                lambda: agree(near, change, GIVEN),
                lambda: grants.refuse(change_id=change.id, reason="No", actor=person(near.user_id), now=NOW),
                lambda: set_to(near, link, ["parties:read"], coast),
            ):
                with pytest.raises(BeyondOwnBranches):
                    deed()
        set_to(owner, link, GIVEN, coast)
        set_to(near, link, ["parties:read"], coast)

        assert Application.objects.get(directory_id=books.application.id).granted_scopes == ["parties:read"]

    def test_another_organisation_neither_sees_nor_decides(self, books, linked, in_organisation):
        link, _ = linked
        ask(books, link, [*GIVEN, "payments:read"])
        change = GrantChange.objects.get()
        in_organisation("zuri")
        access.head_office()
        stranger = access.member("owner", "zawadi@example.test")

        for deed in (
            lambda: agree(stranger, change, GIVEN),
            lambda: grants.refuse(change_id=change.id, reason="No thanks", actor=SYSTEM, now=NOW),
            lambda: set_to(stranger, link, GIVEN),
        ):
            with pytest.raises(errors.NotFound):
                deed()


class TestBounds:
    def test_a_key_that_was_made_beyond_the_grant_does_no_more_than_that(self, linked):
        _, issued = linked
        coast, mombasa = access.branch(), access.branch("MSA", "Mombasa")
        bounds = Application.objects.filter(id=issued.key.application_id)

        bounds.update(granted_scopes=["parties:read"])
        assert held(issued) == (["parties:read"], None)

        bounds.update(granted_branch_id=coast.id)
        assert held(issued) is None
        ApiKey.objects.filter(id=issued.key.id).update(branch_id=mombasa.id)
        assert held(issued) is None
        ApiKey.objects.filter(id=issued.key.id).update(branch_id=coast.id)
        assert held(issued) == (["parties:read"], coast.id)

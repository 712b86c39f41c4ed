"""Saved views: kept, shared, opened by default, counted and taken away; and the columns that a person chooses."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.portal.contracts import ViewWanted
from apps.portal.models import SavedView
from apps.portal.models.saved_view import QUERY_LENGTH
from apps.portal.services import saved_views
from tests.dialogs import open_at, send
from tests.factories import access, payments
from tests.factories.payments import NOW
from tests.portal.conftest import HOST

LABEL = "payments.paymentintent"
LIST = "/portal/payments/paymentintent/"
FAILED = "status=FAILED"


def address(name: str, query: str = "", label: str = LABEL) -> str:
    return reverse(f"portal-{name}", args=[label]) + (f"?{query}" if query else "")


def view_of(in_organisation, **chosen) -> SavedView:
    in_organisation("acme")
    return SavedView.objects.get(**chosen)


def test_a_view_keeps_filters_and_stands_above_the_list(story, enter, in_organisation):
    client = enter()

    answer = send(client, address("save-view", FAILED + "&before=x"), name="Failed ones")
    view = view_of(in_organisation)
    html = client.get(answer.headers["HX-Redirect"]).content.decode()

    assert (view.name, view.query, view.model_label) == ("Failed ones", FAILED, LABEL)
    assert answer.headers["HX-Redirect"] == f"{LIST}?{FAILED}&view={view.id}"
    assert "Failed ones" in html
    assert "INV-HQ-2026-00001" not in html


def test_a_view_keeps_no_number_of_a_card(story, enter, in_organisation):
    send(enter(), address("save-view", FAILED + "&q=4242+4242+4242+4242"), name="Failed ones")

    assert view_of(in_organisation).query == FAILED


def test_a_view_of_the_same_name_is_replaced(story, enter, in_organisation):
    client = enter()
    send(client, address("save-view", FAILED), name="Mine")
    send(client, address("save-view", "status=UNKNOWN"), name=" Mine ")

    assert view_of(in_organisation).query == "status=UNKNOWN"


def test_the_default_opens_the_list_and_all_stays_within_reach(story, enter, in_organisation):
    client = enter()
    send(client, address("save-view", FAILED), name="Failed ones", is_default="on")
    view = view_of(in_organisation)

    assert client.get(LIST).headers["Location"] == f"?{FAILED}&view={view.id}"
    assert client.get(f"{LIST}?view=all").status_code == 200

    send(client, address("save-view", "status=UNKNOWN"), name="Unknown ones", is_default="on")
    in_organisation("acme")
    assert list(SavedView.objects.filter(is_default=True).values_list("name", flat=True)) == ["Unknown ones"]


def test_only_who_may_share_is_asked_for_whom(story, enter, in_organisation):
    clerk = enter("accountant", email="clerk@example.test")

    assert 'name="is_shared"' not in open_at(clerk, address("save-view")).content.decode()
    send(clerk, address("save-view", FAILED), name="Mine", is_shared="on")

    assert view_of(in_organisation).is_shared is False


def test_a_shared_view_is_seen_by_its_branch_and_by_nobody_else(story, enter, in_organisation):
    owner = enter()
    send(owner, address("save-view", FAILED), name="For all", is_shared="on")
    send(
        owner, address("save-view", FAILED), name="For CBD", is_shared="on", branch=str(story.other_branch.id)
    )
    send(owner, address("save-view", FAILED), name="Own")
    in_organisation("acme")
    cbd = enter("accountant", email="cbd@example.test", branches=(story.other_branch,))
    in_organisation("acme")
    hq = enter("accountant", email="hq@example.test", branches=(story.head_office,))

    seen = {name: client.get(LIST).content.decode() for name, client in (("cbd", cbd), ("hq", hq))}

    assert [word in seen["cbd"] for word in ("For all", "For CBD", ">Own<")] == [True, True, False]
    assert [word in seen["hq"] for word in ("For all", "For CBD", ">Own<")] == [True, False, False]


def test_a_shared_view_shows_each_reader_his_own_branch_only(story, enter, in_organisation):
    send(enter(), address("save-view", "status=SUCCEEDED"), name="Paid", is_shared="on")
    view = view_of(in_organisation)
    cbd = enter("accountant", email="cbd@example.test", branches=(story.other_branch,))

    html = cbd.get(f"{LIST}?status=SUCCEEDED&view={view.id}").content.decode()

    assert "INV-CBD-1" in html
    assert "INV-HQ-2026-00001" not in html


def test_nobody_deletes_or_changes_the_view_of_another(story, enter, in_organisation):
    send(enter(), address("save-view", FAILED), name="For all", is_shared="on")
    view = view_of(in_organisation)
    other = enter("accountant", email="other@example.test")

    assert open_at(other, address("delete-view", f"view={view.id}")).status_code == 409
    in_organisation("acme")
    user = access.member("support", "third@example.test").user
    with pytest.raises(saved_views.ViewUnknown):
        saved_views.delete(view_id=view.id, user_id=user.pk)
    with pytest.raises(saved_views.ViewUnknown):
        saved_views.choose_columns(
            model_label=LABEL, view_id=view.id, columns=["status_column"], user_id=user.pk, now=NOW
        )
    view.refresh_from_db()
    assert view.columns == []


def test_a_view_is_deleted_by_its_owner(story, enter, in_organisation):
    client = enter()
    send(client, address("save-view", FAILED), name="Mine")
    view = view_of(in_organisation)

    answer = send(client, address("delete-view", f"{FAILED}&view={view.id}"))

    assert answer.headers["HX-Redirect"] == f"{LIST}?view=all"
    in_organisation("acme")
    assert not SavedView.objects.exists()


def test_columns_are_chosen_and_those_that_lead_to_the_row_stay(story, enter, in_organisation):
    client = enter()
    assert "column-branch" in client.get(LIST).content.decode()

    send(client, address("columns"), columns=["status_column", "amount_column"])
    html = client.get(LIST).content.decode()

    assert "column-branch" not in html
    assert "column-status_column" in html
    assert "column-payer_column" in html
    assert view_of(in_organisation).columns == ["payer_column", "status_column", "amount_column"]


def test_columns_of_a_view_hold_in_it_alone(story, enter, in_organisation):
    client = enter()
    send(client, address("save-view", FAILED), name="Failed ones")
    view = view_of(in_organisation)

    send(client, address("columns", f"{FAILED}&view={view.id}"), columns=["amount_column"])

    assert "column-branch" not in client.get(f"{LIST}?{FAILED}&view={view.id}").content.decode()
    assert "column-branch" in client.get(LIST).content.decode()


def test_views_say_how_much_they_hold(story, enter, in_organisation):
    client = enter()
    send(client, address("save-view", "status=SUCCEEDED"), name="Paid")
    view = view_of(in_organisation)

    html = client.get(address("view-counts")).content.decode()

    assert f'<i id="count-{view.id}" hx-swap-oob="true">2</i>' in html
    assert '<i id="count-0" hx-swap-oob="true">6</i>' in html


def test_a_query_that_is_none_any_more_counts_nothing_and_breaks_nothing(story, enter, in_organisation):
    client = enter()
    send(client, address("save-view", "payer_phone__startswith=2547"), name="Old")
    view = view_of(in_organisation)

    html = client.get(address("view-counts")).content.decode()

    assert f'<i id="count-{view.id}" hx-swap-oob="true"></i>' in html


@pytest.mark.parametrize("label", ["access.role", "access.branch"])
def test_a_list_that_counts_no_views_is_not_counted(story, enter, label):
    assert enter().get(address("view-counts", label=label)).status_code == 404


def test_a_view_with_too_many_filters_is_refused(story, enter, in_organisation):
    answer = send(enter(), address("save-view", "q=" + "x" * QUERY_LENGTH), name="Long")

    assert answer.status_code == 422
    assert "too many filters" in answer.content.decode()
    in_organisation("acme")
    assert not SavedView.objects.exists()


def test_a_view_keeps_nothing_that_the_database_could_not_hold(story, enter, in_organisation):
    client = enter()
    send(client, address("save-view", f"q=%00&{FAILED}"), name="For all", is_shared="on")

    assert view_of(in_organisation).query == FAILED
    assert client.get(address("view-counts")).status_code == 200


def test_the_views_of_a_former_member_are_seen_by_nobody(story, enter, in_organisation):
    owner = enter()
    leaver = enter("owner", email="leaver@example.test")
    send(leaver, address("save-view", FAILED), name="Left behind", is_shared="on")
    assert "Left behind" in owner.get(LIST).content.decode()

    in_organisation("acme")
    access.Membership.objects.filter(user__email="leaver@example.test").update(is_active=False)

    assert "Left behind" not in owner.get(LIST).content.decode()


def test_a_view_of_a_branch_that_is_not_the_readers_shows_nothing(story, enter, in_organisation):
    query = f"branch={story.head_office.id}"
    send(enter(), address("save-view", query), name="Head office", is_shared="on")
    in_organisation("acme")
    cbd = enter("accountant", email="cbd@example.test", branches=(story.other_branch,))

    html = cbd.get(f"{LIST}?{query}").content.decode()

    assert "INV-CBD-1" not in html
    assert "INV-HQ-2026-00001" not in html


@pytest.mark.parametrize("label", ["payments.nothing", "nonsense", "accounts.user", "audit.auditrecord"])
def test_what_is_no_list_of_the_person_has_no_views(story, enter, label):
    client = enter("support")

    assert client.get(address("view-counts", label=label)).status_code == 404
    assert open_at(client, address("save-view", label=label)).status_code == 404


def test_a_stranger_saves_nothing(story):
    client = Client(headers={"host": HOST})

    assert client.post(address("save-view"), {"name": "x"}).status_code == 302


def test_a_view_needs_a_name_and_there_are_thirty_at_most(acme):
    user = access.member().user

    with pytest.raises(saved_views.ViewNameRequired):
        saved_views.save(wanted=ViewWanted(model_label=LABEL, name=" "), user_id=user.pk, now=NOW)
    for number in range(saved_views.VIEWS_MAX):
        saved_views.save(wanted=ViewWanted(model_label=LABEL, name=str(number)), user_id=user.pk, now=NOW)
    with pytest.raises(saved_views.ViewLimit):
        saved_views.save(wanted=ViewWanted(model_label=LABEL, name="one more"), user_id=user.pk, now=NOW)

    assert SavedView.objects.count() == saved_views.VIEWS_MAX


def test_the_database_keeps_one_default_and_no_nameless_view_that_is_shared(acme):
    owner = access.member()
    SavedView.objects.create(owner=owner, model_label=LABEL, name="a", is_default=True, created_at=NOW)

    for wrong in ({"name": "b", "is_default": True}, {"name": "", "is_shared": True}, {"name": "a"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            SavedView.objects.create(owner=owner, model_label=LABEL, created_at=NOW, **wrong)


def test_an_ended_member_and_an_unknown_view_are_nobodys(acme):
    assert saved_views.SavedView.objects.owned_by(uuid4()).count() == 0


def test_a_list_of_fifty_asks_the_database_a_bounded_number_of_times(acme, enter):
    access.head_office()
    payments.account()
    for number in range(50):
        payments.waiting(now=NOW + timedelta(minutes=number), reference=f"INV-{number}")
    client = enter()
    client.get(LIST)

    with CaptureQueriesContext(connection) as captured:
        html = client.get(LIST).content.decode()

    asked = [query["sql"] for query in captured if not query["sql"].startswith("SET ")]
    assert html.count('class="data-row') == 50
    assert len(asked) <= 17, "\n".join(sql[:90] + " ... " + sql[-150:] for sql in asked)

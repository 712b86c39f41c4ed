"""A person looks at one of his branches: every list, page, figure and search of the portal follows, and never widens."""

from copy import deepcopy

import pytest
from django.test import Client

from apps.access.selectors import branches, scope
from apps.access.services import memberships
from apps.kit.actors import SYSTEM
from apps.payments.models import PaymentIntent
from tests.factories import access
from tests.factories import payments as make

HOST = "acme.testserver"
LIST = "/portal/payments/paymentintent/"


@pytest.fixture(scope="module")
def paid(lay):
    return lay(pay_in_two)


@pytest.fixture
def two(paid, acme):
    """Return two branches beside head office, each with one payment."""
    return deepcopy(paid)


def pay_in_two():
    access.head_office()
    access.portal()
    places = access.branch(), access.branch("MSA", "Mombasa")
    for place, reference in zip(places, ("ORDER-CBD", "ORDER-MSA"), strict=True):
        make.account(branch_id=place.id)
        make.intent(branch_id=place.id, reference=reference)
    return places


@pytest.fixture
def enter(two, in_organisation):
    def signed_in(role="owner", own=()):
        access.member(role, branches=tuple(own))
        browser = Client(headers={"host": HOST})
        browser.force_login(access.user())
        return browser

    return signed_in


def choose(browser, branch, page=LIST):
    return browser.post("/portal/branch/", {"branch": branch.id if branch else "", "next": page})


def seen(browser):
    page = browser.get(LIST).content.decode()
    return {reference for reference in ("ORDER-CBD", "ORDER-MSA") if reference in page}


def test_all_branches_are_shown_until_one_is_chosen(enter, two):
    browser = enter()
    assert seen(browser) == {"ORDER-CBD", "ORDER-MSA"}

    answer = choose(browser, two[0])

    assert answer["Location"] == LIST
    assert seen(browser) == {"ORDER-CBD"}
    assert "Nairobi CBD</span>" in browser.get(LIST).content.decode()
    choose(browser, None)
    assert seen(browser) == {"ORDER-CBD", "ORDER-MSA"}


def test_pages_search_and_figures_follow(enter, two):
    browser = enter()
    other = PaymentIntent.objects.get(reference="ORDER-MSA")
    address = f"/portal/payments/{other.id}/"
    assert browser.get(address).status_code == 200
    choose(browser, two[0])

    assert browser.get(address).status_code == 404
    found = browser.get("/portal/search/", {"s": "ORDER-MSA"}).content.decode()
    assert "/portal/payments/" not in found
    assert str(other.id) not in browser.get("/portal/").content.decode()


def test_from_the_page_of_a_row_it_leads_to_the_first_page(enter, two):
    browser = enter()
    row = PaymentIntent.objects.get(reference="ORDER-MSA")

    assert choose(browser, two[0], f"/portal/payments/{row.id}/")["Location"] == "/portal/"


@pytest.mark.parametrize("page", ["https://evil.example/", "//evil.example", "", "/nowhere/", "javascript:x"])
def test_leads_nowhere_else(enter, two, page):
    assert choose(enter(), two[0], page)["Location"] == "/portal/"


def test_a_branch_that_is_not_his_is_not_chosen(enter, two, in_organisation):
    browser = enter("auditor", own=[two[0]])

    choose(browser, two[1])

    assert seen(browser) == {"ORDER-CBD"}
    session = browser.session
    session["branch"] = str(two[1].id)
    session.save()
    assert seen(browser) == {"ORDER-CBD"}


def test_a_branch_that_is_taken_from_him_is_no_longer_seen(enter, two, in_organisation):
    access.member("owner", "owner@example.test")
    browser = enter("auditor", own=two)
    choose(browser, two[1])
    assert seen(browser) == {"ORDER-MSA"}

    in_organisation("acme")
    membership = access.Membership.objects.get(user=access.user())
    memberships.change(
        membership_id=membership.id,
        role="auditor",
        is_active=True,
        branch_ids=[two[0].id],
        actor=SYSTEM,
        now=access.NOW,
    )

    assert seen(browser) == {"ORDER-CBD"}


@pytest.mark.parametrize("value", ["x", "' OR 1=1", "01936000-0000-7000-8000-0000000000ff"])
def test_what_is_no_branch_means_all(enter, value):
    browser = enter()

    browser.post("/portal/branch/", {"branch": value, "next": LIST})

    assert seen(browser) == {"ORDER-CBD", "ORDER-MSA"}


def test_it_is_chosen_by_post_and_ends_with_the_session(enter, two, in_organisation):
    browser = enter()
    assert browser.get("/portal/branch/", {"branch": two[0].id}).status_code == 405
    choose(browser, two[0])

    in_organisation("acme")
    again = Client(headers={"host": HOST})
    again.force_login(access.user())

    assert seen(again) == {"ORDER-CBD", "ORDER-MSA"}


def test_keys_are_not_narrowed_and_the_choice_never_widens(two):
    caller = access.caller(branch=two[0])
    member = access.member("auditor", branches=(two[0],)).user

    scope.narrow(member, two[1].id)

    assert scope.branch_ids(caller) == {two[0].id}
    assert scope.branch_ids(member) == {two[0].id}
    scope.narrow(member, two[0].id)
    assert scope.branch_ids(member) == scope.own_branch_ids(member) == {two[0].id}


def test_an_outsider_sees_nothing_whatever_he_chose(two):
    outsider = access.user("outsider@example.test")
    scope.narrow(outsider, two[0].id)

    assert scope.branch_ids(outsider) == set()
    assert branches.choice_of(outsider) == branches.Choice([], None, is_whole=False)


def test_the_menu_offers_his_own_branches_only(enter, two):
    office = access.head_office()
    page = enter("auditor", own=two).get(LIST).content.decode()

    assert "All my branches" in page
    assert "Mombasa" in page
    assert 'value="' + str(office.id) not in page


def test_one_branch_is_no_choice(enter, two):
    assert 'id="places"' not in enter("auditor", own=[two[0]]).get(LIST).content.decode()
